"""PyTorch's `utils`: of it there is `utils.data`."""

from __future__ import annotations

from ..absent.missing import public_names
from . import data

__all__ = ["data"]

__getattr__, __dir__ = public_names(__name__)
