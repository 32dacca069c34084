"""Numbers out of tensors, where ONNX has an input and a function of ours takes numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ....errors import DtypeError, ShapeError, show_array


def integers(name: str, tensor: Tensor) -> tuple[int, ...]:
    """The integers in a row. Raises DtypeError for other numbers."""
    if tensor.dtype.kind not in "iu":
        raise DtypeError(f"{name} must be integers, not {show_array(tensor)}")
    return tuple(tensor.data.reshape(-1).tolist())


def whole(name: str, tensor: Tensor) -> int:
    """The only number in a tensor, which must be finite, as an integer; floats are cut off."""
    number = scalar(name, tensor)
    if not math.isfinite(number):
        raise ShapeError(f"{name} must be finite, not {number}")
    return int(number)


def scalar(name: str, tensor: Tensor) -> Any:
    """The only number in a tensor. Raises ShapeError where there are more, or none."""
    if tensor.data.size != 1:
        raise ShapeError(f"{name} must be one number, not {show_array(tensor)}")
    return tensor.data.reshape(-1)[0].item()


def axis_of(axis: int, ndim: int) -> int:
    """An axis, counted from the front. Raises ShapeError for one that there is not."""
    if not -ndim <= axis < ndim:
        raise ShapeError(f"axis {axis} is not one of {ndim} dimensions")
    return axis % ndim


def axes_of(axes: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """Axes, counted from the front, each of them once."""
    places = tuple(axis_of(axis, ndim) for axis in axes)
    if len({*places}) != len(places):
        raise ShapeError(f"axes {axes} name one of {ndim} dimensions twice")
    return places


def tensor_of(array: Any, dtype: Any = None) -> Tensor:
    """A constant as a Tensor, in this dtype."""
    return Tensor(np.asarray(array, dtype))
