"""Functions of one number, arithmetic and dropout, written into memory that is kept."""

from __future__ import annotations

from functools import partial

import numpy as np

from ... import kernels
from ..activations import leaky_relu, relu
from ..arithmetic import add, div, mul, sub
from ..dropouts import dropout, gain
from ..elementary import tanh

BITS_OF = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}
SMALL = 10_000  # numbers: beyond, the kernels share the work among threads


@relu.replayed()
def relu_replayed(out, shared, x):
    """max(x, 0)."""
    if x.size >= SMALL:
        return kernels.rectify
    zero, maximum = np.zeros((), x.dtype), np.maximum
    return lambda x: maximum(x, zero, out=out)


@relu.replayed("x")
def relu_dx_replayed(out, shared, dy, y):
    """dy where y > 0: a product of its bits."""
    if dy.dtype not in BITS_OF or dy.dtype is not y.dtype:
        return None
    bits, zero, mask = BITS_OF[dy.dtype], np.zeros((), y.dtype), np.empty_like(y, bool)
    into = None if out is None else out.view(bits)
    greater, multiply, dtype = np.greater, np.multiply, dy.dtype
    if y.size >= SMALL:
        return partial(relu_dx_shared, out, mask, bits)

    def run(dy, y):
        greater(y, zero, out=mask)
        return multiply(dy.view(bits), mask, out=into).view(dtype)

    return run


def relu_dx_shared(out, mask, bits, dy, y):
    """The same, by each thread a part of it."""
    dx, zero = np.empty_like(dy) if out is None else out, np.zeros((), y.dtype)

    def work(dy, y, mask, dx):
        np.greater(y, zero, out=mask)
        np.multiply(dy, mask, out=dx)

    kernels.shared_elementwise(work, dy.view(bits), y, mask, dx.view(bits))
    return dx


@leaky_relu.replayed()
def leaky_relu_replayed(out, shared, x, *, negative_slope):
    """x where x > 0, negative_slope · x elsewhere."""
    return steeper_where_positive(out, x, negative_slope)


@leaky_relu.replayed("x")
def leaky_relu_dx_replayed(out, shared, dy, x, *, negative_slope):
    """dy where x > 0, negative_slope · dy elsewhere."""
    return steeper_where_positive(out, dy, negative_slope) if dy.dtype is x.dtype else None


def steeper_where_positive(out, a, slope):
    """Writes a number of a where that of x is positive, which may be a itself, and slope · a elsewhere."""
    if out is None or a.size >= SMALL or a.dtype not in BITS_OF:
        return None
    slope, zero, mask = np.asarray(slope, a.dtype), np.zeros((), a.dtype), np.empty_like(out, bool)
    greater, multiply, copy = np.greater, np.multiply, np.copyto

    def run(a, x=None):
        greater(a if x is None else x, zero, out=mask)
        with np.errstate(over="ignore", invalid="ignore"):  # where it is not taken
            multiply(a, slope, out=out)
        copy(out, a, where=mask)
        return out

    return run


@tanh.replayed()
def tanh_replayed(out, shared, x):
    """tanh x."""
    return partial(np.tanh, out=out) if x.dtype in BITS_OF else None


@add.replayed()
def add_replayed(out, shared, a, b):
    """a + b."""
    return partial(np.add, out=out)


@sub.replayed()
def sub_replayed(out, shared, a, b):
    """a - b."""
    return partial(np.subtract, out=out) if a.dtype in BITS_OF else None


@mul.replayed()
def mul_replayed(out, shared, a, b):
    """a b."""
    return partial(np.multiply, out=out)


@mul.replayed("a")
@mul.replayed("b")
def mul_d_replayed(out, shared, dy, other):
    """dy times the other operand."""
    return partial(np.multiply, out=out) if dy.dtype is other.dtype and dy.shape == np.shape(out) else None


@div.replayed()
def div_replayed(out, shared, a, b):
    """a / b."""
    return partial(np.divide, out=out) if a.dtype in BITS_OF and a.dtype is b.dtype else None


@div.replayed("a")
def div_da_replayed(out, shared, dy, b):
    """dy / b."""
    return partial(np.divide, out=out) if dy.dtype is b.dtype and dy.shape == np.shape(out) else None


@dropout.replayed(varying=("kept",))
def dropout_replayed(out, shared, x, *, kept, p):
    """x / (1 - p) where kept, 0 elsewhere."""
    scale = np.asarray(gain(p), x.dtype)

    def run(x, *, kept):
        y = np.multiply(x, kept, out=out)
        y *= scale
        return y

    return run if x.ndim else None


@dropout.replayed("x", varying=("kept",))
def dropout_dx_replayed(out, shared, dy, *, kept, p):
    """The same of dy."""
    return dropout_replayed(out, shared, dy, kept=kept, p=p)
