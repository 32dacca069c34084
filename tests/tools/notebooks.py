"""The guides, `examples/*.ipynb`, run without Jupyter: cell after cell, in one namespace.

python -m tests.tools.notebooks     writes what their cells print into them
"""

from __future__ import annotations

import ast
import io
import json
import linecache
import os
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

GUIDES = sorted((Path(__file__).resolve().parent.parent.parent / "examples").glob("*.ipynb"))


def outputs(cells: list[str]) -> list[str]:
    """What each cell prints, and the value of its last expression, as a notebook shows them."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    return [printed_by(number, cell, namespace) for number, cell in enumerate(cells, 1)]


def printed_by(number: int, cell: str, namespace: dict[str, Any]) -> str:
    file = f"<ipython-input-{number}-guide>"  # as IPython calls it
    linecache.cache[file] = len(cell), None, cell.splitlines(keepends=True), file
    tree = ast.parse(cell, file)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(tree, file, "exec"), namespace)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), file, "eval"), namespace)
            if value is not None:
                print(repr(value))
    return printed.getvalue()


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def write_outputs(path: Path) -> None:
    notebook = read(path)
    cells = code_cells(notebook)
    for number, (cell, text) in enumerate(
        zip(cells, outputs(["".join(cell["source"]) for cell in cells])), 1
    ):
        cell["execution_count"] = number
        stream = {"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)}
        cell["outputs"] = [stream] if text else []
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        os.chdir(folder)  # what a guide saves is not for the examples' folder
        for guide in GUIDES:
            write_outputs(guide)
