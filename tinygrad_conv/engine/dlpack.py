"""`__dlpack__`: a Tensor's memory for other libraries, by the protocol that `torch.from_dlpack`,
`jax.numpy.from_dlpack` and `np.from_dlpack` speak. What comes in by it is interop/dlpack.py's.

(DLPack's specification of the Python side: https://dmlc.github.io/dlpack/latest/python_spec.html)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from .conversions import Conversions
from .memory import Memory

KDLCPU = (1, 0)  # DLPack's number of the CPU, and of the first of its kind
VERSIONED = tuple(map(int, np.__version__.split(".")[:2])) >= (2, 1)
"""Whether NumPy speaks version 1 of the protocol, in which memory can be called read-only."""

COPIES = (None, True, False)
STREAMS = (None, -1)  # there is nothing to wait for on a CPU


class DLPack(Conversions):
    """What `from_dlpack` functions ask of a Tensor."""

    __slots__ = ()

    _memory: Memory | None

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A capsule with this tensor's memory: `torch.from_dlpack(x)`, `np.from_dlpack(x)` and their like
        call it.

        The memory is shared, in whatever order it has, and lives as long as somebody uses it. A leaf's may be
        written to: both show it, and a backward that would read other numbers than its forward is a
        MutationError. (JAX believes that its arrays never change: give it `x.clone()` of a leaf that will.)
        What gradient rules read beside leaves, the result of a recorded op (`y.detach()`), is copied, and so
        is what DLPack cannot describe: numbers in another byte order, or backwards (`array[::-1]`).
        Other results are read-only, which PyTorch does not heed; the protocol's first version (`max_version`
        None) cannot say so, and gets a copy.

        copy: True always copies, False never does. Raises BufferError where that is impossible, for another
        device than the CPU, and for a tensor that requires grad: export `x.detach()`.
        """
        if self.requires_grad:
            raise BufferError(
                "__dlpack__: this tensor requires grad, and another library would take it off the tape in "
                "silence; export x.detach()"
            )
        if stream not in STREAMS or dl_device not in (None, KDLCPU):
            raise BufferError(
                f"__dlpack__: stream={stream!r}, dl_device={dl_device!r}; there is only the CPU, {KDLCPU}, "
                "which has no streams"
            )
        if copy not in COPIES:
            raise BufferError(f"__dlpack__: copy must be True, False or None, not {copy!r}")
        versioned = VERSIONED and max_version is not None and max_version[0] >= 1
        reason = why_copied(self, versioned)
        if reason and copy is False:
            raise BufferError(f"__dlpack__: copy=False, but {reason}; pass copy=None or x.clone()")
        array = positive_copy(self._data) if copy or reason else self._data
        return array.__dlpack__(max_version=max_version) if versioned else array.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        """The CPU, as DLPack numbers devices."""
        return KDLCPU


def why_copied(tensor: Any, versioned: bool) -> str:
    """Why others cannot have a tensor's memory itself; empty where they can."""
    array, memory = tensor._data, tensor._memory
    if not array.dtype.isnative:
        return f"its numbers are {array.dtype.str}, in another byte order"
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):
        return "its numbers stand backwards in memory, or not in whole steps"
    if array.flags.writeable:
        return ""
    if memory is not None and not memory.may_be_shared_by(tensor):
        return "it is the result of a recorded op, which gradient rules read"
    return "" if versioned else "its memory is read-only, which this version of the protocol cannot say"


def positive_copy(array: Array) -> Array:
    """A copy in the order of memory that an array has, forwards, and in this machine's byte order."""
    return np.array(array, array.dtype.newbyteorder("="), order="K")
