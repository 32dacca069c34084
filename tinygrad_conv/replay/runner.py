"""`Program`: a recording made ready to run, and one step of it; undone as a whole where something fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import methodcaller
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.memory import read_only
from ..engine.registry import door, if_open
from ..engine.tensor import Tensor, tensor_of
from ..errors import ReplayError
from ..kernels import Aside
from ..members import each_once
from ..optim.lr_scheduler.scheduler import LRScheduler
from ..optim.optimizer import Optimizer
from ..options import COUNT, check_option
from ..randomness.default import generator
from .arguments import Arguments
from .aside import begun, finished, with_lines_aside
from .calls import calls_of
from .ending import Ending
from .gradients import FORGET, nothing
from .guard import Guard
from .hooks import hook_of
from .joined import joined
from .listing import listed
from .liveness import releases
from .program import Line, Recorded, imagine
from .state import NOTHING, Grads, State
from .values import MARKS, Argument, Call, Reading, TensorIn, filled, walk

if TYPE_CHECKING:
    from .profile import Profile

NUMBERS = ("item", "tolist")  # what reads these of a tensor may as well read them of its array
CREATE = (
    *("room", "zeros", "ones", "full", "empty", "eye", "arange", "linspace", "tensor", "copied", "sharing"),
    *("from_numpy", "look_at"),
)  # functions that change nothing


class Program:
    """A flat list of calls that does what a step did when it was recorded.

    Printing it shows a line for each call: what is called, from which slots, into which, of which dtype and
    shape, how many bytes, and the user's line. `program.profile(x, y)` times each line, and
    `program.to_html(path)` writes a page.
    """

    def __init__(self, recorded: Recorded, guard: Guard, key: tuple[Any, ...], lock: Lock) -> None:
        """key: of the arguments that it is for. lock: whoever runs the step, or measures it, has it."""
        self.as_recorded, self.guard, self.key, self.lock = recorded, guard, key, lock
        imagine(recorded)
        self.recorded = recorded = with_lines_aside(joined(recorded))
        self.lines = recorded.lines
        self.calls, ending, self.nbytes = calls_of(recorded)
        self.aside = Aside()
        first, self.last_calls = self.calls[:-1], self.calls[-1:]
        if ending is not None:
            first, self.last_calls = self.calls[:-2], [ending.both]
        self.first_calls = [*arranged(first, recorded, self.aside)]
        self.template: list[Any] = [None] * len(recorded.slots)
        self.arguments = 0
        for number, slot in enumerate(recorded.slots):
            if slot.origin == "constant":
                self.template[number] = slot.value
            self.arguments += slot.origin == "argument"
        self.place_outside()
        self.changed = Changed(to_be_noted(self.lines, self.calls, ending))
        self.is_new = any(map(is_by_users, self.lines))  # to be compared with eager, once
        self.result = maker_of(recorded.result, dict(recorded.edges))
        for slot in self.as_recorded.slots:
            slot.forget()

    def place_outside(self) -> None:
        """Put the arrays of tensors from outside in their slots."""
        for (number, _), array in zip(self.guard.outside, self.guard.arrays):
            self.template[number] = array

    def run(self, tensors: list[Tensor], arrays: list[Any]) -> Any:
        """One step. Where something is raised on the way, everything is as it was before."""
        slots = self.template.copy()
        if arrays:
            slots[: self.arguments] = arrays
        before = self.changed.state(tensors)
        try:
            for call in self.first_calls:
                call(slots, tensors)
        except BaseException:
            try:
                self.aside.drop()
            finally:
                before.restore()
            raise
        try:
            for call in self.last_calls:  # an optimiser's step, mostly: interrupted it is all or nothing
                call(slots, tensors)
        except Exception:
            before.restore()
            raise
        return self.result(slots, tensors)

    def profile(self, *inputs: Any, repeats: int = 50, **options: Any) -> Profile:
        """Time each line, on the arguments of a call of the step; the step is undone after each repeat.

        Parameters, statistics, gradients, optimisers and random numbers are what they were. Raises ValueError
        for arguments that the program is not for, ReplayError where it does not hold any more.
        """
        from .profile import profiled

        check_option("profile", "repeats", COUNT, repeats)
        if repeats == 0:
            raise ValueError("profile: repeats must be at least 1, not 0")
        if not self.lock.acquire(blocking=False):
            raise ReplayError("profile: the step is running just now")
        try:
            return profiled(self, Arguments(inputs, options), repeats)
        finally:
            self.lock.release()

    @property
    def forms(self) -> list[Any]:
        """The shapes and dtypes of the arrays that it is called with."""
        return [slot.value for slot in self.recorded.slots[: self.arguments]]

    def to_html(self, path: str | Path, title: str = "") -> None:
        """Write one self-contained page: the calls in order, and which buffer serves which of them.

        That of a profile, `program.profile(x, y).to_html(path)`, has their times as well.
        """
        door("program_page")(self, path, title)

    def __repr__(self) -> str:
        return listed(self.recorded)

    def _repr_html_(self) -> str | None:
        return if_open("program_html", self)


class Changed:
    """What lines of a program change, to be noted before each run."""

    def __init__(self, lines: Iterable[Line], everything: bool = False) -> None:
        """everything: it is to be compared, too, with what another run makes of it."""
        self.written: list[Tensor] = []
        self.written_arguments: list[int] = []
        self.leaves: list[Any] = []  # tensors, and marks of arguments, whose `.grad` changes
        self.optimizers: list[Optimizer] = []
        self.schedulers: list[LRScheduler] = []
        self.generators: list[Any] = []
        self.random = self.changes_grads = everything
        for line in lines:
            if line.kind == "step":
                self.optimizers.append(line.target)
                self.written += [param for param in line.target.params()]
            elif line.kind == "deposit":
                self.leaves += line.details
            elif line.kind == "function":
                self.note_function(line)
        self.written = each_once(self.written)
        fixed = [leaf for leaf in self.leaves if isinstance(leaf, Tensor)]
        self.leaves_of_arguments = [leaf.number for leaf in self.leaves if isinstance(leaf, Argument)]
        self.leaves = each_once(fixed)
        others = (self.written, self.written_arguments, self.leaves_of_arguments, self.optimizers)
        self.only_grads = not (any(others) or self.schedulers or self.generators or self.random)

    @staticmethod
    def of_everything(recorded: Recorded) -> Changed:
        """What all lines of a recording change, the gradients of all that is outside too."""
        changed = Changed(recorded.lines, everything=True)
        outside = [slot.value for slot in recorded.slots if slot.origin == "outside"]
        changed.leaves = each_once([*changed.leaves, *outside])
        return changed

    def note_function(self, line: Line) -> None:
        """What a function may change: the tensors, schedules and generators that it is given."""
        given = list(walk(line.details[0]))
        tensors = [value for value in given if isinstance(value, (Tensor, Argument))]
        if line.name in FORGET:
            self.leaves += tensors
        elif line.name not in CREATE:
            self.random = True
            self.changes_grads = self.changes_grads or line.name.startswith("clip_grad")
            self.leaves += tensors if line.name.startswith("clip_grad") else []
            if not line.name.startswith("clip_grad"):
                self.written += [value for value in tensors if isinstance(value, Tensor)]
                self.written_arguments += [value.number for value in tensors if isinstance(value, Argument)]
        for value in given:
            if isinstance(value, LRScheduler):
                self.schedulers.append(value)
                self.optimizers.append(value.optimizer)
            elif isinstance(value, np.random.Generator):
                self.generators.append(value)

    def state(self, tensors: list[Tensor]) -> State | Grads:
        """All of it as it is now."""
        if self.only_grads:
            return Grads(self.leaves) if self.leaves else NOTHING
        generators = [*self.generators, generator()] if self.random else self.generators
        return State(
            [*self.written, *(tensors[number] for number in self.written_arguments)],
            [*self.leaves, *(tensors[number] for number in self.leaves_of_arguments)],
            self.optimizers,
            self.schedulers,
            generators,
            self.changes_grads,
        )


def to_be_noted(lines: list[Line], calls: list[Call], ending: Ending | None) -> list[Line]:
    """The lines whose changes are noted before each run: not the last, if it is an optimiser's step, and no
    ending, for these happen wholly or not at all.
    """
    if ending is not None:
        return [line for line, call in zip(lines[:-2], calls) if call is not nothing]
    return lines[:-1] if lines and lines[-1].kind == "step" else lines


def is_by_users(line: Line) -> bool:
    """Whether a line may be done by a preparation that a user has written."""
    return line.op is not None and line.op.is_user_defined and hook_of(line, line.then) is not None


def arranged(calls: list[Call], recorded: Recorded, aside: Aside) -> Iterator[Call]:
    """The calls that do something, each followed by letting go of what it is the last to read, some of them
    done aside.
    """
    released, waiting = releases(recorded), set(recorded.done_by.values())
    for number, call in enumerate(calls):
        if number in waiting:
            yield finished(aside)
        if number in recorded.done_by:
            yield begun(aside, call)
        elif call is not nothing:
            yield call
        if number in released:
            yield partial(let_go, released[number])
    if len(calls) in waiting:
        yield finished(aside)


def let_go(numbers: list[int], slots: list[Any], tensors: list[Tensor]) -> None:
    """Empty these slots."""
    for number in numbers:
        slots[number] = None


Maker = Callable[[list[Any], list[Tensor]], Any]


def maker_of(form: Any, edges: dict[int, Any]) -> Maker:
    """Makes what a step returns, or a part of it, of the slots and the tensors that it was called with."""
    if isinstance(form, TensorIn) and not form.changeable:
        slot, edge = form.slot, edges.get(form.slot)
        return lambda slots, tensors: result_tensor(slots[slot], edge)
    if isinstance(form, Reading) and isinstance(form.tensor, TensorIn) and form.name in NUMBERS:
        read, number = methodcaller(form.name), form.tensor.slot
        return lambda slots, tensors: read(slots[number])
    if isinstance(form, MARKS):
        return lambda slots, tensors: filled(form, slots, tensors)
    if type(form) in (list, tuple):
        makers = [maker_of(member, edges) for member in form]
        return lambda slots, tensors: type(form)([make(slots, tensors) for make in makers])
    if isinstance(form, tuple) and hasattr(form, "_fields"):
        makers = [maker_of(member, edges) for member in form]
        return lambda slots, tensors: type(form)(*[make(slots, tensors) for make in makers])
    if type(form) is dict:
        makers_of = {name: maker_of(member, edges) for name, member in form.items()}
        return lambda slots, tensors: {name: make(slots, tensors) for name, make in makers_of.items()}
    return lambda slots, tensors: form


def result_tensor(array: Any, edge: Any) -> Tensor:
    """A tensor around a result. Its tape has been consumed, as after the recorded call."""
    if array.base is None:
        array.setflags(write=False)
    else:
        array = read_only(array)
    return tensor_of(array, edge)
