"""The tools that try mutants: excuses of mutants that change nothing match one, and survive
renaming and moving.
"""

from __future__ import annotations

import ast
import pathlib

import pytest

from tinygrad_conv import kernels

from .tools import equivalents, speed
from .tools.mutants import kernel_functions, mutants, place_of, rule_functions


@pytest.fixture(scope="module")
def functions():
    return list(dict.fromkeys([*rule_functions(), *kernel_functions()]))


@pytest.mark.exhaustive
def test_every_mutant_known_to_be_equivalent_is_one_of_a_rule_or_a_kernel(functions):
    # a function that has changed must not keep its excuses
    stale = equivalents.stale(functions)
    assert not stale, (
        f"{len(stale)} excuses of tests/tools/equivalents match no mutant any more; where a function has "
        "moved, `python -m tests.tools.mutation stale --rekey` mends its excuses:\n"
        + equivalents.told(stale, functions)
    )


def excused(count, step):
    last = count - 1
    return last * step, count - 1


def renamed(total, width):
    end = total - 1
    return end * width, total - 1


def test_an_excuse_survives_another_layout_and_other_names_of_locals():
    assert equivalents.matches("last * step → last", renamed) == {"end * width → end"}
    assert equivalents.matches("last*step → last / step", renamed) == {"end * width → end / width"}
    assert not equivalents.matches("last * step → last + step", renamed)


def test_an_excuse_that_reads_as_a_mutant_does_is_for_no_other():
    assert equivalents.matches("last * step → step", excused) == {"last * step → step"}
    assert equivalents.canonical("last * step → step", excused) == "local1 * local2\nlocal2"


def test_a_name_that_the_module_or_python_has_is_no_local():
    assert equivalents.canonical("len(size) → kernels", excused) == "len(local1)\nkernels"


def test_a_number_is_shown_within_what_names_something():
    changes = [mutant.change for mutant in mutants(excused)]
    assert "count - 1 → count - 2" in changes and "1 → 2" not in changes


def test_a_stale_excuse_is_told_with_what_comes_nearest(monkeypatch):
    monkeypatch.setattr(equivalents, "EQUIVALENT", {place_of(excused): {"last * pace → last + pace": "…"}})
    stale = equivalents.stale([excused, renamed])
    text = equivalents.told(stale, [excused, renamed])
    assert stale == [(place_of(excused), "last * pace → last + pace")]
    assert f"{place_of(excused)}: last * pace → last + pace\n  matches no mutant" in text
    assert f"  {place_of(excused)}: last * step → last" in text


def test_a_function_that_has_moved_is_recognised(monkeypatch):
    changes = {"last * step → last": "…", "last * step → step": "…"}
    monkeypatch.setattr(
        equivalents, "EQUIVALENT", {"kernels/other.py excused": changes, "kernels/other.py former": changes}
    )
    assert equivalents.moves("kernels/other.py excused", [excused, renamed]) == [place_of(excused)]
    assert equivalents.moves("kernels/other.py former", [renamed]) == [place_of(renamed)]
    assert equivalents.moves(place_of(excused), [excused, renamed]) == []


def test_what_decides_speed_alone_is_still_called_so():
    paths = pathlib.Path(kernels.__path__[0]).rglob("*.py")
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    variables = {ast.unparse(node) for node in nodes if isinstance(getattr(node, "ctx", None), ast.Store)}
    keywords = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    beginnings = {start for start in speed.BOUNDS if any(name.startswith(start) for name in variables)}
    assert speed.GUESSES - functions == set(), "no function of the kernels is called so"
    assert speed.AMOUNTS - variables == set(), "no variable of the kernels is called so"
    assert set(speed.BOUNDS) - beginnings == set(), "no constant of the kernels begins so"
    assert speed.COPIES_OR_SHARES - keywords == set(), "no kernel passes an argument of that name"
