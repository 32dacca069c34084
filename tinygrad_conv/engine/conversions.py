"""Tensor's methods that bring it into another dtype, to a device, or off the tape into Python's numbers.

Names and arguments are PyTorch's.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from ..devices import CPU, Device, is_cpu, is_device
from ..dtypes import Array, no_dtype
from ..errors import show_array
from ..options import FLAG, check_option
from .instructions import asks_for_a_number
from .location import user_where, warn_user
from .modes import GRAD
from .operators import Operators
from .registry import OPS

if TYPE_CHECKING:
    from typing_extensions import Self

Flag = bool  # below, bool, int and float are methods
python_bool, python_int, python_float = bool, int, float

OFF_THE_TAPE = (
    "this tensor requires grad, and NumPy (or what is built on it, a plot) would take it off the tape in "
    "silence; write x.detach().numpy() for its numbers, x.item() for a single one (losses.append(loss.item())"
    "), or compute with tg functions"
)


def not_one(array: Array) -> str:
    """How many numbers an array holds, where one is wanted."""
    return f"{show_array(array)} holds {array.size} numbers, not one"


def target_dtype(arguments: tuple[Any, ...], dtype: Any, device: Any) -> Any:
    """The dtype that `to(dtype)`, `to(device)`, `to(device, dtype)` or `to(other)` asks for; None for none.

    Raises DtypeError for another device than the CPU.
    """
    for argument in arguments[:2]:
        if is_device(argument):
            device = argument
        elif hasattr(argument, "_data"):
            dtype = argument.dtype
        elif not isinstance(argument, bool):  # non_blocking
            dtype = argument
    if device is not None and not is_cpu(device):
        raise no_dtype(str(device))
    return dtype


class Conversions(Operators):
    """Dtypes, devices and plain numbers."""

    __slots__ = ()

    _data: Array
    requires_grad: Any

    def to(
        self,
        *arguments: Any,
        dtype: DTypeLike | None = None,
        device: Any = None,
        non_blocking: Flag = False,
        copy: Flag = False,
        memory_format: Any = None,
    ) -> Self:
        """In another dtype: `to(dtype)`, `to(device)`, `to(device, dtype)`, `to(other)` for another's dtype.

        Itself where nothing changes, unless `copy`. There is one device, the CPU, so it never waits
        (non_blocking), and memory_format is left to the ops. Raises DtypeError for what is no dtype, and for
        another device.
        """
        for name, value in (("non_blocking", non_blocking), ("copy", copy)):
            if value is not False:
                check_option("to", name, FLAG, value)
        wanted = target_dtype(arguments, dtype, device)
        if wanted is None or (not isinstance(wanted, str) and self._data.dtype == wanted):
            return OPS["clone"](self) if copy else self
        return OPS["to"](self, dtype=wanted)

    def type(self, dtype: Any = None, non_blocking: Flag = False) -> Any:
        """In another dtype; without one, the name of its own, as in PyTorch: `"torch.FloatTensor"`."""
        if dtype is None:
            return f"torch.{TENSOR_TYPES.get(self._data.dtype, 'Tensor')}"
        if isinstance(dtype, str) and dtype.startswith("torch."):
            named = {f"torch.{name}": known for known, name in TENSOR_TYPES.items()}
            dtype = named.get(dtype, dtype)
        return self.to(dtype)

    def type_as(self, other: Any) -> Self:
        return self.to(other.dtype)

    def cpu(self, memory_format: Any = None) -> Self:
        return self

    def cuda(self, device: Any = None, non_blocking: Flag = False) -> Self:
        """There is no GPU: always an error."""
        raise RuntimeError("cuda: there is no GPU, only the CPU; write x.to(device) with device = 'cpu'")

    def float(self) -> Self:
        return self.to(np.float32)

    def double(self) -> Self:
        return self.to(np.float64)

    def half(self) -> Self:
        return self.to(np.float16)

    def long(self) -> Self:
        return self.to(np.int64)

    def int(self) -> Self:
        return self.to(np.int32)

    def short(self) -> Self:
        return self.to(np.int16)

    def char(self) -> Self:
        return self.to(np.int8)

    def byte(self) -> Self:
        return self.to(np.uint8)

    def bool(self) -> Self:
        return self.to(np.bool_)

    @property
    def device(self) -> Device:
        return CPU

    @property
    def is_cuda(self) -> Flag:
        return False

    is_mps = is_xpu = is_sparse = is_cuda

    def get_device(self) -> Any:
        """The number of its GPU: -1, for there is none."""
        return -1

    def numpy(self, *, force: Flag = False) -> Array:
        """Its numbers, in the same memory. Of a tensor that requires grad with force=True alone."""
        check_option("numpy", "force", FLAG, force)
        if self.requires_grad and not force:
            raise TypeError(f"numpy: {OFF_THE_TAPE}")
        return np.asarray(self._data)

    def item(self) -> Any:
        """Its one number, as Python's. Raises ValueError for a tensor of several, or of none."""
        try:
            return self._data.item()
        except ValueError:
            raise ValueError(f"{not_one(self._data)}; reduce it, as in x.mean().item()") from None

    def tolist(self) -> Any:
        return self._data.tolist()

    def __float__(self) -> Any:
        self.warn_if_lost()
        return python_float(self.item())

    def __int__(self) -> Any:
        self.warn_if_lost()
        return python_int(self.item())

    def __bool__(self) -> Any:
        if self._data.size != 1:
            raise ValueError(f"{not_one(self._data)}; write x.any() or x.all(), or x.numel() > 0")
        return python_bool(self._data)

    def __index__(self) -> Any:
        try:
            return operator.index(self._data)
        except TypeError:
            number = show_array(self._data)
            raise TypeError(f"{number} is not one integer; write int(x) if that is meant") from None

    def __format__(self, format_spec: str) -> str:
        """One number as Python formats it, `f"{loss:.4f}"`; several as a whole alone, `f"{x}"`."""
        if self._data.ndim == 0 or (format_spec and self._data.size == 1):
            return format(self.item(), format_spec)
        if format_spec:
            raise TypeError(
                f"format: {show_array(self._data)} has not one number, so {format_spec!r} cannot format it; "
                "write f'{x}', or format one number, as in f'{x.mean():.4f}'"
            )
        return str(self)

    def warn_if_lost(self) -> None:
        """Say so, once a line, where a number leaves the tape without the line asking for a bare one."""
        if self.requires_grad and GRAD.get() and not asks_for_a_number(*user_where()):
            warn_user(
                "a number of a tensor that requires grad goes where no gradient can follow it (an array, "
                "math, …); compute with tg functions instead, or write float(x) or x.item() if that is meant"
            )


TENSOR_TYPES = {
    np.dtype(np.float32): "FloatTensor",
    np.dtype(np.float64): "DoubleTensor",
    np.dtype(np.float16): "HalfTensor",
    np.dtype(np.int64): "LongTensor",
    np.dtype(np.int32): "IntTensor",
    np.dtype(np.int16): "ShortTensor",
    np.dtype(np.int8): "CharTensor",
    np.dtype(np.uint8): "ByteTensor",
    np.dtype(np.bool_): "BoolTensor",
}
"""What PyTorch called the tensors of each dtype before dtypes had names; scripts say so still."""
