"""One file for each framework: how it builds the cases. `base` says what it has to offer; a new one goes into
PEERS.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .base import Framework, Settings


class Entry(NamedTuple):
    """Where a framework is described, and which package must be there for it."""

    file: str
    package: str


OURS = "ours"
PEERS = {
    "torch": Entry("pytorch", "torch"),
    "jax": Entry("jax_", "jax"),
    "mygrad": Entry("mygrad_", "mygrad"),
    "pydynet": Entry("pydynet_", "pydynet"),
    "numpy-einsum": Entry("einsum", "numpy"),
    "numpy-by-hand": Entry("by_hand", "numpy"),
}
ALL = {OURS: Entry("ours", "tinygrad_conv"), **PEERS}


def installed(name: str) -> bool:
    """Whether a framework's package is there; it is not imported."""
    return importlib.util.find_spec(ALL[name].package) is not None


def load(name: str, settings: Settings) -> Framework:
    """A framework, imported."""
    module = importlib.import_module(f".{ALL[name].file}", __package__)
    framework: Framework = module.FRAMEWORK(settings)
    return framework
