"""A structure in a file of the safetensors format: its arrays by their paths, and the rest in the metadata.

Others read such a file as tensors by name. `pip install "tinygrad_conv[safetensors]"` brings the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..archive import damage_of, parsed
from ..dtypes import Array
from ..engine.tensor import Tensor
from ..errors import SHORT, CheckpointError, MissingExtraError
from .encoding import Decoder, Name

STRUCTURE = "tinygrad_conv"  # under which the structure is in the metadata
DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "u2",
    "I16": "i2",
    "U32": "u4",
    "I32": "i4",
    "U64": "u8",
    "I64": "i8",
    "F16": "f2",
    "F32": "f4",
    "F64": "f8",
}
"""NumPy's codes of the format's dtypes, but for BF16, which is read as float32."""


class TensorDict(dict[Any, Any]):
    """What a file holds; `metadata` has the texts that stand beside its tensors."""

    metadata: Mapping[str, str] = {}


def library() -> Any:
    """The library. Raises MissingExtraError where it is not installed."""
    try:
        import safetensors.numpy
    except ImportError:
        raise MissingExtraError(
            'files that end in .safetensors need the extra: pip install "tinygrad_conv[safetensors]"; any '
            "other name makes an .npz, which needs NumPy alone"
        ) from None
    return safetensors


def packed(structure: str, arrays: Mapping[Name, Array], metadata: Mapping[str, str]) -> bytes:
    """A file with these arrays, with a structure in which they are named, and with texts beside them."""
    plain = {str(name): np.array(array, native(array.dtype), order="C") for name, array in arrays.items()}
    content: bytes = library().numpy.save(plain, {**metadata, STRUCTURE: structure})
    return content


def native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A dtype in this machine's byte order."""
    return dtype.newbyteorder("=")


def unpacked(content: bytes) -> Any:
    """What `tg.save` put into a file, or the tensors of one that something else wrote.

    Raises CheckpointError.
    """
    deserialize = library().deserialize
    with damage_of("the file"):
        tensors = deserialize(content)
    arrays: dict[Name, Array] = {name: array_of(name, tensor) for name, tensor in tensors}
    metadata = metadata_of(content)
    structure = metadata.pop(STRUCTURE, None)
    if structure is None:
        return with_texts({str(name): Tensor(array) for name, array in arrays.items()}, metadata)
    value = Decoder(arrays).decode_all(parsed(structure))
    return with_texts(value, metadata) if metadata and type(value) is dict else value


def with_texts(contents: dict[Any, Any], metadata: Mapping[str, str]) -> TensorDict:
    """What a file holds, with the texts beside it."""
    held = TensorDict(contents)
    held.metadata = metadata
    return held


def array_of(name: str, tensor: Mapping[str, Any]) -> Array:
    """A tensor of the file, whose sizes the library has compared with its bytes."""
    dtype, content = tensor["dtype"], tensor["data"]
    if dtype != "BF16" and dtype not in DTYPES:
        raise CheckpointError(f"tensor {SHORT.repr(name)} is of {dtype}, which no tensor here can be")
    with damage_of(f"tensor {SHORT.repr(name)}"):
        if dtype == "BF16":  # the upper half of a float32
            upper = np.frombuffer(content, "<u2").astype(np.uint32)
            return (upper << np.uint32(16)).view(np.float32).reshape(tensor["shape"])
        if dtype == "BOOL" and np.frombuffer(content, np.uint8).max(initial=0) > 1:
            raise CheckpointError(f"tensor {SHORT.repr(name)} is of BOOL, and has a byte other than 0 and 1")
        array = np.frombuffer(content, np.dtype(DTYPES[dtype]).newbyteorder("<"))
        return array.astype(native(array.dtype)).reshape(tensor["shape"])


def metadata_of(content: bytes) -> dict[str, str]:
    """The texts in the header of a file, which the library has looked at already."""
    length = int.from_bytes(content[:8], "little")
    header = parsed(content[8 : 8 + length].decode())
    return dict(header.get("__metadata__") or {})
