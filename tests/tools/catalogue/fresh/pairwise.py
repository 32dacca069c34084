"""Kernels between all pairs of rows, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def rbf_kernel(a, b, log_length):
    """exp(-|a_i - b_j|² / 2 length²): a [N, D], b [M, D], log_length [] → [N, M]."""
    squares = np.sum((a[:, None] - b) ** 2, axis=2)
    return np.exp(-0.5 * squares * np.exp(-2 * log_length))


@rbf_kernel.grad("a")
def rbf_da(dy, a, b, log_length, y):
    g = dy * y * tg.exp(-2 * log_length)
    return g @ b - tg.sum(g, dim=1, keepdim=True) * a


@rbf_kernel.grad("b")
def rbf_db(dy, a, b, log_length, y):
    g = dy * y * tg.exp(-2 * log_length)
    return tg.transpose(g, 0, 1) @ a - tg.sum(g, dim=0)[:, None] * b


@rbf_kernel.grad("log_length")
def rbf_dlog_length(dy, y):
    return -2 * tg.sum(dy * y * tg.log(y))


def rbf_kernel_inputs(rng):
    return [rng.standard_normal((4, 2)), rng.standard_normal((3, 2)), np.array(0.3)], {}


@tg.primitive
def polynomial_kernel(a, b, bias, *, degree=3):
    """(a_i · b_j + bias)^degree: a [N, D], b [M, D], bias [] → [N, M]."""
    return (a @ b.T + bias) ** degree


@polynomial_kernel.grad("a")
def polynomial_da(dy, a, b, bias, degree):
    inner = a @ tg.transpose(b, 0, 1) + bias
    return degree * (dy * inner ** (degree - 1)) @ b


@polynomial_kernel.grad("b")
def polynomial_db(dy, a, b, bias, degree):
    inner = a @ tg.transpose(b, 0, 1) + bias
    dinner = degree * dy * inner ** (degree - 1)
    return tg.transpose(dinner, 0, 1) @ a


@polynomial_kernel.grad("bias")
def polynomial_dbias(dy, a, b, bias, degree):
    inner = a @ tg.transpose(b, 0, 1) + bias
    return degree * tg.sum(dy * inner ** (degree - 1))


def polynomial_kernel_inputs(rng):
    return [rng.standard_normal((4, 2)), rng.standard_normal((3, 2)), np.array(0.6)], {"degree": 3}


@tg.primitive
def rational_kernel(a, b, *, alpha=1.5, length=0.8):
    """(1 + |a_i - b_j|² / (2 alpha length²))^-alpha: a [N, D], b [M, D] → [N, M]."""
    squares = np.sum((a[:, None] - b) ** 2, axis=2)
    return (1 + squares / (2 * alpha * length**2)) ** -alpha


@rational_kernel.grad("a")
def rational_da(dy, a, b, alpha, length):
    difference = a[:, None] - b
    base = 1 + tg.sum(difference**2, dim=2) / (2 * alpha * length**2)
    slope = -dy * base ** (-alpha - 1) / length**2
    return tg.sum(slope[:, :, None] * difference, dim=1)


@rational_kernel.grad("b")
def rational_db(dy, a, b, y, alpha, length):
    difference = b - a[:, None]
    slope = -dy * y ** (1 + 1 / alpha) / length**2
    return tg.sum(slope[:, :, None] * difference, dim=0)


def rational_kernel_inputs(rng):
    return [rng.standard_normal((4, 2)), rng.standard_normal((3, 2))], {"alpha": 1.5, "length": 0.8}


@tg.primitive
def manhattan(a, b, weights):
    """Σ_d weights_d |a_id - b_jd|: a [N, D], b [M, D], weights [D] → [N, M]."""
    return np.abs(a[:, None] - b) @ weights


@manhattan.grad("a")
def manhattan_da(dy, a, b, weights):
    sides = tg.sign(a[:, None] - b)
    return weights * tg.sum(dy[:, :, None] * sides, dim=1)


@manhattan.grad("b")
def manhattan_db(dy, a, b, weights):
    sides = tg.sign(b[None] - a[:, None])
    return weights * tg.sum(dy[:, :, None] * sides, dim=0)


@manhattan.grad("weights")
def manhattan_dweights(dy, a, b):
    distances = tg.abs(a[:, None] - b)
    return tg.sum(dy[:, :, None] * distances, dim=(0, 1))


def manhattan_inputs(rng):
    return [rng.standard_normal((4, 2)), rng.standard_normal((3, 2)), rng.uniform(0.5, 2, 2)], {}
