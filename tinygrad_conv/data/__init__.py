"""Toy data, and batches of it."""

from __future__ import annotations

from ..missing import public_names
from .digits import digits, stratified_split
from .loader import DataLoader, TensorDataset
from .shapes import BARS, SHAPES, bars, shapes

__all__ = ["BARS", "SHAPES", "DataLoader", "TensorDataset", "bars", "digits", "shapes", "stratified_split"]

__getattr__, __dir__ = public_names(__name__)
