"""Scalings that divide by a statistic, and attention without a softmax, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive(keeps=("scale",))
def divisive_norm(x, sigma, *, power=2.0):
    """x / (sigma^power + mean |x|^power)^(1 / power) over the last axis: x [N, D], sigma [D]."""
    level = sigma**power + np.mean(np.abs(x) ** power, axis=1, keepdims=True)
    scale = level ** (-1 / power)
    return x * scale, scale


@divisive_norm.kept("scale")
def divisive_scale(x, sigma, power):
    level = sigma**power + tg.mean(tg.abs(x) ** power, dim=1, keepdim=True)
    return level ** (-1 / power)


@divisive_norm.grad("x")
def divisive_dx(dy, x, scale, power):
    dots = tg.sum(dy * x * scale ** (power + 1), dim=1, keepdim=True)
    slope = tg.sign(x) * tg.abs(x) ** (power - 1)
    return dy * scale - slope * dots / x.shape[1]


@divisive_norm.grad("sigma")
def divisive_dsigma(dy, x, sigma, scale, power):
    return -(sigma ** (power - 1)) * tg.sum(dy * x * scale ** (power + 1), dim=0)


def divisive_norm_inputs(rng):
    return [rng.standard_normal((3, 4)), rng.uniform(0.5, 1.5, 4)], {"power": 3.0}


@tg.primitive(keeps=("lowest", "highest"))
def min_max(x, *, low=0.0, high=1.0):
    """Each row brought to low … high: x [N, D]."""
    lowest, highest = x.argmin(axis=1), x.argmax(axis=1)
    smallest, largest = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    return low + (high - low) * (x - smallest) / (largest - smallest), lowest, highest


@min_max.grad("x")
def min_max_dx(dy, x, lowest, highest, low, high):
    rows = np.arange(x.shape[0])
    smallest = x[rows, lowest][:, None]
    span = x[rows, highest][:, None] - smallest
    g = (high - low) * dy / span
    part = (x - smallest) / span
    to_lowest = tg.sum(g * (part - 1), dim=1)
    to_highest = -tg.sum(g * part, dim=1)
    dx = g + tg.put_add(to_lowest, (rows, lowest), x.shape)
    return dx + tg.put_add(to_highest, (rows, highest), x.shape)


def min_max_inputs(rng):
    return [rng.standard_normal((3, 5))], {"low": -1.0, "high": 2.0}


@tg.primitive(keeps=("centred", "deviation"))
def spread_norm(x, gain, bias):
    """gain · (x - mean) / mean absolute deviation + bias over samples: x [N, D], gain, bias [D]."""
    centred = x - x.mean(axis=0)
    deviation = np.mean(np.abs(centred), axis=0)
    return gain * centred / deviation + bias, centred, deviation


@spread_norm.kept("centred")
def spread_centred(x):
    return x - tg.mean(x, dim=0)


@spread_norm.kept("deviation")
def spread_deviation(x):
    return tg.mean(tg.abs(x - tg.mean(x, dim=0)), dim=0)


@spread_norm.grad("x")
def spread_dx(dy, gain, centred, deviation):
    g = dy * gain / deviation
    ddeviation = tg.sum(g * centred, dim=0) / deviation
    dcentred = g - ddeviation * tg.sign(centred) / dy.shape[0]
    return dcentred - tg.mean(dcentred, dim=0)


@spread_norm.grad("gain")
def spread_dgain(dy, centred, deviation):
    return tg.sum(dy * centred, dim=0) / deviation


@spread_norm.grad("bias")
def spread_dbias(dy):
    return tg.sum(dy, dim=0)


def spread_norm_inputs(rng):
    return [rng.standard_normal((5, 3)) + 0.5, rng.uniform(0.5, 2, 3), rng.standard_normal(3)], {}


@tg.primitive
def linear_attention(q, k, v):
    """φ(q) (φ(k)ᵀ v) / φ(q) Σ φ(k) with φ = exp: q [N, D], k [M, D], v [M, E] (Katharopoulos et al. 2020)."""
    weights = np.exp(q) @ np.exp(k).T
    return weights @ v / weights.sum(axis=1, keepdims=True)


@linear_attention.grad("q")
def linear_dq(dy, q, k, v, y):
    fq, fk = tg.exp(q), tg.exp(k)
    total = fq @ tg.sum(fk, dim=0)[:, None]
    dweights = (dy @ tg.transpose(v, 0, 1) - tg.sum(dy * y, dim=1, keepdim=True)) / total
    return fq * (dweights @ fk)


@linear_attention.grad("k")
def linear_dk(dy, q, k, v, y):
    fq, fk = tg.exp(q), tg.exp(k)
    g = dy / (fq @ tg.sum(fk, dim=0)[:, None])
    dweights = g @ tg.transpose(v, 0, 1) - tg.sum(g * y, dim=1, keepdim=True)
    return fk * (tg.transpose(dweights, 0, 1) @ fq)


@linear_attention.grad("v")
def linear_dv(dy, q, k):
    fq, fk = tg.exp(q), tg.exp(k)
    g = dy / (fq @ tg.sum(fk, dim=0)[:, None])
    return fk @ (tg.transpose(fq, 0, 1) @ g)


def linear_attention_inputs(rng):
    return [rng.uniform(-1, 1, (3, 2)), rng.uniform(-1, 1, (4, 2)), rng.standard_normal((4, 5))], {}
