"""The schema of each of ONNX's operators in the version that a model is written in, and the attributes of a
node as values of Python, of the types that it says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import SHORT, OnnxError
from ..library import library
from .external import ExternalData
from .tensors import array_of

VALUES = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints", 8: "strings"}
"""Where an attribute has its value, by its type; other types are graphs and the like."""
NO_SUBGRAPHS = "a graph inside a node"


def attributes_of(node: Any, schema: Any, owner: str, external: ExternalData) -> dict[str, Any]:
    """The attributes of a node by name, with the schema's defaults in place of those that are left out.

    Raises OnnxError for unknown ones, for one that is there twice, that is missing or of another type.
    """
    known = schema.attributes
    values = {name: defaults_value(known[name], external) for name in known}
    given: set[str] = set()
    for attribute in node.attribute:
        name = attribute.name
        if name not in known:
            supported = ", ".join(sorted(known)) or "none"
            raise OnnxError(f"{owner}: attribute {SHORT.repr(name)} is not one of its own: {supported}")
        if name in given:
            raise OnnxError(f"{owner}: attribute {name} is there twice")
        if attribute.ref_attr_name or attribute.type != int(known[name].type):
            wanted = str(known[name].type).rpartition(".")[2]
            raise OnnxError(f"{owner}: attribute {name} must be of the type {wanted}")
        given.add(name)
        values[name] = value_of(attribute, owner, external)
    for name, declared in known.items():
        if declared.required and name not in given:
            raise OnnxError(f"{owner}: attribute {name} is missing")
    return values


def defaults_value(declared: Any, external: ExternalData) -> Any:
    """The value of an attribute that is left out; None where there is no default."""
    default = declared.default_value
    return value_of(default, declared.name, external) if default.type in VALUES else None


def value_of(attribute: Any, owner: str, external: ExternalData) -> Any:
    """The value of an attribute: a number, a text, an array, or a tuple of numbers or texts."""
    if attribute.type not in VALUES:
        raise OnnxError(f"{owner}: attribute {attribute.name} is {NO_SUBGRAPHS}, which is not supported")
    field = VALUES[attribute.type]
    value = getattr(attribute, field)
    if field == "t":
        return array_of(value, external)
    if field == "ints":
        return tuple(value)
    if field in ("f", "floats"):
        return shortest(value) if field == "f" else tuple(map(shortest, value))
    if field == "s":
        return value.decode("utf-8", "replace")
    return tuple(text.decode("utf-8", "replace") for text in value) if field == "strings" else value


def shortest(number: float) -> float:
    """The shortest decimal of those that are this float32: 1e-05, and not 9.999999747378752e-06."""
    return float(str(np.float32(number)))


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
