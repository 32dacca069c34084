"""The guides, `examples/*.ipynb`: run as Jupyter runs them, and without it, cell after cell in one namespace.

python -m tests.tools.notebooks [NAME …]     writes what their cells show into them, as a kernel says it
"""

from __future__ import annotations

import ast
import io
import json
import linecache
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent.parent
GUIDES = sorted((PROJECT / "examples").glob("*.ipynb"))
WARNINGS_ARE_ERRORS = """
import warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", module=r"ipykernel\\.")  # the kernel's own are not the guide's
"""


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


def executed(notebook: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The notebook as a kernel of its own leaves it, which runs in a folder; a warning there is an error."""
    import nbformat
    from nbclient import NotebookClient

    ipython, startup = folder / "ipython", folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "strict.py").write_text(WARNINGS_ARE_ERRORS, encoding="utf-8")
    own = {"IPYTHONDIR": str(ipython), "JUPYTER_CONFIG_DIR": str(ipython), "PYTHONPATH": str(PROJECT)}
    environment = {**os.environ, **own}
    environment.pop("PYTHONWARNINGS", None)  # nor those of its beginning
    fresh = nbformat.reads(json.dumps(without_outputs(notebook)), as_version=4)
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(fresh, timeout=120, record_timing=False, resources=where).execute(env=environment)
    for cell in code_cells(fresh):
        cell["outputs"] = [lean(output) for output in cell["outputs"]]
    return fresh


def without_outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook as it is before it is run."""
    emptied = json.loads(json.dumps(notebook))
    for cell in code_cells(emptied):
        cell.update(outputs=[], execution_count=None)
    return emptied


def lean(output: dict[str, Any]) -> dict[str, Any]:
    """An output as it is kept: of a whole page in a frame only the text beside it, for it is large."""
    if "<iframe" in output.get("data", {}).get("text/html", ""):
        output = {**output, "data": {"text/plain": output["data"]["text/plain"]}}
    return output


def text_of(cell: dict[str, Any]) -> str:
    """What is kept of a cell's outputs, as text."""
    texts = []
    for output in cell["outputs"]:
        text = output["text"] if "text" in output else [*output["data"]["text/plain"], "\n"]
        texts.append("".join(text))
    return "".join(texts)


def html_of(cell: dict[str, Any]) -> str:
    """What is kept of a cell's outputs, as HTML."""
    return "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell["outputs"])


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, notebook: dict[str, Any]) -> None:
    """Write a notebook as Jupyter does: texts line by line."""
    kept = {key: notebook[key] for key in ("cells", "metadata", "nbformat", "nbformat_minor")}
    kept["metadata"]["language_info"] = {"name": "python"}  # not this machine's version
    for cell in kept["cells"]:
        cell["source"] = in_lines(cell["source"])
        for output in cell.get("outputs", ()):
            if "text" in output:
                output["text"] = in_lines(output["text"])
            for key, text in output.get("data", {}).items():
                output["data"][key] = in_lines(text)
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def in_lines(text: str | list[str]) -> list[str]:
    """A text line by line."""
    return "".join(text).splitlines(keepends=True)


if __name__ == "__main__":
    for guide in GUIDES:
        if len(sys.argv) < 2 or guide.stem in sys.argv[1:]:
            with TemporaryDirectory() as folder:  # what a guide saves is not for the examples' folder
                write(guide, executed(read(guide), Path(folder)))
