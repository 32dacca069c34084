"""What the user's line does with what a method of Tensor returns. Python's methods are not told; its
bytecode tells: the instruction that made the call, and those around it.
"""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType
from typing import Any

from .location import Where, line_of

COPYING = {"COPY", "DUP_TOP_TWO"}  # before an item is read that will be stored back (Python 3.11, 3.10)
STORES = {"STORE_SUBSCR", "STORE_SLICE"}
ORDERING = {"SWAP", "ROT_THREE", "ROT_FOUR", "CACHE", "EXTENDED_ARG"}  # no work of their own
TAKES = ("CALL", "STORE_SUBSCR")  # what hands a tensor to code that makes a number of it
NUMBERS = {"float", "int", "bool", "complex", "round", "format", "print", "str", "repr"}


def stores_back_an_item(view: Any, where: Where) -> bool:
    """Whether the line that changes this view is `x[…] += …`, and read it out of x for that alone.

    Such a view lives for the length of the statement; what comes of it is stored into x next.
    """
    made_at = None if view._memory is None else view._memory.member(view).where
    if made_at is None or made_at[0] is not where[0]:
        return False
    code, offset = where
    before, after = neighbours(code, made_at[1])[0], neighbours(code, offset)[1]
    return before in COPYING and after in STORES


@lru_cache(maxsize=1024)
def neighbours(code: CodeType, offset: int) -> tuple[str, str]:
    """The names of the instructions before and after this one, but for those that order the stack."""
    names = {each.offset: each.opname for each in dis.get_instructions(code) if each.opname not in ORDERING}
    until = [name for at, name in names.items() if at <= offset]  # with itself: the offset may be its cache's
    after = [name for at, name in names.items() if at > offset]
    return until[-2] if len(until) > 1 else "", after[0] if after else ""


@lru_cache(maxsize=1024)
def asks_for_a_number(code: CodeType, offset: int) -> bool:
    """Whether the line says that it wants a bare number (`float(x)`, `"%f" % x`), or prints it.

    Where a call or an assignment to an item (`math.sqrt(x)`, `a[0] = x`) takes the number, it does not.
    """
    line = line_of((code, offset))
    spans = [(start, end) for start, end, number in code.co_lines() if number == line]
    instructions = [each for each in dis.get_instructions(code) if each.opname != "CACHE"]
    running = [each for each in instructions if each.offset <= offset][-1]
    on_line = [each for each in instructions if any(start <= each.offset < end for start, end in spans)]
    return not running.opname.startswith(TAKES) or any(each.argval in NUMBERS for each in on_line)
