"""What cannot be written as ONNX, with the user's line."""

from __future__ import annotations

from typing import NoReturn

from ....engine.location import Where, place_at
from ....errors import ExportError


class NotWritable(Exception):
    """What a rule raises that cannot write its op with these inputs and params; it says why, and what to
    do.
    """


def refusal(reason: str, where: Where, layer: str) -> ExportError:
    """What to raise where a model cannot be written because of this line."""
    return ExportError(f"onnx.export: {reason}\n    at {place_at(where, layer)}")


def refuse(reason: str, where: Where, layer: str) -> NoReturn:
    """The model cannot be written, because of this line."""
    raise refusal(reason, where, layer)
