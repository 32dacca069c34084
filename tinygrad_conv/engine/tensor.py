"""`Tensor`: an array on the tape. `.data` and `.grad` are plain `numpy.ndarray`s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import DTypeLike

from .. import errors
from ..dtypes import FLOATS, Array, as_array
from ..hooks import Handle
from . import modes
from .methods import TensorMethods
from .tape import Mutations, Node, Notes, sweep, tick


class Tensor(TensorMethods):
    """An array that remembers how it was computed.

    `Tensor(array)` shares the array's memory (`tg.tensor` copies). Python floats and lists of them become
    float32 (the default dtype), arrays keep their dtype: bool, integer, float16, float32 or float64; others,
    and a gradient of integers, are a DtypeError. Results of ops are read-only; a view of a leaf (`w.T`,
    `w[0]`, `w.detach()`) follows the leaf.
    """

    __slots__ = (
        "__weakref__",
        "_data",
        "_edge",
        "_notes",
        "_requires_grad",
        "_root",
        "_stamp",
        "grad",
        "name",
    )
    __array_ufunc__ = (
        None  # array + tensor is tensor.__radd__(array), on the tape; np.add(array, tensor) is a TypeError
    )
    __hash__ = object.__hash__

    def __init__(
        self, data: Any, dtype: Any = None, requires_grad: bool = False, name: str | None = None
    ) -> None:
        self._data: Array = as_array(data.data if isinstance(data, Tensor) else data, dtype)
        self._edge: tuple[Node, int] | None = (
            None  # the node that made it and which of its outputs it is; None: a leaf
        )
        self._root: Tensor | None = None  # the tensor whose memory this one shows, where it is a view
        self._notes: Notes | None = None  # its hooks
        self._stamp = 0  # when the memory was last changed in place
        self.grad: Array | None = None
        self.name, self.requires_grad = name, requires_grad

    @property
    def data(self) -> Array:
        """The numbers. Setting them, `p.data -= …` included, is noticed by a backward that would read the old
        ones.
        """
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
        errors.check_requires_grad(self, value)
        self._requires_grad = bool(value)

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this scalar to `.grad` of every leaf it was computed from.

        gradient: for a non-scalar, what to begin with: an array or a Tensor of this tensor's shape. The graph
        is freed on the way unless `retain_graph`. An exception on the way leaves every `.grad` as it was.
        Raises GraphError where there is nothing to go back through, TapeConsumedError the second time,
        MutationError where what a rule would read has changed.
        """
        if (
            gradient is not None
            or self._edge is None
            or self._data.size != 1
            or modes.WATCH.get() is not None
        ):
            return deposit(run([self], [gradient], retain_graph))
        node, one = self._edge[0], np.array(1.0, self._data.dtype, ndmin=self._data.ndim)
        deposit(sweep({-node.index: node}, {self._edge: one}, retain_graph))

    def register_hook(self, hook: Callable[[Array], Any]) -> Handle:
        """Call `hook` with the gradient of this tensor in every backward; what it returns, if anything, takes
        its place.
        """
        errors.check_wanted(self)
        return Handle(self.note().hooks.setdefault(self._edge[1] if self._edge else 0, {}), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Handle:
        """Call `hook` with this leaf each time a backward has written its `.grad`."""
        errors.check_leaf(self, "register_post_accumulate_grad_hook")
        return Handle(self.note().after, hook)

    def retain_grad(self) -> None:
        """Have a backward write `.grad` of this intermediate result too."""
        if self._edge is not None:
            self.note().retained[self._edge[1]] = ref(self)

    def note(self) -> Notes:
        """Where its hooks live: on its node, or on the leaf itself."""
        self._notes = self._notes or (self._edge[0].note() if self._edge else Notes())
        return self._notes

    def detach(self) -> Tensor:
        """The same numbers, in the same memory, off the tape."""
        return result(self._data, self if self._root is None else self._root)

    def stamp(self) -> None:
        """Note that the memory has just changed."""
        (self if self._root is None else self._root)._stamp = Mutations.latest = tick()

    def change(self, symbol: str, operation: Callable[..., Any], *operands: Any) -> Tensor:
        """`x -= …` and its kin, in place: for leaves, and where no recording would be falsified."""
        recording = modes.GRAD.get() and any(
            getattr(one, "requires_grad", False) for one in (self, *operands)
        )
        if recording or self._edge is not None or not self._data.flags.writeable:
            raise errors.in_place(self, symbol)
        operation(self._data, *(one.data if isinstance(one, Tensor) else one for one in operands))
        self.stamp()
        return self

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        errors.check_off_tape(self)
        return np.array(self._data, dtype) if copy else np.asarray(self._data, dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        errors.check_leaf(self, "copy, pickle")
        slots = {"requires_grad": self._requires_grad, "name": self.name, "grad": self.grad}
        return type(self), (self._data,), (None, slots)

    def __repr__(self) -> str:
        return errors.show_contents(self)


def result(array: Array, root: Tensor | None = None, edge: tuple[Node, int] | None = None) -> Tensor:
    """A Tensor around what an op computed: `__init__` without its checks, which a result needs none of."""
    tensor = object.__new__(Tensor)
    tensor._data, tensor._root, tensor._edge, tensor._requires_grad = array, root, edge, edge is not None
    tensor._notes, tensor.grad, tensor.name, tensor._stamp = None, None, None, 0
    return tensor


def lift(node: Node) -> list[Any]:
    """The values a node's rules read, as Tensors on the tape: it makes the rules themselves differentiable.

    Kept choices (masks, indices) stay arrays. A kept float is derived again from the other values: as a
    constant it would hide its part of the second derivative.
    """
    errors.check_differentiable_twice(node.op)
    edges = dict(zip(node.op.inputs, node.edges))
    slots = [(node, slot) for slot in range(len(node.outputs))]
    edges["y"] = slots if node.notes and node.notes.many else slots[0]
    values = {
        name: lift_value(value, edges[name]) if name in edges else value
        for name, value in zip(node.op.saves, node.saved)
    }
    for name in node.op.keeps:
        if name in values and values[name].dtype in FLOATS:
            values[name] = node.op.derive(name, values, node)
    return list(values.values())


def lift_value(value: Any, edge: Any) -> Any:
    """A saved array (or a tuple of them) as the Tensor it was; a constant becomes a Tensor off the tape."""
    if isinstance(value, tuple):
        return tuple(map(lift_value, value, edge or [None] * len(value)))
    return edge if value is None or isinstance(edge, Tensor) else result(value, None, edge)


def run(
    tensors: Sequence[Tensor], seeds: Sequence[Any], keep: bool, wanted: Any = None, lifting: Any = None
) -> dict[Any, Any]:
    """Begin a sweep at these tensors, with the gradients of each; a debugger that watches takes it over."""
    ahead: dict[int, Node] = {}
    grads: dict[Any, Any] = {}
    for tensor, seed in zip(tensors, seeds):
        seed = seed if seed is None or isinstance(seed, Tensor) else Tensor(seed, tensor.dtype)
        errors.check_seed(tensor, seed)
        seed = Tensor(np.ones_like(tensor._data)) if seed is None else seed
        edge, gradient = tensor._edge or tensor, seed if lifting else seed._data
        grads[edge] = grads[edge] + gradient if edge in grads else gradient
        if tensor._edge is not None:
            ahead[-tensor._edge[0].index] = tensor._edge[0]
    watch = modes.WATCH.get()
    return (sweep if watch is None else watch.sweep)(ahead, grads, keep, wanted, lifting)


def deposit(found: dict[Any, Any]) -> None:
    """Write a sweep's gradients to `.grad`: each its own C-contiguous array, and none before all of them are
    ready.
    """
    fresh: list[tuple[Tensor, Array]] = []
    for edge, gradient in found.items():
        tensor = edge[0].notes.retained[edge[1]]() if type(edge) is tuple else edge
        if tensor is not None:  # a retained one may be gone
            fresh.append(
                (tensor, gradient.copy() if tensor.grad is None else np.add(tensor.grad, gradient, order="C"))
            )
    for tensor, gradient in fresh:
        tensor.grad = gradient
    for tensor, _ in fresh:
        for hook in tuple(tensor._notes.after.values()) if tensor._notes else ():
            hook(tensor)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, as Tensors; no `.grad` is touched.

    grad_outputs: what to begin with, one for each output; may be left out for scalars. With `create_graph`
    the gradients are on the tape themselves, so they can be differentiated again. retain_graph: by default as
    create_graph. Raises GraphError for an input that the outputs do not depend on, unless `allow_unused` (its
    gradient is None then).
    """
    outputs, inputs = ([one] if isinstance(one, Tensor) else list(one) for one in (outputs, inputs))
    seeds = grad_outputs if isinstance(grad_outputs, (list, tuple)) else [grad_outputs] * len(outputs)
    errors.check_seed_count(outputs, seeds)
    edges = [tensor._edge or tensor for tensor in inputs]
    with modes.enable_grad() if create_graph else modes.no_grad():
        keep, lifting = create_graph if retain_graph is None else retain_graph, lift if create_graph else None
        found = run(outputs, seeds, keep, set(edges), lifting)
    gradients = [found.get(edge) for edge in edges]
    if not allow_unused:
        errors.check_used(inputs, gradients)
    return tuple(one if create_graph or one is None else Tensor(one.copy()) for one in gradients)
