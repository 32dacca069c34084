"""Reductions and extremes on PyTorch's sample inputs."""

from __future__ import annotations

from typing import Any

import tinygrad_conv as tg

from .entry import Entry


def ord_as_p(args: Any, kwargs: Any) -> Any:
    """linalg.vector_norm's name of p, which defaults to 2."""
    return args, {"p": kwargs.pop("ord", 2), **kwargs}


def is_beyond_numpy(sample: Any) -> bool:
    return sample.input.ndim > 64


def is_integer(sample: Any) -> bool:
    return not sample.input.is_floating_point() or "int" in str(sample.kwargs.get("dtype"))


DIMENSIONS = {"NumPy has no arrays of more than 64 dimensions": is_beyond_numpy}
MEANS = {"integers have a mean, of the default dtype, as in NumPy": is_integer}

TABLE = {
    "amax": Entry(tg.amax, left_out=DIMENSIONS),
    "amin": Entry(tg.amin, left_out=DIMENSIONS),
    "argmax": Entry(tg.argmax),
    "argmin": Entry(tg.argmin),
    "cumsum": Entry(tg.cumsum),
    "linalg.vector_norm": Entry(tg.norm, adapt=ord_as_p),
    "logsumexp": Entry(tg.logsumexp),
    "max.reduction_no_dim": Entry(tg.max),
    "max.reduction_with_dim": Entry(tg.max),
    "mean": Entry(tg.mean, left_out=MEANS),
    "min.reduction_no_dim": Entry(tg.min),
    "min.reduction_with_dim": Entry(tg.min),
    "norm": Entry(tg.norm),
    "norm.fro": Entry(tg.norm),
    "norm.inf": Entry(tg.norm),
    "prod": Entry(tg.prod),
    "std": Entry(tg.std),
    "std.unbiased": Entry(tg.std),
    "sum": Entry(tg.sum),
    "var": Entry(tg.var),
    "var.unbiased": Entry(tg.var),
}
LEFT_OUT = {
    "norm.nuc": "the nuclear norm is a norm of singular values, which toy CNNs have no use for",
}
