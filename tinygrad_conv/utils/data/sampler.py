"""The samplers of `utils.data`, where scripts import them from their own module."""

from __future__ import annotations

from ...absent.missing import public_names
from ...data import samplers
from ...data.samplers import *  # noqa: F403

__all__ = [*samplers.__all__]  # noqa: PLE0604

__getattr__, __dir__ = public_names(__name__)
