"""The imports of a script, and what to import instead."""

from __future__ import annotations

import ast
from typing import Any

from ..foreign import PACKAGE
from .calls import Calls
from .kinds import UNKNOWN, Kind, part
from .namespaces import attribute, hint, imported, our_module, pytorchs_path


class Imports(Calls):
    """Reads imports."""

    def read_Import(self, statement: ast.Import) -> None:
        for alias in statement.names:
            self.bind_import(statement, alias)

    def bind_import(self, statement: ast.Import, alias: ast.alias) -> None:
        """`import torch.nn as nn`."""
        path, name = pytorchs_path(alias.name), alias.asname or alias.name.partition(".")[0]
        if path is None:
            root = alias.name.partition(".")[0]
            self.scope.names[name] = Kind("numpy") if root == "numpy" else UNKNOWN
            return
        root = path if alias.asname else path.partition(".")[0]
        self.scope.names[name] = part(root, imported(root))
        if path == "torch":
            self.script.torch = name
        module = our_module(path)
        if module is not None and alias.name.startswith(PACKAGE):
            return
        there = f"import {alias.name}{f' as {alias.asname}' if alias.asname else ''}"
        if module is None:
            self.script.note(statement.lineno, "import", there, hint(path))
        elif alias.asname:
            self.script.note(statement.lineno, "import", there, f"import {module} as {alias.asname}")
        else:
            self.script.note(statement.lineno, "import", there, f"import {PACKAGE} as {name}")

    def read_ImportFrom(self, statement: ast.ImportFrom) -> None:
        path = None if statement.level else pytorchs_path(statement.module or "")
        if path is None:
            numpy = (statement.module or "").partition(".")[0] == "numpy"
            for alias in statement.names:
                self.scope.names[alias.asname or alias.name] = Kind("numpy") if numpy else UNKNOWN
            return
        module, aliases = imported(path), []
        for alias in statement.names:
            if alias.name == "*":
                self.bind_all(path, module)
                aliases.append(alias)
            elif self.bind_name(statement, path, module, alias):
                aliases.append(alias)
        is_ours = str(statement.module).startswith(PACKAGE)
        if aliases and not is_ours and our_module(path) is not None:
            anew = ast.ImportFrom(our_module(path), aliases, 0)
            self.script.note(statement.lineno, "import", statement, ast.unparse(anew))

    def bind_all(self, path: str, module: Any) -> None:
        """`from torch.nn import *`."""
        for name in dir(module) if module is not None else ():
            self.scope.names[name] = part(f"{path}.{name}", attribute(module, name))

    def bind_name(self, statement: ast.ImportFrom, path: str, module: Any, alias: ast.alias) -> bool:
        """One name of `from torch.nn import Linear, LSTM`; whether it comes from our module for that path."""
        full, name = f"{path}.{alias.name}", alias.asname or alias.name
        value = attribute(module, alias.name) if module is not None else None
        is_known = value is not None
        if value is None:
            value = imported(full)
        self.scope.names[name] = part(full, value)
        there = f"from {statement.module} import {alias.name}"
        if value is None:
            self.script.note(statement.lineno, "import", there, hint(full))
        elif not is_known:
            parent, _, last = str(our_module(full)).rpartition(".")
            renamed = f" as {name}" if name != last else ""
            self.script.note(statement.lineno, "import", there, f"from {parent} import {last}{renamed}")
        return is_known
