"""The observer that a doctor is: it turns what the engine tells into a `History`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from weakref import ref

import numpy as np

from ...dtypes import FLOATS, Array
from ...engine.backward import Gradients
from ...engine.location import Where, user_where
from ...engine.modes import GRAD
from ...engine.node import Node
from ...engine.observe import Call, Observer
from ...engine.tensor import Tensor
from ...members import members_of
from . import models
from .data_seen import MOST_SHUFFLED, data_of, note_order
from .seen import (
    LOSSES,
    DataSeen,
    GradSeen,
    History,
    InputSeen,
    OpSeen,
    StepSeen,
    SweepSeen,
    Update,
    behind,
    stats_of,
)
from .seen import norm as norm_of
from .statistics import normed_by
from .thresholds import ALIKE, ALIKE_GRADIENT, ENDS, MOST_OPS

UNIT_OPS = {"relu", "leaky_relu", "elu", "selu", "gelu", "silu", "clamp_min", "maximum", "hardtanh"}
RECENT = 20  # ops among which a leaf is looked for that is a copy of what one made
LOOKED_FOR = 4  # the first backwards, at which models and optimisers are looked for
SQUASHING = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
FOLLOWED = ("dim", "p", "reduction", "training", "ignore_index", "weight")
"""Params of ops that findings ask about."""
INDEXED = 4096  # indices of an embedding that are kept


class Watch(Observer):
    """Sees ops, backwards and steps; holds no array of the program's but its parameters.

    after_round: called when a step has been taken.
    """

    def __init__(self, history: History, after_round: Callable[[], None] | None = None) -> None:
        self.history, self.after_round = history, after_round
        self.makers: dict[int, tuple[ref[Array], OpSeen]] = {}  # by the id of a result's array
        self.by_node: dict[int, OpSeen] = {}
        self.data: dict[int, tuple[ref[Array], int, DataSeen]] = {}
        self.before: dict[Any, Array] = {}  # the numbers of leaves at the last backward or step
        self.totals: dict[Any, Array] = {}  # their gradients as the backwards left them
        self.used: set[Any] = set()  # leaves whose gradient a step has used
        self.stale: set[Any] = set()  # those whose gradient holds what a step had used
        self.by_optimizer: set[Any] = set()
        self.sweep: SweepSeen | None = None
        self.most_sweeps = 0  # backwards after which all is ended, whatever the steps; 0: none
        # Inside of the outermost module: the arrays that it is called with, and the line that calls it
        self.given: set[int] | None = None
        self.called: Where | None = None
        self.is_resting = False  # it looks at nothing, until an optimiser is made
        self.rested = 0  # steps and backwards meanwhile
        self.draws = 0  # permutations that NumPy drew
        self.is_stepping = False  # an optimiser is, and what it calls is part of that

    def after_op(self, call: Call) -> None:
        output = call.outputs[0] if call.outputs else None
        if self.is_resting or not isinstance(output, Tensor) or len(self.history.ops) >= MOST_OPS:
            return
        seen = self.op_seen(call, output)
        self.history.ops.append(seen)
        for each in call.outputs:
            if isinstance(each, Tensor):
                self.makers[id(each._data)] = ref(each._data), seen
        node = call.node
        if node is not None:
            self.by_node[node.index] = seen
        for given in seen.inputs:
            if given.producer is not None:
                given.producer.readers.append(seen)

    def op_seen(self, call: Call, output: Tensor) -> OpSeen:
        """An op in numbers."""
        array = output._data
        params = {name: value for name, value in call.params.items() if name in FOLLOWED}
        inputs = [
            self.input_seen(argument, value)
            for argument, values in call.inputs.items()
            for value in (values if argument == call.applied.variadic else (values,))
            if value is not None
        ]
        seen = OpSeen(
            op=call.op,
            where=call._where,
            layer=call._layer,
            params=params,
            inputs=inputs,
            shape=array.shape,
            dtype=array.dtype,
            stats=stats_of(array),
            round=self.history.rounds,
            recorded=call.node is not None,
            recording=GRAD.get(),
            called=self.called,
        )
        if array.size == 1:
            seen.value = float(array.reshape(-1)[0])
        if call.op in UNIT_OPS and array.ndim in (2, 4):
            seen.quiet_units = (array == 0).all(axis=tuple(axis for axis in range(array.ndim) if axis != 1))
        if call.op in SQUASHING and array.size:
            low, high = SQUASHING[call.op]
            ends = (array < low + ENDS) | (array > high - ENDS)
            seen.saturation = float(ends.mean())
        if call.op == "getitem":
            index: Any = call.params.get("index")
            index = index._data if isinstance(index, Tensor) else index
            seen.index = index_of(index)
            if reorders(index, array):
                note_order(self.history, call._where, index.tobytes(), array)
        if call.op == "batch_norm":
            seen.normed = normed_by(call)
        if call.op in LOSSES and call.given:
            seen.row_sums = row_sums(call.given[0])
        return seen

    def input_seen(self, argument: str, value: Any) -> InputSeen:
        """Where an input of an op comes from."""
        array = value._data if isinstance(value, Tensor) else np.asarray(value)
        wanted = isinstance(value, Tensor) and value._requires_grad
        seen = InputSeen(argument, array.shape, wanted=wanted)
        known, maker = self.makers.get(id(array), (None, None))
        if known is not None and known() is array:
            seen.producer = maker
        elif not wanted and not array.ndim and array.dtype.kind in "fiub":
            seen.value = float(array)
        if isinstance(value, Tensor) and seen.producer is None and (wanted or models.is_parameter(value)):
            seen.leaf = value
        elif not wanted and array.ndim and array.dtype.kind in "fiub":
            seen.data = self.data_seen(value, array)
            seen.inner = maker is None and self.given is not None and id(array) not in self.given
        return seen

    def data_seen(self, value: Any, array: Array) -> DataSeen:
        """An array from outside; each is looked at once."""
        version = value._version if isinstance(value, Tensor) else -1
        known, at, seen = self.data.get(id(array), (None, 0, None))
        if seen is not None and known is not None and known() is array and at == version >= 0:
            return seen
        seen = data_of(array)
        self.data[id(array)] = ref(array), version, seen
        return seen

    def rest(self) -> None:
        """Look at nothing: `rested` counts steps and backwards, and after_round is called at each."""
        self.is_resting, self.rested = True, 0

    def wake(self) -> None:
        """Look again, as if what happened meanwhile had not."""
        self.is_resting = False
        for remembered in (self.makers, self.data, self.before, self.totals, self.used, self.stale):
            remembered.clear()

    def note_rest(self) -> None:
        """A step or a backward, while it looks at nothing."""
        self.rested += 1
        if self.after_round is not None:
            self.after_round()

    def before_sweep(self, gradients: Gradients) -> None:
        if self.is_resting:
            self.note_rest()
            return
        self.note_changes_by_hand()
        if len(self.history.sweeps) < LOOKED_FOR:
            models.find(self.history)
        roots = [self.by_node[index] for index in gradients.waiting if index in self.by_node]
        self.sweep = SweepSeen(user_where(), self.history.rounds, roots, gradients.wanted_edges is None)
        self.history.sweeps.append(self.sweep)
        if len(self.history.sweeps) == LOOKED_FOR:
            models.find_aliases(self.history)

    def before_rules(self, gradients: Gradients, node: Node, dy: Any) -> None:
        if self.sweep is None:
            return
        self.sweep.count += 1
        seen = self.by_node.get(node.index)
        gradient = float_array(members_of(dy)[0])
        if seen is not None and gradient is not None:
            seen.dy, seen.swept = stats_of(gradient), True

    def after_rule(self, gradients: Gradients, edge: Any, dx: Any, before: Any, after: Any) -> None:
        array = float_array(dx)
        if self.sweep is None or self.sweep.bad is not None or array is None or np.isfinite(array).all():
            return
        node, rule = gradients.node, gradients.rule
        assert node is not None and rule is not None  # seeds come before any node's turn
        self.sweep.bad = self.by_node.get(node.index), rule.argument

    def after_sweep(self, gradients: dict[Any, Any]) -> None:
        if self.is_resting:
            return
        if self.sweep is None:  # it began at a leaf: no node, nothing to see
            self.history.leaf_sweeps.append(user_where())
            self.history.leaf_cuts += [
                cut for leaf in gradients if (cut := self.cut_before(leaf)) is not None
            ]
            return
        for leaf, gradient in gradients.items():
            array = float_array(gradient)
            if isinstance(leaf, Tensor) and array is not None:
                self.sweep.grads[leaf] = self.grad_seen(leaf, array)
        if self.sweep.writes:
            models.note_cuts(self.history, self.sweep)
        models.note_modes(self.history, self.sweep)
        self.forget_the_dead()
        self.sweep = None
        if self.after_round is not None and len(self.history.sweeps) == self.most_sweeps:
            self.history.rounds = max(self.history.rounds, self.most_sweeps)
            self.after_round()

    def cut_before(self, leaf: Any) -> OpSeen | None:
        """The op off the tape that reads what is on it, before a leaf of one number. The leaf is a copy of
        what was computed, which is known by its value.
        """
        if not isinstance(leaf, Tensor) or leaf._data.size != 1:
            return None
        value = float(leaf._data.reshape(-1)[0])
        maker = next((op for op in reversed(self.history.ops[-RECENT:]) if op.value == value), None)
        return next((op for op in behind([maker]) if op.ends_the_tape), None)

    def grad_seen(self, leaf: Any, gradient: Array) -> GradSeen:
        """What arrived at a leaf, and what it is added to."""
        weight, known = leaf._data, leaf.grad if self.sweep is not None and self.sweep.writes else None
        total = gradient
        if known is None or not np.any(known):
            self.stale.discard(leaf)
        else:
            total = np.asarray(known) + gradient
            if leaf in self.used:
                self.stale.add(leaf)
        self.used.discard(leaf)
        if self.sweep is not None and self.sweep.writes:
            self.totals[leaf], self.before[leaf] = total, weight.copy()
        size = norm_of(gradient)
        return GradSeen(
            norm=size,
            finite=bool(np.isfinite(gradient).all()),
            weight_norm=norm_of(weight),
            stale=leaf in self.stale,
            alike=size > 0
            and weight.ndim >= 2
            and rows_alike(weight, ALIKE)
            and rows_alike(gradient, ALIKE_GRADIENT),
            weight_is_zero=not weight.any(),
        )

    def after_update(self, optimizer: Any, param: Tensor, group: dict[str, Any]) -> None:
        if self.is_resting or not isinstance(param.grad, np.ndarray):
            return
        options = {name: value for name, value in group.items() if name != "params"}
        self.by_optimizer.add(param)
        self.note_update(param, optimizer, options, param.grad)

    def note_update(self, leaf: Any, optimizer: Any, group: dict[str, Any], gradient: Array) -> None:
        """A parameter has changed."""
        before, total = self.before.get(leaf), self.totals.get(leaf)
        if before is None or before.shape != leaf._data.shape:
            return
        moved = (leaf._data - before).astype(np.float64, copy=False)
        moved_by, size = norm_of(moved), norm_of(gradient)
        product = -float(np.vdot(moved, gradient)) if moved_by and size else 0.0
        update = Update(
            leaf=leaf,
            optimizer=optimizer,
            group=group,
            round=self.history.rounds,
            where=user_where(),
            weight=norm_of(before),
            moved=moved_by,
            grad=size,
            swept=size if total is None else norm_of(total),
            along=product / (moved_by * size) if moved_by and size else 0.0,
            stale=leaf in self.stale,
            dimensions=leaf._data.ndim,
        )
        self.history.updates.append(update)
        self.before[leaf] = leaf._data.copy()
        self.used.add(leaf)

    def note_changes_by_hand(self) -> None:
        """Parameters that changed since the last backward, and no optimiser did it."""
        changed = False
        for leaf, before in list(self.before.items()):
            data = leaf._data
            if data.shape == before.shape and not np.array_equal(data, before):
                if leaf not in self.by_optimizer:
                    changed = True
                    self.note_update(leaf, None, {}, self.totals[leaf])
                self.before[leaf] = data.copy()
        if changed:
            self.end_round()

    def stepped(self, optimizer: Any, moved: int) -> None:
        """An optimiser's step has been called, and moved so many parameters."""
        if self.is_resting:
            self.note_rest()
            return
        if all(optimizer is not known for known in self.history.optimizers):
            self.history.optimizers.append(optimizer)
        step = StepSeen(optimizer, user_where(), moved, self.history.rounds)
        self.history.steps.append(step)
        self.end_round()

    def keys_elsewhere(self, root: Any, loaded: set[Any]) -> Iterator[tuple[str, str]]:
        """(key, other key) where loaded numbers are those of another layer of a module of the root's kind."""
        own = {key: parameter.data.tobytes() for key, parameter in models.drawn(root)}
        for other in models.of_the_same_kind(root):
            theirs = {parameter.data.tobytes(): key for key, parameter in models.drawn(other)}
            for key, parameter in models.drawn(root):
                origin = theirs.get(own[key])
                if parameter not in loaded or origin is None or origin == key:
                    continue
                if own.get(origin) != own[key]:  # else it is a copy within the model, which is meant
                    yield key, origin

    def end_round(self) -> None:
        """One step more has been taken."""
        self.history.rounds += 1
        if self.after_round is not None:
            self.after_round()

    def forget_the_dead(self) -> None:
        """Entries of arrays that are gone; their ids are free for others."""
        self.makers = {key: entry for key, entry in self.makers.items() if entry[0]() is not None}
        self.data = {key: entry for key, entry in self.data.items() if entry[0]() is not None}


def float_array(gradient: Any) -> Array | None:
    """A gradient as an array; None for that of integers."""
    array = gradient._data if isinstance(gradient, Tensor) else gradient
    return array if isinstance(array, np.ndarray) and array.dtype in FLOATS else None


def rows_alike(array: Array, share: float) -> bool:
    """Whether there are several rows, all with the same numbers but for a share of the largest."""
    if len(array) < 2 or not array.size:
        return False
    scale = float(np.abs(array).max())
    return bool(np.abs(array - array[:1]).max() <= share * scale)


def index_of(index: Any) -> Array | None:
    """The rows that an embedding picks, as far as they are kept: whole samples."""
    if not isinstance(index, np.ndarray) or index.dtype.kind not in "iu" or index.ndim != 2 or not index.size:
        return None
    return index[: max(1, INDEXED // index.shape[1])].copy()


def reorders(index: Any, array: Array) -> bool:
    """Whether an index puts all samples into another order, as x[randperm(len(x))] does."""
    if not isinstance(index, np.ndarray) or index.dtype.kind not in "iu" or index.ndim != 1:
        return False
    if not 1 < len(index) <= array.size <= MOST_SHUFFLED:
        return False
    in_order = np.arange(len(index))
    return not np.array_equal(index, in_order) and np.array_equal(np.sort(index), in_order)


def row_sums(value: Any) -> tuple[float, float] | None:
    """The range of Σ exp(x) over the classes: 1 for log-probabilities."""
    scores = float_array(value)
    if scores is None or scores.ndim < 2 or not scores.size:
        return None
    with np.errstate(over="ignore"):
        sums = np.exp(scores.astype(np.float64)).sum(axis=1)
    return float(sums.min()), float(sums.max())
