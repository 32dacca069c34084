"""Ops with several outputs or many inputs, and transforms, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def polar(a, b):
    """Radius and angle of the point (a, b)."""
    return np.hypot(a, b), np.arctan2(b, a)


@polar.grad("a")
def polar_da(dys, a, b):
    dr, dangle = dys
    square = a * a + b * b
    return dr * a / tg.sqrt(square) - dangle * b / square


@polar.grad("b")
def polar_db(dys, a, b):
    dr, dangle = dys
    square = a * a + b * b
    return dr * b / tg.sqrt(square) + dangle * a / square


def polar_inputs(rng):
    return [rng.uniform(0.5, 2, 4), rng.uniform(0.5, 2, 4)], {}


@tg.primitive
def haar(x):
    """Sums and differences of neighbours over √2: x [N, L] → two of [N, L / 2]."""
    even, odd = x[:, ::2], x[:, 1::2]
    return (even + odd) * 0.5**0.5, (even - odd) * 0.5**0.5


@haar.grad("x")
def haar_dx(dys, x_shape):
    low, high = dys
    even = (low + high) * 0.5**0.5
    odd = (low - high) * 0.5**0.5
    return tg.reshape(tg.stack([even, odd], dim=2), x_shape)


def haar_inputs(rng):
    return [rng.standard_normal((2, 6))], {}


@tg.primitive
def log_mean_exp(*xs):
    """ln of the mean of e^x over the inputs, elementwise."""
    return np.log(sum(np.exp(x) for x in xs) / len(xs))


@log_mean_exp.grad("xs")
def log_mean_exp_dxs(dy, xs, y):
    total = sum(tg.exp(x) for x in xs)
    return [dy * tg.exp(x) / total for x in xs]


def log_mean_exp_inputs(rng):
    return [rng.standard_normal((2, 3)) for _ in range(3)], {}


@tg.primitive(broadcasting=True)
def soft_threshold(x, t):
    """sign(x) max(|x| - t, 0): what shrinkage does (Donoho 1995)."""
    return np.sign(x) * np.maximum(np.abs(x) - t, 0)


@soft_threshold.grad("x")
def threshold_dx(dy, x, t):
    return dy * (tg.abs(x) > t)


@soft_threshold.grad("t")
def threshold_dt(dy, x, t):
    return -dy * tg.sign(x) * (tg.abs(x) > t)


def soft_threshold_inputs(rng):
    x = np.array([[1.5, -2.0, 0.2, 0.9], [-0.1, 3.0, -0.7, -1.2], [2.5, 0.3, -1.8, 0.75]])
    return [x, np.array([0.5, 0.6, 0.4, 0.8])], {}


@tg.primitive
def scale_shift(x, gain, bias):
    """gain · x³ + bias with gain of the columns and bias of the rows: x [N, D], gain [D], bias [N, 1]."""
    return gain * x**3 + bias


@scale_shift.grad("x")
def scale_dx(dy, x, gain):
    return 3 * dy * gain * x**2


@scale_shift.grad("gain")
def scale_dgain(dy, x):
    return tg.sum(dy * x**3, dim=0)


@scale_shift.grad("bias")
def scale_dbias(dy):
    return tg.sum(dy, dim=1, keepdim=True)


def scale_shift_inputs(rng):
    return [rng.standard_normal((3, 3)), rng.standard_normal(3), rng.standard_normal((3, 1))], {}


@tg.primitive(override=True)  # the package has one of its own
def mish(x):
    """x tanh(ln(1 + eˣ)) (Misra 2019)."""
    return x * np.tanh(np.logaddexp(x, 0 * x))


@mish.grad("x")
def mish_dx(dy, x):
    t = tg.tanh(tg.softplus(x))
    return dy * (t + x * (1 - t * t) * tg.sigmoid(x))


def mish_inputs(rng):
    return [np.linspace(-3, 3, 8) + 0.05], {}


@tg.primitive
def inverse(a):
    """The inverse of a square matrix."""
    return np.linalg.inv(a)


@inverse.grad("a")
def inverse_da(dy, y):
    y_t = tg.transpose(y, 0, 1)
    return -tg.matmul(tg.matmul(y_t, dy), y_t)


def inverse_inputs(rng):
    return [rng.standard_normal((3, 3)) + 3 * np.eye(3)], {}
