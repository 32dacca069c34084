"""Ops that read at places: strides, windows, interpolation, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def depthwise_conv1d(x, w, *, stride=1, dilation=1):
    """y[n,c,t] = Σ_k w[c,k] x[n, c, t stride + k dilation]: x [N, C, L], w [C, K]."""
    size = (x.shape[2] - (w.shape[1] - 1) * dilation - 1) // stride + 1
    y = 0
    for k in range(w.shape[1]):
        start = k * dilation
        y = y + w[:, k, None] * x[:, :, start : start + stride * (size - 1) + 1 : stride]
    return y


@depthwise_conv1d.grad("x")
def depthwise_dx(dy, w, x_shape, stride, dilation):
    size = dy.shape[2]
    dx = 0
    for k in range(w.shape[1]):
        start = k * dilation
        places = (slice(None), slice(None), slice(start, start + stride * (size - 1) + 1, stride))
        dx = dx + tg.put_add(w[:, k][:, None] * dy, places, x_shape)
    return dx


@depthwise_conv1d.grad("w")
def depthwise_dw(dy, x, w_shape, stride, dilation):
    size = dy.shape[2]
    dw = []
    for k in range(w_shape[1]):
        start = k * dilation
        window = x[:, :, start : start + stride * (size - 1) + 1 : stride]
        dw.append(tg.sum(dy * window, dim=(0, 2)))
    return tg.stack(dw, dim=1)


def depthwise_conv1d_inputs(rng):
    return [rng.standard_normal((2, 2, 12)), rng.standard_normal((2, 3))], {"stride": 2, "dilation": 3}


@tg.primitive
def sample_line(x, u):
    """x between its numbers, linearly: x [N, L], places u [N, P] inside 0 … L - 1 → [N, P]."""
    left = np.floor(u).astype(np.int16)
    part = u - left
    rows = np.arange(x.shape[0])[:, None]
    return (1 - part) * x[rows, left] + part * x[rows, left + 1]


@sample_line.grad("x")
def sample_dx(dy, u, x_shape):
    left, rows = cells(u)
    part = u - left
    dx = tg.put_add(dy * (1 - part), (rows, left), x_shape)
    return dx + tg.put_add(dy * part, (rows, left + 1), x_shape)


@sample_line.grad("u")
def sample_du(dy, x, u):
    left, rows = cells(u)
    return dy * (x[rows, left + 1] - x[rows, left])


def cells(u):
    left = np.floor(u.data if isinstance(u, tg.Tensor) else u).astype(np.int16)
    return left, np.arange(u.shape[0])[:, None]


def sample_line_inputs(rng):
    return [rng.standard_normal((2, 6)), np.array([[0.3, 1.6, 4.2], [2.7, 2.2, 0.8]])], {}


@tg.primitive(keeps=("chosen",))
def lp_pool(x, *, size=2, p=3):
    """(Σ x^p)^(1/p) of neighbouring numbers, those of [N, L] that are positive: → [N, L / size]."""
    windows = x.reshape(x.shape[0], -1, size)
    chosen = windows > 0
    return np.sum(windows**p * chosen, axis=2) ** (1 / p), chosen


@lp_pool.grad("x")
def lp_dx(dy, x, y, chosen, size, p):
    windows = tg.reshape(x, (x.shape[0], -1, size))
    ratio = windows / y[:, :, None]
    dx = dy[:, :, None] * ratio ** (p - 1) * chosen
    return tg.reshape(dx, x.shape)


def lp_pool_inputs(rng):
    x = rng.uniform(0.3, 2, (2, 6))
    x[0, 1] = x[1, 4] = -0.7
    return [x], {"size": 2, "p": 3}


@tg.primitive
def embed_mean(table, *, rows):
    """The mean of some rows of a table [V, D] for each sample: rows [N, K] of indices → [N, D]."""
    return table[rows].mean(axis=1)


@embed_mean.grad("table")
def embed_dtable(dy, table_shape, rows):
    count = rows.shape[1]
    shares = tg.stack([dy / count] * count, dim=1)
    return tg.put_add(shares, rows, table_shape)


def embed_mean_inputs(rng):
    return [rng.standard_normal((5, 3))], {"rows": np.array([[0, 2, 2], [4, 1, 0]])}


@tg.primitive
def reflect_pad(x, *, before, after):
    """x [N, L] with its borders mirrored, the outermost number not twice."""
    return np.pad(x, ((0, 0), (before, after)), mode="reflect")


@reflect_pad.grad("x")
def reflect_dx(dy, x_shape, before, after):
    length = x_shape[1]
    inside = dy[:, before : before + length]
    left = tg.put_add(dy[:, :before], (slice(None), np.arange(before, 0, -1)), x_shape)
    places = np.arange(length - 2, length - 2 - after, -1)
    right = tg.put_add(dy[:, before + length :], (slice(None), places), x_shape)
    return inside + left + right


def reflect_pad_inputs(rng):
    return [rng.standard_normal((2, 5))], {"before": 2, "after": 3}
