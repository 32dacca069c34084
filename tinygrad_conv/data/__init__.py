"""Toy data, and batches of it."""

from __future__ import annotations

from .digits import digits, stratified_split
from .loader import DataLoader, TensorDataset
from .shapes import BARS, SHAPES, bars, shapes

__all__ = ["BARS", "SHAPES", "DataLoader", "TensorDataset", "bars", "digits", "shapes", "stratified_split"]
