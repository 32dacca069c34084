"""`Trace`: writes down a step as a program, by what it observes of it through the engine's seam."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from ..dtypes import get_default_dtype, promote
from ..engine.backpropagation import clear_grads
from ..engine.in_place import is_a_leafs
from ..engine.location import Where, user_where
from ..engine.node import Output, input_edges, shape_and_dtype
from ..engine.observe import Call, Observer
from ..engine.observed import BACKWARD
from ..engine.op import is_scalar
from ..engine.tensor import Tensor
from ..kernels import kernels_in_use
from ..members import as_tuple, members_of
from ..optim.optimizer import Optimizer
from .frames import inside, wheres
from .slots import Slots, awaited
from .values import ArrayIn, TensorIn, plain, slots_of, walk, with_marks

READS_OF_A_STEP = (Optimizer.step.__code__,)  # reads of gradients in there are the optimiser's own


def forget_grad(tensor: Tensor) -> None:
    """`tensor.grad = None`."""
    clear_grads([tensor], True)


def careful(event: Callable[..., None]) -> Callable[..., None]:
    """What goes wrong in a recording never reaches the step: it then runs eagerly, and says why."""

    @wraps(event)
    def note(trace: Trace, *arguments: Any) -> None:
        try:
            event(trace, *arguments)
        except Exception as error:
            trace.refuse(f"it could not be recorded ({type(error).__name__}: {error})")

    return note


class Trace(Slots, Observer):
    """Records one call of a step.

    Arrays are known by their identity: each one that is seen gets a slot.
    """

    looks_into_rules = True  # under create_graph, where rules are ops on Tensors
    takes_functions = True
    watches_reads = True

    def __init__(self, tensors: list[Tensor], arrays: list[Any], keeps: bool = False) -> None:
        """tensors, arrays: those that the step is called with. keeps: what the step makes is kept too."""
        super().__init__(tensors, arrays, keeps)
        self.kernels, self.dtype = kernels_in_use(), get_default_dtype()
        self.saved: dict[Any, dict[str, int]] = {}  # by node: the slots of what its rules read
        self.sums: dict[Any, int] = {}  # by edge: the slot of the gradient that has arrived there
        self.sweep: Any = None
        self.dy = 0
        self.exchanged: list[Any] = []  # leaves whose gradients a follower has put in their places
        self.given: Any = None  # to a function that runs
        self.begun: list[Where] = []  # where ops, functions and backwards were called that have not ended
        self.parts: Any = None  # of a variadic rule: the slots of its gradients that are still to be told

    # Ops
    @careful
    def before_op(self, call: Call) -> None:
        self.begun.append(call._where)

    @careful
    def after_op(self, call: Call) -> None:
        self.begun.pop()
        op, where, layer = call.applied, call._where, call._layer
        self.check_settings(where)
        if any(id(output) in self.outside or id(output) in self.argument_of for output in call.outputs):
            self.refuse(f"{op.name} returned what it was given", where)
        before = len(self.recorded.slots)
        reads = self.operands(call)
        params = {
            name: with_marks(plain(op.allowed_params.get(name), value), self.array_mark)
            for name, value in call.options.items()
        }
        self.check_constants(before, params, where)
        several = len(call.outputs) > 1 or (call.node is not None and call.node.several)
        outputs = [self.new("computed", output._data) for output in call.outputs]
        node = call.node
        saved = node.saved if node is not None else {}
        kept = [self.new("computed", saved.get(name)) for name in op.keeps]
        details = (params, bool(several), len(outputs))
        self.write("forward", op.name, op, reads, [*outputs, *kept], details, where, layer)
        if node is not None:
            self.save(node, op, reads, outputs, kept, params, where)

    def check_settings(self, where: Where) -> None:
        """Refuse a step that computes with other settings than it was called in."""
        if kernels_in_use() != self.kernels:
            self.refuse("it switches kernels on the way", where)
        if get_default_dtype() is not self.dtype:
            self.refuse("it switches the default dtype on the way", where)

    def check_constants(self, before: int, params: dict[str, Any], where: Where) -> None:
        """Refuse constants that a rule may have computed by NumPy from masks, indices or labels: it may do so
        where it is differentiated itself.
        """
        if self.sweep is None or self.sweep.lift is None:
            return
        node = self.sweep.node
        choices = set(node.op.keeps) & node.saved.keys() or any(map(is_array, walk(node.params)))
        new = [slot.value for slot in self.recorded.slots[before:] if slot.origin == "constant"]
        if choices and any(isinstance(value, (np.ndarray, np.generic)) for value in [*new, *walk(params)]):
            self.refuse(f"a rule of {node.op.name}, which is differentiated itself, computes by NumPy", where)

    def operands(self, call: Call) -> list[int]:
        """The slots of an op's inputs, in the dtype to which the op brings them."""
        arrays = [value._data if isinstance(value, Tensor) else value for value in call.given]
        promoted = arrays
        if call.applied.broadcasting and not of_one_dtype(arrays):
            any_tensor = any(isinstance(value, Tensor) for value in call.given)
            promoted = promote(arrays, [any_tensor and is_scalar(value) for value in call.given])
        return [
            self.operand(value, array, cast, call) for value, array, cast in zip(call.given, arrays, promoted)
        ]

    def operand(self, value: Any, array: Any, promoted: Any, call: Call) -> int:
        """The slot of one input of an op, as it is or in another dtype."""
        known = isinstance(value, Tensor) or self.slot_of.get(array) is not None
        if not known:
            return self.slot(promoted)
        number = self.slot_of_tensor(value) if isinstance(value, Tensor) else self.slot(array)
        if promoted is array:
            return number
        cast, dtype = self.new("computed", promoted), promoted.dtype
        self.write("cast", f"to {dtype}", dtype, [number], [cast], None, call._where, call._layer)
        return cast

    def save(
        self,
        node: Any,
        op: Any,
        reads: list[int],
        outputs: list[int],
        kept: list[int],
        params: Any,
        where: Where,
    ) -> None:
        """Note which slots the rules of a node will read."""
        by_name: dict[str, int] = {}
        for name, value in node.saved.items():
            if name == op.variadic:
                by_name[name] = self.tuple_of(reads, where)
            elif name == "y":
                by_name[name] = self.tuple_of(outputs, where) if node.several else outputs[0]
            elif name in op.keeps:
                by_name[name] = kept[op.keeps.index(name)]
            elif name in op.inputs:
                by_name[name] = reads[op.inputs.index(name)]
            else:
                by_name[name] = self.new("constant", value)  # a shape
            if isinstance(value, np.ndarray) and self.slot_of.get(value) is None:
                self.slot_of.note(value, by_name[name])  # a copy of a bare array: what a lift will show
        for name, marked in params.items():
            for value, mark in zip(walk(node.params[name]), walk(marked)):
                if type(mark) is ArrayIn and self.slot_of.get(value) is None:
                    self.slot_of.note(value, mark.slot)  # the tape's copy of an index, or of labels
        self.saved[node] = {**by_name, "": self.new("constant", {**op.defaults, **params})}

    def tuple_of(self, numbers: list[int], where: Where) -> int:
        """The slot of a tuple of values."""
        slots = [self.recorded.slots[number] for number in numbers]
        made = self.new("computed", tuple(getattr(slot.value, "_data", slot.value) for slot in slots))
        self.recorded.owners[made] = min([made, *(self.recorded.owners[number] for number in numbers)])
        self.write("tuple", "tuple", tuple, numbers, [made], None, where)
        return made

    # Sweeps
    @careful
    def before_sweep(self, gradients: Any) -> None:
        self.begun.append(user_where())
        self.sweep, self.sums, self.exchanged = gradients, {}, []
        if gradients.lift is not None:
            return
        for edge, array in gradients.arrived.items():
            if self.slot_of.get(array) is None and not (array == 1).all():
                self.refuse("backward begins with a gradient that nothing in the step made; pass a tensor")
            self.sums[edge] = self.slot(array)

    @careful
    def before_rules(self, gradients: Any, node: Any, dy: Any) -> None:
        if node._listeners is not None:
            self.refuse("hooks, or retain_grad, wait for a gradient of a result")
        if gradients.lift is not None:
            return
        if node not in self.saved:
            self.refuse("backward goes through a tape from outside of the step")
            return
        self.parts = None
        outputs = [Output(node, slot) for slot in range(len(node.outputs))]
        if not node.several:
            self.dy = self.sums[outputs[0]]
        else:
            numbers = [self.gradient_of(output, each) for output, each in zip(outputs, members_of(dy))]
            self.dy = self.tuple_of(numbers, node.where)
        if isinstance(dy, np.ndarray):
            self.slot_of.note(dy, self.dy)

    def gradient_of(self, output: Output, dy: Any) -> int:
        """The slot of the gradient of one of several outputs: zeros where nobody used it."""
        if output in self.sums:
            return self.sums[output]
        return self.new("constant", dy)

    @careful
    def after_rule(self, gradients: Any, edge: Any, dx: Any, before: Any, after: Any) -> None:
        if gradients.lift is not None or gradients.node not in self.saved:
            return
        node, rule = gradients.node, gradients.rule
        number = self.part(gradients, dx) if rule.variadic else self.new("computed", dx)
        if not rule.variadic:
            self.write_rule(node, rule, [number], [(dx.shape, dx.dtype)])
        if before is not None:
            total = self.new("computed", after)
            self.write("add", "add", np.add, [self.sums[edge], number], [total], None, node.where, node.layer)
            number = total
        self.sums[edge] = number

    def write_rule(self, node: Any, rule: Any, writes: list[Any], expected: list[Any]) -> None:
        """The line of a rule. expected: the shapes and dtypes of its gradients, None where none is wanted."""
        saved = self.saved[node]
        params = self.recorded.slots[saved[""]].value
        params = params if rule.takes_all_params else rule.pick_params(params)
        reads = [self.dy, *(saved[name] for name in rule.reads)]
        name = rule.function.__name__
        self.write("rule", name, rule, reads, writes, (params, expected, node.op), node.where, node.layer)

    def part(self, gradients: Any, dx: Any) -> int:
        """The slot of a gradient of a variadic rule, whose line is written at the first of them."""
        node, rule = gradients.node, gradients.rule
        if self.parts is None:
            wanted = [edge is not None for edge in input_edges(node)]
            if gradients.wanted_edges:
                wanted = [
                    edge is not None and (type(edge) is Output or edge in gradients.wanted_edges)
                    for edge in input_edges(node)
                ]
            self.parts = [self.new("computed", None) if each else None for each in wanted]
            expected = [
                shape_and_dtype(edge) if each else None for edge, each in zip(input_edges(node), wanted)
            ]
            numbers = [number for number in self.parts if number is not None]
            self.write_rule(node, rule, numbers, expected)
            self.parts = iter(numbers)
        number: int = next(self.parts)
        self.place(number, dx)
        return number

    @careful
    def after_exchange(self, gradients: Any, exchange: Any) -> None:
        reads = [self.sums.get(leaf) for leaf in exchange.leaves]
        writes = []
        if exchange.results is not None:
            writes = [self.new("computed", result) for result in exchange.results]
            self.sums.update(zip(exchange.leaves, writes))
            self.exchanged += exchange.leaves
        arrived = [read is not None for read in reads]
        numbers = [read for read in reads if read is not None]
        details = (arrived, exchange.options)
        self.write("exchange", exchange.function.__name__, exchange.function, numbers, writes, details)

    @careful
    def after_sweep(self, gradients: dict[Any, Any]) -> None:
        if self.sweep is None:
            self.refuse("a leaf goes backward by itself")
            return
        self.begun.pop()
        if self.sweep.lift is None and self.sweep.wanted_edges is None:
            leaves = list(dict.fromkeys([*gradients, *self.exchanged]))
            for leaf in leaves:
                self.check_leaf(leaf)
            leaves = [leaf for leaf in leaves if type(leaf) is not Output and id(leaf) not in self.private]
            leaves = [leaf for leaf in leaves if leaf._requires_grad]  # others were frozen after the forward
            numbers = [self.sums[leaf] for leaf in leaves]
            marks = [self.mark(leaf) for leaf in leaves]
            self.write("deposit", "accumulate", None, numbers, (), marks)
        elif self.sweep.lift is None:
            for edge, array in gradients.items():
                if edge in self.sums:
                    self.slot_of.note(array, self.sums[edge])
        self.sweep = None

    def is_anothers(self, number: int, tensor: Tensor) -> bool:
        """The same, but that a sweep whose rules are recorded makes tensors around what nodes have saved."""
        lifts = self.sweep is not None and self.sweep.lift is not None
        return not lifts and super().is_anothers(number, tensor)

    def check_leaf(self, leaf: Any) -> None:
        """Refuse leaves whose `.grad` a replay could not write as the engine does."""
        if type(leaf) is Output:
            self.refuse("retain_grad asks for the gradient of a result")
        elif awaited(leaf._listeners):
            self.refuse("hooks wait for the gradient of a leaf")
        elif isinstance(self.mark(leaf), TensorIn):
            self.private[id(leaf)] = leaf

    # Updates, and functions that are no ops
    @careful
    def after_optimizer_step(self, optimizer: Any) -> None:
        if type(optimizer).step is not Optimizer.step:
            self.refuse(f"{type(optimizer).__name__} has a step of its own")
        self.write("step", f"{type(optimizer).__name__}.step", optimizer, (), ())

    @careful
    def before_function(self, function: Any, inputs: Any, options: dict[str, Any]) -> None:
        self.begun.append(user_where())
        self.check_settings(user_where())
        if BACKWARD.get() is not None:
            self.refuse(f"{function.__name__} is called on the way of a backward")
        if function.__name__ == "change_off_the_tape":
            self.check_changeable(inputs[0])
        self.given = with_marks([list(inputs), options], self.mark)

    @careful
    def after_function(self, function: Any, inputs: Any, options: dict[str, Any], result: Any) -> None:
        self.begun.pop()
        name = function.__name__
        written = [inputs[0]] if name == "change_off_the_tape" else as_tuple(result)
        writes, places = [], []
        for place, value in enumerate(written):
            array = value._data if isinstance(value, Tensor) else value
            if isinstance(value, Tensor):
                self.born.note(value, place)
            if isinstance(array, np.ndarray) and self.slot_of.get(array) is None:
                writes.append(self.new("computed", array))
                places.append(place)
                if isinstance(value, Tensor) and array.flags.writeable:
                    self.made.add(writes[-1])
        self.write("function", name, function, slots_of(self.given), writes, (self.given, places))

    def check_changeable(self, tensor: Tensor) -> None:
        """Refuse a change of a tensor that the step makes in a way that is not known, and that of a view,
        which its leaf shows: the program has the numbers of the view alone.
        """
        number = self.slot_of.get(tensor._data)
        if number is not None and self.recorded.slots[number].origin == "constant":
            self.refuse("a tensor that NumPy made is changed in place; make it by tg.tensor or tg.zeros")
        elif is_a_leafs(tensor) and self.is_a_view(tensor):
            self.refuse("a view of a leaf is changed in place; change the leaf, w[0] = …")

    def is_a_view(self, tensor: Tensor) -> bool:
        """Whether a replay makes a tensor anew around an array, which is no tensor's own."""
        mark = self.mark(tensor)
        return isinstance(mark, TensorIn) and not mark.changeable

    # What Python reads
    @careful
    def after_read(self, tensor: Tensor, name: str, value: Any) -> None:
        if name == "detach":
            self.slot_of_tensor(tensor)  # first, or the slot would be that of the new one
            self.born.note(value, 0)
        elif name == "grad = …" and value is None:
            self.write("function", "grad = None", forget_grad, (), (), ([[self.mark(tensor)], {}], []))
        elif name in ("grad = …", "data = …"):
            self.refuse(f"Python sets .{name}")
        elif not inside(READS_OF_A_STEP):
            self.recorded.reads.append((tensor, name, value, wheres()))


def is_array(value: Any) -> bool:
    """Whether a param is an array, or has some in it."""
    return isinstance(value, np.ndarray) or (isinstance(value, (list, tuple)) and any(map(is_array, value)))


def of_one_dtype(arrays: list[Any]) -> bool:
    """Whether operands are arrays of one dtype already."""
    return all(isinstance(array, np.ndarray) and array.dtype is arrays[0].dtype for array in arrays)
