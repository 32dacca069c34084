"""What layers and losses are made of, and their gradients."""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS

from .draw import Case, Draw, op_with

F = tg.nn.functional


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
