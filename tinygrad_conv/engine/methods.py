"""Tensor's methods that are ops: explicit, typed, one line each. The only file of the engine that grows with
the ops.

Names and arguments are PyTorch's. Each finds its op in the registry; what it computes stands in the op's
docstring.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from ..dtypes import Array
from .registry import OPS

if TYPE_CHECKING:
    from ..debug.listing import Tape
    from ..debug.record import Recording
    from ..debug.step import Step
    from .tape import Node
    from .tensor import Tensor

Dim = int | tuple[int, ...] | None
Operand = Any  # a Tensor, an ndarray or a scalar


def _sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """`x.reshape(2, 3)` and `x.reshape((2, 3))` alike."""
    return tuple(map(operator.index, sizes[0] if len(sizes) == 1 and np.iterable(sizes[0]) else sizes))


class TensorMethods:
    """What a Tensor can do beside being on the tape."""

    __slots__ = ()

    if TYPE_CHECKING:
        data: Array
        requires_grad: bool
        _edge: Any

        def change(self, symbol: str, operation: Any, *operands: Any) -> Tensor: ...
        def detach(self) -> Tensor: ...

    # Arithmetic and comparisons
    def __add__(self, other: Operand) -> Tensor:
        return OPS["add"](self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return OPS["add"](other, self)

    def __sub__(self, other: Operand) -> Tensor:
        return OPS["sub"](self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return OPS["sub"](other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return OPS["mul"](self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return OPS["mul"](other, self)

    def __truediv__(self, other: Operand) -> Tensor:
        return OPS["div"](self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return OPS["div"](other, self)

    def __pow__(self, other: Operand) -> Tensor:
        return OPS["pow"](self, other)

    def __rpow__(self, other: Operand) -> Tensor:
        return OPS["pow"](other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return OPS["matmul"](self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return OPS["matmul"](other, self)

    def __neg__(self) -> Tensor:
        return OPS["neg"](self)

    def __abs__(self) -> Tensor:
        return OPS["abs"](self)

    def __eq__(self, other: Operand) -> Tensor:
        return OPS["eq"](self, other)  # type: ignore[override]

    def __ne__(self, other: Operand) -> Tensor:
        return OPS["ne"](self, other)  # type: ignore[override]

    def __lt__(self, other: Operand) -> Tensor:
        return OPS["lt"](self, other)

    def __le__(self, other: Operand) -> Tensor:
        return OPS["le"](self, other)

    def __gt__(self, other: Operand) -> Tensor:
        return OPS["gt"](self, other)

    def __ge__(self, other: Operand) -> Tensor:
        return OPS["ge"](self, other)

    def __and__(self, other: Operand) -> Tensor:
        return OPS["bitwise_and"](self, other)

    def __rand__(self, other: Operand) -> Tensor:
        return OPS["bitwise_and"](other, self)

    def __or__(self, other: Operand) -> Tensor:
        return OPS["bitwise_or"](self, other)

    def __ror__(self, other: Operand) -> Tensor:
        return OPS["bitwise_or"](other, self)

    def __invert__(self) -> Tensor:
        return OPS["bitwise_not"](self)

    def eq(self, other: Operand) -> Tensor:
        return OPS["eq"](self, other)

    def ne(self, other: Operand) -> Tensor:
        return OPS["ne"](self, other)

    def lt(self, other: Operand) -> Tensor:
        return OPS["lt"](self, other)

    def le(self, other: Operand) -> Tensor:
        return OPS["le"](self, other)

    def gt(self, other: Operand) -> Tensor:
        return OPS["gt"](self, other)

    def ge(self, other: Operand) -> Tensor:
        return OPS["ge"](self, other)

    def add(self, other: Operand) -> Tensor:
        return OPS["add"](self, other)

    def sub(self, other: Operand) -> Tensor:
        return OPS["sub"](self, other)

    def mul(self, other: Operand) -> Tensor:
        return OPS["mul"](self, other)

    def div(self, other: Operand) -> Tensor:
        return OPS["div"](self, other)

    def neg(self) -> Tensor:
        return OPS["neg"](self)

    def matmul(self, other: Operand) -> Tensor:
        return OPS["matmul"](self, other)

    def maximum(self, other: Operand) -> Tensor:
        return OPS["maximum"](self, other)

    def minimum(self, other: Operand) -> Tensor:
        return OPS["minimum"](self, other)

    def clamp_min(self, low: Operand) -> Tensor:
        return OPS["clamp_min"](self, low)

    def clamp_max(self, high: Operand) -> Tensor:
        return OPS["clamp_max"](self, high)

    def pow(self, exponent: Operand) -> Tensor:
        return OPS["pow"](self, exponent)

    def exp(self) -> Tensor:
        return OPS["exp"](self)

    def log(self) -> Tensor:
        return OPS["log"](self)

    def sqrt(self) -> Tensor:
        return OPS["sqrt"](self)

    def abs(self) -> Tensor:
        return OPS["abs"](self)

    def sign(self) -> Tensor:
        return OPS["sign"](self)

    def sin(self) -> Tensor:
        return OPS["sin"](self)

    def cos(self) -> Tensor:
        return OPS["cos"](self)

    def tanh(self) -> Tensor:
        return OPS["tanh"](self)

    def sigmoid(self) -> Tensor:
        return OPS["sigmoid"](self)

    def relu(self) -> Tensor:
        return OPS["relu"](self)

    def softmax(self, dim: int) -> Tensor:
        return OPS["softmax"](self, dim=dim)

    def log_softmax(self, dim: int) -> Tensor:
        return OPS["log_softmax"](self, dim=dim)

    # In place: for leaves, under no_grad
    def __iadd__(self, other: Operand) -> Tensor:
        return self.change("+=", operator.iadd, other)

    def __isub__(self, other: Operand) -> Tensor:
        return self.change("-=", operator.isub, other)

    def __imul__(self, other: Operand) -> Tensor:
        return self.change("*=", operator.imul, other)

    def __itruediv__(self, other: Operand) -> Tensor:
        return self.change("/=", operator.itruediv, other)

    def __setitem__(self, index: Any, value: Operand) -> None:
        self.change("[…] =", operator.setitem, index, value)

    # Reductions
    def sum(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        return OPS["sum"](self, dim=dim, keepdim=keepdim)

    def mean(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        return OPS["mean"](self, dim=dim, keepdim=keepdim)

    def prod(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return OPS["prod"](self, dim=dim, keepdim=keepdim)

    def cumsum(self, dim: int) -> Tensor:
        return OPS["cumsum"](self, dim=dim)

    def logsumexp(self, dim: Dim, keepdim: bool = False) -> Tensor:
        return OPS["logsumexp"](self, dim=dim, keepdim=keepdim)

    def amax(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        return OPS["amax"](self, dim=dim, keepdim=keepdim)

    def amin(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        return OPS["amin"](self, dim=dim, keepdim=keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return OPS["argmax"](self, dim=dim, keepdim=keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return OPS["argmin"](self, dim=dim, keepdim=keepdim)

    # Names for several ops, of which `functional` chooses one; the import is local, for the engine stands
    # without it
    def clamp(self, min: Operand = None, max: Operand = None) -> Tensor:
        from ..functional import clamp

        return clamp(self, min, max)

    def masked_fill(self, mask: Operand, value: Operand) -> Tensor:
        from ..functional import masked_fill

        return masked_fill(self, mask, value)

    def max(self, dim: Operand = None, keepdim: bool = False) -> Any:
        from ..functional import max

        return max(self, dim, keepdim)

    def min(self, dim: Operand = None, keepdim: bool = False) -> Any:
        from ..functional import min

        return min(self, dim, keepdim)

    def norm(self, p: float | str = "fro", dim: Dim = None, keepdim: bool = False) -> Tensor:
        from ..functional import norm

        return norm(self, p, dim, keepdim)

    def std(
        self,
        dim: Dim | bool = None,
        unbiased: bool = True,
        keepdim: bool = False,
        *,
        correction: float | None = None,
    ) -> Tensor:
        from ..functional import std

        return std(self, dim, unbiased, keepdim, correction=correction)

    def var(
        self,
        dim: Dim | bool = None,
        unbiased: bool = True,
        keepdim: bool = False,
        *,
        correction: float | None = None,
    ) -> Tensor:
        from ..functional import var

        return var(self, dim, unbiased, keepdim, correction=correction)

    # Shapes and indices
    def __getitem__(self, index: Any) -> Tensor:
        return OPS["getitem"](self, index=index)

    def reshape(self, *shape: Any) -> Tensor:
        return OPS["reshape"](self, shape=_sizes(shape))

    def view(self, *shape: Any) -> Tensor:
        return OPS["reshape"](self, shape=_sizes(shape))

    def permute(self, *dims: Any) -> Tensor:
        return OPS["permute"](self, dims=_sizes(dims))

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        return OPS["transpose"](self, dim0=dim0, dim1=dim1)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        return OPS["flatten"](self, start_dim=start_dim, end_dim=end_dim)

    def squeeze(self, dim: Dim = None) -> Tensor:
        return OPS["squeeze"](self, dim=dim)

    def unsqueeze(self, dim: int) -> Tensor:
        return OPS["unsqueeze"](self, dim=dim)

    def expand(self, *shape: Any) -> Tensor:
        return OPS["expand"](self, shape=_sizes(shape))

    def flip(self, *dims: Any) -> Tensor:
        return OPS["flip"](self, dims=_sizes(dims))

    def view_as(self, other: Operand) -> Tensor:
        return OPS["reshape"](self, shape=other.shape)

    def reshape_as(self, other: Operand) -> Tensor:
        return OPS["reshape"](self, shape=other.shape)

    def expand_as(self, other: Operand) -> Tensor:
        return OPS["expand"](self, shape=other.shape)

    def repeat(self, *repeats: Any) -> Tensor:
        return OPS["repeat"](self, repeats=_sizes(repeats))

    def roll(self, shifts: Any, dims: Any = None) -> Tensor:
        return OPS["roll"](self, shifts=shifts, dims=dims)

    def split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
        return OPS["split"](self, split_size_or_sections=split_size, dim=dim)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        return OPS["chunk"](self, chunks=chunks, dim=dim)

    def gather(self, dim: int, index: Operand) -> Tensor:
        return OPS["gather"](self, dim=dim, index=index)

    def scatter_add(self, dim: int, index: Operand, src: Operand) -> Tensor:
        return OPS["scatter_add"](self, src, dim=dim, index=index)

    def clone(self) -> Tensor:
        return OPS["clone"](self)

    def contiguous(self) -> Tensor:
        return self  # type: ignore[return-value]

    def t(self) -> Tensor:
        return self.transpose(0, 1) if self.ndim > 1 else self  # type: ignore[return-value]

    # Dtypes and plain numbers
    def to(self, dtype: DTypeLike) -> Tensor:
        return OPS["to"](self, dtype=dtype) if not isinstance(dtype, str) or dtype != "cpu" else self  # type: ignore[return-value]

    def cpu(self) -> Tensor:
        return self  # type: ignore[return-value]

    def float(self) -> Tensor:
        return self.to(np.float32)

    def double(self) -> Tensor:
        return self.to(np.float64)

    def half(self) -> Tensor:
        return self.to(np.float16)

    def long(self) -> Tensor:
        return self.to(np.int64)

    def numpy(self) -> Array:
        return self.__array__()  # type: ignore[attr-defined]

    def item(self) -> Any:
        return self.data.item()

    def tolist(self) -> Any:
        return self.data.tolist()

    def __float__(self) -> Any:
        return float(self.item())

    def __int__(self) -> Any:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.data)

    def __index__(self) -> Any:
        return operator.index(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[position] for position in range(len(self)))

    def __contains__(self, value: Operand) -> bool:
        return bool((self == value).data.any())

    # What it is
    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    @property
    def T(self) -> Tensor:
        return self.permute(*range(self.ndim)[::-1])

    @property
    def is_leaf(self) -> bool:
        return self._edge is None

    @property
    def grad_fn(self) -> Node | None:
        return self._edge[0] if self._edge else None

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    def numel(self) -> int:
        return self.data.size

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        self.requires_grad = requires_grad
        return self  # type: ignore

    # For looking at; the import is local, for the engine stands without it
    def tape(self) -> Tape:
        from ..debug.listing import Tape

        return Tape(self)  # type: ignore[arg-type]

    def steps(self, gradient: Operand = None, retain_graph: bool = False) -> Iterator[Step]:
        from ..debug.walk import steps

        return steps(self, gradient, retain_graph)  # type: ignore[arg-type]

    def record(self, gradient: Operand = None) -> Recording:
        from ..debug.record import record

        return record(self, gradient)  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        from ..debug.html import show_tensor

        return show_tensor(self)  # type: ignore[arg-type]
