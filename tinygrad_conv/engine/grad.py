"""`x.grad`: the slot that backwards write to, and what may be put there by hand."""

from __future__ import annotations

from typing import Any

from ..dtypes import Array, as_array
from ..errors import DtypeError, ShapeError, show_array, show_tensor
from .location import warn_user
from .node import Output
from .numpy_calls import NumPyCalls


class Grad(NumPyCalls):
    """The gradient of a tensor. A result has nothing in its slot as long as nothing has been written."""

    __slots__ = ("_grad",)

    _edge: Output | None

    @property
    def grad(self) -> Any:
        """`.grad`, an array or None. A result that keeps none says so."""
        try:
            return self._grad
        except AttributeError:
            if self._edge is not None and not self.retains_grad:
                warn_user(
                    f"{show_tensor(self)} was made by {self._edge.node.op.name}, and a backward writes .grad "
                    "of leaves alone, so this is None. Call x.retain_grad() before the backward to have it, "
                    "or read .grad of the parameter or input that x was computed from"
                )
            return None

    @grad.setter
    def grad(self, gradient: Any) -> None:
        self._grad = None if gradient is None else fitting_gradient(self, gradient)

    @grad.deleter
    def grad(self) -> None:
        del self._grad

    @property
    def retains_grad(self) -> bool:
        """Whether a backward writes `.grad` of this result too."""
        if self._edge is None or self._edge.node._listeners is None:
            return False
        return self._edge.slot in self._edge.node._listeners.retained


def fitting_gradient(tensor: Any, gradient: Any) -> Array:
    """A gradient as the `.grad` of a tensor: the array itself where it may be kept, and can be changed.

    Raises TypeError for what holds no numbers, ShapeError for another shape, DtypeError for integers.
    """
    try:
        array = as_array(gradient._data if isinstance(gradient, Grad) else gradient)
    except (TypeError, ValueError) as error:
        raise TypeError(f"x.grad = …: {error}; give it an array of x's shape, or None") from error
    right_shape = array.shape == tensor._data.shape
    if not right_shape or array.dtype.kind != "f":
        raise (DtypeError if right_shape else ShapeError)(
            f"x.grad = …: the gradient is {show_array(array)}, but x is {show_tensor(tensor)}; give it x's "
            "shape, and floating-point numbers"
        )
    fits = array.dtype == tensor._data.dtype and array.flags.writeable
    return array if fits else array.astype(tensor._data.dtype)
