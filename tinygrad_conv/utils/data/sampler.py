"""The samplers of `utils.data`, where scripts import them from their own module."""

from __future__ import annotations

from ...absent.missing import public_names
from ...data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

__getattr__, __dir__ = public_names(__name__)
