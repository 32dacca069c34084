"""PyTorch's `utils`: of it there is `utils.data`."""

from __future__ import annotations

from . import data

__all__ = ["data"]
