"""The schema of each of ONNX's operators in each version, and the version that a model is written in."""

from __future__ import annotations

from typing import Any

from ....errors import OnnxError
from ..library import library

DOMAINS = ("", "ai.onnx")  # two names of ONNX's own


def schema_of(op_type: str, opset: int) -> Any:
    """What an operator takes, as of a version of the operator set; None where that does not have it."""
    defs = library().defs
    return defs.get_schema(op_type, opset, "") if defs.has(op_type, opset, "") else None


def opset_of(model: Any) -> int:
    """The version of ONNX's own operator set that a model is written in.

    Raises OnnxError where it is too new, or not told.
    """
    versions = {entry.version for entry in model.opset_import if entry.domain in DOMAINS}
    newest = library().defs.onnx_opset_version()
    if len(versions) != 1:
        raise OnnxError(f"the model imports opsets {sorted(versions)} of ai.onnx; it must import one")
    (opset,) = versions
    if not 1 <= opset <= newest:
        raise OnnxError(
            f"the model is of opset {opset}, and the installed onnx knows 1 to {newest}: upgrade onnx, or "
            "convert the model with onnx.version_converter"
        )
    return int(opset)
