"""The names in a function's code: what it may read and set outside of itself."""

from __future__ import annotations

import dis
import gc
import sys
from collections.abc import Iterable
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from ..members import members_of

PLAIN_INDICES = ("LOAD_CONST", "LOAD_SMALL_INT", "BUILD_SLICE")  # what makes an index that is no array


def codes_in(code: CodeType) -> Iterable[CodeType]:
    """A function's code, and that of functions and comprehensions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def functions_of(code: CodeType) -> list[FunctionType]:
    """The functions alive that have this code."""
    return [each for each in gc.get_referrers(code) if isinstance(each, FunctionType)]


class Names(NamedTuple):
    """The names in a function's code."""

    variables: frozenset[str]  # globals that it reads
    attributes: frozenset[str]
    methods: frozenset[str]  # attributes that it calls
    imports: frozenset[str]  # modules that it imports
    options: frozenset[str]  # keys that it sets: `group["lr"] = …`
    texts: frozenset[str]  # the strings in it, in tuples too
    indexes: bool = False  # whether it reads something by an index that may be an array: `x[i]`


@lru_cache(maxsize=256)
def names_in(code: CodeType) -> Names:
    """The names in a function's code, and in that of functions within."""
    variables, attributes, methods, imports, options = set(), set(), set(), set(), set()
    texts: set[str] = set()
    indexes = False
    for each in codes_in(code):
        before: Any = None
        for instruction in dis.get_instructions(each):
            name = instruction.opname
            if name in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL"):
                variables.add(instruction.argval)
            elif name == "LOAD_METHOD" or (name == "LOAD_ATTR" and calls(instruction)):
                methods.add(instruction.argval)
            elif name in ("LOAD_ATTR", "STORE_ATTR", "IMPORT_FROM"):
                attributes.add(instruction.argval)
            elif name == "IMPORT_NAME":
                imports.add(instruction.argval)
            elif name == "MATCH_CLASS" and before is not None:
                attributes.update(before.argval)
            elif name == "STORE_SUBSCR" and before is not None and before.opname.startswith("LOAD_CONST"):
                options.add(before.argval)
            if name == "BINARY_SUBSCR" or instruction.argrepr == "[]":  # so it is called from 3.14 on
                indexes = indexes or not before.opname.startswith(PLAIN_INDICES)
            before = instruction
        constants = [member for constant in each.co_consts for member in members_of(constant)]
        texts.update(member for member in constants if isinstance(member, str))
    sets: Any = map(frozenset, (variables, attributes, methods, imports, options, texts))
    return Names(*sets)._replace(indexes=indexes)


def calls(instruction: dis.Instruction) -> bool:
    """Whether an attribute is looked up to be called (from Python 3.12 on, the lowest bit says so)."""
    return sys.version_info >= (3, 12) and bool((instruction.arg or 0) & 1)
