"""The one seam through which others see what the engine does: a debugger, a check, a recording.

An `Observer` is told of every op that is applied to Tensors, of every step of a sweep, and of every update by
an optimiser, in the order in which they happen; if it asks for it, also of functions that are no ops
(`observed.observable`), and of numbers that Python reads (reads.py). observed.py says who observes; while
nobody does, nothing of this file runs. Who wants to be told of sweeps alone, of every one, says `follow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from weakref import ref

from ..errors import show_value
from ..members import members_of, without_last
from .backward import Gradients, fit
from .half import apply_in_float32, is_beyond_half
from .location import Place, place_at, user_where
from .node import Node
from .numpy_calls import tensors_in
from .observed import LAYER, OBSERVATION, Followed, observed_by, unobserved
from .reads import unwatch_reads, watch_reads
from .tensor import Tensor

Self = TypeVar("Self", bound="Observer")


class Call:
    """One op being applied. `outputs` (Tensors, always a tuple) is empty until the forward has run."""

    def __init__(self, applied: Any, given: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.applied = applied  # the Op
        self.given, self.options = given, options  # its inputs and params, as they were given
        self.outputs: tuple[Tensor, ...] = ()
        self._where, self._layer = user_where(), LAYER.get()

    @property
    def op(self) -> str:
        """The name of the op."""
        name: str = self.applied.name
        return name

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs by argument; a tuple of them for a variadic one."""
        variadic = self.applied.variadic
        return {variadic: self.given} if variadic else dict(zip(self.applied.inputs, self.given))

    @property
    def params(self) -> dict[str, Any]:
        """The params, those left out included."""
        return {**self.applied.defaults, **self.options}

    @property
    def where(self) -> Place:
        """The user's line that called it."""
        return place_at(self._where, self._layer)

    @property
    def layer(self) -> str:
        """The path of the layer whose call it is, or ""."""
        return self._layer

    @property
    def node(self) -> Node | None:
        """What the op left on the tape, if it was recorded."""
        return next((output.grad_fn for output in self.outputs if output.grad_fn is not None), None)

    def __repr__(self) -> str:
        lines = [
            f"{self.op}   {self.where}",
            *(f"{name}: {show_value(x)}" for name, x in self.inputs.items()),
        ]
        return "\n    ".join([*lines, *(f"output: {show_value(output)}" for output in self.outputs)])


class Observer:
    """A `with` block in which what runs is looked at. Context-local: other threads are not.

    What rules are made of is not observed op by op, for it is part of the rule; unless `looks_into_rules`,
    which shows the ops that they apply to Tensors under create_graph. Nobody observes what an observer does
    itself.
    """

    looks_into_rules = False
    takes_functions = False  # whether it is told of functions that are no ops, and not of what is in them
    watches_reads = False  # whether it is told where Python reads the numbers of a tensor

    def __enter__(self: Self) -> Self:
        OBSERVATION.set(Observation((*observers_now(), self)))
        if self.watches_reads:
            watch_reads()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave, in whichever order: the others stay."""
        if self.watches_reads:
            unwatch_reads()
        if self in observers_now():
            others = without_last(self, observers_now())
            OBSERVATION.set(Observation(others) if others else None)

    def before_op(self, call: Call) -> None:
        """An op is going to be applied to inputs of which one is a Tensor at least."""

    def after_op(self, call: Call) -> None:
        """It has been."""

    def before_sweep(self, gradients: Gradients) -> None:
        """A backward begins: what it begins with has arrived."""

    def before_node(self, gradients: Gradients, node: Node) -> None:
        """It is a node's turn; what its rules will read has not been looked at yet."""

    def before_rules(self, gradients: Gradients, node: Node, dy: Any) -> None:
        """A node's gradient is complete, its hooks have run, and its rules are going to."""

    def after_rule(self, gradients: Gradients, edge: Any, dx: Any, before: Any, after: Any) -> None:
        """`gradients.rule` has sent dx to an edge; it was added to what had arrived there (None: nothing)."""

    def after_rules(self, gradients: Gradients, node: Node) -> None:
        """All of a node's rules have run; it is going to be freed, unless the graph is retained."""

    def before_leaves(self, gradients: ObservedGradients) -> None:
        """All rules have run, and what has arrived at the leaves is complete; their hooks have not run."""

    def after_exchange(self, gradients: ObservedGradients, exchange: Exchange) -> None:
        """A follower was shown what had arrived at leaves, and may have put something in its place."""

    def after_sweep(self, gradients: dict[Any, Any]) -> None:
        """A backward has all its gradients, by edge, and will write them down now."""

    def after_update(self, optimizer: Any, param: Tensor, group: dict[str, Any]) -> None:
        """An optimiser has changed a parameter by its gradient, with the options of its group."""

    def after_optimizer_step(self, optimizer: Any) -> None:
        """An optimiser has made a step, whatever it changed."""

    def before_function(self, function: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        """A function that is no op is going to run: it will change a tensor, or draw random numbers."""

    def after_function(
        self, function: Any, inputs: tuple[Any, ...], options: dict[str, Any], result: Any
    ) -> None:
        """It has run."""

    def after_read(self, tensor: Tensor, name: str, value: Any) -> None:
        """Python has read numbers of a tensor: `name` says by what method or attribute, or by which op on
        arrays, with the tensor among its params.
        """


_followers: dict[int, ref[Observer]] = {}  # in the order in which they came


def follow(observer: Observer) -> None:
    """Tell an observer of every sweep from now on, in all threads, as long as somebody holds it; of nothing
    else, so that ops run as if nobody looked on.
    """
    key = id(observer)
    _followers[key] = ref(observer, lambda _: unfollow(key))
    Followed.by = Observation(())


def unfollow(key: int) -> None:
    """A follower is gone."""
    _followers.pop(key, None)
    if not _followers:
        Followed.by = None


def followers_now() -> tuple[Observer, ...]:
    """Those who follow every sweep."""
    alive = [reference() for reference in list(_followers.values())]
    return tuple(observer for observer in alive if observer is not None)


def observers_now() -> tuple[Observer, ...]:
    """Those who observe what runs here."""
    observation: Observation | None = OBSERVATION.get()
    return observation.observers if observation is not None else ()


class Observation:
    """What the engine hands ops and sweeps to while somebody observes; inside, nobody does."""

    def __init__(self, observers: tuple[Observer, ...]) -> None:
        self.observers = observers

    def apply(self, op: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Apply an op: it is a call to be told of if an input is a Tensor, whatever the params are."""
        with unobserved():
            inputs, params = inputs_and_params(op, inputs, params)
            beyond_half = is_beyond_half(op, inputs)
        if beyond_half:
            return apply_in_float32(op, inputs, params)
        with unobserved():
            if not any(isinstance(value, Tensor) for value in inputs):
                for tensor in tensors_in(params):
                    self.read(tensor, op.name, tensor._data)
                return op(*inputs, **params)
            call = Call(op, inputs, params)
            for observer in self.observers:
                observer.before_op(call)
            output = op(*inputs, **params)
            call.outputs = members_of(output)
            for observer in self.observers:
                observer.after_op(call)
            return output

    def gradients(self, *arguments: Any) -> Gradients:
        """The books of a backward that is going to begin."""
        return ObservedGradients((*followers_now(), *self.observers), *arguments)

    def inside_rules(self) -> Observation | None:
        """Those who look into rules."""
        observers = tuple(observer for observer in self.observers if observer.looks_into_rules)
        return Observation(observers) if observers else None

    def call(self, function: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call a function that is no op."""
        takers = [observer for observer in self.observers if observer.takes_functions]
        others = tuple(observer for observer in self.observers if not observer.takes_functions)
        if takers:
            inputs = tuple(map(listed, inputs))
        with unobserved():
            for observer in takers:
                observer.before_function(function, inputs, options)
        with observed_by(Observation(others) if others else None):
            result = function(*inputs, **options)
        with unobserved():
            for observer in takers:
                observer.after_function(function, inputs, options, result)
        return result

    def read(self, tensor: Tensor, name: str, value: Any) -> None:
        """Python has read numbers of a tensor."""
        with unobserved():
            for observer in self.observers:
                if observer.watches_reads:
                    observer.after_read(tensor, name, value)

    def stepped(self, optimizer: Any, moved: list[tuple[Tensor, dict[str, Any]]]) -> None:
        """An optimiser has changed these parameters, with the options of their groups."""
        with unobserved():
            for param, group in moved:
                for observer in self.observers:
                    observer.after_update(optimizer, param, group)
            for observer in self.observers:
                observer.after_optimizer_step(optimizer)


def inputs_and_params(
    op: Any, inputs: tuple[Any, ...], params: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A call in the form that forwards have; one on arrays alone, as rules make them, is in it."""
    on_arrays = not any(isinstance(value, Tensor) for value in (*inputs, *params.values()))
    return (inputs, params) if on_arrays or op.variadic is not None else op.bind(inputs, params)


def listed(value: Any) -> Any:
    """What is in an iterator (`net.parameters()`), for observers to see too; anything else as it is."""
    return (list(value) or value) if isinstance(value, Iterator) else value


class Exchange:
    """A function of a follower's that was called with what had arrived at leaves, and what it returned."""

    def __init__(self, function: Callable[..., Any], leaves: Sequence[Any], options: dict[str, Any]) -> None:
        self.function, self.leaves, self.options = function, leaves, options
        self.results: Sequence[Any] | None = None  # by leaf; None: all stays as it is


class ObservedGradients(Gradients):
    """The books of a backward, which tell observers of each entry."""

    def __init__(self, observers: tuple[Observer, ...], *arguments: Any) -> None:
        super().__init__(*arguments)
        self.observers = observers
        self.begun = False

    def newest_node(self) -> Node:
        if not self.begun:
            self.begun = True
            for observer in self.observers:
                observer.before_sweep(self)
        node = super().newest_node()
        for observer in self.observers:
            observer.before_node(self, node)
        return node

    def take(self, node: Node) -> Any:
        dy = super().take(node)
        for observer in self.observers:
            observer.before_rules(self, node, dy)
        return dy

    def add(self, edge: Any, gradient: Any) -> None:
        if self.rule is None:  # a seed
            super().add(edge, gradient)
            return
        before, dx = self.arrived.get(edge), fit(gradient, edge, self)
        super().add(edge, dx)
        for observer in self.observers:
            observer.after_rule(self, edge, dx, before, self.arrived[edge])

    def leave(self, node: Node) -> None:
        for observer in self.observers:
            observer.after_rules(self, node)
        super().leave(node)

    def exchange(self, function: Callable[..., Any], leaves: Sequence[Any] = (), **options: Any) -> None:
        """Call a follower's function with what has arrived at leaves, None where nothing has; what it
        returns, if anything, takes their places. A recording does the same in each replay.
        """
        made = Exchange(function, leaves, options)
        with unobserved():
            made.results = function(*map(self.arrived.get, leaves), **options)
        for leaf, gradient in zip(leaves, made.results or ()):
            if gradient is None:
                self.arrived.pop(leaf, None)
            else:
                self.arrived[leaf] = gradient
        for observer in self.observers:
            observer.after_exchange(self, made)

    def at_leaves(self) -> dict[Any, Any]:
        for observer in self.observers:
            observer.before_leaves(self)
        gradients = super().at_leaves()
        for observer in self.observers:
            observer.after_sweep(gradients)
        return gradients
