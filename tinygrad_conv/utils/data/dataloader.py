"""The loader of `utils.data`, where scripts import it from its own module."""

from __future__ import annotations

from ...absent.missing import public_names
from ...data import DataLoader, default_collate, get_worker_info

__all__ = ["DataLoader", "default_collate", "get_worker_info"]

__getattr__, __dir__ = public_names(__name__)
