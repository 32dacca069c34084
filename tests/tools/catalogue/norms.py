"""Ops that bring their input to a scale, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive(keeps=("scale",))
def rms_norm(x, w, *, eps=1e-6):
    """w · x / √(mean x² + eps) over the last axis: x [N, D], w [D] (Zhang & Sennrich 2019)."""
    scale = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)
    return x * scale * w, scale


@rms_norm.kept("scale")
def rms_norm_scale(x, eps):
    return 1 / tg.sqrt(tg.mean(x * x, dim=-1, keepdim=True) + eps)


@rms_norm.grad("x")
def rms_norm_dx(dy, x, w, scale):
    g = dy * w
    dots = tg.mean(g * x, dim=-1, keepdim=True)
    return g * scale - x * dots * scale**3


@rms_norm.grad("w")
def rms_norm_dw(dy, x, scale):
    return tg.sum(dy * x * scale, dim=0)


def rms_norm_inputs(rng):
    return [rng.standard_normal((3, 4)), rng.standard_normal(4)], {"eps": 0.1}


@tg.primitive
def unit_rows(x, *, dim=1):
    """x / |x| along dim."""
    return x / np.sqrt(np.sum(x * x, axis=dim, keepdims=True))


@unit_rows.grad("x")
def unit_rows_dx(dy, x, y, dim):
    norm = tg.sqrt(tg.sum(x * x, dim=dim, keepdim=True))
    along = tg.sum(dy * y, dim=dim, keepdim=True)
    return (dy - y * along) / norm


def unit_rows_inputs(rng):
    return [rng.standard_normal((3, 4)) + 0.3], {"dim": 1}


@tg.primitive
def weight_norm(v, g):
    """g · v / |v| row by row: v [O, I], g [O] (Salimans & Kingma 2016)."""
    return g[:, None] * v / np.linalg.norm(v, axis=1, keepdims=True)


@weight_norm.grad("v")
def weight_norm_dv(dy, v, g):
    norm = tg.sqrt(tg.sum(v * v, dim=1, keepdim=True))
    dg = tg.sum(dy * v, dim=1, keepdim=True) / norm
    return g[:, None] / norm * dy - g[:, None] * dg / norm**2 * v


@weight_norm.grad("g")
def weight_norm_dg(dy, v):
    norm = tg.sqrt(tg.sum(v * v, dim=1))
    return tg.sum(dy * v, dim=1) / norm


def weight_norm_inputs(rng):
    return [rng.standard_normal((3, 5)), rng.standard_normal(3)], {}


@tg.primitive
def global_response_norm(x, gamma, beta):
    """x + gamma · x · n + beta, n the channel's norm over the mean of the norms: x [N, C, L] (GRN)."""
    norm = np.sqrt(np.sum(x * x, axis=2, keepdims=True))
    n = norm / norm.mean(axis=1, keepdims=True)
    return x + gamma[:, None] * x * n + beta[:, None]


@global_response_norm.grad("x")
def grn_dx(dy, x, gamma):
    norm = tg.sqrt(tg.sum(x * x, dim=2, keepdim=True))
    mean = tg.mean(norm, dim=1, keepdim=True)
    n = norm / mean
    h = dy * gamma[:, None]
    dn = tg.sum(h * x, dim=2, keepdim=True)
    dnorm = dn / mean - tg.mean(dn * n, dim=1, keepdim=True) / mean
    return dy + h * n + x / norm * dnorm


@global_response_norm.grad("gamma")
def grn_dgamma(dy, x):
    norm = tg.sqrt(tg.sum(x * x, dim=2, keepdim=True))
    n = norm / tg.mean(norm, dim=1, keepdim=True)
    return tg.sum(dy * x * n, dim=(0, 2))


@global_response_norm.grad("beta")
def grn_dbeta(dy):
    return tg.sum(dy, dim=(0, 2))


def global_response_norm_inputs(rng):
    return [rng.standard_normal((2, 3, 4)), rng.standard_normal(3), rng.standard_normal(3)], {}
