"""The mutants that change nothing, each with the reason why no test can notice it; `python -m
tests.tools.mutation stale` lists those that match no mutant any more.

A file for the rules of array ops, one for those of networks' ops, one for the kernels. In each, `EQUIVALENT`
holds by the function's place ("kernels/conv/bands.py several_rows") its changes ("before → after") with their
reasons. Where no mutant's change reads so, it is compared as a syntax tree in which local variables are
numbered in the order in which they appear: a renamed local and another layout leave it what it is.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePath
from types import CodeType, FunctionType, ModuleType

from ..mutants import Mutant, mutants, place_of
from . import arrays, kernels, nets

FILES: tuple[ModuleType, ...] = (arrays, nets, kernels)
EQUIVALENT: dict[str, dict[str, str]] = {
    place: changes for file in FILES for place, changes in file.EQUIVALENT.items()
}


def excuse(mutant: Mutant) -> str:
    """The reason why a mutant changes nothing; "" if none is known."""
    excuses = EQUIVALENT.get(place_of(mutant.function), {})
    for change, reason in excuses.items():
        if mutant.change in matches(change, mutant.function):
            return reason
    return ""


@cache
def matches(change: str, function: FunctionType) -> frozenset[str]:
    """The changes of a function's mutants that are the given one: as it reads, or else but for the names of
    local variables.
    """
    changes = changes_of(function)
    if change in changes:
        return frozenset([change])
    return frozenset(other for other in changes if canonical(other, function) == canonical(change, function))


@cache
def changes_of(function: FunctionType) -> frozenset[str]:
    """The changes of a function's mutants."""
    return frozenset(mutant.change for mutant in mutants(function))


@cache
def canonical(change: str, function: FunctionType) -> str:
    """A change of a function without its layout and the names of its local variables."""
    before, after = change.split(" → ")
    tree = NumberedLocals(function).visit(ast.parse(f"{before}\n{after}"))
    return ast.unparse(tree)


class NumberedLocals(ast.NodeTransformer):
    """Gives local variables the names local1, local2, … in the order in which they appear.

    Local is what the function binds, and what it cannot see otherwise: the name that a variable had before.
    """

    def __init__(self, function: FunctionType) -> None:
        self.bound = bound_names(function.__code__)
        self.visible = function.__globals__.keys() | vars(builtins).keys()
        self.numbers: dict[str, int] = {}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.numbered(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(self.numbered(node.arg))

    def numbered(self, name: str) -> str:
        if name in self.visible and name not in self.bound:
            return name
        return f"local{self.numbers.setdefault(name, len(self.numbers) + 1)}"


def bound_names(code: CodeType) -> set[str]:
    """The variables of a function, and of the functions and comprehensions in it."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return {*code.co_varnames, *code.co_cellvars}.union(*map(bound_names, inner))


def stale(functions: Iterable[FunctionType]) -> list[tuple[str, str]]:
    """(place, change) of the excuses that match no mutant of these functions."""
    by_place = {place_of(function): function for function in functions}
    return [
        (place, change)
        for place, changes in EQUIVALENT.items()
        for change in changes
        if place not in by_place or not matches(change, by_place[place])
    ]


def told(stale_excuses: list[tuple[str, str]], functions: Iterable[FunctionType]) -> str:
    """What it takes to mend stale excuses: where each function may have gone, and what comes nearest."""
    functions = list(functions)
    lines = []
    for place in dict.fromkeys(place for place, _ in stale_excuses):
        lines += [f"{place} is {new} now, it seems" for new in moves(place, functions)]
    for place, change in stale_excuses:
        lines.append(f"{place}: {change}\n  matches no mutant; the nearest:")
        lines += [f"  {candidate}" for candidate in nearest(place, change, functions)]
    return "\n".join(lines)


def moves(place: str, functions: list[FunctionType]) -> list[str]:
    """Where the function of a place that is no more may have gone: the namesakes with most of its excused
    changes, and in a file of that name if any is; without a namesake, what has them all.
    """
    file, name = place.split()
    if any(place_of(function) == place for function in functions):
        return []
    scores: dict[str, tuple[bool, int, bool]] = {}
    for function in functions:
        count = sum(bool(matches(change, function)) for change in EQUIVALENT[place])
        is_namesake = function.__qualname__ == name
        is_same_file = PurePath(place_of(function).split()[0]).name == PurePath(file).name
        if count == len(EQUIVALENT[place]) or (is_namesake and count):
            scores[place_of(function)] = (is_namesake, count, is_same_file)
    return [new for new, score in scores.items() if score == max(scores.values())]


def nearest(place: str, change: str, functions: list[FunctionType]) -> list[str]:
    """The mutants most like an excuse: of its function, else of those of that name or file, else of all."""
    file, name = place.split()
    own = [function for function in functions if place_of(function) == place]
    kin = [function for function in functions if {file, name} & {*place_of(function).split()}]
    candidates = [
        f"{place_of(other)}: {new}" for other in own or kin or functions for new in changes_of(other)
    ]
    return get_close_matches(f"{place}: {change}", candidates, n=3, cutoff=0.4)


def rekey(old: str, new: str) -> None:
    """Write a function's new place into the file that has its excuses."""
    for file in FILES:
        path = Path(str(file.__file__))
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f'"{old}": {{', f'"{new}": {{'), encoding="utf-8")
