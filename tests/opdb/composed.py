"""Activations, normalisations, distances and losses made of others, on PyTorch's sample inputs."""

from __future__ import annotations

from typing import Any

import tinygrad_conv as tg

from .entry import Entry


def table_second(args: Any, kwargs: Any) -> Any:
    """The samples have the table first."""
    return (args[1], args[0], *args[2:]), kwargs


TABLE = {
    "nn.functional.adaptive_avg_pool1d": Entry(tg.adaptive_avg_pool1d),
    "nn.functional.adaptive_max_pool1d": Entry(tg.adaptive_max_pool1d),
    "nn.functional.celu": Entry(tg.celu),
    "nn.functional.cosine_similarity": Entry(tg.cosine_similarity),
    "nn.functional.embedding": Entry(tg.embedding, adapt=table_second),
    "nn.functional.glu": Entry(tg.glu),
    "nn.functional.hardshrink": Entry(tg.hardshrink),
    "nn.functional.hardsigmoid": Entry(tg.hardsigmoid),
    "nn.functional.hardswish": Entry(tg.hardswish),
    "nn.functional.kl_div": Entry(tg.kl_div),
    "nn.functional.local_response_norm": Entry(tg.local_response_norm),
    "nn.functional.mish": Entry(tg.mish),
    "nn.functional.normalize": Entry(tg.normalize),
    "nn.functional.pairwise_distance": Entry(tg.pairwise_distance),
    "nn.functional.softmin": Entry(tg.softmin),
    "nn.functional.softmin.with_dtype": Entry(tg.softmin),
    "nn.functional.softshrink": Entry(tg.softshrink),
    "nn.functional.softsign": Entry(tg.softsign),
    "nn.functional.tanhshrink": Entry(tg.tanhshrink),
    "nn.functional.threshold": Entry(tg.threshold),
}
