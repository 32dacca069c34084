"""`Tensor`: an array on the tape. `.data` and `.grad` are plain `numpy.ndarray`s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import DTypeLike

from .. import errors
from ..dtypes import FLOATS, Array, as_array
from . import modes
from .methods import TensorMethods
from .tape import Handle, Mutations, Node, Notes, run_hooks, sweep, tick


class Tensor(TensorMethods):
    """An array that remembers how it was computed.

    `Tensor(array)` shares the array's memory (`tg.tensor` copies). Python floats and lists of them become float32 (the
    default dtype), arrays keep their dtype: bool, integer, float16, float32 or float64. Results of ops are read-only
    arrays; a view of a leaf (`w.T`, `w[0]`, `w.detach()`) follows the leaf.

    Raises DtypeError for other dtypes, and for a gradient of integers.
    """

    __slots__ = ("__weakref__", "_data", "_edge", "_notes", "_requires_grad", "_root", "_stamp", "grad", "name")
    __array_ufunc__ = None  # array + tensor is tensor.__radd__(array), on the tape; np.add(array, tensor) is a TypeError
    __hash__ = object.__hash__

    def __init__(
        self, data: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, name: str | None = None
    ) -> None:
        self._data: Array = as_array(data.data if isinstance(data, Tensor) else data, dtype)
        self._edge: tuple[Node, int] | None = None  # the node that made it and which of its outputs it is; None: a leaf
        self._root: Tensor | None = None  # the tensor whose memory this one shows, where it is a view
        self._notes: Notes | None = None  # a leaf's hooks
        self._stamp = 0  # when the memory was last changed in place
        self.grad: Array | None = None
        self.name = name
        self.requires_grad = requires_grad

    @property
    def data(self) -> Array:
        """The numbers. Setting them, `p.data -= …` included, is noticed by a backward that would read the old ones."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        array = as_array(value)
        if self._edge is not None or (self._requires_grad and array.dtype not in FLOATS):
            raise errors.in_place(self, ".data =")
        self._data = array
        self.stamp()

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted for it; a result requires them if one of its inputs does."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self._edge is not None and not value:
            raise errors.GraphError(f"{self._edge[0]!r} made this tensor, so it requires grad; use detach()")
        if value and self._data.dtype not in FLOATS:
            raise errors.DtypeError(f"only floating-point tensors can require a gradient, not {errors.show_array(self._data)}")
        self._requires_grad = bool(value)

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this scalar to `.grad` of every leaf it was computed from.

        gradient: for a non-scalar, what to begin with: an array or a Tensor of this tensor's shape. The graph is freed on
        the way unless `retain_graph`. An exception on the way leaves every `.grad` as it was.

        Raises GraphError where there is nothing to go back through, TapeConsumedError the second time, MutationError where
        a tensor changed that a rule would read.
        """
        if gradient is not None or self._edge is None or self._data.size != 1:
            return deposit(sweep(*begin([self], [gradient]), retain_graph))
        one = np.array(1.0, self._data.dtype, ndmin=self._data.ndim)
        deposit(sweep({-self._edge[0].index: self._edge[0]}, {self._edge: one}, retain_graph))

    def register_hook(self, hook: Callable[[Array], Any]) -> Handle:
        """Call `hook` with the gradient of this tensor in every backward; what it returns, if anything, takes its place."""
        if not self._requires_grad:
            raise errors.needs_no_gradient(self)
        return Handle(self.note().hooks.setdefault(self._edge[1] if self._edge else 0, {}), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Handle:
        """Call `hook` with this leaf each time a backward has written its `.grad`."""
        if self._edge is not None or not self._requires_grad:
            raise errors.GraphError("register_post_accumulate_grad_hook: only a leaf that requires grad accumulates one")
        return Handle(self.note().after, hook)

    def retain_grad(self) -> None:
        """Have a backward write `.grad` of this intermediate result too."""
        if self._edge is not None:
            self.note().retained[self._edge[1]] = ref(self)

    def note(self) -> Notes:
        """Where its hooks live: on its node, or on the leaf itself."""
        if self._edge is not None:
            return self._edge[0].note()
        self._notes = self._notes or Notes()
        return self._notes

    def detach(self) -> Tensor:
        """The same numbers, in the same memory, off the tape."""
        return result(self._data, self._root or self)

    def stamp(self) -> None:
        """Note that the memory has just changed."""
        (self._root or self)._stamp = Mutations.latest = tick()

    def change(self, symbol: str, operation: Callable[..., Any], *operands: Any) -> Tensor:
        """`x -= …` and its kin, in place: for leaves, and where no recording would be falsified."""
        recording = modes.GRAD.get() and any(getattr(one, "requires_grad", False) for one in (self, *operands))
        if recording or self._edge is not None or not self._data.flags.writeable:
            raise errors.in_place(self, symbol)
        operation(self._data, *(one.data if isinstance(one, Tensor) else one for one in operands))
        self.stamp()
        return self

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if self._requires_grad:
            raise TypeError("NumPy would take this tensor off the tape in silence; use a tg function, .detach() or .data")
        return np.array(self._data, dtype) if copy else np.asarray(self._data, dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._edge is not None:
            raise errors.GraphError(f"{self._edge[0]!r} made this tensor; only leaves can be copied or pickled: detach() it")
        return _rebuild, (type(self), self._data, self._requires_grad, self.name, self.grad)

    def __repr__(self) -> str:
        numbers = np.array2string(self._data, separator=", ", prefix="tensor(", threshold=200)
        made = f", made by {self._edge[0].op.name}" if self._edge else ", requires_grad=True" if self._requires_grad else ""
        return f"tensor({numbers}, {errors.show_array(self._data)}{made}{f', name={self.name!r}' if self.name else ''})"


def _rebuild(kind: type[Tensor], data: Array, requires_grad: bool, name: str | None, grad: Array | None) -> Tensor:
    """A leaf out of its pickle, or its copy."""
    tensor = kind.__new__(kind)
    Tensor.__init__(tensor, data, None, requires_grad, name)
    tensor.grad = grad
    return tensor


def result(array: Array, root: Tensor | None = None, edge: tuple[Node, int] | None = None) -> Tensor:
    """A Tensor around what an op computed: `__init__` without its checks, which a result needs none of."""
    tensor = object.__new__(Tensor)
    tensor._data, tensor._root, tensor._edge, tensor._requires_grad = array, root, edge, edge is not None
    tensor._notes = tensor.grad = tensor.name = None
    tensor._stamp = 0
    return tensor


def lift(node: Node) -> list[Any]:
    """The values a node's rules read, as Tensors on the tape: it makes the rules themselves differentiable.

    Kept choices (masks, indices) stay arrays. A kept float is derived again from the other values: as a constant it would
    hide its part of the second derivative.
    """
    if node.op.once:
        raise errors.only_once(node.op)
    values = {name: lift_value(node, name, value) for name, value in zip(node.op.saves, node.saved)}
    for name in node.op.keeps:
        if name in values and values[name].dtype in FLOATS:
            values[name] = node.op.derive(name, values, node.params)
    return list(values.values())


def lift_value(node: Node, name: str, value: Any) -> Any:
    """One saved value, on the tape again if it is an input or an output."""
    if name == "y":
        edges: Any = [(node, slot) for slot in range(len(node.outputs))]
    elif name in node.op.inputs:
        edges = node.edges[node.op.inputs.index(name)]
    else:
        return value
    if isinstance(value, tuple):
        return tuple(lift_array(one, edge) for one, edge in zip(value, edges or [None] * len(value)))
    return lift_array(value, edges[0] if name == "y" else edges)


def lift_array(array: Any, edge: Any) -> Any:
    """A saved array as the Tensor it was; a constant becomes a Tensor off the tape."""
    return edge if array is None or isinstance(edge, Tensor) else result(array, None, edge)


def begin(tensors: Sequence[Tensor], gradients: Sequence[Any], lifted: bool = False) -> tuple[dict[int, Node], dict[Any, Any]]:
    """Where a sweep starts: the nodes that made these tensors, and the gradients of their outputs."""
    ahead: dict[int, Node] = {}
    grads: dict[Any, Any] = {}
    for tensor, gradient in zip(tensors, gradients):
        if not tensor._requires_grad:
            raise errors.needs_no_gradient(tensor)
        if gradient is None and tensor._data.size != 1:
            raise errors.needs_seed(tensor)
        gradient = np.ones_like(tensor._data) if gradient is None else gradient
        gradient = gradient if isinstance(gradient, Tensor) else Tensor(gradient, tensor._data.dtype)
        if gradient._data.shape != tensor._data.shape:
            raise errors.wrong_seed(tensor, gradient)
        edge, gradient = tensor._edge or tensor, gradient if lifted else gradient._data
        grads[edge] = grads[edge] + gradient if edge in grads else gradient
        if tensor._edge is not None:
            ahead[-tensor._edge[0].index] = tensor._edge[0]
    return ahead, grads


def deposit(found: dict[Any, Any]) -> None:
    """Write a sweep's gradients to `.grad`: each its own C-contiguous array, and none before all of them are ready."""
    fresh: list[tuple[Tensor, Array]] = []
    for edge, gradient in found.items():
        tensor = edge[0].notes.retained[edge[1]]() if type(edge) is tuple else edge
        if tensor is not None:
            gradient = hooked(tensor, gradient)
            fresh.append((tensor, gradient.copy() if tensor.grad is None else tensor.grad + gradient))
    for tensor, gradient in fresh:
        tensor.grad = gradient
    for tensor, _ in fresh:
        for hook in tuple(tensor._notes.after.values()) if tensor._notes else ():
            hook(tensor)


def hooked(leaf: Tensor, gradient: Any) -> Any:
    """The gradient of a leaf after the leaf's hooks."""
    return run_hooks(leaf._notes.hooks.get(0, {}), gradient) if leaf._notes else gradient


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, as Tensors; no `.grad` is touched.

    grad_outputs: what to begin with, one for each output; may be left out for scalars. With `create_graph` the gradients
    are on the tape themselves, so they can be differentiated again. retain_graph: by default as create_graph.

    Raises GraphError for an input that the outputs do not depend on, unless `allow_unused` (its gradient is None then).
    """
    outputs, inputs = ([one] if isinstance(one, Tensor) else list(one) for one in (outputs, inputs))
    seeds = grad_outputs if isinstance(grad_outputs, (list, tuple)) else [grad_outputs] * len(outputs)
    if len(seeds) != len(outputs):
        raise errors.GraphError(f"grad: {len(outputs)} outputs but {len(seeds)} grad_outputs; pass one for each")
    edges = [tensor._edge or tensor for tensor in inputs]
    keep = create_graph if retain_graph is None else retain_graph
    lifting = (lift, Tensor) if create_graph else ()
    with modes.enable_grad() if create_graph else modes.no_grad():
        found = sweep(*begin(outputs, seeds, create_graph), keep, set(edges), *lifting)
        gradients = [hooked(one, found.get(one)) if one in found and isinstance(one, Tensor) else found.get(one) for one in edges]
    for tensor, gradient in zip(inputs, gradients):
        if gradient is None and not allow_unused:
            raise errors.unused(tensor)
    return tuple(one if create_graph or one is None else Tensor(one.copy()) for one in gradients)
