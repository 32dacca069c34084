"""What scripts ask of `torch.cuda` before they use the CPU: there is no GPU here."""

from __future__ import annotations

from typing import Any

from .devices import absent

__path__: list[str] = []  # a package without modules: an import of one, such as amp, asks what to write


def is_available() -> bool:
    """Whether there is a GPU: no."""
    return False


def device_count() -> int:
    """How many GPUs there are: none."""
    return 0


def manual_seed(seed: int) -> None:
    """The generator of a GPU: there is none, and nothing to do. As in PyTorch, no error."""


def manual_seed_all(seed: int) -> None:
    """The generators of all GPUs: there are none, and nothing to do."""


def empty_cache() -> None:
    """Memory of a GPU that is kept for later: there is none."""


def __getattr__(name: str) -> Any:
    raise absent(__name__, name)
