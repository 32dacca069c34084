"""What ops refuse, and what the messages say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.checks import samples  # noqa: F401 (importing it enters the cases)
from tinygrad_conv.checks.cases import CASES
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import DtypeError, ShapeError

from .helpers import assert_refused


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: tg.ones(2, 3) @ tg.ones(2, 3),
            "matmul: a [2,3] and b [2,3] do not fit: [..., n, k] times [..., k, m]",
        ),
        (
            lambda: tg.ones(2, 3) @ tg.tensor(1.0),
            "matmul: a [2,3] and b [] do not fit: [..., n, k] times [..., k, m]",
        ),
        (
            lambda: tg.ones(2, 4, 3) @ tg.ones(3, 3, 3),
            "matmul: the leading dimensions of a [2,4,3] and b [3,3,3] do not broadcast",
        ),
        (
            lambda: tg.linear(tg.ones(2, 3), tg.ones(4, 2)),
            "linear: x [2,3], w [4,2] do not fit x [..., in], w [out, in], b [out]",
        ),
        (
            lambda: tg.linear(tg.ones(2, 3), tg.ones(4, 3), tg.ones(3)),
            "linear: x [2,3], w [4,3], b [3] do not fit x [..., in], w [out, in], b [out]",
        ),
        (
            lambda: tg.linear(tg.ones(2, 3, 8, 8), tg.ones(4, 192)),
            "linear: x [2,3,8,8], w [4,192] do not fit x [..., in], w [out, in], b [out]; flatten it first: "
            "x.flatten(1), or nn.Flatten() before the layer",
        ),
        (
            lambda: tg.linear(tg.ones(2, 3, 8, 8), tg.ones(4, 128)),
            "linear: x [2,3,8,8], w [4,128] do not fit x [..., in], w [out, in], b [out]; flatten it first, "
            "x.flatten(1), and let the layer take 192 features: nn.Linear(192, …)",
        ),
        (
            lambda: tg.linear(tg.ones(3, 8, 8), tg.ones(4, 192)),
            "linear: x [3,8,8], w [4,192] do not fit x [..., in], w [out, in], b [out]; flatten it first: "
            "x.flatten()",
        ),
        (
            lambda: tg.linear(tg.ones(2, 5, 8), tg.ones(4, 6)),
            "linear: x [2,5,8], w [4,6] do not fit x [..., in], w [out, in], b [out]",
        ),
        (lambda: tg.ones(2, 3) + tg.ones(2, 2), "add: a [2,3] and b [2,2] do not broadcast"),
        (lambda: tg.ones(3).sum(1), "sum: dim 1 is out of range for a tensor of 1 dimensions"),
        (lambda: tg.ones(3, 2).mean((0, -2)), "mean: a dimension appears twice in dim=(0, -2)"),
        (lambda: tg.ones(0, 2).amax(0), "amax: nothing to choose from in dim=0 of shape [0,2]"),
        (lambda: tg.ones(2, 3).reshape(4, -1), "reshape: x [2,3] has 6 elements, which do not fill [4,-1]"),
        (
            lambda: tg.cat([tg.ones(2, 3), tg.ones(2, 2)]),
            "cat: the shapes must agree in all dimensions but dim=0, and there must be one; got [2,3], [2,2]",
        ),
        (
            lambda: tg.mse_loss(tg.ones(8, 1), tg.ones(8)),
            "mse_loss: input [8,1] and target [8] must have the same shape; "
            "reshape one, e.g. target.reshape(8, 1)",
        ),
        (
            lambda: tg.mse_loss(tg.ones(8, 2), tg.ones(8)),
            "mse_loss: input [8,2] and target [8] must have the same shape",
        ),
    ],
)
def test_shapes_that_do_not_fit(call: Any, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        call()
    assert str(caught.value) == message


def test_mse_loss_refuses_an_unknown_reduction() -> None:
    with pytest.raises(ValueError, match="reduction must be 'none', 'sum' or 'mean', not 'avg'"):
        tg.mse_loss(tg.ones(2), tg.ones(2), reduction="avg")


def test_there_is_no_other_device() -> None:
    with pytest.raises(TypeError, match="to: 'cuda' is no dtype; and there is no other device than the CPU"):
        tg.ones(2).to("cuda")


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: tg.clamp(tg.ones(2)), ValueError, "clamp: pass min, max, or both"),
        (
            lambda: tg.masked_fill(tg.tensor([1, 2]), np.array([True, False]), 0.5),
            TypeError,
            "masked_fill: input int64[2] cannot hold the value 0.5",
        ),
        (lambda: tg.cat(tg.ones(2, 2)), TypeError, "cat: pass a list or tuple of tensors, not Tensor"),
        (lambda: tg.norm(tg.ones(2, 2), "nuc"), ValueError, "norm: p must be a number or 'fro', not 'nuc'"),
        (
            lambda: tg.var(tg.tensor([1, 2])),
            TypeError,
            "var: x must be floating-point, not int64[2]; use x.float()",
        ),
        (
            lambda: tg.gather(tg.ones(2, 3), 1, np.array([[3]])),
            IndexError,
            "gather: index holds 3 … 3, but x has the places 0 … 2 in dim=1",
        ),
        (
            lambda: tg.split(tg.ones(5), [2, 2]),
            ShapeError,
            "split: sizes [2, 2] must not be negative, and add up to 5 for x [5] in dim=0",
        ),
        (
            lambda: tg.einsum("ij,jk", tg.ones(2, 3), tg.ones(2, 3)),
            ShapeError,
            "einsum: 'j' of 'ij,jk' is 3 in one operand and 2 in another",
        ),
        (
            lambda: tg.einsum("ij", tg.ones(2)),
            ShapeError,
            "einsum: 'ij' of 'ij' does not name the 1 dimensions of [2]",
        ),
        (
            lambda: tg.bmm(tg.ones(2, 3, 4), tg.ones(4, 3)),
            ShapeError,
            "bmm: input [2,3,4] and mat2 [4,3] must be [B, n, k] and [B, k, m]",
        ),
        (
            lambda: tg.tensor([2]) ** tg.tensor([-1]),
            ValueError,
            "pow: integers have no negative integer powers; make a floating-point, e.g. a.to(np.float32)",
        ),
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    assert_refused(call, error, message)


@pytest.mark.parametrize("name", sorted(CASES))
def test_arrays_alone_of_a_foreign_dtype_are_refused(name):
    sample = CASES[name][0].sample("", np.random.default_rng(0), dict.fromkeys(CASES[name][0].letters(), 2))
    arrays = [value for value in sample.inputs if isinstance(value, np.ndarray)]
    OPS[name](*sample.inputs, **sample.params)  # of which each is right
    for foreign in (np.complex64, np.longdouble, object):
        for place, value in enumerate(sample.inputs):
            if any(value is array for array in arrays):
                inputs = [*sample.inputs[:place], value.astype(foreign), *sample.inputs[place + 1 :]]
                with pytest.raises(DtypeError, match=f"^{name}: .*{np.dtype(foreign)}"):
                    OPS[name](*inputs, **sample.params)
