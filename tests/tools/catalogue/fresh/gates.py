"""Gates, cells and filters that run through time, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def forget_scan(x, f):
    """h_t = f_t h_{t-1} + (1 - f_t) x_t, from 0: x, f [T, N] → all h (a minimal gated unit)."""
    h = np.zeros_like(x)
    for t in range(len(x)):
        h[t] = (1 - f[t]) * x[t] + (f[t] * h[t - 1] if t else 0)
    return h


@forget_scan.grad("x")
def forget_dx(dy, f):
    return (1 - f) * carried(dy, f)


@forget_scan.grad("f")
def forget_df(dy, x, f, y):
    before = tg.cat([y[:1] * 0, y[:-1]], dim=0)
    return carried(dy, f) * (before - x)


def carried(dy, f):
    """The gradient of every h, what later ones send back included."""
    last = dy.shape[0] - 1
    dh = [dy[last]]
    for t in range(last - 1, -1, -1):
        dh.append(dy[t] + f[t + 1] * dh[-1])
    return tg.stack(dh[::-1], dim=0)


def forget_scan_inputs(rng):
    return [rng.standard_normal((5, 2)), rng.uniform(0.2, 0.9, (5, 2))], {}


@tg.primitive
def resonator(x, a, b):
    """y_t = x_t + a y_{t-1} + b y_{t-2}, from 0: x [T, N], a, b [N], a filter with two poles."""
    out = np.zeros_like(x)
    for t in range(len(x)):
        out[t] = x[t] + (a * out[t - 1] if t > 0 else 0) + (b * out[t - 2] if t > 1 else 0)
    return out


@resonator.grad("x")
def resonator_dx(dy, a, b):
    steps = dy.shape[0]
    nothing = dy[0] * 0
    later, latest = nothing, nothing
    dx = []
    for t in range(steps - 1, -1, -1):
        now = dy[t] + a * later + b * latest
        later, latest = now, later
        dx.append(now)
    return tg.stack(dx[::-1], dim=0)


@resonator.grad("a")
def resonator_da(dy, y, a, b):
    dx = resonator_dx(dy, a, b)
    return tg.sum(dx[1:] * y[:-1], dim=0)


@resonator.grad("b")
def resonator_db(dy, y, a, b):
    dx = resonator_dx(dy, a, b)
    return tg.sum(dx[2:] * y[:-2], dim=0)


def resonator_inputs(rng):
    return [rng.standard_normal((5, 3)), rng.uniform(-0.6, 0.6, 3), rng.uniform(-0.4, 0.4, 3)], {}


@tg.primitive
def cell_update(cell, i, f, g):
    """sigmoid(f) · cell + sigmoid(i) · tanh(g), a step of an LSTM's cell: all [N, D]."""
    return cell / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))


@cell_update.grad("cell")
def cell_dcell(dy, f):
    return dy * tg.sigmoid(f)


@cell_update.grad("i")
def cell_di(dy, i, g):
    gate = tg.sigmoid(i)
    return dy * tg.tanh(g) * gate * (1 - gate)


@cell_update.grad("f")
def cell_df(dy, cell, f):
    gate = tg.sigmoid(f)
    return dy * cell * gate * (1 - gate)


@cell_update.grad("g")
def cell_dg(dy, i, g):
    return dy * tg.sigmoid(i) * (1 - tg.tanh(g) ** 2)


def cell_update_inputs(rng):
    return [rng.standard_normal((2, 3)) for _ in range(4)], {}


@tg.primitive
def swish_gate(x, v, beta):
    """x · sigmoid(beta x) · v, beta for each channel: x, v [N, D], beta [D]."""
    return x * v / (1 + np.exp(-beta * x))


@swish_gate.grad("x")
def swish_dx(dy, x, v, beta):
    gate = tg.sigmoid(beta * x)
    return dy * v * (gate + beta * x * gate * (1 - gate))


@swish_gate.grad("v")
def swish_dv(dy, x, beta):
    return dy * x * tg.sigmoid(beta * x)


@swish_gate.grad("beta")
def swish_dbeta(dy, x, v, beta):
    gate = tg.sigmoid(beta * x)
    return tg.sum(dy * v * x**2 * gate * (1 - gate), dim=0)


def swish_gate_inputs(rng):
    return [rng.standard_normal((4, 3)), rng.standard_normal((4, 3)), rng.uniform(0.5, 2, 3)], {}
