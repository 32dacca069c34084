"""The ways in which forwards and rules misbehave: in dtypes, in place, at random, off the tape, or in one
mode alone.

As in `breakages.py`, each function takes a generator and returns a `Trial`.
"""

from __future__ import annotations

import numpy as np

from tests.tools.broken import (
    Trial,
    cos,
    exp,
    make_op,
    numbers,
    product,
    product_da,
    product_db,
    size,
    times,
    times_da,
    times_db,
    unit,
    unit_dx,
    unit_length,
    unit_length_lost,
    wave,
)
from tinygrad_conv.engine.tensor import Tensor


def forward_in_float64(rng):
    op = make_op(
        lambda x: x * np.linspace(1, 2, x.shape[-1]),
        x=lambda dy: dy * np.linspace(1, 2, dy.shape[-1]).astype(dy.dtype),
    )
    return Trial(op, [numbers(rng, size(rng), size(rng))], "wrong dtype", says="float64 of float32")


def forward_in_float32(rng):
    op = make_op(lambda x: (x * x).astype(np.float32), x=lambda dy, x: 2 * dy * x)
    return Trial(op, [numbers(rng, size(rng), size(rng))], "wrong dtype", says="float32 of float64")


def rule_in_float64(rng):
    op = make_op(lambda x: x * 3, x=lambda dy: dy * np.full(dy.shape, 3.0))
    return Trial(op, [numbers(rng, size(rng), size(rng))], "wrong dtype", says="float64 of float32")


def rule_in_integers(rng):
    op = make_op(lambda x: x * 1, x=lambda dy: np.ones(dy.shape, np.int64))
    return Trial(op, [numbers(rng, size(rng), size(rng))], "wrong dtype", says="int64")


def forward_changes_its_input(rng):
    def forward(x):
        x *= 2
        return x * x

    op = make_op(forward, x=lambda dy, x: 2 * dy * x)
    return Trial(op, [numbers(rng, size(rng), size(rng))], "forward mutates", says="changes an input")


def rule_changes_dy(rng):
    def dx(dy, x):
        dy *= 2
        return dy * x

    return Trial(
        make_op(lambda x: x * x, x=dx), [numbers(rng, size(rng), size(rng))], "rule mutates", says="changes"
    )


def rule_changes_x(rng):
    def dx(dy, x):
        x[0] = 0
        return 2 * dy * x

    return Trial(
        make_op(lambda x: x * x, x=dx), [numbers(rng, size(rng), size(rng))], "rule mutates", says="changes"
    )


def noisy(rng):
    dice = np.random.default_rng()
    op = make_op(lambda x: x * (dice.random(x.shape) < 0.5), x=lambda dy: dy)
    return Trial(op, [numbers(rng, size(rng, 4), size(rng, 4))], "not deterministic", says="seed")


def noisy_rule(rng):
    dice = np.random.default_rng()
    op = make_op(product, a=product_da, b=lambda dy, a, b: product_db(dy, a, b) * (1 + dice.random()))
    shape = size(rng), size(rng)
    return Trial(
        op, [numbers(rng, *shape), numbers(rng, *shape)], "not deterministic", says="for 'b' of product"
    )


def one_of_two_rules_changes_dy(rng):
    op = make_op(product, a=product_da, b=product_db_in_place)
    shape = size(rng), size(rng)
    return Trial(op, [numbers(rng, *shape), numbers(rng, *shape)], "rule mutates", says="for 'b' of product")


def product_db_in_place(dy, a, b):
    dy *= exp(b)
    return dy * a


def one_of_two_rules_in_float64(rng):
    op = make_op(product, a=lambda dy, b: product_da(dy, b) * np.ones(b.shape), b=product_db)
    shape = size(rng), size(rng)
    return Trial(op, [numbers(rng, *shape), numbers(rng, *shape)], "wrong dtype", says="for 'a' of product")


def one_of_two_rules_has_two_meanings(rng):
    op = make_op(
        times, a=times_da, b=lambda dy, a: times_db(dy, a) if isinstance(dy, np.ndarray) else -times_db(dy, a)
    )
    inputs = [numbers(rng, size(rng), 3), numbers(rng, 3, size(rng))]
    return Trial(op, inputs, "modes", says="for 'b' of times")


def rule_used_by_another_is_wrong(rng):
    inner = make_op(lambda x: np.sin(x), x=lambda dy, x: 2 * dy * cos(x))
    op = make_op(lambda x: -np.cos(x), x=lambda dy, x: dy * inner(x))
    return Trial(
        op, [numbers(rng, size(rng), size(rng))], "factor", order=2, says="2 times the right gradient of x"
    )


def kept_float_as_a_constant(rng):
    op = make_op(unit, ("length",), {"length": unit_length_lost}, x=unit_dx)
    return Trial(
        op,
        [numbers(rng, size(rng), size(rng, 3))],
        "constant",
        order=2,
        says="the kept float length as a constant",
    )


def output_as_a_constant(rng):
    def dx(dy, y):
        return dy * (y.detach() if isinstance(y, Tensor) else y)

    op = make_op(lambda x: np.exp(x), x=dx)
    return Trial(op, [numbers(rng, size(rng), size(rng))], "constant", order=2, says="y as a constant")


def method_with_two_meanings(rng):
    n = size(rng, 3, 5)
    op = make_op(
        lambda x: x * x.T, x=lambda dy, x: dy * x.T + (dy * x).T if isinstance(dy, np.ndarray) else dy * x.T
    )
    return Trial(op, [numbers(rng, n, n)], "modes", says="arrays and Tensors")


def numpy_in_a_rule(rng):
    return Trial(
        make_op(wave, x=wave_dx_in_numpy),
        [numbers(rng, size(rng), size(rng))],
        "numpy",
        says="np.sin is NumPy's",
    )


def wave_dx_in_numpy(dy, x):
    return dy * (np.sin(x) + x * cos(x))


def numpy_where_in_a_rule(rng):
    op = make_op(lambda x: np.maximum(x, 0), x=ramp_dx_in_numpy)
    return Trial(op, [numbers(rng, size(rng), size(rng))], "numpy", says="np.where is NumPy's")


def ramp_dx_in_numpy(dy, x):
    return np.where(x > 0, dy, 0)


def derivation_of_another_value(rng):
    op = make_op(unit, ("length",), {"length": lambda x: unit_length(x) * 1.1}, x=unit_dx)
    return Trial(op, [numbers(rng, size(rng), size(rng, 3))], "modes", says="arrays and Tensors")


def returns_nothing(rng):
    return Trial(
        make_op(wave, x=lambda dy, x: None),
        [numbers(rng, 3, 4)],
        "returns None",
        says="must return dx, of shape [3,4]",
    )


def returns_a_float(rng):
    return Trial(make_op(wave, x=lambda dy, x: 1.0), [numbers(rng, 3, 4)], "wrong type", says="returns float")


def makes_a_tensor(rng):
    op = make_op(lambda x: x * x, x=lambda dy, x: Tensor(np.asarray(dy)) * x * 2)
    return Trial(op, [numbers(rng, 3, 4)], "modes", says="returns a Tensor where it is given arrays")


def another_input_as_a_constant(rng):
    def da(dy, b):
        return dy * exp(b.detach() if isinstance(b, Tensor) else b)

    op = make_op(product, a=da, b=product_db)
    rows = size(rng)
    return Trial(
        op, [numbers(rng, rows, 3), numbers(rng, rows, 3)], "constant", order=2, says="b as a constant"
    )


def lets_only_positive_errors_through(rng):
    op = make_op(lambda x: np.maximum(x, 0), x=lambda dy, x: dy * (x > 0) * (dy > 0))
    return Trial(op, [numbers(rng, size(rng, 3), size(rng, 3))], "not linear", says="not linear in dy")


def squares_dy(rng):
    op = make_op(lambda x: x * x, x=lambda dy, x: 2 * dy * dy * x)
    return Trial(op, [numbers(rng, size(rng), size(rng))], "not linear", says="not linear in dy")


def in_order_of_memory(array):
    """What is right only where the array is contiguous."""
    return array.ravel(order="K").reshape(array.shape) if isinstance(array, np.ndarray) else array


def reads_x_as_it_lies_in_memory(rng):
    op = make_op(lambda x: x * x, x=lambda dy, x: 2 * dy * in_order_of_memory(x))
    return Trial(op, [numbers(rng, size(rng), size(rng))], "layout", says="transposed in memory")


def reads_dy_as_it_lies_in_memory(rng):
    op = make_op(lambda x: x * 3, x=lambda dy: in_order_of_memory(dy) * 3)
    return Trial(op, [numbers(rng, size(rng), size(rng))], "layout", says="transposed in memory")


def goes_wrong_on_what_it_is_given(rng):
    op = make_op(lambda x: x * x, x=lambda dy, x: 2 * dy * in_order_of_memory(x))
    return Trial(
        op,
        [numbers(rng, size(rng, 3), size(rng, 3)).T],
        "layout",
        says="right where the inputs are contiguous",
    )


def forward_reads_memory(rng):
    op = make_op(lambda x: in_order_of_memory(x) * 2, x=lambda dy: dy * 2)
    return Trial(op, [numbers(rng, size(rng), size(rng))], "layout", says="the forward gives other numbers")
