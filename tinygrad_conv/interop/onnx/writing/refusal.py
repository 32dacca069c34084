"""What cannot be written as ONNX, with the user's line."""

from __future__ import annotations

from typing import NoReturn

from ....engine.location import Where, place_at
from ....errors import ExportError


class NotWritable(Exception):
    """What a rule raises that cannot write its op with these inputs and params; it says why, and what to
    do.
    """


def refuse(reason: str, where: Where, layer: str = "", cause: BaseException | None = None) -> NoReturn:
    """The model cannot be written, because of this line."""
    place = place_at(where, layer)
    raise ExportError(f"onnx.export: {reason}\n    at {place}") from cause
