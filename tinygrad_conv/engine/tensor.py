"""`Tensor`: an array on the tape. `.data` and `.grad` are plain `numpy.ndarray`s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from threading import RLock
from typing import Any
from weakref import ref

import numpy as np

from ..dtypes import FLOATS, Array, as_array
from ..errors import DtypeError, GraphError, ShapeError, show_array, show_tensor
from ..options import FLAG, check_option
from .backward import Gradients, sweep
from .commit import set_all
from .hooks import Handle, Listeners
from .in_place import leaf_error
from .location import user_where
from .memory import Memory
from .methods import TensorMethods
from .modes import BACKWARD, OBSERVATION, enable_grad, no_grad, observed_by, told
from .node import Node, Output, Versions, tick
from .printing import show_numbers
from .registry import picture

GRAD_LOCK = RLock()  # reentrant: a finaliser may run anywhere, and go backward
"""Guards every `.grad` where it is added to, against backwards in other threads. No hook runs under it."""


class Tensor(TensorMethods):
    """An array that remembers how it was computed.

    `Tensor(array)` shares the array's memory (`tg.tensor` copies). Python floats and lists of them become
    float32 (the default dtype), arrays keep their dtype: bool, integer, float16, float32 or float64; others,
    and a gradient of integers, are a DtypeError. Results of ops are read-only; a view of a leaf (`w.T`,
    `w[0]`, `w.detach()`) follows the leaf's changes in place, not `w.data = …`.
    """

    __slots__ = ("__weakref__", "_data", "_edge", "_listeners", "_memory", "_requires_grad", "name")
    __hash__ = object.__hash__

    def __init__(
        self, data: Any, dtype: Any = None, requires_grad: bool = False, name: str | None = None
    ) -> None:
        self._data: Array = as_array(data.data if isinstance(data, Tensor) else data, dtype)
        self._edge: Output | None = None  # which output of which node it is; None: a leaf
        self._memory: Memory | None = None  # what it shares with its views, once somebody asks: memory()
        self._listeners: Listeners | None = None  # of a leaf: the hooks on its gradient
        self._grad = None
        self.name = name
        self._requires_grad = False
        if requires_grad is not False:
            check_option("Tensor", "requires_grad", FLAG, requires_grad)
        if requires_grad:
            check_may_require_grad(self)
            self._requires_grad = True
        if isinstance(data, Tensor) and self._data is data._data:
            self.join(data)

    @property
    def data(self) -> Array:
        """The numbers, an array. Setting them, `p.data -= …` too, is noticed: a backward through what was
        computed from them before is refused.

        What PyTorch's scripts do with `.data` and `.grad` as tensors, in NumPy's words:

            w.data.normal_(0, 0.02)    nn.init.normal_(w, 0, 0.02)
            w.data.fill_(1)            w.data[...] = 1
            w.data.copy_(v)            w.data[...] = v
            w.data.clone()             w.data.copy()
            w.data.add_(v, alpha=a)    w.data += a * v
            w.grad.zero_()             w.grad = None
            w.grad.norm()              np.linalg.norm(w.grad)
            out.data.max(1)[1]         out.data.argmax(1)
            x.data.std()               x.data.std(ddof=1)
            x.data.transpose(0, 1)     x.data.swapaxes(0, 1)
            x.data.repeat(2, 1)        np.tile(x.data, (2, 1))
            w.grad.data                w.grad
        """
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        array = as_array(value)
        if self._edge is not None or (self._requires_grad and array.dtype not in FLOATS):
            raise leaf_error(self, "x.data = …")
        self._data = array if array.flags.writeable else array.copy()  # what an op made is never updated
        self.mark_changed()

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted for it; a result requires them if one of its inputs does."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        check_option("Tensor", "requires_grad", FLAG, value)
        if self._edge is not None and not value:
            raise GraphError(f"{self._edge.node!r} made this tensor, so it requires grad; use detach()")
        if value and not self._requires_grad:
            check_may_require_grad(self)
            if not self._data.flags.writeable:  # what an op made becomes a leaf of its own, to be updated
                self._data, self._memory = copied(self._data), None
        self._requires_grad = bool(value)

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this scalar to `.grad` of every leaf it was computed from.

        gradient: for a non-scalar, what to begin with: an array or a Tensor of this tensor's shape. The graph
        is freed on the way unless `retain_graph`. An exception on the way leaves every `.grad` as it was.
        Raises GraphError where there is nothing to go back through, TapeConsumedError the second time,
        MutationError where what a rule would read has changed.
        """
        check_option("backward", "retain_graph", FLAG, retain_graph)
        accumulate(backpropagate([self], [gradient], retain_graph))

    def register_hook(self, hook: Callable[[Array], Any]) -> Handle:
        """Call `hook` with the gradient of this tensor in every backward; what it returns, if anything, takes
        its place.
        """
        check_requires_grad(self)
        slot = 0 if self._edge is None else self._edge.slot
        return Handle(self.listeners().hooks.setdefault(slot, {}), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Handle:
        """Call `hook` with this leaf each time a backward has written its `.grad`."""
        check_leaf(self, "register_post_accumulate_grad_hook")
        return Handle(self.listeners().accumulated, hook)

    def retain_grad(self) -> None:
        """Have a backward write `.grad` of this intermediate result too."""
        if self._edge is not None:
            self.listeners().retained[self._edge.slot] = ref(self)

    def listeners(self) -> Listeners:
        """Its hooks: they live on the node that made it, or on the leaf itself."""
        if self._edge is not None:
            return self._edge.node.listeners()
        if self._listeners is None:
            self._listeners = Listeners()
        return self._listeners

    def detach(self) -> Tensor:
        """The same numbers, in the same memory, off the tape."""
        return view_of(self._data, self)

    def memory(self) -> Memory:
        """What it shares with all that show the same memory."""
        if self._memory is None:
            self._memory = Memory(self, changeable=self._edge is None and self._data.flags.writeable)
        return self._memory

    @property
    def _version(self) -> int:
        """The version counter: when its memory was last changed in place, 0 for never."""
        return 0 if self._memory is None else self._memory.version

    def join(self, other: Tensor, copied: bool = False) -> None:
        """Be one more tensor that shows the memory of another, or stands for a view that had to be copied."""
        copied = copied or (other._memory is not None and other._memory.has_own_array(other))
        self._memory = other.memory()
        self._memory.add(self, user_where(), copied)

    def mark_changed(self) -> None:
        """Note that the memory has just been changed in place."""
        self.memory().version = Versions.latest = tick()

    def __reduce__(self) -> tuple[Any, ...]:
        check_leaf(self, "copy, pickle")
        slots = {"requires_grad": self._requires_grad, "name": self.name, "grad": self.grad}
        return type(self), (self._data,), (None, slots)

    def __repr__(self) -> str:
        numbers = show_numbers(self._data, "tensor(")
        leaf = ", requires_grad=True" if self._requires_grad else ""
        origin = f", made by {self._edge.node.op.name}" if self._edge is not None else leaf
        name = f", name={self.name!r}" if self.name else ""
        return f"tensor({numbers}, {show_array(self._data)}{origin}{name})"


def is_tensor(obj: Any) -> bool:
    """Whether it is a Tensor."""
    return isinstance(obj, Tensor)


def tensor_of(array: Array, edge: Output | None = None) -> Tensor:
    """A Tensor around what an op computed: `__init__` without its checks, which a result needs none of."""
    tensor = object.__new__(Tensor)
    tensor._data = array
    tensor._edge = edge
    tensor._memory = None
    tensor._requires_grad = edge is not None
    tensor._listeners = None
    tensor.name = None  # and no grad: as long as none has been written, there is none
    return tensor


def view_of(array: Array, other: Tensor, copied: bool = False) -> Tensor:
    """A Tensor around an array that shows the memory of another."""
    tensor = tensor_of(array)
    tensor.join(other, copied)
    return tensor


def backpropagate(
    outputs: Sequence[Tensor],
    seeds: Sequence[Any],
    retain_graph: bool,
    wanted: set[Any] | None = None,
    create_graph: bool = False,
) -> dict[Any, Any]:
    """The gradients by edge of a sweep that begins at these outputs, with a gradient for each of them."""
    consumer = None if retain_graph else user_where()
    lifting = (lift, Tensor) if create_graph else (None, np.ndarray)
    observation = OBSERVATION.get()  # a debugger or a check looks on, with Gradients of its own: observe.py
    if observation is None:
        return sweep_from(Gradients(consumer, wanted, *lifting), outputs, seeds)
    with observed_by(observation.inside_rules()):
        return sweep_from(observation.gradients(consumer, wanted, *lifting), outputs, seeds)


def sweep_from(gradients: Gradients, outputs: Sequence[Tensor], seeds: Sequence[Any]) -> dict[Any, Any]:
    """Begin with the seeds, and sweep; where this backward is, `modes.BACKWARD` tells."""
    enter_seeds(gradients, outputs, seeds)
    around = BACKWARD.get()
    try:
        BACKWARD.set(gradients)
        return sweep(gradients)
    finally:
        BACKWARD.set(around)


def enter_seeds(gradients: Gradients, outputs: Sequence[Tensor], seeds: Sequence[Any]) -> None:
    """Enter the gradients that a backward begins with."""
    for tensor, seed in zip(outputs, seeds):
        check_requires_grad(tensor)
        gradients.add(tensor._edge or tensor, seed_for(tensor, seed, gradients))


def seed_for(tensor: Tensor, gradient: Any, gradients: Gradients) -> Any:
    """The gradient that a backward of the tensor begins with: 1 for a scalar, where none was given."""
    if gradient is None:
        check_scalar(tensor)
        ones = np.empty_like(tensor._data)
        ones.fill(1)  # np.ones takes five times as long
        return gradients.of(ones)
    seed = gradient if isinstance(gradient, Tensor) else Tensor(gradient, tensor.dtype)
    check_seed(tensor, seed)
    return seed._data if gradients.lift is None else seed


NO_GRAD = repeat(None)  # for as many tensors as there are


def accumulate(gradients: dict[Any, Any]) -> None:
    """Add a sweep's gradients to `.grad`: each its own C-contiguous array, and none before all are ready."""
    tensors: list[Tensor] = []
    totals: list[Array] = []
    with GRAD_LOCK:
        for edge, gradient in gradients.items():
            tensor = edge.node.listeners().retained[edge.slot]() if type(edge) is Output else edge
            if tensor is not None:  # a result that was to retain its gradient may be gone
                tensors.append(tensor)
                before = getattr(tensor, "_grad", None)  # .grad without its warning
                totals.append(gradient.copy() if before is None else np.add(before, gradient, order="C"))
        set_all(tensors, "_grad", totals)
    for tensor in tensors:
        if tensor._listeners is not None:
            for hook in tuple(tensor._listeners.accumulated.values()):
                hook(tensor)


@told
def copied(array: Array) -> Array:
    """A copy of an array."""
    return array.copy()


@told
def clear_grads(tensors: list[Any], set_to_none: bool) -> None:
    """Forget the gradients, or replace them by zeros: those of all tensors, or none."""
    if set_to_none is not True:
        check_option("zero_grad", "set_to_none", FLAG, set_to_none)
    with GRAD_LOCK:
        if set_to_none:
            set_all(tensors, "_grad", NO_GRAD)
        else:
            zeros = [None if tensor.grad is None else np.zeros_like(tensor.grad) for tensor in tensors]
            set_all(tensors, "_grad", zeros)


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
    retain_graph = create_graph if retain_graph is None else retain_graph
    flags = {"retain_graph": retain_graph, "create_graph": create_graph, "allow_unused": allow_unused}
    for name, value in flags.items():
        check_option("grad", name, FLAG, value)
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    seeds = grad_outputs if isinstance(grad_outputs, (list, tuple)) else [grad_outputs] * len(outputs)
    if len(seeds) != len(outputs):
        raise GraphError(f"grad: {len(outputs)} outputs but {len(seeds)} grad_outputs; pass one for each")
    edges = [tensor if tensor._edge is None else tensor._edge for tensor in inputs]
    with enable_grad() if create_graph else no_grad():
        by_edge = backpropagate(outputs, seeds, retain_graph, set(edges), create_graph)
    gradients = [by_edge.get(edge) for edge in edges]
    if not allow_unused:
        check_used(inputs, gradients)
    if create_graph:
        return tuple(gradients)
    return tuple(None if gradient is None else Tensor(copied(gradient)) for gradient in gradients)


def lift(node: Node) -> dict[str, Any]:
    """What a node saved, as Tensors on the tape: it makes the rules themselves differentiable.

    Kept choices (masks, indices) stay arrays. A kept float is derived again from the other values: as a
    constant it would hide its part of the second derivative.
    """
    op = node.op
    if op.once:
        raise GraphError(
            f"{op.name} was declared differentiable once, so create_graph=True cannot go through it"
        )
    edges = dict(zip(op.inputs, node.edges))
    outputs = [Output(node, slot) for slot in range(len(node.outputs))]
    edges["y"] = outputs if node.several else outputs[0]
    values = {
        name: lift_value(value, edges[name]) if name in edges else value for name, value in node.saved.items()
    }
    for name in op.keeps:
        if name in values and values[name].dtype in FLOATS:
            values[name] = op.derive(name, values, node.params)
    return values


def lift_value(value: Any, edge: Any) -> Any:
    """A saved array (or a tuple of them) as the Tensor it was; a constant becomes a Tensor off the tape."""
    if type(value) is tuple:
        return tuple(map(lift_value, value, edge or [None] * len(value)))
    return edge if value is None or isinstance(edge, Tensor) else tensor_of(value, edge)


def check_requires_grad(tensor: Tensor) -> None:
    """Refuse a backward from what needs no gradient, or a hook on it."""
    if not tensor._requires_grad:
        cut = picture("cut", tensor)
        raise GraphError(
            f"backward: {show_tensor(tensor)} needs no gradient: no tensor it was computed from has "
            f"requires_grad=True, or it was computed under no_grad, or detached{cut and '; '}{cut or ''}"
        )


def check_scalar(tensor: Tensor) -> None:
    """Refuse to begin a backward of many numbers with nothing to begin with."""
    if tensor._data.size != 1:
        raise GraphError(
            f"backward of {show_array(tensor._data)} needs the gradient to begin with: pass one of its shape "
            "(tg.ones_like(y)), or reduce it to a scalar, as in y.sum().backward()"
        )


def check_seed(tensor: Tensor, seed: Tensor) -> None:
    """Refuse to begin a backward with a gradient of another shape, or of integers."""
    if seed.shape != tensor.shape:
        raise ShapeError(
            f"backward: gradient is {show_array(seed)}, but the tensor is {show_array(tensor._data)}; "
            "reshape one of them"
        )
    if seed.dtype not in FLOATS:
        raise DtypeError(f"backward: gradient is {show_array(seed)}; pass floating-point numbers")


def check_used(inputs: Sequence[Tensor], gradients: Sequence[Any]) -> None:
    """Refuse inputs that no gradient reached."""
    for tensor, gradient in zip(inputs, gradients):
        if gradient is None:
            raise GraphError(
                f"grad: the outputs do not depend on input {show_tensor(tensor)}, or it requires no grad; "
                "pass allow_unused=True to get None for it"
            )


def check_may_require_grad(tensor: Tensor) -> None:
    """Refuse a gradient of integers."""
    if tensor._data.dtype.kind != "f":
        raise DtypeError(
            f"only floating-point tensors can require a gradient, not {show_array(tensor._data)}"
        )


def check_leaf(tensor: Tensor, what: str) -> None:
    """Refuse what only a leaf can do."""
    if tensor._edge is not None:
        raise GraphError(f"{what}: {tensor._edge.node!r} made this tensor, and only a leaf can; use detach()")
