"""Attention, gates and pairwise scores, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive(keeps=("p",))
def attention(q, k, v, *, scale=1.0):
    """softmax(scale · q kᵀ) v: q [N, T, D], k [N, S, D], v [N, S, E] → [N, T, E]."""
    s = scale * q @ k.swapaxes(1, 2)
    p = np.exp(s - s.max(-1, keepdims=True))
    p = p / p.sum(-1, keepdims=True)
    return p @ v, p


@attention.kept("p")
def attention_p(q, k, scale):
    return tg.softmax(scale * tg.matmul(q, tg.transpose(k, 1, 2)), dim=-1)


@attention.grad("q")
def attention_dq(dy, k, v, p, scale):
    ds = scores_grad(dy, v, p)
    return scale * tg.matmul(ds, k)


@attention.grad("k")
def attention_dk(dy, q, v, p, scale):
    ds = scores_grad(dy, v, p)
    return scale * tg.matmul(tg.transpose(ds, 1, 2), q)


@attention.grad("v")
def attention_dv(dy, p):
    return tg.matmul(tg.transpose(p, 1, 2), dy)


def scores_grad(dy, v, p):
    dp = tg.matmul(dy, tg.transpose(v, 1, 2))
    return p * (dp - tg.sum(dp * p, dim=-1, keepdim=True))


def attention_inputs(rng):
    return [rng.standard_normal((2, 3, 3)), rng.standard_normal((2, 3, 3)), rng.standard_normal((2, 3, 3))], {
        "scale": 0.7
    }


@tg.primitive
def glu_gate(x):
    """a · sigmoid(b), a and b the halves of the last axis (Dauphin et al. 2017)."""
    a, b = np.split(x, 2, axis=-1)
    return a / (1 + np.exp(-b))


@glu_gate.grad("x")
def glu_dx(dy, x):
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    gate = tg.sigmoid(b)
    da = dy * gate
    db = dy * a * gate * (1 - gate)
    return tg.cat([da, db], dim=-1)


def glu_gate_inputs(rng):
    return [rng.standard_normal((3, 6))], {}


@tg.primitive
def squared_distances(a, b):
    """|aᵢ - bⱼ|² of all rows: a [N, D], b [M, D] → [N, M]."""
    return np.sum((a[:, None] - b[None]) ** 2, axis=-1)


@squared_distances.grad("a")
def distances_da(dy, a, b):
    return 2 * (a * tg.sum(dy, dim=1, keepdim=True) - tg.matmul(dy, b))


@squared_distances.grad("b")
def distances_db(dy, a, b):
    dy_t = tg.transpose(dy, 0, 1)
    return 2 * (b * tg.sum(dy_t, dim=1, keepdim=True) - tg.matmul(dy_t, a))


def squared_distances_inputs(rng):
    return [rng.standard_normal((3, 2)), rng.standard_normal((3, 2))], {}


@tg.primitive
def bilinear_form(x, w, z):
    """xₙᵀ W zₙ + no bias, one number for each row: x [N, I], w [I, J], z [N, J]."""
    return np.sum((x @ w) * z, axis=1)


@bilinear_form.grad("x")
def bilinear_dx(dy, w, z):
    return dy[:, None] * tg.matmul(z, tg.transpose(w, 0, 1))


@bilinear_form.grad("w")
def bilinear_dw(dy, x, z):
    return tg.matmul(tg.transpose(x, 0, 1), dy[:, None] * z)


@bilinear_form.grad("z")
def bilinear_dz(dy, x, w):
    return dy[:, None] * tg.matmul(x, w)


def bilinear_form_inputs(rng):
    return [rng.standard_normal((3, 3)), rng.standard_normal((3, 3)), rng.standard_normal((3, 3))], {}


@tg.primitive
def cosine_scores(a, b, *, eps=1e-8):
    """a · b / (|a| |b| + eps), row by row."""
    return np.sum(a * b, -1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1) + eps)


@cosine_scores.grad("a")
def cosine_da(dy, a, b, eps):
    na, nb = row_norm(a), row_norm(b)
    dot = tg.sum(a * b, dim=-1, keepdim=True)
    bottom = na * nb + eps
    return dy[:, None] * (b / bottom - dot / bottom**2 * nb * a / na)


@cosine_scores.grad("b")
def cosine_db(dy, a, b, eps):
    na, nb = row_norm(a), row_norm(b)
    dot = tg.sum(a * b, dim=-1, keepdim=True)
    bottom = na * nb + eps
    return dy[:, None] * (a / bottom - dot / bottom**2 * na * b / nb)


def row_norm(a):
    return tg.sqrt(tg.sum(a * a, dim=-1, keepdim=True))


def cosine_scores_inputs(rng):
    return [rng.standard_normal((3, 4)), rng.standard_normal((3, 4))], {"eps": 0.1}
