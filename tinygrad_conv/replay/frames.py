"""Which functions run while a step is recorded: those of this package within a line, and those around it."""

from __future__ import annotations

import sys
from typing import Any

from ..engine.location import OURS, Where, user_where
from .bare import Watch
from .side_effects import is_users_file


def inside(codes: tuple[Any, ...]) -> bool:
    """Whether one of these functions runs, called by the user's innermost line."""
    where, frame = user_where()[0], sys._getframe(1)
    while frame is not None and frame.f_code is not where:
        if frame.f_code in codes:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def wheres() -> list[Where]:
    """The frames outside this package from the user's line out to the call of the step."""
    frames, frame = [], sys._getframe(1)
    while frame is not None and frame.f_code is not Watch.call.__code__:
        if not OURS[frame.f_code.co_filename]:
            frames.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back  # type: ignore[assignment]
    return frames


def users_line(frames: list[Where]) -> Where:
    """Of these frames the user's own, where the standard library or NumPy reads numbers for it."""
    return next((where for where in frames if is_users_file(where[0].co_filename)), frames[0])
