"""Ops around other functions, with masks, groups and optional inputs, as a student writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def grouped_linear(x, w, b=None, *, groups=2):
    """Each group of columns with a matrix of its own: x [N, G·I], w [G, I, O], b [G·O] → [N, G·O]."""
    width = w.shape[1]
    parts = [x[:, g * width : (g + 1) * width] @ w[g] for g in range(groups)]
    y = np.concatenate(parts, axis=1)
    return y if b is None else y + b


@grouped_linear.grad("x")
def grouped_dx(dy, w, groups):
    out = w.shape[2]
    parts = []
    for g in range(groups):
        part = dy[:, g * out : (g + 1) * out]
        parts.append(tg.matmul(part, tg.transpose(w[g], 0, 1)))
    return tg.cat(parts, dim=1)


@grouped_linear.grad("w")
def grouped_dw(dy, x, w_shape, groups):
    width, out = w_shape[1:]
    parts = []
    for g in range(groups):
        inputs = x[:, g * width : (g + 1) * width]
        errors = dy[:, g * out : (g + 1) * out]
        parts.append(tg.matmul(tg.transpose(inputs, 0, 1), errors))
    return tg.stack(parts, dim=0)


@grouped_linear.grad("b")
def grouped_db(dy):
    return tg.sum(dy, dim=0)


def grouped_linear_inputs(rng):
    return [rng.standard_normal((3, 4)), rng.standard_normal((2, 2, 2)), rng.standard_normal(4)], {
        "groups": 2
    }


@tg.primitive
def masked_mean(x, *, mask):
    """The mean of each row's numbers where mask holds: x, mask [N, L] → [N]."""
    return np.sum(x * mask, axis=1) / np.sum(mask, axis=1, dtype=x.dtype)


@masked_mean.grad("x")
def masked_dx(dy, x_shape, mask):
    count = mask.sum(axis=1, keepdims=True, dtype=np.int16)
    return dy[:, None] * mask / count


def masked_mean_inputs(rng):
    return [rng.standard_normal((3, 4))], {"mask": np.array([[1, 1, 0, 1], [0, 1, 0, 0], [1, 0, 1, 0]], bool)}


@tg.primitive
def residual_block(x, w, *, alpha=0.5):
    """x + alpha · relu(x w): x [N, D], w [D, D]."""
    return x + alpha * np.maximum(x @ w, 0)


@residual_block.grad("x")
def residual_dx(dy, x, w, alpha):
    h = tg.matmul(x, w)
    dh = alpha * dy * (h > 0)
    return dy + tg.matmul(dh, tg.transpose(w, 0, 1))


@residual_block.grad("w")
def residual_dw(dy, x, w, alpha):
    h = tg.matmul(x, w)
    dh = alpha * dy * (h > 0)
    return tg.matmul(tg.transpose(x, 0, 1), dh)


def residual_block_inputs(rng):
    return [rng.standard_normal((3, 3)), rng.standard_normal((3, 3))], {"alpha": 0.3}


@tg.primitive
def weighted_stack(*xs):
    """Σ_i (i + 1) x_i²: later inputs weigh more."""
    return sum((i + 1) * x * x for i, x in enumerate(xs))


@weighted_stack.grad("xs")
def weighted_dxs(dy, xs):
    return [2 * (i + 1) * dy * x for i, x in enumerate(xs)]


def weighted_stack_inputs(rng):
    return [rng.standard_normal((2, 2)) for _ in range(3)], {}
