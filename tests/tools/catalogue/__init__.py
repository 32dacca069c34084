"""Gradient rules broken in the ways people break them: a yardstick for whatever judges rules.

Each family is two files. `norms.py` has ops that the package does not have, as a user would write them, and
for each a function `<op>_inputs(rng)` that returns inputs and params on which its mistakes are seen.
`norms.txt` has the mistakes, each as a change of some lines of one rule:

    rms_norm_dx | missing factor | the weight w does not reach g
    - g = dy * w
    + g = dy

that is: the rule's function, what kind of mistake it is, what is wrong in words, the right lines, the wrong
ones. A mistake of the kind "second order" leaves the gradient right and its own gradient wrong.

`Broken.source` is a file of its own, with one op, one broken rule, and what they need. `half` is "seen" or
"kept back": ops, with all their mistakes, are shuffled into two halves, so that what is fitted to the one
says nothing about the other. Nobody looks at what is kept back until all is done.

The folders `fresh` and `blind` are exams of the same form, each written later, without a look at the judge or
at the mistakes above. Their families are called "fresh/NAME" or "blind/NAME", and the half of each of their
ops is the name of its exam.
"""

from __future__ import annotations

import ast
import importlib.util
import linecache
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS

FOLDER = Path(__file__).parent
SEED = 16
EXAMS = ("fresh", "blind")


@dataclass(frozen=True)
class Entry:
    """An op of the catalogue: where it stands, and its source with what it needs, as a file of its own."""

    op: str
    family: str
    half: str
    source: str


@dataclass(frozen=True)
class Broken:
    """One mistake: in which rule of which entry, what is true of it, the right lines and the wrong ones."""

    entry: Entry
    rule: str
    input: str
    kind: str
    says: str
    repair: str
    wrong: str

    @property
    def op(self) -> str:
        """The op's name."""
        return self.entry.op

    @property
    def half(self) -> str:
        """ "seen", "kept back" or the name of an exam, the same for all mistakes of an op."""
        return self.entry.half

    @property
    def order(self) -> int:
        """The lowest order at which it is wrong."""
        return 2 if self.kind == "second order" else 1

    @property
    def source(self) -> str:
        """The op's file, with this mistake in it."""
        return edited(self.entry.source, self.rule, self.repair.splitlines(), self.wrong.splitlines())


def families(folder: str = ".") -> list[str]:
    """The names of the families in a folder, seen from the catalogue's own."""
    paths = (FOLDER / folder).glob("*.txt")
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in paths)


def entries(family: str) -> list[Entry]:
    """The ops of a family."""
    tree = ast.parse(source_of(family))
    return [
        Entry(node.name, family, half_of(family, node.name), isolated(family, node.name))
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and "tg.primitive" in decorators(node)
    ]


def mistakes(half: str | None = None) -> list[Broken]:
    """All mistakes of both halves, or those of one, or of an exam."""
    chosen = families(half if half in EXAMS else ".")
    everything = [broken for family in chosen for broken in mistakes_of(family)]
    return [broken for broken in everything if half in (None, broken.half)]


def mistakes_of(family: str) -> list[Broken]:
    """The mistakes of a family, in their order."""
    by_name = {entry.op: entry for entry in entries(family)}
    owners = rule_owners(family)
    result = []
    for block in (FOLDER / f"{family}.txt").read_text(encoding="utf-8").strip().split("\n\n"):
        header, *lines = block.splitlines()
        rule, kind, says = header.split(" | ", 2)
        op, argument = owners[rule]
        repair = "\n".join(line[2:] for line in lines if line[0] == "-")
        wrong = "\n".join(line[2:] for line in lines if line[0] == "+")
        result.append(Broken(by_name[op], rule, argument, kind, says, repair, wrong))
    return result


@cache
def all_ops() -> list[str]:
    """The names of the ops that the halves are made of, in order."""
    return sorted(
        node.name
        for family in families()
        for node in ast.parse(source_of(family)).body
        if isinstance(node, ast.FunctionDef) and "tg.primitive" in decorators(node)
    )


@cache
def half_of(family: str, op: str) -> str:
    """Ops take turns after a seeded shuffle, but for those of an exam."""
    exam = family.partition("/")[0]
    if exam in EXAMS:
        return exam
    names = all_ops()
    random.Random(SEED).shuffle(names)
    return ("seen", "kept back")[names.index(op) % 2]


def source_of(family: str) -> str:
    """The source of a family's ops."""
    return (FOLDER / f"{family}.py").read_text(encoding="utf-8")


def decorators(node: ast.stmt) -> str:
    """A function's decorators as text."""
    return " ".join(ast.unparse(each) for each in getattr(node, "decorator_list", ()))


@cache
def rule_owners(family: str) -> dict[str, tuple[str, str]]:
    """(op, input or kept value) by the name of the rule's function."""
    owners = {}
    for node in ast.parse(source_of(family)).body:
        for decorator in getattr(node, "decorator_list", ()):
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "attr", "") in ("grad", "kept"):
                owners[node.name] = (decorator.func.value.id, decorator.args[0].value)
    return owners


def isolated(family: str, op: str) -> str:
    """The part of a family's file that one op needs: imports, the op, its rules, helpers that these call."""
    source, tree = source_of(family), ast.parse(source_of(family))
    owners = rule_owners(family)
    chosen = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    wanted = [op, f"{op}_inputs", *(rule for rule, (owner, _) in owners.items() if owner == op)]
    for name in wanted:  # grows as it goes
        used = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)}
        wanted += [each for each in functions if each in used and each not in wanted]
    chosen += [functions[name] for name in wanted]
    parts = [segment(source, node) for node in sorted(chosen, key=lambda node: node.lineno)]
    return "\n\n\n".join(parts) + "\n"


def segment(source: str, node: ast.stmt) -> str:
    """The lines of a statement, decorators included."""
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])


def edited(source: str, rule: str, right: list[str], wrong: list[str]) -> str:
    """The source with some consecutive lines of one function replaced; they must stand there once."""
    lines = source.splitlines()
    node = next(each for each in ast.parse(source).body if getattr(each, "name", "") == rule)
    starts = [
        start
        for start in range(node.lineno - 1, node.end_lineno - len(right) + 1)
        if [line.strip() for line in lines[start : start + len(right)]] == [line.strip() for line in right]
    ]
    if len(starts) != 1 or not right:
        raise ValueError(f"{rule}: these lines stand {len(starts)} times in it:\n" + "\n".join(right))
    start = starts[0]
    margin = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    lines[start : start + len(right)] = [margin + line for line in wrong]
    return "\n".join(lines) + "\n"


@contextmanager
def loaded(source: str, op: str, folder: Path) -> Iterator[ModuleType]:
    """A file with that source, imported; the ops it declares are gone afterwards."""
    path = folder / f"{op}.py"
    path.write_text(source, encoding="utf-8")
    name, known = f"catalogue_{op}", dict(OPS)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(source, path, "exec"), module.__dict__)
        yield module
    finally:
        del sys.modules[name]
        linecache.clearcache()  # the next mistake may stand in a file of this name
        OPS.clear()
        OPS.update(known)


def call_of(module: ModuleType, op: str, seed: int = 0) -> tuple[Any, list[Any]]:
    """The op as a function of its inputs alone, and those: floats as Tensors that require a gradient."""
    inputs, params = getattr(module, f"{op}_inputs")(np.random.default_rng(seed))
    leaves = [
        tg.tensor(value, requires_grad=True) if getattr(value, "dtype", None) == np.float64 else value
        for value in inputs
    ]
    primitive = getattr(module, op)
    return (lambda *tensors: primitive(*tensors, **params)) if params else primitive, leaves
