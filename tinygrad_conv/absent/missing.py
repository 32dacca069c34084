"""What is said of names that are not here: of PyTorch's, what to write instead, also where one imports them.

`from tinygrad_conv import save` asks the module for `save`, as `tg.save` does, but makes a bare ImportError
of an AttributeError; so where an import asks, an ImportError is raised. `import tinygrad_conv.amp` asks no
module, but `sys.meta_path`, whose last entry is `Hints`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from types import FrameType, ModuleType
from typing import Any, NoReturn

from ..foreign import PACKAGE

IMPORTING = "<frozen importlib._bootstrap>"

PYTORCHS = {
    "data": "torch.utils.data",
    "functional": "torch.nn.functional",
    "data.transforms": "torchvision.transforms",
}
"""By this package's name of a part: PyTorch's, where it is another."""

PRIVATE = ("_LRScheduler",)
"""Names of PyTorch's that scripts use though they begin with a _."""


def pytorchs_name(module: str) -> str:
    """PyTorch's name of a module of this package."""
    part = module.partition(".")[2]
    return PYTORCHS.get(part, f"torch.{part}") if part else "torch"


def hint_for(module: str, name: str) -> str:
    """What to say of a name that a module has not: what to write instead, or which name is like it."""
    from .instead import write_instead  # seldom needed

    pytorchs = pytorchs_name(module)
    line = write_instead(f"{pytorchs}.{name}")
    if line:
        return f": {line}"
    close = get_close_matches(name, dir(sys.modules[module]))
    return f"; did you mean {' or '.join(close)}?" if close else ""


def refuse(module: str, name: str, depth: int = 1) -> NoReturn:
    """Raise AttributeError for a name that a module has not; ImportError where an import asks for it.

    depth: how many frames above this one the asking is.
    """
    hint = "" if name.startswith("_") and name not in PRIVATE else hint_for(module, name)
    if hint and is_import(sys._getframe(depth)) and not has_module(module, name):
        raise ImportError(f"cannot import name {name!r} from {module!r}{hint}", name=module)
    raise AttributeError(f"module {module!r} has no attribute {name!r}{hint}")


def has_module(module: str, name: str) -> bool:
    """Whether the name is that of a module, which an import will find next."""
    is_package = hasattr(sys.modules[module], "__path__")
    return is_package and importlib.util.find_spec(f"{module}.{name}") is not None


def is_import(frame: FrameType) -> bool:
    """Whether what runs in a frame is a `from … import …`."""
    if frame.f_code.co_filename == IMPORTING:
        return True
    import dis

    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"


def list_names(module: str) -> list[str]:
    """What a module lists of itself: its public names."""
    return sorted(sys.modules[module].__all__)


def public_names(module: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and the `__dir__` of a module with an `__all__`."""
    return partial(refuse, module), partial(list_names, module)


class Hints:
    """The last of the finders on `sys.meta_path`: it finds nothing, and says what to write instead."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """Raises ModuleNotFoundError where something of this package is imported that it has not."""
        if not name.startswith(f"{PACKAGE}."):
            return
        asked = names_being_imported(sys._getframe(1))
        if asked:
            module, _, last = max(asked, key=len).rpartition(".")
            from .instead import write_instead

            line = write_instead(f"{pytorchs_name(module)}.{last}")
            if line:
                raise ModuleNotFoundError(f"No module named {name!r}: {line}", name=name)


def names_being_imported(frame: FrameType | None) -> list[str]:
    """The modules that an `import` is at, the innermost first; none where it is only asked for a spec."""
    names = []
    while frame is not None and frame.f_code.co_filename == IMPORTING:
        if frame.f_code.co_name == "_find_and_load_unlocked":
            names.append(frame.f_locals["name"])
        frame = frame.f_back
    return names
