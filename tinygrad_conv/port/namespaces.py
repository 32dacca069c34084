"""Where a name of PyTorch's is in this package."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from difflib import get_close_matches
from typing import Any

from ..absent.instead import COMPOSE, OTHER_PACKAGES, write_instead
from ..absent.missing import PYTORCHS, pytorchs_name
from ..foreign import PACKAGE

FOREIGN = tuple(name.rstrip("*").partition(".")[0] for name in OTHER_PACKAGES)
"""Packages beside PyTorch that are not here either."""

OUR_PARTS = {theirs: f"{PACKAGE}.{ours}" for ours, theirs in PYTORCHS.items()}
OUR_PARTS["torch.nn.parameter"] = OUR_PARTS["torch.nn.modules"] = f"{PACKAGE}.nn"
"""Modules of PyTorch's that are elsewhere here, unless this package has them under PyTorch's name too."""


def pytorchs_path(module: str) -> str | None:
    """PyTorch's name of an imported module, its own or ours; None for any other."""
    root = module.partition(".")[0]
    if root == PACKAGE:
        return pytorchs_name(module)
    return module if root == "torch" or root in FOREIGN else None


def our_module(path: str) -> str | None:
    """The module of this package that stands for one of PyTorch's; None where there is none."""
    own = PACKAGE + path.removeprefix("torch")
    if path == "torch":
        return own
    names = [own] if path.startswith("torch.") else []
    for name in (*names, OUR_PARTS.get(path)):
        if name is not None and exists(name):
            return name
    return None


def exists(module: str) -> bool:
    """Whether a module can be imported."""
    parent = module.rpartition(".")[0]
    if parent != PACKAGE and not exists(parent):
        return False
    is_package = hasattr(importlib.import_module(parent), "__path__")
    return is_package and importlib.util.find_spec(module) is not None


def imported(path: str) -> Any:
    """What `import path` gives here; None where there is nothing."""
    module = our_module(path)
    return None if module is None else importlib.import_module(module)


def attribute(value: Any, name: str) -> Any:
    """An attribute of a part of this package; None where it has no such."""
    try:
        return getattr(value, name, None)
    except ImportError:  # a part of the package that is not installed
        return None


def hint(path: str) -> str:
    """What to write for a name of PyTorch's that is not here."""
    parent, _, last = path.rpartition(".")
    line = write_instead(path)
    if line:
        return line
    moved = OUR_PARTS.get(parent)
    if moved is not None and hasattr(importlib.import_module(moved), last):
        return f"write {moved.replace(PACKAGE, 'torch')}.{last}"
    close = get_close_matches(last, dir(sys.modules[PACKAGE]))
    return f"{COMPOSE}{'; there is ' + ', '.join(close) if close else ''}"
