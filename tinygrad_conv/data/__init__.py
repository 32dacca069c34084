"""Datasets, batches of them, and toy data. The first two are in `tinygrad_conv.utils.data` too."""

from __future__ import annotations

from ..absent.missing import public_names
from . import transforms
from .collate import default_collate, default_convert
from .datasets import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)
from .digits import digits, mnist_5k, stratified_split
from .loader import DataLoader, get_worker_info
from .samplers import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from .shapes import BARS, SHAPES, bars, shapes

__all__ = [
    "BARS",
    "SHAPES",
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "bars",
    "default_collate",
    "default_convert",
    "digits",
    "get_worker_info",
    "mnist_5k",
    "random_split",
    "shapes",
    "stratified_split",
    "transforms",
]

__getattr__, __dir__ = public_names(__name__)
