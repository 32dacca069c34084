"""Reductions and extremes on PyTorch's sample inputs."""

from __future__ import annotations

from opdb import Entry

import tinygrad_conv as tg

TABLE = {
    "amax": Entry(tg.amax),
    "amin": Entry(tg.amin),
    "argmax": Entry(tg.argmax),
    "argmin": Entry(tg.argmin),
    "cumsum": Entry(tg.cumsum),
    "linalg.vector_norm": Entry(tg.norm),
    "logsumexp": Entry(tg.logsumexp),
    "max.reduction_no_dim": Entry(tg.max),
    "max.reduction_with_dim": Entry(tg.max),
    "mean": Entry(tg.mean),
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
