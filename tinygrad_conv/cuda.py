"""What scripts ask of `torch.cuda` before they use the CPU: there is no GPU here."""

from __future__ import annotations

from typing import Any

from .devices import absent
from .devices import device_count as device_count
from .devices import is_available as is_available

__path__: list[str] = []  # a package without modules: an import of one, such as amp, asks what to write


def manual_seed(seed: int) -> None:
    """The generator of a GPU: there is none, and nothing to do. As in PyTorch, no error."""


def manual_seed_all(seed: int) -> None:
    """The generators of all GPUs: there are none, and nothing to do."""


def empty_cache() -> None:
    """Memory of a GPU that is kept for later: there is none."""


def __getattr__(name: str) -> Any:
    raise absent(__name__, name)
