"""Parameters and buffers of lazy layers before the first forward: without a shape, and without numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..dtypes import Array, get_default_dtype
from ..engine.commit import Changes
from ..engine.tensor import Tensor, check_may_require_grad
from ..errors import UninitializedError
from ..foreign import is_torchs_lazy
from .parameter import Parameter

NUMBERS: Any = vars(Tensor)["_data"]  # the slot that tensors have their array in


class Uninitialized(Tensor):
    """What both share: an empty array that says the dtype, and an error wherever numbers or a shape are read.

    Later it becomes, in its place, what `becomes` says: an optimiser that has it goes on with it.
    """

    __slots__ = ()
    is_uninitialized = True
    becomes: type[Tensor] = Tensor

    def __init__(self, dtype: DTypeLike | None = None, requires_grad: bool = False) -> None:
        Tensor.__init__(self, np.empty(0, np.dtype(dtype or get_default_dtype())))
        self._requires_grad = requires_grad

    def _numbers(self) -> Array:
        raise UninitializedError(
            f"{type(self).__name__}: {self.name or 'it'} has no shape and no numbers before the first "
            "forward: call the net once with a batch, `net(x)`, and go on after that"
        )

    _data = property(_numbers, NUMBERS.__set__)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = NUMBERS.__get__(self).dtype
        return dtype

    def materialize(self, array: Array, changes: Changes) -> None:
        """Become what it stands for, with these numbers, in its dtype."""
        changes.set(self, "__class__", self.becomes)
        changes.set(self, "_data", np.array(array, self.dtype))

    def empty_twin(self) -> Uninitialized:
        """Another one like it, for a state dict."""
        return type(self)(self.dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        slots = {"requires_grad": self._requires_grad, "name": self.name}
        return type(self), (self.dtype,), (None, slots)

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        self._requires_grad, self.name = state[1]["requires_grad"], state[1]["name"]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dtype})"


class UninitializedParameter(Uninitialized, Parameter):
    """A parameter without a shape."""

    __slots__ = ()
    becomes = Parameter

    def __init__(self, dtype: DTypeLike | None = None, requires_grad: bool = True) -> None:
        Uninitialized.__init__(self, dtype, requires_grad)


class UninitializedBuffer(Uninitialized):
    """A buffer without a shape."""

    __slots__ = ()


def is_uninitialized(tensor: Any) -> bool:
    """Whether it is one that has no shape yet, PyTorch's too."""
    return isinstance(tensor, Uninitialized) or is_torchs_lazy(tensor)


def set_requires_grad(parameter: Any, requires_grad: bool, changes: Changes) -> None:
    """As `parameter.requires_grad = …`, among other changes. Refuses what that refuses, at once."""
    if parameter._edge is not None:  # a result: refused, or so already
        parameter.requires_grad = requires_grad
    elif requires_grad and not parameter._requires_grad and not is_uninitialized(parameter):
        check_may_require_grad(parameter)
        if not parameter.data.flags.writeable:
            changes.set(parameter, "_data", parameter.data.copy())
            changes.set(parameter, "_memory", None)
    changes.set(parameter, "_requires_grad", bool(requires_grad))
