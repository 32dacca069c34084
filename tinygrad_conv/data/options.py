"""The options of datasets, samplers and loaders, where tinygrad_conv/options is silent."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from ..options import FLAG, NUMBERS, Option, count, is_sequence
from ..randomness.seeds import SEED


def is_dataset(value: Any) -> bool:
    """Whether it has examples that can be counted, or gives them one by one."""
    if getattr(value, "gives_examples_one_by_one", False):
        return True
    return is_counted(value) and hasattr(value, "__getitem__")


def is_counted(value: Any) -> bool:
    """Whether it has a length."""
    try:
        return len(value) >= 0
    except (TypeError, NotImplementedError):
        return False


def is_iterable(value: Any) -> bool:
    """Whether one can go through it; an array or a tensor of no dimension only looks as if."""
    return (isinstance(value, Iterable) or hasattr(value, "__getitem__")) and getattr(value, "ndim", 1) != 0


DATASET = Option("a TensorDataset, or anything with len and dataset[i]", is_dataset)
COUNTED = Option("something with a len", is_counted)
SAMPLER = Option("a Sampler, or another iterable of indices", is_iterable)
FUNCTION = Option("a function of a list of examples", callable)

PATH = Option("a path", lambda value: isinstance(value, (str, os.PathLike)), at_once=True)

DATA: dict[str, Option] = {
    "dataset": DATASET,
    "data_source": COUNTED,
    "batch_size": count(1),
    "num_samples": count(1),
    **dict.fromkeys(("shuffle", "drop_last", "replacement", "pin_memory"), FLAG),
    **dict.fromkeys(("sampler", "batch_sampler"), SAMPLER),
    "num_workers": count(0),
    "prefetch_factor": count(1),
    "collate_fn": FUNCTION,
    **dict.fromkeys(("generator", "seed"), SEED),
    "indices": Option("a sequence of indices", is_sequence),
    "weights": NUMBERS,
    "root": PATH,
    "train": FLAG,
    "download": FLAG,
    **dict.fromkeys(("transform", "loader"), Option("a function of an image", callable)),
    "target_transform": Option("a function of a label", callable),
    "is_valid_file": Option("a function of a path", callable),
    "lengths": Option("a sequence of counts, or of parts of 1", is_sequence),
}
"""By argument."""

WORKERS = (
    "timeout",
    "worker_init_fn",
    "multiprocessing_context",
    "persistent_workers",
    "pin_memory_device",
    "in_order",
)
"""Options of PyTorch's loader for its worker processes."""
