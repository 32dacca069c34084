"""Normalisations that are none of batch, layer, group and RMS."""

import numpy as np

import tinygrad_conv as tg


def by_channel(p):
    """[C] as [C, 1, 1], to meet [N, C, H, W]."""
    return tg.reshape(p, (p.shape[0], 1, 1))


@tg.primitive
def filter_response_norm(x, gamma, beta, tau, *, eps=0.05):
    """max(gamma · x / √(ν² + eps) + beta, tau), ν² the mean of x² over an image's places (Singh & Krishnan
    2020).

    x [N, C, H, W], gamma [C], beta [C], tau [C] → [N, C, H, W]
    """
    nu2 = np.mean(x * x, axis=(2, 3), keepdims=True)
    z = gamma[:, None, None] * x / np.sqrt(nu2 + eps) + beta[:, None, None]
    return np.maximum(z, tau[:, None, None])


@filter_response_norm.grad("x")
def filter_response_norm_dx(dy, x, gamma, beta, tau, eps):
    inv = (tg.mean(x * x, dim=(2, 3), keepdim=True) + eps) ** -0.5
    z = by_channel(gamma) * x * inv + by_channel(beta)
    g = tg.where(z > by_channel(tau), dy, 0.0) * by_channel(gamma)
    shared = tg.mean(g * x, dim=(2, 3), keepdim=True)
    return inv * g - inv**3 * x * shared


@filter_response_norm.grad("gamma")
def filter_response_norm_dgamma(dy, x, y, tau, eps):
    inv = (tg.mean(x * x, dim=(2, 3), keepdim=True) + eps) ** -0.5
    passed = tg.where(y > by_channel(tau), dy, 0.0)
    return tg.sum(passed * x * inv, dim=(0, 2, 3))


@filter_response_norm.grad("beta")
def filter_response_norm_dbeta(dy, y, tau):
    return tg.sum(tg.where(y > by_channel(tau), dy, 0.0), dim=(0, 2, 3))


@filter_response_norm.grad("tau")
def filter_response_norm_dtau(dy, y, tau):
    return tg.sum(tg.where(y > by_channel(tau), 0.0, dy), dim=(0, 2, 3))


def filter_response_norm_inputs(rng):
    x = rng.standard_normal((2, 3, 4, 5))
    return [x, rng.uniform(0.6, 1.6, 3), rng.uniform(-0.3, 0.3, 3), rng.uniform(-0.6, 0.1, 3)], {}


def in_groups(x, groups):
    """[N, C, L] as [N, G, C/G, L]."""
    return tg.reshape(x, (x.shape[0], groups, x.shape[1] // groups, x.shape[2]))


@tg.primitive
def evonorm_s0(x, v, gamma, beta, *, groups=2, eps=0.02):
    """gamma · x σ(v x) / s + beta, s the deviation of x in a group of channels (Liu et al. 2020).

    x [N, C, L], v [C], gamma [C], beta [C] → [N, C, L]; groups divides C
    """
    grouped = x.reshape(x.shape[0], groups, -1)
    s = np.sqrt(np.var(grouped, axis=2) + eps)
    s = np.repeat(s, x.shape[1] // groups, axis=1)[:, :, None]
    swish = x / (1 + np.exp(-v[:, None] * x))
    return gamma[:, None] * swish / s + beta[:, None]


def group_stats(x, groups, eps):
    """A group's x less its mean, and 1 / its deviation, [N, G, C/G, L] and [N, G, 1, 1]."""
    xg = in_groups(x, groups)
    centred = xg - tg.mean(xg, dim=(2, 3), keepdim=True)
    return centred, (tg.mean(centred * centred, dim=(2, 3), keepdim=True) + eps) ** -0.5


@evonorm_s0.grad("x")
def evonorm_s0_dx(dy, x, v, gamma, groups, eps):
    centred, inv = group_stats(x, groups, eps)
    gate = tg.sigmoid(v[:, None] * x)
    g = dy * gamma[:, None]
    slope = gate + v[:, None] * x * gate * (1 - gate)
    direct = in_groups(g * slope, groups) * inv
    through_s = centred * inv**3 * tg.mean(in_groups(g * x * gate, groups), dim=(2, 3), keepdim=True)
    return tg.reshape(direct - through_s, x.shape)


@evonorm_s0.grad("v")
def evonorm_s0_dv(dy, x, v, gamma, groups, eps):
    inv = group_stats(x, groups, eps)[1]
    gate = tg.sigmoid(v[:, None] * x)
    g = in_groups(dy * gamma[:, None] * x**2 * gate * (1 - gate), groups) * inv
    return tg.sum(tg.reshape(g, x.shape), dim=(0, 2))


@evonorm_s0.grad("gamma")
def evonorm_s0_dgamma(dy, x, v, groups, eps):
    inv = group_stats(x, groups, eps)[1]
    swish = x * tg.sigmoid(v[:, None] * x)
    return tg.sum(tg.reshape(in_groups(dy * swish, groups) * inv, x.shape), dim=(0, 2))


@evonorm_s0.grad("beta")
def evonorm_s0_dbeta(dy):
    return tg.sum(dy, dim=(0, 2))


def evonorm_s0_inputs(rng):
    x = rng.standard_normal((4, 6, 5)) + 0.3
    return [x, rng.uniform(0.5, 1.5, 6), rng.uniform(0.5, 1.5, 6), rng.standard_normal(6)], {}


@tg.primitive
def standardize_weight(w, gain, *, eps=0.03):
    """Each output's weights less their mean, over √(their squares' sum + eps), times its gain (Brock et
    al. 2021).

    w [O, I, K], gain [O] → [O, I, K]
    """
    centred = w - w.mean(axis=(1, 2), keepdims=True)
    return gain[:, None, None] * centred / np.sqrt(np.sum(centred**2, axis=(1, 2), keepdims=True) + eps)


@standardize_weight.grad("w")
def standardize_weight_dw(dy, w, gain, eps):
    centred = w - tg.mean(w, dim=(1, 2), keepdim=True)
    inv = (tg.sum(centred * centred, dim=(1, 2), keepdim=True) + eps) ** -0.5
    g = dy * gain[:, None, None]
    centred_g = g - tg.mean(g, dim=(1, 2), keepdim=True)
    along = tg.sum(g * centred, dim=(1, 2), keepdim=True)
    return inv * centred_g - inv**3 * centred * along


@standardize_weight.grad("gain")
def standardize_weight_dgain(dy, w, eps):
    centred = w - tg.mean(w, dim=(1, 2), keepdim=True)
    inv = (tg.sum(centred * centred, dim=(1, 2), keepdim=True) + eps) ** -0.5
    return tg.sum(dy * centred * inv, dim=(1, 2))


def standardize_weight_inputs(rng):
    return [rng.standard_normal((4, 3, 2)) * 0.4 + 0.5, rng.uniform(0.5, 2, 4)], {}


@tg.primitive
def capsule_squash(s, *, eps=0.04):
    """s |s| / (1 + |s|²), with |s|² = Σ s² + eps over a capsule (Sabour et al. 2017).

    s [N, J, D] → [N, J, D]
    """
    n2 = np.sum(s * s, axis=-1, keepdims=True) + eps
    return s * np.sqrt(n2) / (1 + n2)


@capsule_squash.grad("s")
def capsule_squash_ds(dy, s, eps):
    n2 = tg.sum(s * s, dim=-1, keepdim=True) + eps
    length = tg.sqrt(n2)
    scale = length / (1 + n2)
    slope = (1 - n2) / (1 + n2) ** 2
    along = tg.sum(dy * s, dim=-1, keepdim=True)
    return scale * dy + slope / length * s * along


def capsule_squash_inputs(rng):
    return [rng.standard_normal((2, 3, 4)) * 0.7], {}
