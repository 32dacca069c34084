"""Layers of vision nets: pooling with a learned power, gates, shifts, kernels of their own for each place."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def soft_argmax(heat, *, sharpness=2.0):
    """The expected row and column under softmax(sharpness · heat): heat [N, H, W] → two of [N]."""
    e = np.exp(sharpness * (heat - heat.max(axis=(1, 2), keepdims=True)))
    p = e / e.sum(axis=(1, 2), keepdims=True)
    rows = np.arange(heat.shape[1], dtype=heat.dtype)[:, None]
    columns = np.arange(heat.shape[2], dtype=heat.dtype)
    return np.sum(p * rows, axis=(1, 2)), np.sum(p * columns, axis=(1, 2))


@soft_argmax.grad("heat")
def soft_argmax_dheat(dys, heat, sharpness):
    drow, dcolumn = dys
    e = tg.exp(sharpness * heat)
    p = e / tg.sum(e, dim=(1, 2), keepdim=True)
    rows = np.arange(heat.shape[1], dtype=heat.dtype)[:, None]
    columns = np.arange(heat.shape[2], dtype=heat.dtype)
    dp = drow[:, None, None] * rows + dcolumn[:, None, None] * columns
    dots = tg.sum(p * dp, dim=(1, 2), keepdim=True)
    return sharpness * p * (dp - dots)


def soft_argmax_inputs(rng):
    return [rng.standard_normal((2, 3, 4))], {"sharpness": 1.5}


@tg.primitive
def channel_gate(x, w):
    """x · sigmoid(W · mean x), a gate for each channel: x [N, C, L], w [C, C] (Hu et al. 2018)."""
    gate = 1 / (1 + np.exp(-x.mean(axis=2) @ w.T))
    return x * gate[:, :, None]


@channel_gate.grad("x")
def channel_gate_dx(dy, x, w):
    gate = tg.sigmoid(tg.mean(x, dim=2) @ tg.transpose(w, 0, 1))
    dgate = tg.sum(dy * x, dim=2)
    dmean = (dgate * gate * (1 - gate)) @ w
    return dy * gate[:, :, None] + dmean[:, :, None] / x.shape[2]


@channel_gate.grad("w")
def channel_gate_dw(dy, x, w):
    mean = tg.mean(x, dim=2)
    gate = tg.sigmoid(mean @ tg.transpose(w, 0, 1))
    ds = tg.sum(dy * x, dim=2) * gate * (1 - gate)
    return tg.transpose(ds, 0, 1) @ mean


def channel_gate_inputs(rng):
    return [rng.standard_normal((2, 3, 4)), rng.standard_normal((3, 3))], {}


@tg.primitive
def gem_pool(x, p):
    """(mean x^p)^(1/p) over places, p learned for each channel: x [N, C, L] > 0, p [C] (GeM)."""
    powers = np.mean(x ** p[:, None], axis=2)
    return powers ** (1 / p)


@gem_pool.grad("x")
def gem_dx(dy, x, p, y):
    ratio = x / y[:, :, None]
    return dy[:, :, None] * ratio ** (p[:, None] - 1) / x.shape[2]


@gem_pool.grad("p")
def gem_dp(dy, x, p, y):
    powers = x ** p[:, None]
    mean = tg.mean(powers, dim=2)
    inner = tg.mean(powers * tg.log(x), dim=2) / mean
    return tg.sum(dy * y * (inner / p - tg.log(mean) / p**2), dim=0)


def gem_pool_inputs(rng):
    return [rng.uniform(0.4, 2, (2, 3, 5)), rng.uniform(1.5, 3, 3)], {}


@tg.primitive
def channel_shift(x, *, fold=1):
    """The first channels from the next time, as many more from the one before: x [T, C] (Lin et al. 2019)."""
    out = x.copy()
    out[:-1, :fold], out[-1, :fold] = x[1:, :fold], 0
    out[1:, fold : 2 * fold], out[0, fold : 2 * fold] = x[:-1, fold : 2 * fold], 0
    return out


@channel_shift.grad("x")
def channel_shift_dx(dy, fold):
    none = dy[:1, :fold] * 0
    ahead = tg.cat([none, dy[:-1, :fold]], dim=0)
    behind = tg.cat([dy[1:, fold : 2 * fold], none], dim=0)
    return tg.cat([ahead, behind, dy[:, 2 * fold :]], dim=1)


def channel_shift_inputs(rng):
    return [rng.standard_normal((4, 7))], {"fold": 2}


@tg.primitive
def local_kernel(x, k):
    """Σ_j x[l + j] k[l, j], a kernel for each place: x [N, L + K - 1], k [N, L, K] → [N, L]."""
    length = k.shape[1]
    return sum(x[:, j : j + length] * k[:, :, j] for j in range(k.shape[2]))


@local_kernel.grad("x")
def local_kernel_dx(dy, k, x_shape):
    length = dy.shape[1]
    dx = 0
    for j in range(k.shape[2]):
        dx = dx + tg.put_add(dy * k[:, :, j], (slice(None), slice(j, j + length)), x_shape)
    return dx


@local_kernel.grad("k")
def local_kernel_dk(dy, x, k_shape):
    length, size = k_shape[1:]
    return tg.stack([dy * x[:, j : j + length] for j in range(size)], dim=2)


def local_kernel_inputs(rng):
    return [rng.standard_normal((2, 6)), rng.standard_normal((2, 4, 3))], {}


@tg.primitive
def blur_pool(x, *, stride=2):
    """x [N, L] blurred by (1, 2, 1) / 4, then every stride-th number kept: no padding (Zhang 2019)."""
    blurred = (x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]) / 4
    return blurred[:, ::stride]


@blur_pool.grad("x")
def blur_pool_dx(dy, x_shape, stride):
    starts = stride * np.arange(dy.shape[1])
    left = tg.put_add(dy / 4, (slice(None), starts), x_shape)
    middle = tg.put_add(dy / 2, (slice(None), starts + 1), x_shape)
    right = tg.put_add(dy / 4, (slice(None), starts + 2), x_shape)
    return left + middle + right


def blur_pool_inputs(rng):
    return [rng.standard_normal((2, 8))], {"stride": 2}
