"""Ops that go step by step along time, as a student writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def decay_scan(x, a):
    """h_t = a h_{t-1} + x_t with h before the first 0: x [T, D], a [D] → all h [T, D]."""
    h = np.zeros_like(x)
    state = np.zeros_like(x[0])
    for t in range(len(x)):
        state = a * state + x[t]
        h[t] = state
    return h


@decay_scan.grad("x")
def decay_dx(dy, a, x_shape):
    carry, dx = 0, []
    for t in reversed(range(x_shape[0])):
        carry = dy[t] + a * carry
        dx.append(carry)
    return tg.stack(dx[::-1], dim=0)


@decay_scan.grad("a")
def decay_da(dy, a, y):
    carry, da = 0 * a, 0 * a
    for t in reversed(range(1, y.shape[0])):
        carry = dy[t] + a * carry
        da = da + carry * y[t - 1]
    return da


def decay_scan_inputs(rng):
    return [rng.standard_normal((5, 2)), rng.uniform(0.4, 1.2, 2)], {}


@tg.primitive
def elman(x, w, u):
    """h_t = tanh(x_t w + h_{t-1} u): x [T, I], w [I, H], u [H, H] → all h [T, H]."""
    state, states = 0 * x[0] @ w, []
    for t in range(len(x)):
        state = np.tanh(x[t] @ w + state @ u)
        states.append(state)
    return np.stack(states)


@elman.grad("x")
def elman_dx(dy, w, u, y):
    return tg.matmul(elman_errors(dy, u, y), tg.transpose(w, 0, 1))


@elman.grad("w")
def elman_dw(dy, x, u, y):
    return tg.matmul(tg.transpose(x, 0, 1), elman_errors(dy, u, y))


@elman.grad("u")
def elman_du(dy, u, y):
    errors = elman_errors(dy, u, y)
    return tg.matmul(tg.transpose(y[:-1], 0, 1), errors[1:])


def elman_errors(dy, u, y):
    carry, errors = 0 * y[:1], []
    for t in reversed(range(y.shape[0])):
        error = (dy[t : t + 1] + carry) * (1 - y[t : t + 1] ** 2)
        carry = tg.matmul(error, tg.transpose(u, 0, 1))
        errors.append(error)
    return tg.cat(errors[::-1], dim=0)


def elman_inputs(rng):
    return [rng.standard_normal((4, 2)), rng.standard_normal((2, 2)), rng.standard_normal((2, 2))], {}


@tg.primitive
def moving_average(x, *, beta=0.9):
    """m_t = beta m_{t-1} + (1 - beta) x_t, from m = x_0 at the first: x [T]."""
    m = [x[0]]
    for t in range(1, len(x)):
        m.append(beta * m[-1] + (1 - beta) * x[t])
    return np.stack(m).astype(x.dtype)


@moving_average.grad("x")
def moving_dx(dy, x_shape, beta):
    carry, dx = 0 * dy[0], []
    for t in reversed(range(1, x_shape[0])):
        carry = dy[t] + beta * carry
        dx.append((1 - beta) * carry)
    dx.append(dy[0] + beta * carry)
    return tg.ops.to(tg.stack(dx[::-1], dim=0), dtype=dy.dtype)


def moving_average_inputs(rng):
    return [rng.standard_normal(6)], {"beta": 0.7}


@tg.primitive
def running_product(x):
    """p_t = x_0 x_1 … x_t."""
    return np.cumprod(x, axis=0)


@running_product.grad("x")
def running_dx(dy, x, y):
    products = dy * y
    after = tg.flip(tg.cumsum(tg.flip(products, 0), 0), 0)
    return after / x


def running_product_inputs(rng):
    return [rng.uniform(0.5, 2.0, (5, 2))], {}


@tg.primitive
def highway(x, h, gate):
    """s · h + (1 - s) · x with s = sigmoid(gate), gate of the last axis alone: x, h [N, D], gate [D]."""
    s = 1 / (1 + np.exp(-gate))
    return s * h + (1 - s) * x


@highway.grad("x")
def highway_dx(dy, gate):
    return dy * (1 - tg.sigmoid(gate))


@highway.grad("h")
def highway_dh(dy, gate):
    return dy * tg.sigmoid(gate)


@highway.grad("gate")
def highway_dgate(dy, x, h, gate):
    s = tg.sigmoid(gate)
    return tg.sum(dy * (h - x), dim=0) * s * (1 - s)


def highway_inputs(rng):
    return [rng.standard_normal((3, 3)), rng.standard_normal((3, 3)), rng.standard_normal(3)], {}
