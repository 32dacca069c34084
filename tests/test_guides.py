"""The guides, notebooks under `examples/`: each cell runs, with NumPy alone and in Jupyter, and shows what is
kept in the file.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinygrad_conv.engine import printing

from .tools.notebooks import GUIDES, code_cells, executed, html_of, outputs, read, text_of

NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[+-]\d+)?")
TRAINED = ("train_a_cnn", "debug_a_training")
LARGEST = 200_000  # bytes of a file
LINES = 30  # of a cell's text


def test_there_are_four() -> None:
    names = ["backprop_by_hand", "debug_a_training", "train_a_cnn", "write_an_op"]
    assert [path.stem for path in GUIDES] == names


def assert_alike(path: Path, text: str, kept: str) -> None:
    """The same words, and numbers but for rounding, which in a training adds up."""
    text, kept = squeezed(text), squeezed(kept)
    assert NUMBER.sub("#", text) == NUMBER.sub("#", kept), "python -m tests.tools.notebooks writes it anew"
    roundings = {"rel": 0.1, "abs": 0.1} if path.stem in TRAINED else {"rel": 1e-4, "abs": 1e-6}
    expected = [float(number) for number in NUMBER.findall(kept)]
    assert [float(number) for number in NUMBER.findall(text)] == pytest.approx(expected, **roundings)


def squeezed(text: str) -> str:
    """Without what numbers and the compressor do to it: how wide columns, and long bars, and files are."""
    text = re.sub(r"data:image/png;base64,[\w+/=]*", "data:", text)
    text = re.sub(r"(?<=\[)\s+|\s+(?=[\],])", "", text)
    return re.sub(r"█+|▏", "█", re.sub(r"\s+", " ", text))


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_a_guide_prints_what_it_shows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scratch_ops: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(printing, "chosen", dict(printing.chosen))
    cells = code_cells(read(path))
    printed = outputs(["".join(cell["source"]) for cell in cells])
    for cell, text in zip(cells, printed, strict=True):
        assert_alike(path, text, text_of(cell))


@pytest.mark.exhaustive
@pytest.mark.guides
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_a_guide_shows_in_jupyter_what_is_kept_of_it(path: Path, tmp_path: Path) -> None:
    for module in ("nbclient", "nbformat", "ipykernel"):
        pytest.importorskip(module)
    kept = read(path)
    for cell, its in zip(code_cells(executed(kept, tmp_path)), code_cells(kept), strict=True):
        assert cell["execution_count"] == its["execution_count"]
        assert_alike(path, text_of(cell), text_of(its))
        assert_alike(path, html_of(cell), html_of(its))


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_what_is_kept_of_a_guide_is_small(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    for cell in code_cells(read(path)):
        assert len(text_of(cell).splitlines()) <= LINES
        assert not re.search("<script|<iframe|/home/|/tmp/|/work/", text_of(cell) + html_of(cell))
        assert {output["output_type"] for output in cell["outputs"]} <= {"stream", "execute_result"}


@pytest.mark.guides
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_a_guide_is_a_valid_notebook(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.read(path, as_version=4))
