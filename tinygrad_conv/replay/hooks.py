"""What prepares a line of a program for many steps, if its op has declared that: `op.replayed`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..errors import DeclarationError
from ..ops import replayed  # noqa: F401 (importing declares how ops are prepared)
from .liveness import Buffers
from .program import Line
from .values import filled, has_marks


def hook_of(line: Line, then: Any = None) -> Any:
    """What prepares a line for replays, if its op has declared that; then: with the op that it goes to."""
    if line.kind == "forward" and not line.details[1]:
        declared = line.target.replays.get((None, then))
    elif line.kind == "rule" and not line.target.variadic:
        declared = line.details[2].replays.get((line.target.argument, then))
    else:
        return None
    return declared.function if declared is not None and varying(line).keys() <= {*declared.varying} else None


def varying(line: Line) -> dict[str, Any]:
    """The params of a forward or a rule that may be other arrays in each step, as marks."""
    return {name: value for name, value in line.details[0].items() if has_marks(value)}


def wants_memory(hook: Any) -> bool:
    """Whether a hook writes into memory that it is given, its first argument `out`."""
    return hook is not None and next(iter(inspect.signature(hook).parameters)) == "out"


def prepared(
    line: Line, hook: Any, arrays: list[Any], buffers: Buffers, shared: dict[Any, Any]
) -> Callable[..., Any] | None:
    """What is called in each step; None: the hook does not serve these shapes."""
    params = filled(line.details[0], arrays, [])
    if line.kind == "forward":
        params = {**line.target.defaults, **params}
    out = buffers.of.get(line.writes[0])
    run: Callable[..., Any] | None = hook(out, shared, *[arrays[slot] for slot in line.reads], **params)
    if run is None and line.then is not None:
        raise DeclarationError(
            f"{line.name}: a preparation of two ops in one call must serve all images; {hook.__qualname__} "
            "returned None"
        )
    return run
