"""The data sets of `utils.data`, where scripts import them from their own module."""

from __future__ import annotations

from ...absent.missing import public_names
from ...data import datasets
from ...data.datasets import *  # noqa: F403

__all__ = [*datasets.__all__]  # noqa: PLE0604

__getattr__, __dir__ = public_names(__name__)
