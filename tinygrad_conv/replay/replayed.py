"""`Replayed`: a step that is recorded in its first calls, and then replayed."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, update_wrapper
from itertools import count
from threading import Lock
from types import MethodType
from typing import Any

import numpy as np

from ..engine.location import Where, line_of, show_where
from ..engine.observed import OBSERVATION
from .arguments import Arguments, form_of
from .bare import Watch
from .calls import Departure
from .check import replay_compared
from .draws import Draws
from .facts import STATE, Large
from .guard import Guard, settings
from .names import names_in
from .program import Recorded, difference
from .results import ResultForm, containers_in, place_of
from .runner import Program
from .side_effects import DRAWS, SideEffects
from .slots import LISTENERS, awaited
from .trace import Trace
from .values import same

SWITCH, SWITCHED_OFF = "TINYGRAD_CONV_REPLAY", ("0", "off", "false", "no")
PROGRAMS = 16  # kept of a step: the least recently used goes
RECORDINGS = 64  # of a step, after which it has changed too often to be worth it
VARIED = 8  # calls, each with other numbers than all before, after which that is said

OF_ARRAYS = "Python or NumPy computes with an array that the step is called with; pass a tensor"
SHARED = "it is called with what it has from outside, too, which it was not when it was recorded"
ADVICE = "which a replay would not; set it outside of the step"

NONE_GIVEN = Arguments((), {})

if sys.version_info >= (3, 12):
    # The way of today's debuggers to step through Python, beside `sys.settrace`
    monitoring = partial(sys.monitoring.get_tool, sys.monitoring.DEBUGGER_ID)
else:

    def monitoring() -> str | None:
        """There is no other way."""
        return None


OFF: ContextVar[bool] = ContextVar("whether steps run eagerly", default=False)
OFF.set(False)  # what is set is found at once, a default after looking for it everywhere


@contextmanager
def off() -> Iterator[None]:
    """Inside, replayed steps run eagerly: the same numbers, and every line can be stepped through."""
    token = OFF.set(True)
    try:
        yield
    finally:
        OFF.reset(token)


class Entry:
    """What is known of a step for one setting: a recording that waits for a second one, a program, or why it
    cannot be replayed.
    """

    def __init__(self, guard: Guard, recorded: Recorded, given: Arguments) -> None:
        self.guard, self.recorded = guard, recorded
        self.bare = [array.copy() for array in given.bare]
        self.equal: list[tuple[int, Any]] = []  # arrays, by place, that were the same in both recordings
        self.program: Program | None = None
        self.refused = False
        self.disagreed = 0  # how many recordings differed from the one before
        self.used = 0  # when it was last called for

    def fits(self, given: Arguments) -> bool:
        """Whether it is of the present setting."""
        if self.equal and not all(same(given.bare[place], array) for place, array in self.equal):
            return False
        if self.guard.reached and not self.guard.is_given(given.tensors):
            return False
        return self.guard.holds()


class Replayed:
    """A step, called as the function that it is made of. `program`: what ran last, to be printed."""

    def __init__(self, step: Callable[..., Any], check: bool = False, check_every: int | None = None) -> None:
        self.step, self.check, self.check_every = step, check, check_every
        self.program: Program | None = None
        self.entries: dict[Any, list[Entry]] = {}
        self.enabled = os.environ.get(SWITCH, "").lower() not in SWITCHED_OFF
        self.recordings = self.replays = 0
        self.moments = count()
        self.lock = Lock()
        self._said: set[Any] = set()
        update_wrapper(self, step)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        """A copy, or a pickle: of the function, to be recorded anew; what its name leads to is that name."""
        path: str = getattr(self, "__qualname__", "")
        named: Any = sys.modules.get(self.__module__)
        for name in path.split("."):
            named = getattr(named, name, None)
        return path if named is self else (Replayed, (self.step, self.check, self.check_every))

    def __repr__(self) -> str:
        return f"<replayed {getattr(self.step, '__qualname__', self.step)}>"

    @property
    def programs(self) -> list[Program]:
        """All programs, one for each setting that the step was called in."""
        entries = [entry for known in self.entries.values() for entry in known]
        return [entry.program for entry in entries if entry.program is not None]

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if not self.enabled or OFF.get() or self.lock.locked():
            return self.step(*inputs, **options)
        with self.lock:  # Ctrl-C comes before it is taken, or after it is given back
            if OBSERVATION.get() is not None or sys.gettrace() is not None or monitoring() is not None:
                self.say_who_looks_on()
                return self.step(*inputs, **options)
            return self.run(inputs, options)

    def run(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """One call: by a program where there is one for the present setting, else eagerly."""
        given = Arguments(inputs, options) if inputs or options else NONE_GIVEN
        entry = self.known(given)
        if entry is not None and entry.program is not None:
            return self.replay(entry, given, inputs, options)
        if entry is not None and entry.refused:
            result = self.step(*inputs, **options)
            entry.guard.take_out_changed()  # what the step itself changes is no other setting
            return result
        return self.record(entry, given, inputs, options)

    def known(self, given: Arguments) -> Entry | None:
        """What is known of the present setting."""
        for entry in self.entries.get(given.key, ()):
            if entry.fits(given):
                entry.used = next(self.moments)
                return entry
        return None

    def replay(self, entry: Entry, given: Arguments, inputs: Any, options: Any) -> Any:
        """A call by a program; eagerly where it fails, which gives the error that eager gives, if any."""
        program = entry.program
        assert program is not None
        moved = entry.guard.moved()
        if moved is None or (given.tensors and any(map(awaited, map(LISTENERS, given.tensors)))):
            self.forget(given.key, entry)
            return self.record(None, given, inputs, options)
        if moved:
            program.place_outside()
        if entry.guard.shares(given.ids):
            self.say(SHARED, place_of(self.step))
            return self.step(*inputs, **options)
        self.program = program
        self.replays += 1
        compares = self.check or program.is_new or (self.check_every and self.replays % self.check_every == 0)
        try:
            if not compares:
                return program.run(given.tensors, given.arrays)
            result = replay_compared(program, given, lambda: self.step(*inputs, **options))
            program.is_new = False
            return result
        except Departure as departure:
            fault = departure.reason, departure.line.where
        except Exception as error:
            if compares:
                raise
            fault = f"a replay raises {type(error).__name__}: {error}", place_of(self.step)
        self.program = None
        result = self.step(*inputs, **options)
        self.refuse(entry, *fault)
        return result

    def record(self, entry: Entry | None, given: Arguments, inputs: Any, options: Any) -> Any:
        """A call that runs eagerly and is recorded."""
        if sys.getprofile() is not None or self.recordings >= RECORDINGS:
            reason = "a profiler is attached" if sys.getprofile() else self.what_changed(given)
            self.say(reason, place_of(self.step))
            return self.step(*inputs, **options)
        watch, effects, before = Watch(given.bare if entry else ()), SideEffects(), settings()
        trace = Trace(given.tensors, [watch.view_of(array) for array in given.bare])
        states, draws = list(map(STATE, given.tensors)), Draws(entry.guard.generators if entry else ())
        bare, large = [array.copy() for array in given.bare], Large(entry.guard.large if entry else ())
        with trace, draws, effects:
            result = watch.call(self.step, inputs, options)
        self.recordings += 1
        recorded = trace.recorded
        if settings() != before:
            recorded.refuse("it switches something on or off, and leaves it so", place_of(self.step))
        if list(map(STATE, given.tensors)) != states:
            recorded.refuse("it changes what an argument is, requires_grad or its tape", place_of(self.step))
        if not given.is_same(Arguments(inputs, options)) or not all(map(same, given.bare, bare)):
            recorded.refuse("it changes what it is called with; return what is new", place_of(self.step))
        if trace.begun or effects.updates != len([line for line in recorded.lines if line.kind == "step"]):
            where = trace.begun[0] if trace.begun else place_of(self.step)
            recorded.refuse("it catches an error, which other numbers might not raise", where)
        if effects.fault is not None:
            recorded.refuse(*effects.fault)
        if draws.happened:
            recorded.refuse(DRAWS, place_of(self.step))
        if given.bare and (asked := [*watch.places, *effects.conversions]):
            recorded.refuse(OF_ARRAYS, asked[0])
        for name in large.changed():
            recorded.refuse(f"it sets {name}, {ADVICE}", place_of(self.step))
        try:
            form = ResultForm(trace, result)
            guard = Guard(self.step, effects, recorded, given)
            refuse_what_lasts(recorded, guard, effects)
            held = {*guard.containers, *map(id, containers_in((inputs, options)))}
            if not held.isdisjoint(map(id, form.containers)):
                recorded.refuse("it returns a list or a dict that others have; return a copy", form.where)
            if given.bare:
                refuse_what_is_not_told(recorded, guard, effects, place_of(self.step))
            self.learn(entry, given, guard, recorded)
        except Exception as error:  # the step has run: its result counts
            self.say(f"it could not be recorded ({type(error).__name__}: {error})", place_of(self.step))
        return result

    def learn(self, entry: Entry | None, given: Arguments, guard: Guard, recorded: Recorded) -> None:
        """Keep a first recording, or compare a second one with it."""
        if entry is not None:
            self.compare(entry, guard, recorded, given)
            return
        entry = Entry(guard, recorded, given)
        self.enter(given.key, entry)
        if recorded.fault is not None:
            self.refuse(entry, *recorded.fault)
        elif not self.replays and self.recordings >= VARIED:
            self.say_what_varies(form_of(given.key))

    def compare(self, entry: Entry, guard: Guard, recorded: Recorded, given: Arguments) -> None:
        """A second recording has been made: if it agrees with the first, there is a program."""
        changed = entry.guard.take_out_changed()
        found = difference(entry.recorded, recorded)
        fault = recorded.fault
        if fault is None and changed:
            fault = (f"it sets {changed[0]}, {ADVICE}", place_of(self.step))
        fresh = fresh_constant(entry.recorded, recorded) if given.bare and found is None else None
        if fault is None and fresh is not None:
            fault = (OF_ARRAYS, fresh)
        if fault is not None:
            self.refuse(entry, *fault)
        elif found is not None and entry.disagreed:
            self.refuse(entry, *found)
        elif found is not None:  # the first call may differ from all others: try once more
            entry.guard, entry.recorded, entry.disagreed = guard, recorded, entry.disagreed + 1
            entry.bare = [array.copy() for array in given.bare]
        else:
            entry.guard, entry.recorded = guard, recorded
            pairs = enumerate(zip(entry.bare, given.bare))
            entry.equal = [(place, before) for place, (before, now) in pairs if same(before, now)]
            entry.program = Program(recorded, guard, given.key, self.lock)

    def what_changed(self, given: Arguments) -> str:
        """Why there have been so many recordings."""
        known = self.entries.get(given.key)
        names = known[-1].guard.changed() if known else ["what it is called with"]
        last = f", the last time {names[0]}" if names else ""
        return f"its settings changed {RECORDINGS} times{last}"

    # What is known
    def enter(self, key: Any, entry: Entry) -> None:
        """One more setting; the least recently used goes where there are too many."""
        entry.used = next(self.moments)
        self.entries.setdefault(key, []).append(entry)
        while sum(map(len, self.entries.values())) > PROGRAMS:
            known = [(key, entry) for key, entries in self.entries.items() for entry in entries]
            self.forget(*min(known, key=lambda each: each[1].used))

    def forget(self, key: Any, entry: Entry) -> None:
        """A setting that will not come again, or has not come for long."""
        self.entries[key].remove(entry)
        if not self.entries[key]:
            del self.entries[key]

    def refuse(self, entry: Entry, reason: str, where: Where) -> None:
        """From now on this setting runs eagerly, which is said once."""
        entry.refused, entry.program, entry.recorded, entry.equal = True, None, Recorded(), []
        self.program = None
        self.say(reason, where)

    def say(self, reason: str, where: Where) -> None:
        """Say why a step runs eagerly: once for each reason and line."""
        file, line = where[0].co_filename, line_of(where)
        if (reason, file, line) in self._said:
            return
        self._said.add((reason, file, line))
        name = getattr(self.step, "__qualname__", repr(self.step))
        message = f"tg.replay: {name} runs eagerly, for {reason} ({show_where(where)})"
        warnings.warn_explicit(message, UserWarning, file, line)

    def say_what_varies(self, form: Any) -> None:
        """Each of the numbers in the arguments is a setting of its own, which may never come again."""
        if list(map(form_of, self.entries)).count(form) >= VARIED:
            reason = "each call brings another number, a setting of its own; pass what varies as a tensor"
            self.say(reason, place_of(self.step))

    def say_who_looks_on(self) -> None:
        """A debugger, a profiler or another observer is attached: it wants to see the engine."""
        observation = OBSERVATION.get()
        if observation is None:
            self.say("a debugger is attached", place_of(self.step))
            return
        others = [each for each in observation.observers if not isinstance(each, (Trace, Draws))]
        names = [type(observer).__name__ for observer in others]
        if names:
            self.say(f"{names[0]} looks on", place_of(self.step))


def refuse_what_lasts(recorded: Recorded, guard: Guard, effects: SideEffects) -> None:
    """Refuse what a step leaves behind in Python, and hooks of modules."""
    for container, method, where in effects.entries:
        if id(container) in guard.containers:
            recorded.refuse(f"it calls {method} of {guard.containers[id(container)]}, from outside", where)
    if guard.hooked and recorded.lines:
        recorded.refuse("hooks of a module are attached", recorded.lines[0].where)
    options = {name for line in recorded.lines if line.kind == "step" for name in line.target.defaults}
    for code in effects.frames:
        for name in options & names_in(code).options:
            recorded.refuse(f"it sets an option of the optimiser, {name!r}, itself", (code, 0))
    for name in guard.iterators if recorded.lines else ():
        recorded.refuse(f"it takes from an iterator, {name}", recorded.lines[0].where)
    for tensor in guard.tensors:
        if tensor._edge is not None and recorded.lines:
            recorded.refuse("a tensor from outside is put on the tape", recorded.lines[-1].where)


def refuse_what_is_not_told(recorded: Recorded, guard: Guard, effects: SideEffects, where: Where) -> None:
    """Refuse what a step may do with the arrays that it is called with and that these do not tell of: an
    index into an array of NumPy's, and a question for their type, which is another one while it is watched.
    """
    names = list(map(names_in, effects.frames))
    if any("type" in each.variables or (each.indexes and guard.reaches_numpy) for each in names):
        recorded.refuse(OF_ARRAYS, where)


def fresh_constant(first: Recorded, second: Recorded) -> Where | None:
    """The line that reads an array which the step makes anew, in a way that is not known; None: none does."""
    for line in second.lines:
        for read in line.reads:
            slot, other = second.slots[read], first.slots[read]
            array = getattr(slot.value, "_data", slot.value)
            if slot.origin in ("constant", "outside") and isinstance(array, np.ndarray):
                if slot.value is not other.value and array.size > 1 and not (array == array.flat[0]).all():
                    return line.where
    return None
