"""One file for each framework: how it builds the cases. `base` says what it has to offer; a new one goes into
PEERS.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .base import Framework, Settings


class Entry(NamedTuple):
    """Where a framework is described, which package must be there for it, and one of which compilers."""

    file: str
    package: str
    compilers: tuple[str, ...] = ()


OURS = "ours"
PEERS = {
    "torch": Entry("pytorch", "torch"),
    "torch-compile": Entry("torch_compile", "torch", ("g++", "clang++")),
    "jax": Entry("jax_", "jax"),
    "tinygrad": Entry("tinygrad_", "tinygrad", ("clang",)),
    "mygrad": Entry("mygrad_", "mygrad"),
    "pydynet": Entry("pydynet_", "pydynet"),
    "numpy-einsum": Entry("einsum", "numpy"),
    "numpy-by-hand": Entry("by_hand", "numpy"),
}
ALL = {OURS: Entry("ours", "tinygrad_conv"), **PEERS}


def installed(name: str) -> bool:
    """Whether a framework's package is there, and a compiler if it takes one; nothing is imported."""
    entry = ALL[name]
    compilers = [shutil.which(compiler) for compiler in entry.compilers]
    return importlib.util.find_spec(entry.package) is not None and (not compilers or any(compilers))


def load(name: str, settings: Settings) -> Framework:
    """A framework, imported."""
    module = importlib.import_module(f".{ALL[name].file}", __package__)
    framework: Framework = module.FRAMEWORK(settings)
    return framework
