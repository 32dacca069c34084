"""Which changes of a kernel decide nothing but how fast it computes: they are tried like all others, but no
test may assert a time.
"""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from types import FunctionType

from tinygrad_conv.kernels import dispatch
from tinygrad_conv.kernels.conv import problem

SERVES = {line.serves for table in dispatch.TABLES.values() for line in table}
SHARED = {"share", "Work"}  # calls whose third argument is a guess of the time
TIMES = {"product_time", "correlation_time", "guessed_time"}
GUESSES = {  # functions that guess what is fastest
    *TIMES,
    "shares",
    "rows_together",
    "rows_at_once",
    "piece_count",
    "tile_shape",
    "makes_tiles",
    "side_by_side",
    "_is_lowered",
    "channel_bytes",
}
AMOUNTS = {"time", "multiplications", "head_start", "together", "row_bytes"}  # variables
BOUNDS = (  # beginnings of constants
    "CACHE_",
    "LARGE",
    "LONG_",
    "LONGEST_",
    "LOW",
    "NARROWEST",
    "WORKSPACE_",
    "WORTH_",
)
COPIES_OR_SHARES = {"copy", "passes"}  # keyword arguments
BOUND = "a measured bound, with the same numbers on both sides"


def speed_alone(function: FunctionType, path: list[ast.AST]) -> str:
    """Why a change at the end of a path of nodes decides nothing but how fast a kernel is; "" if it may
    decide more.
    """
    wish = function.__module__ == problem.__name__ and [*inspect.signature(function).parameters] == [
        "problem"
    ]
    if (wish and function not in SERVES) or function.__name__ in GUESSES:
        return "which of the ways that serve, or how much at once"
    for outer, inner in pairwise(path):
        if isinstance(outer, ast.Assign) and ast.unparse(outer.targets[0]) in AMOUNTS:
            return "how much at once, or by how many"
        if isinstance(outer, ast.Call) and ast.unparse(outer.func) in SHARED and inner is outer.args[2]:
            return "a guess of the time it takes"
        if isinstance(outer, (ast.If, ast.IfExp)) and inner is outer.test and names_a_bound(inner):
            return BOUND
        if isinstance(inner, ast.keyword) and inner.arg in COPIES_OR_SHARES:
            return "whether memory is copied, or work shared"
    return BOUND if names_a_bound(getattr(path[-1], "test", None)) else ""


def names_a_bound(test: ast.AST | None) -> bool:
    """Whether a condition compares with one of the kernels' measured bounds."""
    names = [node.id for node in ast.walk(test) if isinstance(node, ast.Name)] if test else []
    return any(name.startswith(BOUNDS) for name in names)
