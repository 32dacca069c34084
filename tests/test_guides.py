"""The guides, notebooks under `examples/`: each cell runs, with NumPy alone, and prints what is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .tools.notebooks import GUIDES, code_cells, outputs, read

NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]\d+)?")


def test_there_are_three() -> None:
    assert [path.stem for path in GUIDES] == ["add_an_op", "step_through_backprop", "train_a_cnn"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_a_guide_prints_what_it_shows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scratch_ops: None
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = code_cells(read(path))
    printed = outputs(["".join(cell["source"]) for cell in cells])
    for cell, text in zip(cells, printed, strict=True):
        shown = "".join("".join(output["text"]) for output in cell["outputs"])
        assert NUMBER.sub("#", text) == NUMBER.sub("#", shown), (
            "python -m tests.tools.notebooks writes it anew"
        )
        roundings = {"rel": 0.1, "abs": 0.1} if path.stem == "train_a_cnn" else {"rel": 1e-4, "abs": 1e-6}
        expected = [float(number) for number in NUMBER.findall(shown)]
        assert [float(number) for number in NUMBER.findall(text)] == pytest.approx(expected, **roundings)
        assert len(shown.splitlines()) <= 30


@pytest.mark.guides
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_a_guide_is_a_valid_notebook(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.read(path, as_version=4))
