"""Where the random numbers of this context are, as in PyTorch: in a form that `tg.save` takes."""

from __future__ import annotations

from typing import Any

from ..creation import generator


def get_rng_state() -> dict[str, Any]:
    """Where the generator that `tg.manual_seed` resets is now, for `tg.set_rng_state`."""
    return generator().get_state()


def set_rng_state(new_state: dict[str, Any]) -> None:
    """Have `tg.rand`, dropout and all that has no generator of its own go on from where `get_rng_state` was.

    Raises ValueError for what is no such state, with the generator as it was.
    """
    generator().set_state(new_state)
