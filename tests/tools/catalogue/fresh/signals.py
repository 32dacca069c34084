"""Correlations, spectra and other transforms of signals, some of many inputs, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def circular_conv(a, b):
    """Σ_j a[j] b[(i - j) mod L] for each signal: a [N, L], b [L] → [N, L]."""
    return a @ b[turns(len(b))]


@circular_conv.grad("a")
def circular_da(dy, b):
    return dy @ tg.transpose(b[turns(b.shape[0])], 0, 1)


@circular_conv.grad("b")
def circular_db(dy, a, b_shape):
    dmatrix = tg.transpose(a, 0, 1) @ dy
    return tg.put_add(dmatrix, turns(b_shape[0]), b_shape)


def turns(length):
    """(i - j) mod length at [j, i]."""
    places = np.arange(length)
    return (places - places[:, None]) % length


def circular_conv_inputs(rng):
    return [rng.standard_normal((3, 5)), rng.standard_normal(5)], {}


@tg.primitive
def boltzmann_max(*xs, sharpness=1.0):
    """Σ x e^(sharpness x) / Σ e^(sharpness x) over the inputs, elementwise: a soft maximum."""
    powers = [np.exp(sharpness * x) for x in xs]
    return sum(x * power for x, power in zip(xs, powers)) / sum(powers)


@boltzmann_max.grad("xs")
def boltzmann_dxs(dy, xs, y, sharpness):
    powers = [tg.exp(sharpness * x) for x in xs]
    total = sum(powers)
    g = dy / total
    return [g * power * (1 + sharpness * (x - y)) for x, power in zip(xs, powers)]


def boltzmann_max_inputs(rng):
    return [rng.standard_normal((2, 3)) for _ in range(3)], {"sharpness": 1.5}


@tg.primitive
def total_variation(x, *, eps=0.1):
    """Σ √((x[l + 1] - x[l])² + eps) of each signal: x [N, L] → [N]."""
    return np.sum(np.sqrt((x[:, 1:] - x[:, :-1]) ** 2 + eps), axis=1)


@total_variation.grad("x")
def variation_dx(dy, x, eps):
    step = x[:, 1:] - x[:, :-1]
    slope = dy[:, None] * step / tg.sqrt(step**2 + eps)
    edge = slope[:, :1] * 0
    return tg.cat([edge, slope], dim=1) - tg.cat([slope, edge], dim=1)


def total_variation_inputs(rng):
    return [rng.standard_normal((2, 5))], {"eps": 0.2}


@tg.primitive
def autocorrelation(x, *, lags=3):
    """Σ_l x[l] x[l + lag] / L for lag 0 … lags - 1: x [N, L] → [N, lags]."""
    length = x.shape[1]
    return np.stack([np.sum(x[:, : length - k] * x[:, k:], axis=1) for k in range(lags)], axis=1) / length


@autocorrelation.grad("x")
def autocorrelation_dx(dy, x, lags):
    length = x.shape[1]
    dx = 0
    for k in range(lags):
        g = dy[:, k : k + 1] / length
        later = tg.put_add(g * x[:, : length - k], (slice(None), slice(k, length)), x.shape)
        earlier = tg.put_add(g * x[:, k:], (slice(None), slice(0, length - k)), x.shape)
        dx = dx + later + earlier
    return dx


def autocorrelation_inputs(rng):
    return [rng.standard_normal((2, 6))], {"lags": 3}


@tg.primitive
def power_spectrum(x, window):
    """|DFT of window · x|² / L, lower half of the frequencies: x [N, L], window [L] → [N, L // 2 + 1]."""
    cosine, sine = waves(x.shape[1], x.dtype)
    return (((window * x) @ cosine) ** 2 + ((window * x) @ sine) ** 2) / x.shape[1]


@power_spectrum.grad("x")
def spectrum_dx(dy, x, window):
    cosine, sine = waves(x.shape[1], x.dtype)
    real, imaginary = (window * x) @ cosine, (window * x) @ sine
    dwindowed = 2 * ((dy * real) @ cosine.T + (dy * imaginary) @ sine.T)
    return window * dwindowed / x.shape[1]


@power_spectrum.grad("window")
def spectrum_dwindow(dy, x, window):
    cosine, sine = waves(x.shape[1], x.dtype)
    g = 2 / x.shape[1] * dy
    dwindowed = (g * ((window * x) @ cosine)) @ cosine.T
    dwindowed = dwindowed + (g * ((window * x) @ sine)) @ sine.T
    return tg.sum(dwindowed * x, dim=0)


def waves(length, dtype):
    """cos and sin of 2π · place · frequency / length: two of [length, length // 2 + 1]."""
    angles = 2 * np.pi / length * np.outer(np.arange(length), np.arange(length // 2 + 1))
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


def power_spectrum_inputs(rng):
    return [rng.standard_normal((3, 5)), rng.uniform(0.2, 1, 5)], {}


@tg.primitive(broadcasting=True)
def soft_clip(x, limit):
    """limit · tanh(x / limit): nearly x while that is small, never beyond limit."""
    return limit * np.tanh(x / limit)


@soft_clip.grad("x")
def clip_dx(dy, x, limit):
    return dy * (1 - tg.tanh(x / limit) ** 2)


@soft_clip.grad("limit")
def clip_dlimit(dy, x, limit):
    ratio = x / limit
    bent = tg.tanh(ratio)
    return dy * (bent - ratio * (1 - bent * bent))


def soft_clip_inputs(rng):
    return [rng.standard_normal((3, 4)), rng.uniform(0.5, 1.5, 4)], {}
