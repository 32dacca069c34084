"""The ways in which rules give wrong numbers, and in which the judge should say nothing but "unknown".

Each function takes a generator and returns a `Trial`: an op broken in that way, at random sizes, and the kind
that the judge should name. `misbehaviours.py` has the other ways. `tests/test_judge.py` proves one of each
kind, `python -m tests.tools.judge_figures` counts over hundreds of them.
"""

from __future__ import annotations

import inspect

import numpy as np

from tests.tools import misbehaviours
from tests.tools.broken import (
    Trial,
    after,
    biased,
    biased_dx,
    cat,
    conv2d_dw,
    cos,
    exp,
    flip,
    images,
    make_op,
    numbers,
    product,
    product_db,
    put_add,
    reshape,
    sin,
    size,
    smooth,
    smooth_dw,
    smooth_dx,
    softmax,
    spoil,
    times,
    times_db,
    total,
    transpose,
    wave,
    wave_dx,
)
from tests.tools.misbehaviours import kept_float_as_a_constant
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.engine.tensor import Tensor


def factor(rng):
    value = float(rng.choice([2.0, 0.5, -1.0, 3.0, 0.25]))
    says = {2.0: "2 times", 0.5: "½ times", -1.0: "-1 (the sign)", 3.0: "3 ", 0.25: "1/4 "}[value]
    return spoil(rng, lambda dx: dx * value, "factor", says)


def factor_without_a_name(rng):
    value = float(rng.uniform(1.1, 1.9))
    return spoil(rng, lambda dx: dx * value, "factor", f"{value:.4f}"[:5])


def divided_by_the_count(rng):
    n = size(rng, 3, 7)
    op = make_op(lambda x: x * x, x=lambda dy, x: 2 * dy * x / x.shape[0])
    return Trial(op, [numbers(rng, n, n + 1)], "factor", says=f"1/{n} ({n} is the size of dimension 0 of x)")


def sum_not_divided(rng):
    n, m = size(rng, 3, 6), size(rng, 3, 6)
    op = make_op(lambda x: np.mean(x * x, axis=0), x=lambda dy, x: 2 * dy * x)
    return Trial(op, [numbers(rng, n, m)], "factor", says=f"{n} ")


def lost(rng):
    return spoil(rng, lambda dx: dx * 0, "zero", "lost on the way")


def assigned_instead_of_added(rng):
    n = size(rng, 3, 6)
    index = np.concatenate([rng.permutation(n), rng.integers(0, n, 3)])

    def dx(dy, x_shape, index):
        last = {int(row): at for at, row in enumerate(index)}
        parts = [dy[last[row]] if row in last else dy[0] * 0 for row in range(x_shape[0])]
        return cat(*(part[None] for part in parts), dim=0)

    return Trial(
        make_op(lambda x, *, index: x[index], x=dx),
        [numbers(rng, n, 3)],
        "missing accumulation",
        {"index": index},
    )


def first_row_instead_of_the_sum(rng):
    op = make_op(biased, x=biased_dx, b=lambda dy: dy[0])
    return Trial(op, [numbers(rng, size(rng, 2, 5), 3), numbers(rng, 3)], "missing accumulation")


def times_the_count(rng):
    n = size(rng, 3, 6)
    index = np.concatenate([rng.permutation(n), rng.integers(0, n - 1, 3)])

    def dx(dy, x_shape, index):
        counts = np.bincount(index, minlength=x_shape[0])[:, None]
        return put_add(dy, index=index, shape=x_shape) * counts

    return Trial(
        make_op(lambda x, *, index: x[index], x=dx),
        [numbers(rng, n, 2)],
        "doubled accumulation",
        {"index": index},
    )


def kernel_flipped_in_dx(rng):
    def dx(dy, w, x_shape, stride, padding):
        return smooth_dx(dy, flip(w, dims=(2, 3)), x_shape, stride, padding)

    inputs, params = images(rng, padding=size(rng, 0, 2))
    return Trial(
        make_op(smooth, x=dx, w=smooth_dw),
        inputs,
        "flip",
        params,
        says="w is used reversed along axes 2 and 3",
    )


def kernel_flipped_in_dw(rng):
    op = make_op(smooth, x=smooth_dx, w=after(smooth_dw, lambda dw: flip(dw, dims=(2, 3))))
    inputs, params = images(rng)
    return Trial(op, inputs, "flip", params, says="dw is reversed along axes 2 and 3")


def row_reversed(rng):
    op = make_op(
        lambda x: np.cumsum(x * x, -1), x=lambda dy, x: 2 * x * flip(OPS["cumsum"](dy, dim=1), dims=(1,))
    )
    return Trial(op, [numbers(rng, 2, size(rng, 4, 7))], "unknown-or-flip")


def axes_exchanged(rng):
    n = size(rng, 3, 5)
    op = make_op(wave, x=after(wave_dx, lambda dx: transpose(dx, dim0=0, dim1=1)))
    return Trial(op, [numbers(rng, n, n)], "axes", says="axes 0 and 1")


def not_transposed(rng):
    n, k = size(rng, 2, 5), size(rng, 3, 5)
    op = make_op(times, a=lambda dy, b: dy @ b, b=times_db)
    return Trial(op, [numbers(rng, n, k), numbers(rng, k, k)], "axes", says="axes 0 and 1 of b are exchanged")


def axes_exchanged_in_shape(rng):
    n = size(rng, 3, 5)
    op = make_op(wave, x=after(wave_dx, lambda dx: transpose(dx, dim0=0, dim1=1)))
    return Trial(op, [numbers(rng, n, n + 1)], "axes", says=f"the rule returns [{n + 1},{n}]")


def axes_exchanged_by_reshape(rng):
    n, m = size(rng, 3, 5), size(rng, 5, 7)
    op = make_op(lambda x: np.sin(x.T), x=lambda dy, x: reshape(dy, shape=x.shape) * cos(x))
    return Trial(op, [numbers(rng, n, m)], "unknown-or-axes")


def frame(shape: tuple[int, ...], value: float) -> np.ndarray:
    """Ones, and `value` in the outermost rows and columns."""
    mask = np.full(shape, value)
    mask[..., 1:-1, 1:-1] = 1.0
    return mask


def border_lost(rng):
    value = float(rng.choice([0.0, 0.5, 2.0]))
    op = make_op(smooth, x=after(smooth_dx, lambda dx: dx * frame(dx.shape, value)), w=smooth_dw)
    side = size(rng, 4, 7)
    return Trial(
        op,
        [numbers(rng, 2, 1, side, side), numbers(rng, 2, 1, 3, 3)],
        "border",
        {"padding": 1},
        says="border",
    )


def padding_forgotten_in_dw(rng):
    def dw(dy, x, w_shape, stride, padding):
        inner = dy[:, :, 1:-1, 1:-1] if padding else dy
        return conv2d_dw(x, inner, kernel_size=w_shape[2:], stride=stride, padding=0)

    side, channels = size(rng, 4, 7), size(rng, 1, 3)
    inputs = [numbers(rng, 2, channels, side, side), numbers(rng, 2, channels, 3, 3)]
    return Trial(make_op(smooth, x=smooth_dx, w=dw), inputs, "border", {"padding": 1}, says="border")


def border_without_a_param(rng):
    n = size(rng, 6, 9)

    def forward(x):
        padded = np.pad(x, 1)
        return sum(padded[i : i + n, j : j + n] * (1 + i + 3 * j) for i in range(3) for j in range(3))

    def dx(dy):
        zero = dy[:1] * 0
        padded = cat(zero, dy, zero, dim=0)
        side = padded[:, :1] * 0
        padded = cat(side, padded, side, dim=1)
        taps = [
            padded[2 - i : 2 - i + n, 2 - j : 2 - j + n] * (1 + i + 3 * j) for i in range(3) for j in range(3)
        ]
        return taps[0] + taps[1] + taps[2] + taps[3] + taps[4] + taps[5] + taps[6] + taps[7] + taps[8]

    return Trial(
        make_op(forward, x=after(dx, lambda dx: dx * frame(dx.shape, 0.5))), [numbers(rng, n, n)], "border"
    )


def remainder_repeats_a_row(rng):
    def dx(dy, w, x_shape, stride, padding):
        right = smooth_dx(dy, w, x_shape, stride, padding)
        touched = w.shape[2] + stride * (dy.shape[2] - 1)
        return (
            cat(right[:, :, :touched], right[:, :, touched - 1 : -1], dim=2)
            if touched < x_shape[2]
            else right
        )

    op = make_op(smooth, x=dx, w=smooth_dw)
    inputs, params = images(rng, stride=2, remainder=True)
    return Trial(op, inputs, "remainder", params, says="stride leaves a remainder")


def remainder_cut_at_the_wrong_end(rng):
    def dw(dy, x, w_shape, stride, padding):
        kernel, out = w_shape[2], dy.shape[2]
        left_over = x.shape[2] - (kernel + stride * (out - 1))
        x = x[:, :, left_over:, left_over:]
        return conv2d_dw(x, dy, kernel_size=w_shape[2:], stride=stride, padding=padding)

    inputs, params = images(rng, stride=2, remainder=True)
    return Trial(
        make_op(smooth, x=smooth_dx, w=dw), inputs, "remainder", params, says="stride leaves a remainder"
    )


def stride_forgotten(rng):
    def dw(dy, x, w_shape, stride, padding):
        return conv2d_dw(x, dy, kernel_size=w_shape[2:], stride=1, padding=padding)

    inputs, params = images(rng, stride=2)
    return Trial(
        make_op(smooth, x=smooth_dx, w=dw),
        inputs,
        "param",
        params,
        says="right with stride=1, wrong with stride=2",
    )


def not_summed_back(rng):
    op = make_op(biased, x=biased_dx, b=lambda dy: dy)
    return Trial(op, [numbers(rng, size(rng), 3), numbers(rng, 3)], "un-broadcast", says="broadcasting=True")


def the_other_argument(rng):
    shape = size(rng), size(rng)
    op = make_op(product, a=lambda dy, a, b: dy * a * exp(b), b=product_db)
    return Trial(
        op, [numbers(rng, *shape), numbers(rng, *shape)], "argument", says="it is the gradient of b, not of a"
    )


def both_arguments_exchanged(rng):
    n = size(rng, 2, 5)
    op = make_op(times, a=times_db_as_da, b=times_db)
    return Trial(op, [numbers(rng, n, n), numbers(rng, n, n)], "argument")


def times_db_as_da(dy, a):
    return transpose(a, dim0=0, dim1=1) @ dy


def inside_a_function(rng):
    trial = factor(rng)
    trial.around = lambda y: exp(y * 0.1).sum()
    return trial


def inside_a_function_constant(rng):
    trial = kept_float_as_a_constant(rng)
    trial.around = lambda y: y * 2
    return trial


def second_output(rng):
    op = make_op(lambda x: (x * x, np.sin(x)), x=lambda dy, x: 2 * dy[0] * x + 2 * dy[1] * cos(x))
    return Trial(op, [numbers(rng, size(rng, 3), size(rng))], "factor", says="2 times")


def parts_exchanged(rng):
    n, m = size(rng, 3), size(rng)
    op = make_op(
        lambda *xs: np.concatenate(xs) ** 2, xs=lambda dy, xs: [2 * dy[m:] * xs[0], 2 * dy[:m] * xs[1]]
    )
    return Trial(op, [numbers(rng, m, n), numbers(rng, m, n)], "unknown-or-places")


def one_side_of_the_border(rng):
    side = size(rng, 5, 8)
    mask = np.ones((side, side))
    mask[:, -1] = 0.5
    op = make_op(smooth, x=after(smooth_dx, lambda dx: dx * mask), w=smooth_dw)
    return Trial(op, [numbers(rng, 2, 1, side, side), numbers(rng, 2, 1, 3, 3)], "border", {"padding": 1})


# Mistakes that are told by what is true of the difference; "unknown" where nothing is.


def a_term_dropped(rng):
    op = make_op(softmax, x=lambda dy, y: y * dy)
    return Trial(op, [numbers(rng, size(rng), size(rng, 3))], "term")


def the_wrong_function(rng):
    return Trial(
        make_op(wave, x=lambda dy, x: dy * (sin(x) + x)), [numbers(rng, size(rng), size(rng, 3))], "unknown"
    )


def one_entry(rng):
    n = size(rng, 6, 9)
    change = np.zeros((n, n))
    change[n // 2, n // 2] = 0.3
    op = make_op(wave, x=after(wave_dx, lambda dx: dx * (1 + change)))
    return Trial(op, [numbers(rng, n, n)], "part")


def shifted_by_one(rng):
    op = make_op(lambda x: x[1:] * x[:-1], x=lambda dy, x: cat(dy, dy[:1] * 0, dim=0) * x)
    return Trial(op, [numbers(rng, size(rng, 4, 7))], "part")


def random_numbers(rng):
    noise = rng.standard_normal((4, 5))
    return Trial(
        make_op(wave, x=after(wave_dx, lambda dx: dx + 0.1 * noise)), [numbers(rng, 4, 5)], "not linear"
    )


def wrong_at_order_2_alone(rng):
    def dx(dy, x):
        return 2 * dy * x + (exp(x) - exp(x.detach()) if isinstance(x, Tensor) else 0 * x)

    return Trial(
        make_op(lambda x: x * x, x=dx),
        [numbers(rng, 3, size(rng, 3))],
        "constant",
        order=2,
        says=".detach leaves the tape",
    )


def half_of_the_channels(rng):
    mask = np.ones((4, 1, 1))
    mask[:2] = 0.0
    op = make_op(smooth, x=after(smooth_dx, lambda dx: dx * mask), w=smooth_dw)
    return Trial(op, [numbers(rng, 2, 4, 5, 5), numbers(rng, 2, 4, 2, 2)], "part")


def an_exponent(rng):
    op = make_op(lambda x: x**3, x=lambda dy, x: 3 * dy * x)
    return Trial(op, [numbers(rng, 3, size(rng, 3))], "factor")


def a_sum_over_the_wrong_axis(rng):
    op = make_op(softmax, x=lambda dy, y: y * (dy - total(dy * y, dim=0, keepdim=True)))
    return Trial(op, [numbers(rng, size(rng), size(rng, 3))], "unknown-or-places")


def only_where_negative(rng):
    op = make_op(lambda x: x * x, x=lambda dy, x: 2 * dy * x * (x > 0))
    return Trial(op, [numbers(rng, 5, 6)], "branch")


def breaks(value):
    """Whether it is one of the functions of these two modules."""
    own = inspect.isfunction(value) and value.__module__ in (__name__, misbehaviours.__name__)
    return own and list(inspect.signature(value).parameters) == ["rng"]


BREAKAGES = [
    value for module in (globals(), vars(misbehaviours)) for value in list(module.values()) if breaks(value)
]
BREAKAGES = list(dict.fromkeys(BREAKAGES))
