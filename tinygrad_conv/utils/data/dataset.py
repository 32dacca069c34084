"""The data sets of `utils.data`, where scripts import them from their own module."""

from __future__ import annotations

from ...absent.missing import public_names
from ...data import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)

__all__ = [
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

__getattr__, __dir__ = public_names(__name__)
