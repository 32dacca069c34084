"""Questions about a graph: why has this tensor no gradient, and who keeps this graph alive."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from types import FrameType, ModuleType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..dtypes import FLOATS
from ..engine.location import OURS, show_line, show_path, show_where
from ..engine.node import Node, input_edges, nodes_behind
from ..engine.tensor import Tensor
from ..errors import show_array, show_tensor
from ..members import members_of
from .cut import cut_of

Tracked = TypeVar("Tracked")


def why_no_grad(tensor: Tensor) -> str:
    """Why `tensor.grad` is None, and what to do about it."""
    name = show_tensor(tensor)
    written = None if tensor._edge is not None and not tensor.retains_grad else tensor.grad
    if written is not None:
        return f"{name} has a .grad: {show_array(written)}"
    if not tensor.requires_grad:
        return why_none_is_wanted(tensor, name)
    if tensor._edge is not None:
        node, slot = tensor._edge
        if node._listeners is None or slot not in node._listeners.retained:
            rule = "a backward writes .grad of leaves: call retain_grad() on it before"
            return f"{name} is a result ({node!r}), and {rule}"
        asked = f"{name} asked for its gradient (retain_grad)"
        return f"{asked}, but no backward has passed {node!r}{late(node)}"
    waiting = (node for node in alive(Node) if not node.consumed)
    readers = [node for node in waiting if any(edge is tensor for edge in input_edges(node))]
    if readers:
        listed = "".join(f"\n    {node!r}" for node in readers[:5])
        read = f"{name} is read by ops that no backward has passed yet"
        return f"{read}: was the loss computed from them?{listed}"
    unread = f"no op on the tape reads {name}"
    cut = cut_of(tensor)
    if cut:
        return f"{unread}: {cut}"
    return (
        f"{unread}: it took no part in what backward() was called on, or took part under no_grad, or through "
        ".data, .detach() or .numpy(); or zero_grad() has taken its gradient away"
    )


def why_none_is_wanted(tensor: Tensor, name: str) -> str:
    """Why a tensor requires no gradient."""
    if tensor.dtype not in FLOATS:
        return (
            f"{name} is {tensor.dtype}: only floating-point tensors have gradients; "
            "convert it, x.float().requires_grad_()"
        )
    cut = cut_of(tensor)
    if cut:
        return f"{name} does not require a gradient: {cut}"
    return (
        f"{name} does not require a gradient. If it is a leaf, say tensor.requires_grad_() before the "
        "forward; if it is a result, nothing it was computed from requires one, or it was computed under "
        "no_grad, or detached"
    )


def late(node: Node) -> str:
    """What to add where a backward has passed after all."""
    return f"; the backward at {show_where(node.consumed)} passed before that" if node.consumed else ""


def alive(*wanted: type[Tracked]) -> list[Tracked]:
    """Every living object of some classes.

    By its type: isinstance would ask for the `__class__` of everything that lives, which runs the code of
    other libraries.
    """
    # To look a type up takes a third of the time of issubclass.
    types: set[type] = set(wanted)
    for base in wanted:
        types.update(subclasses_of(base))
    return [tracked for tracked in gc.get_objects() if type(tracked) in types]


def subclasses_of(of_class: type) -> Iterator[type]:
    """Its subclasses, and theirs."""
    direct: list[type] = of_class.__subclasses__()
    for subclass in direct:
        yield subclass
        yield from subclasses_of(subclass)


class Keeper(NamedTuple):
    """A live tensor that keeps a graph alive."""

    tensor: str
    nbytes: int  # what its part of the graph holds
    holders: tuple[str, ...]  # who holds the tensor

    def __repr__(self) -> str:
        holders = ", ".join(self.holders) or "nobody found"
        return f"{self.tensor} keeps {self.nbytes / 2**20:.2f} MB of graph alive; held by {holders}"


def who_keeps(loss: Tensor) -> list[Keeper]:
    """The live tensors through which the graph behind `loss` stays in memory, and what holds them.

    The largest first. A graph is freed as soon as no tensor leads into it. Empty for a leaf, and after a
    backward has freed the graph.
    """
    graph = set(nodes_behind([loss._edge.node] if loss._edge else []))
    leading = [tensor for tensor in alive(Tensor) if tensor._edge is not None and tensor._edge.node in graph]
    kept = [
        (tensor, saved_bytes(tensor._edge.node))
        for tensor in leading
        if tensor._edge and not tensor._edge.node.consumed
    ]
    keepers = [
        Keeper(show_tensor(tensor), nbytes, holders=tuple(holders_of(tensor, [leading, *kept])))
        for tensor, nbytes in kept
    ]
    return sorted(keepers, key=lambda keeper: -keeper.nbytes)


def saved_bytes(node: Node) -> int:
    """The memory of everything that a node and those behind it hold for their rules, each array once."""
    arrays: dict[int, int] = {}
    for reached in nodes_behind([node]):
        for value in reached.saved.values():
            for array in members_of(value):
                if isinstance(array, np.ndarray):
                    arrays[id(array)] = array.nbytes
    return sum(arrays.values())


def holders_of(tensor: Tensor, ours: list[Any]) -> Iterator[str]:
    """Variables, attributes and containers that hold an object, but for those of our own."""
    for frame in user_frames():
        names = [name for name, value in variables_of(frame).items() if value is tensor]
        line = show_line(show_path(frame.f_code.co_filename), frame.f_lineno)
        yield from (f"local {name!r} of {frame.f_code.co_name} ({line})" for name in names)
    for holder in gc.get_referrers(tensor):
        if issubclass(type(holder), (list, tuple, set)) and not any(holder is own for own in ours):
            yield f"a {type(holder).__name__} of {len(holder)}"
        elif issubclass(type(holder), dict):
            owner = owner_of(holder)
            yield from (
                f"{key!r} {owner}" for key, value in list(holder.items()) if value is tensor and owner
            )
        elif not issubclass(type(holder), (Tensor, Node)):
            attributes = [name for name, value in own_attributes(holder).items() if value is tensor]
            yield from (f".{name} of a {type(holder).__name__}" for name in attributes)


def own_attributes(holder: Any) -> dict[str, Any]:
    """The attributes that an object itself has, without running any code of its class."""
    try:
        attributes = object.__getattribute__(holder, "__dict__")
    except AttributeError:
        return {}
    return attributes if type(attributes) is dict else {}


def user_frames() -> Iterator[FrameType]:
    """The running functions of every thread, without this package's own.

    What a module has are globals, not locals.
    """
    for top in sys._current_frames().values():
        frame: FrameType | None = top
        while frame is not None:
            if not OURS[frame.f_code.co_filename] and frame.f_locals is not frame.f_globals:
                yield frame
            frame = frame.f_back


def variables_of(frame: FrameType) -> dict[str, Any]:
    """A function's variables, without leaving copies with its frame, which would keep their values alive."""
    variables, copies = frame.f_locals, dict(frame.f_locals)
    is_a_function = frame.f_code.co_flags & CO_OPTIMIZED
    if type(variables) is dict and is_a_function and sys.gettrace() is None:  # until Python 3.12
        variables.clear()
    return copies


def owner_of(namespace: dict[Any, Any]) -> str:
    """Whose attributes or variables a dict holds."""
    for owner in gc.get_referrers(namespace):
        if own_attributes(owner) is namespace:
            module = issubclass(type(owner), ModuleType)
            return f"in module {owner.__name__}" if module else f"of a {type(owner).__name__}"
    return "in a dict"
