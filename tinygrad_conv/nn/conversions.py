"""A module's parameters and buffers in another dtype, or on a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from ..dtypes import FLOATS, no_dtype
from ..engine.backpropagation import GRAD_LOCK
from ..engine.commit import Changes
from ..engine.conversions import target_dtype
from ..engine.tensor import check_leaf
from ..errors import DtypeError
from ..options import FLAG, check_option
from .uninitialized import is_uninitialized

Self = TypeVar("Self", bound="Conversions")
OWN_WAY = {"_apply": "make what it converts a buffer, register_buffer(name, tensor, persistent=False)"}


class Conversions:
    """What a Module can do for all of its tensors."""

    parameters: Callable[..., Iterator[Any]]
    buffers: Callable[..., Iterator[Any]]
    _check_ways: Callable[[str, dict[str, str]], None]

    def to(
        self: Self,
        *arguments: Any,
        dtype: DTypeLike | None = None,
        device: Any = None,
        non_blocking: bool = False,
        memory_format: Any = None,
    ) -> Self:
        """Parameters, their gradients and floating-point buffers in another dtype.

        `to(dtype)`, `to(device)`, `to(device, dtype)`, `to(tensor)`, as a Tensor's. "cpu", the only device,
        changes nothing.
        """
        check_option("to", "non_blocking", FLAG, non_blocking)
        wanted = target_dtype(arguments, dtype, device)
        if wanted is None:
            return self
        try:
            chosen = np.dtype(wanted)
        except TypeError:
            raise no_dtype(wanted) from None
        if chosen not in FLOATS:
            raise DtypeError(f"to: parameters are float16, float32 or float64, not {chosen}")
        self._check_ways("to", OWN_WAY)
        changes = Changes()
        with GRAD_LOCK:
            for tensor in [*self.parameters(), *self.buffers()]:
                if is_uninitialized(tensor):
                    changes.set(tensor, "_data", np.empty(0, chosen))
                elif tensor.dtype.kind == "f":
                    check_leaf(tensor, "to")
                    changes.replace_array(tensor, tensor.data.astype(chosen))
                    changes.set(tensor, "_grad", None if tensor.grad is None else tensor.grad.astype(chosen))
            changes.commit()
        return self

    def float(self: Self) -> Self:
        """To float32."""
        return self.to(np.float32)

    def double(self: Self) -> Self:
        """To float64."""
        return self.to(np.float64)

    def half(self: Self) -> Self:
        """To float16."""
        return self.to(np.float16)

    def cpu(self: Self) -> Self:
        """Itself: it is there."""
        return self

    def cuda(self: Self, device: Any = None) -> Self:
        """There is no GPU: always an error."""
        raise RuntimeError("cuda: there is no GPU, only the CPU; write net.to(device) with device = 'cpu'")
