"""What NumPy's own functions do with a Tensor: they say which function of this package to write instead.

An array's operator with a Tensor, `array + x`, comes here too, and is the Tensor's: it is on the tape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..dtypes import Array
from ..errors import show_array
from .conversions import OFF_THE_TAPE
from .dlpack import DLPack
from .registry import COMPOSITES, OPS

OPERATORS = {
    **{"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div"},
    **{"power": "pow", "matmul": "matmul", "equal": "eq", "not_equal": "ne", "less": "lt"},
    **{"less_equal": "le", "greater": "gt", "greater_equal": "ge"},
    **{"floor_divide": "floor_divide", "remainder": "remainder", "left_shift": "bitwise_left_shift"},
    **{"right_shift": "bitwise_right_shift", "bitwise_and": "bitwise_and", "bitwise_or": "bitwise_or"},
    **{"bitwise_xor": "bitwise_xor"},
}
"""NumPy's names of what `array + x` and its like call, and the names of our ops."""

RENAMED = {
    **OPERATORS,
    **{"absolute": "abs", "negative": "neg", "float_power": "pow", "concatenate": "cat", "hstack": "cat"},
    **{"vstack": "cat", "clip": "clamp", "expand_dims": "unsqueeze", "swapaxes": "transpose"},
    **{"moveaxis": "permute", "broadcast_to": "expand", "tile": "repeat", "array_split": "split"},
    **{"ravel": "flatten", "take_along_axis": "gather", "rint": "round", "fmax": "maximum"},
    **{"fmin": "minimum", "copy": "clone", "dot": "matmul", "linalg.norm": "norm"},
}
"""NumPy's functions that have other names here. `transpose` and `repeat` mean something else here."""

METHODS_ALONE = ("expand", "repeat")  # of what is no function here: x.expand(…)
OTHERS = {"transpose": "x.permute(…) or x.T", "repeat": "x[…] with repeated indices"}

SIZES = {np.shape, np.ndim, np.size}
"""What looks at no number, and tells nobody that it did."""

LOOK_ON = {"zeros_like", "ones_like", "empty_like", "full_like", "result_type"}
LOOK_ON |= {"may_share_memory", "shares_memory", "iscomplexobj", "isrealobj"}
"""What takes no numbers off the tape."""

WRITING = {"copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"}
"""What changes its first argument, and would do so without the tape being told."""


class UfuncCalls:
    """`__array_ufunc__`: NumPy looks for it in the class, and finds `called`. In a tensor, where masked
    arrays and other libraries look whether to leave their operators to it, it is None: yes.
    """

    def __get__(self, tensor: Any, owner: Any) -> Any:
        return called if tensor is None else None


def called(tensor: NumPyCalls, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """`array + x` as the Tensor computes it; for all else, what to write."""
    name = ufunc.__name__
    if method == "__call__" and name in OPERATORS and not options:
        return OPS[OPERATORS[name]](*inputs)
    if isinstance(options.get("out", (None,))[0], np.ndarray):
        raise TypeError(f"np.{name}: an array cannot take a Tensor in place; write a = a + x, not a += x")
    raise TypeError(instead(name if method == "__call__" else f"{name}.{method}", tensor.requires_grad))


class NumPyCalls(DLPack):
    """Tensors as arguments of NumPy's functions."""

    __slots__ = ()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Its numbers for NumPy, `np.asarray(x)`: in the same memory where the dtype is the same, unless
        `copy`. A result's are read-only. Raises TypeError for a tensor that requires grad, ValueError for
        copy=False and another dtype.
        """
        if self.requires_grad:
            raise TypeError(OFF_THE_TAPE)
        array = np.array(self._data, dtype) if copy else np.asarray(self._data, dtype)
        if copy is False and array is not self._data:
            raise ValueError(f"__array__: copy=False, but {show_array(self._data)} as {dtype} needs a copy")
        return array

    __array_ufunc__ = UfuncCalls()

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        """The function of the numbers, where no tensor requires grad; else what to write."""
        if function in SIZES:
            return function(*numbers_in(inputs), **numbers_in(options))
        return self._array_function(function, inputs, options)

    def _array_function(self, function: Any, inputs: Any, options: Any) -> Any:
        """The function of the numbers; observers are told that they are read."""
        name = (function.__module__ or "numpy").partition(".")[2]
        name = f"{name}.{function.__name__}" if name else function.__name__
        recorded = any(tensor.requires_grad for tensor in tensors_in((inputs, options)))
        if name in WRITING or isinstance(options.get("out"), NumPyCalls):
            raise TypeError(f"np.{name} would change a tensor behind the tape; write x[…] = … instead")
        if recorded and name not in LOOK_ON:
            raise TypeError(instead(name, recorded))
        return function(*numbers_in(inputs), **numbers_in(options))


def tensors_in(value: Any) -> Iterator[Any]:
    """The Tensors in a value: itself, or those in a list, a tuple or a dict."""
    if isinstance(value, NumPyCalls):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        members: Iterable[Any] = value.values() if isinstance(value, dict) else value
        for member in members:
            yield from tensors_in(member)


def numbers_in(value: Any) -> Any:
    """Arguments with arrays in the place of the Tensors among them."""
    if isinstance(value, NumPyCalls):
        return value._data
    if isinstance(value, dict):
        return {name: numbers_in(member) for name, member in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(numbers_in, value))
    return value


def instead(name: str, recorded: bool) -> str:
    """What to write instead of a function of NumPy's."""
    numbers = "x.detach().numpy()" if recorded else "x.numpy()"
    fault = "would take this tensor off the tape" if recorded else "takes arrays, no Tensors"
    ours = RENAMED.get(name, name)
    if name in OTHERS:
        hint = f"{OTHERS[name]}, "
    elif ours in METHODS_ALONE:
        hint = f"x.{ours}(…), "
    else:
        hint = f"tg.{ours}(…), " if ours in OPS or ours in COMPOSITES else ""
    return f"np.{name} {fault}: write {hint}{'or ' if hint else ''}np.{name}({numbers}) for the numbers alone"
