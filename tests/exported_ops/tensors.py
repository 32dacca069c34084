"""Arithmetic, reductions, shapes and indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS

from .draw import Case, Draw, op_with, with_constants

F = tg.nn.functional


UNARY = (
    *("abs", "neg", "sign", "exp", "sin", "cos", "tanh", "sigmoid", "erf", "asinh", "sinh", "cosh", "atan"),
    *("floor", "ceil", "trunc", "exp2", "expm1", "normal_cdf", "relu", "selu", "hardswish", "silu", "clone"),
    *("logsigmoid", "mish", "softsign", "isnan", "isinf", "isfinite", "logical_not", "signbit", "erfc"),
)
POSITIVE = ("log", "sqrt", "log2", "log10", "log1p")
UNIT = ("asin", "acos", "atanh", "tan")
BINARY = (
    *("add", "sub", "mul", "div", "maximum", "minimum", "fmod", "remainder", "floor_divide", "trunc_divide"),
    *("logaddexp", "copysign", "clamp_min", "clamp_max", "eq", "ne", "lt", "gt", "le", "ge", "isclose"),
    *("logical_and", "logical_or", "logical_xor"),
)
BITWISE = ("bitwise_and", "bitwise_or", "bitwise_xor")
REDUCTIONS = ("sum", "mean", "amax", "amin", "var", "std", "logsumexp", "vector_norm", "all", "any")


def elementary(draw: Draw) -> dict[str, list[Case]]:
    """Functions of one number."""
    x = draw(2, 3, 4)
    cases = {name: [Case(OPS[name], (3 * x,))] for name in UNARY}
    cases |= {name: [Case(OPS[name], (draw.positive(2, 5),))] for name in POSITIVE}
    cases |= {name: [Case(OPS[name], (draw.unit(2, 5),))] for name in UNIT}
    small = (draw(2, 4) * 1e-4).astype(draw.dtype)
    cases["acosh"] = [Case(OPS["acosh"], (1 + draw.positive(2, 3),))]
    cases["expm1"].append(Case(OPS["expm1"], (small,)))
    cases["log1p"].append(Case(OPS["log1p"], (small,)))
    cases["exp"].append(Case(OPS["exp"], (draw.integers(-3, 3, 2, 3),)))
    cases["to"] = [Case(lambda x: x.to(np.int64), (9 * x,)), Case(lambda x: x.to(np.float64), (x,))]
    cases["round"] = [Case(op_with("round", decimals=places), (9 * x,)) for places in (0, 2, -1)]
    cases["dropout"] = [Case(op_with("dropout", kept=draw.bools(3, 4), p=0.25), (x,))]
    cases["masked"] = [Case(lambda x: OPS["masked"](x, mask=x > 0.3), (x,))]
    cases["leaky_relu"] = [Case(op_with("leaky_relu", negative_slope=draw.one(0.01, 0.3)), (x,))]
    cases["elu"] = [Case(op_with("elu", alpha=draw.one(1.0, 0.5)), (x,))]
    cases["gelu"] = [Case(op_with("gelu", approximate=name), (x,)) for name in ("none", "tanh")]
    cases["hardtanh"] = [Case(op_with("hardtanh", min_val=-0.5, max_val=draw.one(0.5, 1.0)), (x,))]
    cases["softplus"] = [
        Case(op_with("softplus", beta=beta, threshold=level), (5 * x,))
        for beta, level in ((1.0, 20.0), (3.0, 2.0))
    ]
    cases["prelu"] = [Case(with_constants("prelu", draw(size)), (x,)) for size in (1, 3)]
    cases["softmax"] = [Case(op_with("softmax", dim=dim), (x,)) for dim in (1, -1)]
    cases["log_softmax"] = [Case(op_with("log_softmax", dim=dim), (x,)) for dim in (1, -1)]
    return cases


def arithmetic(draw: Draw) -> dict[str, list[Case]]:
    """Functions of two numbers, of shapes that broadcast, of mixed dtypes and with scalars."""
    a, b, row = draw(2, 3, 4), draw(2, 3, 4), draw(4)
    integers = draw.integers(-9, 9, 2, 5), draw.integers(1, 5, 2, 5)
    cases = {
        name: [Case(OPS[name], (a, b)), Case(lambda x, op=OPS[name], row=row: op(x, row), (a,))]
        for name in BINARY
    }
    for name in (
        "add",
        "sub",
        "mul",
        "div",
        "fmod",
        "remainder",
        "floor_divide",
        "trunc_divide",
        "eq",
        "lt",
        "maximum",
    ):
        cases[name].append(Case(OPS[name], integers))
        cases[name].append(Case(lambda x, op=OPS[name]: op(x, 3), (a,)))
    cases["add"].append(Case(lambda x, y: x + y * 2.5, integers))
    cases["pow"] = [Case(OPS["pow"], (draw.positive(2, 3), draw(2, 3))), Case(lambda x: x**2, (a,))]
    cases["where"] = [
        Case(lambda x, y: tg.where(x > 0, x, y), (a, b)),
        Case(lambda x: tg.where(x > 0, x, 2.0), (a,)),
    ]
    cases["isin"] = [Case(lambda x: tg.isin(x, tg.tensor([1, 4, 7])), (draw.integers(0, 9, 2, 5),))]
    cases["isclose"].append(Case(lambda x: OPS["isclose"](x, x * 1.0001, rtol=1e-3, equal_nan=True), (a,)))
    bools = draw.bools(2, 5), draw.bools(2, 5)
    for name in BITWISE:
        cases[name] = [Case(OPS[name], bools), Case(OPS[name], integers, opset=18)]
    cases["bitwise_not"] = [
        Case(OPS["bitwise_not"], bools[:1]),
        Case(OPS["bitwise_not"], integers[:1], opset=18),
    ]
    cases["bitwise_left_shift"] = [Case(OPS["bitwise_left_shift"], integers)]
    cases["bitwise_right_shift"] = [Case(OPS["bitwise_right_shift"], integers)]
    return cases


def reductions(draw: Draw) -> dict[str, list[Case]]:
    """Reductions over some or all dimensions, the batch among them."""
    x = draw(2, 3, 4)
    cases: dict[str, list[Case]] = {}
    for name in REDUCTIONS:
        settings = [{"dim": dim, "keepdim": draw.flag()} for dim in (1, (1, -1), (0, 2), None)]
        settings = [each for each in settings if name != "logsumexp" or each["dim"] is not None]
        cases[name] = [Case(op_with(name, **each), (x,)) for each in settings]
    cases["sum"].append(Case(op_with("sum", dim=1), (draw.integers(0, 5, 2, 3),)))
    cases["mean"].append(Case(op_with("mean", dim=1), (draw.integers(0, 5, 2, 3),)))
    cases["amax"].append(Case(op_with("amax", dim=1), (draw.bools(2, 3),)))
    cases["var"].append(Case(op_with("var", dim=0, correction=0), (x,)))
    cases["vector_norm"] += [
        Case(op_with("vector_norm", p=p, dim=draw.one(1, -1), keepdim=draw.flag()), (x,))
        for p in (0, 1, 3, 2.5, np.inf, -np.inf)
    ]
    cases["prod"] = [Case(op_with("prod", dim=dim, keepdim=draw.flag()), (x,)) for dim in (1, -1, None)]
    for name in ("max", "min", "argmax", "argmin"):
        cases[name] = [Case(op_with(name, dim=dim, keepdim=draw.flag()), (x,)) for dim in (1, -1)]
    for name in ("argmax", "argmin"):
        cases[name].append(Case(op_with(name, dim=None, keepdim=draw.flag()), (x,)))
    ties = draw.integers(0, 3, 2, 9).astype(draw.dtype)
    cases["argsort"] = [
        Case(op_with("argsort", dim=-1, descending=descending), (numbers,))
        for descending in (False, True)
        for numbers in (x, ties)
    ]
    cases["cumsum"] = [Case(op_with("cumsum", dim=dim), (x,)) for dim in (1, -1, 0)]
    cases["count_nonzero"] = [
        Case(op_with("count_nonzero", dim=dim), (draw.integers(0, 3, 2, 5),)) for dim in (1, None)
    ]
    cases["sum_to"] = [Case(op_with("sum_to", shape=(3, 1)), (x,))]
    cases["one_hot"] = [Case(op_with("one_hot", num_classes=5), (draw.integers(0, 5, 2, 3),))]
    return cases


def shapes(draw: Draw) -> dict[str, list[Case]]:
    """Ops that rearrange, the batch's size among those that they are told."""
    x, image = draw(2, 3, 4), draw(2, 4, 6, 8)
    return {
        "reshape": [
            Case(lambda x: x.reshape(-1, 12), (x,)),
            Case(lambda x: x.reshape(len(x), 2, -1), (x,)),
            Case(lambda x: x.reshape(3 * len(x), 4), (x,)),
            Case(lambda x: x.reshape(-1), (x,)),
            Case(lambda x: x.reshape(4, x.shape[0], 3), (x,)),
        ],
        "flatten": [Case(op_with("flatten", start_dim=start), (x,)) for start in (0, 1, 2)],
        "flatten_input_grad": [
            Case(lambda x: OPS["flatten_input_grad"](x, shape=(len(x), 3, 4)), (draw(2, 12),))
        ],
        "squeeze": [Case(op_with("squeeze", dim=dim), (draw(2, 1, 3, 1),)) for dim in (1, (1, 3), -1)],
        "unsqueeze": [Case(op_with("unsqueeze", dim=dim), (x,)) for dim in (0, 1, -1)],
        "permute": [Case(op_with("permute", dims=dims), (x,)) for dims in ((2, 0, 1), (0, -1, 1))],
        "transpose": [Case(op_with("transpose", dim0=0, dim1=draw.one(1, -1)), (x,))],
        "flip": [Case(op_with("flip", dims=dims), (x,)) for dims in ((1,), (0, 2))],
        "roll": [
            Case(op_with("roll", shifts=(draw.one(1, -2, 5), 1), dims=(1, 2)), (x,)),
            Case(op_with("roll", shifts=3, dims=None), (x,), static=True),
        ],
        "cat": [
            Case(lambda x: tg.cat((x, 2 * x), 1), (x,)),
            Case(lambda x: tg.cat((x, x), 0), (x,)),
            Case(lambda x: tg.cat((x, tg.zeros(len(x), 2, 4)), 1), (x,)),
        ],
        "stack": [Case(lambda x, dim=dim: tg.stack((x, x + 1), dim), (x,)) for dim in (0, 1, -1)],
        "unbind": [Case(lambda x: tuple(tg.unbind(x, 1)), (x,))],
        "split": [
            Case(lambda x: tuple(x.split([1, 3], 2)), (x,)),
            Case(lambda x: tuple(x.split(2, 1)), (x,)),
        ],
        "chunk": [Case(lambda x: tuple(x.chunk(2, -1)), (x,))],
        "expand": [
            Case(lambda x: x[:, :, None].expand(-1, -1, 5), (draw(2, 3),)),
            Case(lambda x: x + tg.tensor([1.0, 2.0, 4.0]).expand(len(x), 3).to(x.dtype), (draw(2, 3),)),
        ],
        "repeat": [Case(op_with("repeat", repeats=times), (x,)) for times in ((1, 2, 1), (2, 1, 1, 3))],
        "pad": [
            *(
                Case(op_with("pad", sides=(2, 1, 1, 0), mode=mode), (image,))
                for mode in ("constant", "reflect", "replicate", "circular")
            ),
            Case(op_with("pad", sides=(-1, 2), value=1.5), (x,)),
            *(
                Case(op_with("pad", sides=(-1, 2, 0, -1), mode=mode), (image,))
                for mode in ("replicate", "circular")
            ),
        ],
        "pixel_shuffle": [Case(op_with("pixel_shuffle", upscale_factor=2), (image,))],
        "pixel_unshuffle": [Case(op_with("pixel_unshuffle", downscale_factor=2), (image,))],
        "mix": [
            Case(op_with("mix", dim=dim, size=3, target=target, source=source, weight=weight), (image,))
            for dim in (1, -1)
            for target, source, weight in (
                (np.array([0, 2, 2]), np.array([3, 1, 1]), np.array([0.5, -1.0, 3.0])),
                (np.array([2, 0, 1]), np.array([0, 3, 3]), None),
            )
        ],
    }


def indexing(draw: Draw) -> dict[str, list[Case]]:
    """Indices of all kinds."""
    x, rows = draw(2, 5, 4), np.array([2, 0, 0])
    mask = np.array([True, False, True, True, False])
    places, grid = draw.integers(0, 4, 2, 5, 3), draw.integers(0, 5, 2, 3)
    index = (
        lambda x: x[:, 1],
        lambda x: x[:, -1, ::2],
        lambda x: x[:, ::-1, 1:3],
        lambda x: x[..., None, 2],
        lambda x: x[:, None, 1:],
        lambda x: x[1:],
        lambda x: x[:-1],
        lambda x: x[-1],
        lambda x: x[:, rows],
        lambda x: x[[0, -1]],
        lambda x: x[:, [0, 3], [1, 1]],
        lambda x: x[:, tg.tensor(rows.reshape(3, 1))],
        lambda x: x[:, mask],
        lambda x: x[:, rows, rows],
        lambda x: x[:, 1, rows],
        lambda x: x[:, rows, None, 1:],
    )

    def written(*parts: Any, value: Any = 0.0, repeat: int = 1) -> Callable[..., Any]:
        def function(x: Any) -> Any:
            y = x * 2
            y[parts] = value(x) if callable(value) else value
            return y

        return function

    lookup = draw(7, 3)
    return {
        "getitem": [
            *(Case(function, (x,)) for function in index),
            Case(lambda i: tg.tensor(lookup)[i], (draw.integers(0, 7, 2, 4),)),
            Case(lambda x, i, j: x[i, j], (draw(6, 5), grid[0], grid[1]), static=True),
            Case(lambda x, i, j: x[:, i, j], (draw(2, 6, 5), grid[0], grid[1]), static=True),
        ],
        "setitem": [
            Case(written(slice(None), 1), (x,)),
            Case(written(slice(None), slice(1, 3), value=lambda x: x[:, 3:, :]), (x,)),
            Case(written(slice(None), rows, value=1.5), (x,)),
            Case(written(..., 0, value=lambda x: x.sum(2)), (x,)),
            Case(written(1, value=lambda x: x[0]), (x,), static=True),
            Case(lambda x: OPS["setitem"](x, np.float32(0), index=x > 0), (x,)),
        ],
        "put_add": [
            Case(lambda x: OPS["put_add"](x, index=(slice(None), rows), shape=(len(x), 6)), (draw(2, 3),)),
            Case(op_with("put_add", index=(rows,), shape=(4, 2)), (draw(3, 2),), static=True),
        ],
        "gather": [Case(lambda x, i: tg.gather(x, 2, i), (x, places)), Case(lambda x: tg.sort(x, 1), (x,))],
        "scatter_add": [Case(lambda x, i, s: tg.scatter_add(x, 2, i, s), (x, places, draw(2, 5, 4)))],
        "scatter_extreme": [
            Case(
                lambda x, i, s, name=name: tg.scatter_reduce(x, 2, i, s, name),
                (x, places, draw(2, 5, 3)),
                opset=18,
            )
            for name in ("amax", "amin")
        ],
    }
