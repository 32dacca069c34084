"""Tensor's other methods: reductions, shapes and indices, and ways of looking at it.

Names and arguments are PyTorch's. Each finds its op in the registry; what it computes, and what is raised,
stands in the op's docstring.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from ..dtypes import Array, check_float_dtype
from ..errors import show_array
from ..size import Size, size_of
from ..spellings import spelled, spelled_methods
from .grad import Grad
from .index_order import in_pytorchs_order
from .memory import Memory
from .node import Node, Output
from .operators import Operand, in_dtype
from .registry import COMPOSITES, OPS, door, if_open

if TYPE_CHECKING:
    from typing_extensions import Self

Dim = int | tuple[int, ...] | None


def as_sizes(sizes: tuple[Any, ...], by_name: Any = None) -> tuple[int, ...]:
    """`x.reshape(2, 3)`, `x.reshape((2, 3))` and `x.reshape(shape=(2, 3))` alike; what is no integer is left
    to the op to refuse. Raises TypeError for what is given twice.
    """
    if by_name is not None:
        if sizes:
            raise TypeError(f"{by_name!r} is given by name, but {sizes} stand there too; give one of them")
        sizes = (by_name,)
    listed = sizes[0] if len(sizes) == 1 and np.iterable(sizes[0]) else sizes
    try:
        return tuple(map(operator.index, listed))
    except TypeError:
        return tuple(listed)


@spelled_methods
class TensorMethods(Grad):
    """What a Tensor can do beside being on the tape."""

    __slots__ = ()

    _data: Array
    _edge: Output | None
    _memory: Memory | None

    # Reductions
    def sum(self, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Self:
        return in_dtype(OPS["sum"](in_dtype(self, dtype), dim=dim, keepdim=keepdim), dtype)

    def mean(self, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Self:
        x = in_dtype(self, dtype)
        check_float_dtype("mean", dtype)
        return OPS["mean"](x, dim=dim, keepdim=keepdim)

    def prod(self, dim: int | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Self:
        return in_dtype(OPS["prod"](in_dtype(self, dtype), dim=dim, keepdim=keepdim), dtype)

    def cumsum(self, dim: int, *, dtype: DTypeLike | None = None) -> Self:
        return in_dtype(OPS["cumsum"](in_dtype(self, dtype), dim=dim), dtype)

    def logsumexp(self, dim: Dim, keepdim: bool = False) -> Self:
        return OPS["logsumexp"](self, dim=dim, keepdim=keepdim)

    def amax(self, dim: Dim = None, keepdim: bool = False) -> Self:
        return OPS["amax"](self, dim=dim, keepdim=keepdim)

    def amin(self, dim: Dim = None, keepdim: bool = False) -> Self:
        return OPS["amin"](self, dim=dim, keepdim=keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Self:
        return OPS["argmax"](self, dim=dim, keepdim=keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Self:
        return OPS["argmin"](self, dim=dim, keepdim=keepdim)

    # Names for several ops, of which a composite chooses one
    def max(self, dim: Operand = None, keepdim: bool = False) -> Any:
        return COMPOSITES["max"](self, dim, keepdim)

    def min(self, dim: Operand = None, keepdim: bool = False) -> Any:
        return COMPOSITES["min"](self, dim, keepdim)

    def norm(
        self,
        p: float | str = "fro",
        dim: Dim = None,
        keepdim: bool = False,
        *,
        dtype: DTypeLike | None = None,
    ) -> Self:
        return COMPOSITES["norm"](self, p, dim, keepdim, dtype=dtype)

    def std(
        self,
        dim: Dim | bool = None,
        unbiased: bool = True,
        keepdim: bool = False,
        *,
        correction: float | None = None,
    ) -> Self:
        return COMPOSITES["std"](self, dim, unbiased, keepdim, correction=correction)

    def var(
        self,
        dim: Dim | bool = None,
        unbiased: bool = True,
        keepdim: bool = False,
        *,
        correction: float | None = None,
    ) -> Self:
        return COMPOSITES["var"](self, dim, unbiased, keepdim, correction=correction)

    # Shapes and indices
    def __getitem__(self, index: Any) -> Self:
        return OPS["getitem"](self, index=in_pytorchs_order(index, self._data.shape))

    def reshape(self, *sizes: Any, shape: Any = None) -> Self:
        return OPS["reshape"](self, shape=as_sizes(sizes, shape))

    def view(self, *sizes: Any, size: Any = None) -> Self:
        return OPS["reshape"](self, shape=as_sizes(sizes, size))

    def permute(self, *order: Any, dims: Any = None) -> Self:
        return OPS["permute"](self, dims=as_sizes(order, dims))

    def transpose(self, dim0: int, dim1: int) -> Self:
        return OPS["transpose"](self, dim0=dim0, dim1=dim1)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Self:
        return OPS["flatten"](self, start_dim=start_dim, end_dim=end_dim)

    def squeeze(self, dim: Dim = None) -> Self:
        return OPS["squeeze"](self, dim=dim)

    def unsqueeze(self, dim: int) -> Self:
        return OPS["unsqueeze"](self, dim=dim)

    def expand(self, *sizes: Any, size: Any = None) -> Self:
        return OPS["expand"](self, shape=as_sizes(sizes, size))

    def flip(self, *axes: Any, dims: Any = None) -> Self:
        return OPS["flip"](self, dims=as_sizes(axes, dims))

    def view_as(self, other: Operand) -> Self:
        return OPS["reshape"](self, shape=np.shape(other))

    def reshape_as(self, other: Operand) -> Self:
        return OPS["reshape"](self, shape=np.shape(other))

    def expand_as(self, other: Operand) -> Self:
        return OPS["expand"](self, shape=np.shape(other))

    def repeat(self, *times: Any, repeats: Any = None) -> Self:
        return OPS["repeat"](self, repeats=as_sizes(times, repeats))

    def roll(self, shifts: Any, dims: Any = None) -> Self:
        return OPS["roll"](self, shifts=shifts, dims=dims)

    def split(self, split_size: Any, dim: int = 0) -> tuple[Self, ...]:
        return OPS["split"](self, split_size_or_sections=split_size, dim=dim)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Self, ...]:
        return OPS["chunk"](self, chunks=chunks, dim=dim)

    def gather(self, dim: int, index: Operand) -> Self:
        return OPS["gather"](self, dim=dim, index=index)

    def unfold(self, dimension: int, size: int, step: int) -> Self:
        return COMPOSITES["sliding_windows"](self, dimension, size, step)

    def scatter_add(self, dim: int, index: Operand, src: Operand) -> Self:
        return OPS["scatter_add"](self, src, dim=dim, index=index)

    @spelled
    def clone(self) -> Self:
        return OPS["clone"](self)

    @spelled
    def contiguous(self) -> Self:
        shared = self._memory is not None and self._memory.beside(self)
        return OPS["clone"](self) if shared and not self._data.flags.c_contiguous else self

    def t(self) -> Self:
        return self.transpose(0, 1) if self.ndim > 1 else self

    # New ones of its dtype
    def new_zeros(self, *size: Any, **options: Any) -> Self:
        return COMPOSITES["new_zeros"](self, *size, **options)

    def new_ones(self, *size: Any, **options: Any) -> Self:
        return COMPOSITES["new_ones"](self, *size, **options)

    def new_empty(self, *size: Any, **options: Any) -> Self:
        return COMPOSITES["new_empty"](self, *size, **options)

    def new_full(self, size: Any, fill_value: Any, **options: Any) -> Self:
        return COMPOSITES["new_full"](self, size, fill_value, **options)

    def new_tensor(self, data: Any, **options: Any) -> Self:
        return COMPOSITES["new_tensor"](self, data, **options)

    # As a sequence
    def __len__(self) -> int:
        if not self._data.ndim:
            raise TypeError(f"a tensor without dimensions, {show_array(self._data)}, has no length")
        return len(self._data)

    def __iter__(self) -> Iterator[Self]:
        return (self[position] for position in range(len(self)))

    def __contains__(self, value: Operand) -> bool:
        return bool((self == value)._data.any())

    # What it is
    @property
    def shape(self) -> Size:
        return size_of(self._data.shape)

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._data.dtype

    @property
    def T(self) -> Self:
        return self.permute(*range(self.ndim)[::-1])

    @property
    def is_leaf(self) -> bool:
        return self._edge is None

    @property
    def grad_fn(self) -> Node | None:
        return None if self._edge is None else self._edge.node

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    def numel(self) -> int:
        return self._data.size

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        self.requires_grad = requires_grad
        return self

    # For looking at: what an upper floor provides, through its door
    def tape(self) -> Any:
        """The program that made this tensor, as a list of lines: a `tg.debug.Tape`."""
        return door("tape")(self)

    def steps(self, gradient: Operand = None, retain_graph: bool = False) -> Iterator[Any]:
        """The backward one op at a time: a `tg.debug.Step` for each, newest op first."""
        steps: Iterator[Any] = door("steps")(self, gradient, retain_graph)
        return steps

    def record(self, gradient: Operand = None) -> Any:
        """The backward as data, a `tg.debug.Recording`; nothing is freed, no `.grad` is written."""
        return door("record")(self, gradient)

    def _repr_html_(self) -> str | None:
        return if_open("tensor_html", self)

    def __dir__(self) -> list[str]:
        """Without T and mT: a debugger's pane reads every name in here, and these apply an op."""
        return [name for name in object.__dir__(self) if name not in ("T", "mT")]
