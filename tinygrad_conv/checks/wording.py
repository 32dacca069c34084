"""What the messages of a failed check are made of, with a diagnosis or without."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from ..engine.location import show_place
from ..errors import GradcheckError
from .tolerance import WrongEntry


def is_there(*folders: str) -> bool:
    """Whether these folders beside this file are there."""
    return all(find_spec(f".{folder}", __package__) is not None for folder in folders)


def assemble(what: str, fault: Exception, lines: list[str], kind: str, note: str) -> GradcheckError:
    """The message: what fails, what was seen, and further lines; what one of these says is not said twice."""
    seen = f"worst entry: {fault}" if isinstance(fault, WrongEntry) else str(fault)
    told = [] if f"diagnosis: {seen}" in lines else [seen]
    told += [line for line in lines if line and line not in seen]
    error = GradcheckError("\n  ".join([f"gradcheck of {what}", *told]) + note)
    error.kind = kind
    return error


def name_of(fn: Callable[..., Any]) -> str:
    """What a function is called; of a partial, the function's name."""
    fn = getattr(fn, "func", fn)
    return str(getattr(fn, "__name__", type(fn).__name__))


def body_of(fn: Callable[..., Any]) -> Callable[..., Any]:
    """What a function runs: of a partial, the function; of an op or a layer, its forward."""
    fn = getattr(fn, "func", fn)
    body: Callable[..., Any] = getattr(fn, "forward", fn)
    return body


def place_of(fn: Callable[..., Any]) -> str:
    """Where a function stands, if it is written in Python."""
    body = body_of(fn)
    return f"function {name_of(fn)} ({show_place(body)})" if hasattr(body, "__code__") else ""
