"""Models of one or two ops with random parameters, for each op that is written as ONNX.

Dimension 0 of the inputs is the batch, but in `static` ones, which are exported with the example's sizes
alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS

F = tg.nn.functional


class Case(NamedTuple):
    """A function of tensors, an example, and how it is exported."""

    function: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]
    static: bool = False
    opset: int = 17  # the first in which it can be written


class Draw:
    """Arrays and choices at random."""

    def __init__(self, seed: int, dtype: Any = np.float32) -> None:
        self.rng, self.dtype = np.random.default_rng(seed), dtype

    def __call__(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape).astype(self.dtype)

    def positive(self, *shape: int) -> np.ndarray:
        return self.rng.uniform(0.2, 3, shape).astype(self.dtype)

    def unit(self, *shape: int) -> np.ndarray:
        return self.rng.uniform(-0.95, 0.95, shape).astype(self.dtype)

    def chance(self, *shape: int) -> np.ndarray:
        return self.rng.uniform(0.02, 0.98, shape).astype(self.dtype)

    def integers(self, low: int, high: int, *shape: int) -> np.ndarray:
        return self.rng.integers(low, high, shape)

    def bools(self, *shape: int) -> np.ndarray:
        return self.rng.random(shape) < 0.5

    def one(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def flag(self) -> bool:
        return bool(self.rng.random() < 0.5)


def op_with(name: str, **params: Any) -> Callable[..., Any]:
    """An op with these params."""
    return lambda *inputs: OPS[name](*inputs, **params)


def with_constants(name: str, *constants: np.ndarray | None, **params: Any) -> Callable[..., Any]:
    """An op whose later inputs are these constants."""
    return lambda x: OPS[name](x, *constants, **params)


UNARY = (
    *("abs", "neg", "sign", "exp", "sin", "cos", "tanh", "sigmoid", "erf", "asinh", "sinh", "cosh", "atan"),
    *("floor", "ceil", "trunc", "exp2", "expm1", "normal_cdf", "relu", "selu", "hardswish", "silu", "clone"),
    *("logsigmoid", "mish", "isnan", "isinf", "isfinite", "logical_not", "signbit"),
)
POSITIVE = ("log", "sqrt", "log2", "log10", "log1p")
UNIT = ("asin", "acos", "atanh", "tan")
BINARY = (
    *("add", "sub", "mul", "div", "maximum", "minimum", "fmod", "remainder", "floor_divide", "logaddexp"),
    *("copysign", "clamp_min", "clamp_max", "eq", "ne", "lt", "gt", "le", "ge", "isclose"),
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
    for name in ("add", "sub", "mul", "div", "fmod", "remainder", "floor_divide", "eq", "lt", "maximum"):
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


def windows(draw: Draw) -> dict[str, list[Case]]:
    """Convolutions and poolings, with parameters at random."""
    cases: dict[str, list[Case]] = {
        name: [] for name in ("conv2d", "conv2d_input_grad", "conv2d_weight_grad")
    }
    for _ in range(4):
        groups, sizes = draw.one(1, 2), (draw.one(7, 8), draw.one(9, 10))
        kernel = draw.one(1, 2, 3), draw.one(2, 3)
        geometry = {
            "stride": draw.one(1, 2, (2, 1)),
            "padding": draw.one(0, 1, (1, 2), ((0, 1), (2, 0)), "same"),
            "dilation": draw.one(1, 2),
            "groups": groups,
        }
        x, w = draw(2, 2 * groups, *sizes), draw(4, 2, *kernel)
        b = draw(4) if draw.flag() else None
        y = OPS["conv2d"](x, w, b, **geometry)
        dy = draw(*y.shape)
        cases["conv2d"].append(Case(lambda x, w=w, b=b, g=geometry: OPS["conv2d"](x, w, b, **g), (x,)))
        cases["conv2d_input_grad"].append(
            Case(
                lambda y, w=w, g=geometry, s=sizes: OPS["conv2d_input_grad"](y, w, input_size=s, **g),
                (dy,),
            )
        )
        cases["conv2d_weight_grad"].append(
            Case(
                lambda x, y, g=geometry, k=kernel: OPS["conv2d_weight_grad"](x, y, kernel_size=k, **g),
                (x, dy),
            )
        )
    image, row, of_rows = draw(3, 2, 3, 3), draw(3, 2, 3), draw(2, 3, 3)
    cases["conv2d"].append(Case(lambda x: F.conv2d(x, image), (draw(2, 6, 7),), static=True))
    cases["conv2d"].append(Case(lambda x: F.conv1d(x, row, padding=1), (draw(2, 2, 7),)))
    untouched = {"stride": 2, "dilation": 4, "padding": 1, "output_padding": 3}
    cases["conv2d_input_grad"].append(
        Case(lambda x: F.conv_transpose2d(x, np.moveaxis(image, 0, 1), **untouched), (draw(2, 2, 4, 5),))
    )
    cases["conv2d_input_grad"].append(
        Case(lambda x: F.conv_transpose1d(x, of_rows, stride=2, output_padding=1), (draw(2, 2, 7),))
    )
    return cases | poolings(draw) | columns(draw)


def poolings(draw: Draw) -> dict[str, list[Case]]:
    """Poolings: windows that overlap, that leave a rest, that are rounded up."""
    cases: dict[str, list[Case]] = {
        name: [] for name in ("max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "sum_windows")
    }
    for ceil_mode in (False, True, False, True, True, True):
        x = draw(2, 3, draw.one(7, 8, 9), draw.one(9, 10, 11))
        kernel = draw.one(2, 3, (3, 2), (2, 4))
        given = {
            "kernel_size": kernel,
            "stride": draw.one(None, 1, 2, 3, (2, 3)),
            "padding": draw.one(0, 1, (1, 0)),
            "ceil_mode": ceil_mode,
        }
        dilated = {**given, "dilation": draw.one(1, 2)}
        cases["max_pool2d"].append(Case(op_with("max_pool2d", **dilated), (x,)))
        cases["max_pool2d_with_indices"].append(Case(op_with("max_pool2d_with_indices", **dilated), (x,)))
        cases["sum_windows"].append(Case(op_with("sum_windows", **given), (x,)))
        for counted in (False, True):
            options = {**given, "count_include_pad": counted, "divisor_override": draw.one(None, None, 3)}
            cases["avg_pool2d"].append(Case(op_with("avg_pool2d", **options), (x,)))
    cases["max_pool2d"].append(Case(op_with("max_pool2d", kernel_size=2), (draw(2, 6, 6),), static=True))
    x = draw(2, 3, 6, 8)
    cases["adaptive_avg_pool2d"] = [
        Case(op_with("adaptive_avg_pool2d", output_size=size), (x,))
        for size in (1, (3, 4), (4, 5), (None, 3))
    ]
    cases["adaptive_max_pool2d"] = [
        Case(op_with("adaptive_max_pool2d", output_size=size), (x,)) for size in (1, (3, 4), (None, 2))
    ]
    return cases


def columns(draw: Draw) -> dict[str, list[Case]]:
    """Windows as columns; images of other sizes."""
    x = draw(2, 3, 6, 7)
    geometry = {
        "kernel_size": (2, 3),
        "stride": draw.one(1, 2),
        "padding": draw.one(0, 1),
        "dilation": draw.one(1, 2),
    }
    folded = OPS["unfold"](x, **geometry)
    sizes = [
        {"size": (12, 14), "mode": mode, "align_corners": corners}
        for mode, corners in (("nearest", False), ("linear", False), ("linear", True))
    ]
    sizes += [{"size": (4, 11), "mode": mode} for mode in ("nearest", "nearest-exact", "linear")]
    sizes += [
        {"size": (9, 9), "mode": "nearest-exact"},
        {"size": (12, 7), "mode": "nearest", "scale": (2.0, 1.0)},
    ]
    sizes += [{"size": (12, 14), "mode": "linear", "scale": (2.1, 2.0)}]
    sizes += [{"size": (18, 21), "mode": "nearest-exact"}, {"size": (12, 14), "mode": "nearest-exact"}]
    return {
        "unfold": [Case(op_with("unfold", **geometry), (x,))],
        "fold": [Case(op_with("fold", output_size=(6, 7), **geometry), (draw(*folded.shape),), opset=18)],
        "interpolate": [Case(op_with("interpolate", **each), (x,)) for each in sizes],
    }


def norms(draw: Draw) -> dict[str, list[Case]]:
    """Normalisations with and without weights."""
    x, w, b = draw(2, 4, 3, 5), draw(4), draw(4)
    mean, var = draw(4), draw.positive(4)
    running = {"running_mean": mean, "running_var": var, "eps": draw.one(1e-5, 1e-3)}
    row = draw(5), draw(5)
    return {
        "batch_norm": [
            Case(lambda x: OPS["batch_norm"](x, w, b, **running), (x,)),
            Case(lambda x: OPS["batch_norm"](x, **running), (draw(2, 4),)),
            Case(lambda x: F.batch_norm(x, None, None, w, b, training=True), (x,)),
        ],
        "layer_norm": [
            Case(lambda x: F.layer_norm(x, (5,), *row), (x,)),
            Case(lambda x: F.layer_norm(x, (3, 5), eps=1e-3), (x,)),
        ],
        "group_norm": [Case(lambda x, n=n: F.group_norm(x, n, w, b), (x,)) for n in (1, 2, 4)]
        + [Case(lambda x: F.group_norm(x, 2), (x,)), Case(lambda x: F.instance_norm(x), (x,))],
    }


def products(draw: Draw) -> dict[str, list[Case]]:
    """Products of matrices."""
    a, b, w, bias, column = draw(2, 3, 4), draw(4, 5), draw(6, 4), draw(6), draw(4)
    return {
        "matmul": [
            Case(lambda x: x @ b, (a,)),
            Case(lambda x, y: x @ y, (a, draw(2, 4, 2))),
            Case(lambda x: x @ column, (a,)),
            Case(lambda x: x.flatten(1) @ x.flatten(1).T, (a,)),
        ],
        "linear": [
            Case(lambda x: F.linear(x, w, bias), (draw(2, 4),)),
            Case(lambda x: F.linear(x, w), (draw(2, 4),)),
            Case(lambda x: F.linear(x, w, bias), (a,)),
        ],
        "transposed_matmul": [Case(OPS["transposed_matmul"], (a, draw(2, 3, 5)))],
        "einsum": [
            Case(lambda x: tg.einsum("nij,jk->nik", x, b), (a,)),
            Case(lambda x, y: tg.einsum("nij,nkj->nik", x, y), (a, draw(2, 5, 4))),
        ],
    }


def losses(draw: Draw) -> dict[str, list[Case]]:
    """Losses, reduced in each way."""
    x, target, labels = draw(2, 4), draw(2, 4), draw.integers(0, 4, 2)
    image, image_labels = draw(2, 4, 3), draw.integers(0, 4, 2, 3)
    ways, weight = ("none", "sum", "mean"), draw.positive(4)
    soft = np.exp(target) / np.exp(target).sum(1, keepdims=True)
    cases: dict[str, list[Case]] = {}
    for name, params in (
        ("mse_loss", {}),
        ("l1_loss", {}),
        ("huber_loss", {"delta": 0.7}),
        ("smooth_l1_loss", {"beta": draw.one(0.0, 0.5)}),
    ):
        cases[name] = [Case(op_with(name, reduction=way, **params), (x, target)) for way in ways]
    chances = draw.chance(2, 4), draw.chance(2, 4)
    cases["binary_cross_entropy"] = [
        Case(op_with("binary_cross_entropy", reduction=way, weight=weight), chances) for way in ways
    ]
    cases["binary_cross_entropy_with_logits"] = [
        Case(
            op_with("binary_cross_entropy_with_logits", reduction=way, pos_weight=draw.one(None, weight)),
            (x, chances[0]),
        )
        for way in ways
    ]
    cases["nll_loss"] = [
        Case(op_with("nll_loss", reduction=way, weight=draw.one(None, weight), ignore_index=ignored), both)
        for way in ways
        for both, ignored in (((x, labels), -100), ((image, image_labels), 1))
    ]
    cases["cross_entropy"] = [
        Case(op_with("cross_entropy", reduction=way, weight=draw.one(None, weight)), both)
        for way in ways
        for both in ((x, labels), (image, image_labels))
    ] + [
        Case(
            op_with("cross_entropy", reduction=way, weight=weight, label_smoothing=0.1),
            (x, soft.astype(x.dtype)),
        )
        for way in ways
    ]
    cases["cross_entropy"] += [
        Case(
            op_with(
                "cross_entropy",
                reduction=way,
                weight=draw.one(None, weight),
                ignore_index=1,
                label_smoothing=0.1,
            ),
            both,
        )
        for way in ways
        for both in ((x, labels), (image, image_labels))
    ]
    return cases


def gradients(draw: Draw) -> dict[str, list[Case]]:
    """Ops that rules are made of."""
    x, dy, center, row = draw(2, 3, 4, 5), draw(2, 3, 4, 5), draw(1, 3, 1, 1), draw(2, 3, 1, 1)
    labels, weight = draw.integers(0, 4, 2, 3), draw.positive(4)
    cases: dict[str, list[Case]] = {
        "deviation_dot": [
            Case(lambda dy, x: OPS["deviation_dot"](dy, x, center), (dy, x)),
            Case(OPS["deviation_dot"], (dy, x, row)),
        ],
        "deviation_removed": [
            Case(lambda dy, x: OPS["deviation_removed"](dy, center, x, center, center, center), (dy, x)),
            Case(lambda dy, x, row: OPS["deviation_removed"](dy, row, x, row, row, row), (dy, x, row)),
        ],
        "spread_windows": [],
        "scatter_taps": [],
    }
    for options in (
        {"weight": weight, "ignore_index": 1},
        {"weight": None},
        {"weight": weight, "label_smoothing": 0.2},
    ):
        vectors = op_with("label_vectors", classes=4, dtype=np.dtype(draw.dtype), **options)
        cases.setdefault("label_vectors", []).append(Case(vectors, (labels,)))
        options.pop("label_smoothing", None)
        weights = op_with("label_weights", dtype=np.dtype(draw.dtype), **options)
        cases.setdefault("label_weights", []).append(Case(weights, (labels,)))
    for ceil_mode in (False, True, True):
        size = draw.one(7, 8, 9), draw.one(8, 9, 10)
        given = {
            "kernel_size": draw.one(2, 3, (3, 2)),
            "stride": draw.one(None, 2, (2, 3)),
            "padding": draw.one(0, 1),
            "ceil_mode": ceil_mode,
        }
        out = OPS["sum_windows"](np.zeros((2, 3, *size), draw.dtype), **given).shape
        cases["spread_windows"].append(Case(op_with("spread_windows", size=size, **given), (draw(*out),)))
        tap = OPS["max_pool2d"].forward(draw(2, 3, *size), **given)[1]
        scatter = op_with("scatter_taps", tap=tap, size=size, **given)
        cases["scatter_taps"].append(Case(scatter, (draw(*out),), static=True))
    return cases


def all_cases(seed: int = 0, dtype: Any = np.float32) -> dict[str, list[Case]]:
    """The cases by op."""
    draw = Draw(seed, dtype)
    families = (
        elementary,
        arithmetic,
        reductions,
        shapes,
        indexing,
        windows,
        norms,
        products,
        losses,
        gradients,
    )
    return {name: cases for family in families for name, cases in family(draw).items()}
