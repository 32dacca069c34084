"""`tg.from_dlpack`: a Tensor in the memory of another library's."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..creation import sharing
from ..dtypes import Array
from ..engine.dlpack import KDLCPU, VERSIONED
from ..engine.tensor import Tensor
from ..errors import DtypeError
from ..options import FLAG, check_option, checked, optional


class Capsule:
    """What somebody has called `__dlpack__` of already, as an object that hands it out."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return KDLCPU  # NumPy looks into the capsule for another


@checked()
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A leaf in the memory of another library's tensor: PyTorch's, JAX's, an array of NumPy's.

    ext_tensor: an object with `__dlpack__` and `__dlpack_device__`, or a capsule. device: 'cpu', the only one
    there is. copy: True for memory of its own, False to refuse where the other library would copy.

    The memory lives as long as one of both is alive. What is written to it, in place here or there, both
    show; a backward that would read other numbers than its forward is a MutationError. Memory that may not be
    written to (JAX's, or a result's) makes a tensor whose array is read-only.

    Raises DtypeError for dtypes that tensors do not have, such as bfloat16, and BufferError for memory that
    is not the CPU's, or a tensor of PyTorch's that requires grad: pass `t.detach()`.
    """
    check_option("from_dlpack", "copy", optional(FLAG), copy)
    if isinstance(ext_tensor, Tensor) and not ext_tensor.requires_grad:
        return ext_tensor.clone() if copy else ext_tensor.detach()  # a view, as the engine knows it
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = Capsule(ext_tensor)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(
            f"from_dlpack: expected an object with __dlpack__, not {type(ext_tensor).__name__}; for a "
            "list or a number use tg.tensor(…)"
        )
    check_on_cpu(ext_tensor)
    return sharing(imported(ext_tensor, copy), None)


def check_on_cpu(ext_tensor: Any) -> None:
    """Refuse the memory of another device."""
    kind, number = ext_tensor.__dlpack_device__()
    if int(kind) != KDLCPU[0]:
        raise BufferError(
            f"from_dlpack: the tensor is on device ({int(kind)}, {number}), and only the CPU's memory, "
            f"{KDLCPU}, can be used here; bring it there, as t.cpu() does in PyTorch"
        )


def imported(ext_tensor: Any, copy: bool | None) -> Array:
    """An array in the memory of an object that exports it."""
    try:
        if VERSIONED:
            return np.from_dlpack(ext_tensor, copy=copy)
        array = np.from_dlpack(ext_tensor)  # of NumPy before 2.1: read-only, and never copies
    except (RuntimeError, BufferError) as error:
        if "dtype" not in str(error):
            raise
        raise DtypeError(
            f"from_dlpack: NumPy has no {getattr(ext_tensor, 'dtype', 'such dtype')} ({error}); tensors hold "
            "bool, integers, float16, float32 or float64: convert it there, as t.float() does in PyTorch"
        ) from error
    return array.copy() if copy else array
