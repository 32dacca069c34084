"""`Tensor`: an array on the tape. `.data` and `.grad` are plain `numpy.ndarray`s."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

from ..dtypes import FLOATS, Array, as_array
from ..errors import DtypeError, GraphError, show_array
from ..options import FLAG, check_option
from .backpropagation import accumulate, backpropagate, check_backward, check_requires_grad
from .hooks import Handle, Listeners
from .in_place import leaf_error
from .location import user_where
from .memory import Memory
from .methods import TensorMethods
from .node import VERSIONS, Output, tick
from .observed import observable
from .printing import show_numbers


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
        self._grad = None  # what .grad shows; grad.py declares its slot
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
            w.grad.zero_()             w.grad[...] = 0
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
        if self._requires_grad and array.dtype not in FLOATS:
            raise DtypeError(
                f"x.data = …: only floating-point numbers have a gradient, not {show_array(array)}"
            )
        if self._edge is not None:
            raise leaf_error(self, "x.data = …")
        if not array.flags.writeable:  # an op's result, which stays as it is
            array = array.copy()
        self._data = array
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

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this scalar to `.grad` of every leaf it was computed from.

        gradient: for a non-scalar, what to begin with: an array or a Tensor of this tensor's shape. The graph
        is freed on the way unless `retain_graph`. An exception on the way leaves every `.grad` as it was.
        create_graph and inputs: not here, where `tg.grad` is for them. Raises ValueError for any others,
        GraphError where there is nothing to go back through, TapeConsumedError the second time, MutationError
        where what a rule would read has changed.
        """
        if retain_graph is not None or create_graph is not False or inputs is not None:
            check_backward(retain_graph, create_graph, inputs)
        accumulate(backpropagate([self], [gradient], bool(retain_graph)))

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

    def join(self, other: Tensor, copied: bool = False, stands_in: bool = False) -> None:
        """Be known as one more tensor that shows the memory of another, or stands for a view that had to be
        copied.

        copied, stands_in: as memory.py's Member has them.
        """
        if other._memory is not None:
            shown = other._memory.member(other)
            copied, stands_in = copied or shown.has_own_array, stands_in or shown.stands_in
        self._memory = other._memory or other.memory()
        self._memory.add(self, user_where(skip=1), copied, stands_in)  # who joins is ours

    def mark_changed(self) -> None:
        """Note that the memory has just been changed in place."""
        self.memory().version = VERSIONS.latest = tick()

    def __reduce__(self) -> tuple[Any, ...]:
        check_leaf(self, "copy, pickle", "x.detach(), or x.detach().numpy() where it is drawn")
        slots = {"requires_grad": self._requires_grad, "name": self.name, "grad": self.grad}
        return type(self), (self._data,), (None, slots)  # the form that pickle has for slots

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
    """A Tensor around what an op computed: `__init__` without its checks, none of which a result needs."""
    tensor = object.__new__(Tensor)
    tensor._data = array
    tensor._edge = edge
    tensor._memory = None
    tensor._requires_grad = edge is not None
    tensor._listeners = None
    tensor.name = None  # and no _grad: the slot stays empty until one is written
    return tensor


def view_of(array: Array, other: Tensor, copied: bool = False) -> Tensor:
    """A Tensor around an array that shows the memory of another."""
    tensor = tensor_of(array)
    tensor.join(other, copied)
    return tensor


@observable
def copied(array: Array) -> Array:
    """A copy of an array."""
    return array.copy()


def check_may_require_grad(tensor: Tensor) -> None:
    """Refuse a gradient of integers."""
    if tensor._data.dtype.kind != "f":
        raise DtypeError(
            f"only floating-point tensors can require a gradient, not {show_array(tensor._data)}"
        )


def check_leaf(tensor: Tensor, what: str, instead: str = "detach()") -> None:
    """Refuse what only a leaf can do."""
    if tensor._edge is not None:
        raise GraphError(
            f"{what}: {tensor._edge.node!r} made this tensor, and only a leaf can; use {instead}"
        )
