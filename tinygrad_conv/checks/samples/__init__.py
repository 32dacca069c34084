"""The cases of the package's own ops, a file for each file in `ops`. Importing the package declares them
all.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

for found in iter_modules(__path__):
    import_module(f"{__name__}.{found.name}")
