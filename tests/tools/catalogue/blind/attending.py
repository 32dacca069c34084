"""Attention and what is around it: kernels, scores, positions, sparse weights, products of pairs."""

import numpy as np

import tinygrad_conv as tg


def feature(x):
    """elu(x) + 1, positive."""
    return tg.where(x > 0, x + 1, tg.exp(tg.clamp(x, max=0.0)))


def feature_slope(x):
    return tg.where(x > 0, 1.0, tg.exp(tg.clamp(x, max=0.0)))


@tg.primitive
def causal_linear_attention(q, k, v):
    """Σ_s φ(q_t)·φ(k_s) v_s / Σ_s φ(q_t)·φ(k_s) over s ≤ t, φ = elu + 1 (Katharopoulos et al. 2020).

    q [N, T, D], k [N, T, D], v [N, T, E] → [N, T, E]
    """
    fq = np.where(q > 0, q + 1, np.exp(np.minimum(q, 0)))
    fk = np.where(k > 0, k + 1, np.exp(np.minimum(k, 0)))
    memory = np.cumsum(fk[..., :, None] * v[..., None, :], axis=1)
    mass = np.sum(fq * np.cumsum(fk, axis=1), axis=2, keepdims=True)
    return np.einsum("ntd,ntde->nte", fq, memory) / mass


@causal_linear_attention.grad("q")
def causal_linear_attention_dq(dy, q, k, v, y):
    fq, fk = feature(q), feature(k)
    mass = tg.sum(fq * tg.cumsum(fk, 1), dim=2, keepdim=True)
    g = dy / mass
    dweight = tg.tril(g @ tg.transpose(v, 1, 2) - tg.sum(g * y, dim=2, keepdim=True))
    return (dweight @ fk) * feature_slope(q)


@causal_linear_attention.grad("k")
def causal_linear_attention_dk(dy, q, k, v, y):
    fq, fk = feature(q), feature(k)
    mass = tg.sum(fq * tg.cumsum(fk, 1), dim=2, keepdim=True)
    g = dy / mass
    dweight = tg.tril(g @ tg.transpose(v, 1, 2) - tg.sum(g * y, dim=2, keepdim=True))
    return (tg.transpose(dweight, 1, 2) @ fq) * feature_slope(k)


@causal_linear_attention.grad("v")
def causal_linear_attention_dv(dy, q, k):
    fq, fk = feature(q), feature(k)
    weight = tg.tril(fq @ tg.transpose(fk, 1, 2))
    weight = weight / tg.sum(weight, dim=2, keepdim=True)
    return tg.transpose(weight, 1, 2) @ dy


def causal_linear_attention_inputs(rng):
    return [
        rng.standard_normal((2, 5, 3)),
        rng.standard_normal((2, 5, 3)),
        rng.standard_normal((2, 5, 4)),
    ], {}


@tg.primitive
def additive_scores(q, k, w, *, scale=0.5):
    """scale · Σ_d w_d tanh(q_td + k_sd), the scores of Bahdanau et al. 2015.

    q [N, T, D], k [N, S, D], w [D] → [N, T, S]
    """
    return scale * np.tanh(q[:, :, None] + k[:, None]) @ w


@additive_scores.grad("q")
def additive_scores_dq(dy, q, k, w, scale):
    h = tg.tanh(q[:, :, None] + k[:, None])
    return scale * tg.sum(dy[..., None] * w * (1 - h * h), dim=2)


@additive_scores.grad("k")
def additive_scores_dk(dy, q, k, w, scale):
    h = tg.tanh(q[:, :, None] + k[:, None])
    return scale * tg.sum(dy[..., None] * w * (1 - h * h), dim=1)


@additive_scores.grad("w")
def additive_scores_dw(dy, q, k, scale):
    h = tg.tanh(q[:, :, None] + k[:, None])
    return scale * tg.einsum("nts,ntsd->d", dy, h)


def additive_scores_inputs(rng):
    return [rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 5, 4)), rng.standard_normal(4)], {}


@tg.primitive
def rotary(x, theta, *, start=2):
    """The pairs (x_i, x_{i + D/2}) of place t turned by (start + t) · theta_i (Su et al. 2021), theta learnt.

    x [N, T, D], theta [D/2] → [N, T, D]
    """
    half = x.shape[2] // 2
    angle = (start + np.arange(x.shape[1]))[:, None] * theta
    cos, sin, a, b = np.cos(angle), np.sin(angle), x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=2)


@rotary.grad("x")
def rotary_dx(dy, theta, start):
    half = dy.shape[2] // 2
    angle = np.arange(start, start + dy.shape[1])[:, None] * theta
    cos, sin = tg.cos(angle), tg.sin(angle)
    da, db = dy[..., :half], dy[..., half:]
    return tg.cat([da * cos + db * sin, db * cos - da * sin], dim=2)


@rotary.grad("theta")
def rotary_dtheta(dy, y, start):
    half = dy.shape[2] // 2
    place = np.arange(start, start + dy.shape[1])[:, None]
    turn = dy[..., half:] * y[..., :half] - dy[..., :half] * y[..., half:]
    return tg.sum(turn * place, dim=(0, 1))


def rotary_inputs(rng):
    return [rng.standard_normal((2, 5, 6)), rng.uniform(0.1, 0.9, 3)], {"start": 2}


@tg.primitive
def entmax15(x):
    """The p on the simplex with p_i = max(x_i / 2 - τ, 0)², sparse (Peters et al. 2019).

    x [N, C] → [N, C]
    """
    z = np.sort(x / 2, axis=1)[:, ::-1]
    count = np.arange(1, x.shape[1] + 1)
    mean = np.cumsum(z, axis=1) / count
    spread = np.cumsum(z * z, axis=1) - count * mean * mean
    tau = mean - np.sqrt(np.maximum((1 - spread) / count, 0))
    last = np.sum(tau <= z, axis=1, keepdims=True) - 1
    return np.maximum(x / 2 - np.take_along_axis(tau, last, 1), 0) ** 2


@entmax15.grad("x")
def entmax15_dx(dy, y):
    support = y > 0
    root = tg.where(support, tg.sqrt(tg.where(support, y, 1.0)), 0.0)
    mean = tg.sum(dy * root, dim=1, keepdim=True) / tg.sum(root, dim=1, keepdim=True)
    return root * (dy - mean)


def entmax15_inputs(rng):
    return [rng.standard_normal((3, 5)) * 1.3], {}


@tg.primitive
def factorization_machine(x, w, v):
    """Σ_f w_f x_f + Σ_{f<g} v_f·v_g x_f x_g, all pairs of features (Rendle 2010).

    x [N, F], w [F], v [F, K] → [N]
    """
    total = x @ v
    return x @ w + 0.5 * np.sum(total**2 - (x * x) @ (v * v), axis=1)


@factorization_machine.grad("x")
def factorization_machine_dx(dy, x, w, v):
    total = x @ v
    own = x * tg.sum(v * v, dim=1)
    return dy[:, None] * (w + total @ v.T - own)


@factorization_machine.grad("w")
def factorization_machine_dw(dy, x):
    return dy @ x


@factorization_machine.grad("v")
def factorization_machine_dv(dy, x, v):
    g = dy[:, None] * x
    total = x @ v
    return g.T @ total - v * tg.sum(g * x, dim=0)[:, None]


def factorization_machine_inputs(rng):
    return [rng.standard_normal((3, 5)), rng.standard_normal(5), rng.standard_normal((5, 2))], {}
