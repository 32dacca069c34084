"""From the lines of a recording to the calls of a program: `call(slots, tensors)` for each, in order.

Each is made once and then runs in every step, so whatever is the same in all of them is settled here.
Forwards and rules are called with arrays as the engine calls them, and what they return is checked as it
does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.registry import OPS
from ..engine.tensor import Tensor
from .ending import Ending, ending_of
from .gradients import deposit, deposits_anew
from .hooks import hook_of, prepared, varying, wants_memory
from .liveness import Buffers
from .program import Line, Recorded
from .updates import update_of
from .values import Call, filled, has_marks, reader


class Departure(Exception):
    """A call of a program did not do what was recorded: `reason` says what."""

    def __init__(self, line: Line, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


def calls_of(recorded: Recorded) -> tuple[list[Call], Ending | None, int]:
    """The calls that the lines of a recording become; what does the last two of them at once, perhaps; and
    how many bytes of memory they keep.
    """
    hooked = [hook_of(line, line.then) for line in recorded.lines]
    candidates = [line.writes[0] for line, hook in zip(recorded.lines, hooked) if wants_memory(hook)]
    buffers = Buffers(recorded, candidates)
    arrays = [getattr(slot.value, "_data", slot.value) for slot in recorded.slots]
    shared = lasting(recorded)
    anew = deposits_anew(recorded)
    ending = ending_of(recorded, anew)
    calls: list[Call] = []
    for number, (line, hook) in enumerate(zip(recorded.lines, hooked)):
        run = None if hook is None else prepared(line, hook, arrays, buffers, shared)
        out = buffers.of.get(line.writes[0]) if line.writes else None
        of_numbers = all(getattr(arrays[read], "ndim", None) == 0 for read in line.reads)
        if run is not None and of_numbers and len(line.writes) == 1:
            run = making_arrays(run)
        if number in anew:
            calls.append(anew[number](line))
        elif ending is not None and line is recorded.lines[-1]:
            calls.append(ending.step)
        else:
            calls.append(MAKERS[line.kind](line, recorded) if run is None else hooked_call(line, run, out))
        if out is not None:
            if run is None or id(out) in shared["declined"]:
                buffers.drop(line.writes[0])
            else:
                arrays[line.writes[0]] = shared["lasting", id(out)] = out
    recorded.buffers = buffers.numbers
    return calls, ending, buffers.nbytes


def lasting(recorded: Recorded) -> dict[Any, Any]:
    """What hooks prepare for each other, with the arrays that are the same object in every step, mostly."""
    slots = [slot for slot in recorded.slots if slot.origin in ("constant", "outside")]
    arrays = [getattr(slot.value, "_data", slot.value) for slot in slots]
    return {"declined": set(), **{("lasting", id(array)): array for array in arrays}}


def making_arrays(run: Callable[..., Any]) -> Callable[..., Any]:
    """What is prepared for arrays of no dimensions alone, of which NumPy makes a number and no array."""
    return lambda *inputs, **params: np.asarray(run(*inputs, **params))


def hooked_call(line: Line, run: Any, out: Any) -> Call:
    """A call that was prepared for these shapes. out: the memory that it has for its result, perhaps."""
    if len(line.writes) > 1:
        return call_of_several(line, run)
    if marked := varying(line):
        return varying_call(line, run, marked)
    reads, write, unchecked = line.reads, line.writes[0], line.kind == "forward"

    def fit(dx: Any) -> Any:
        return dx if dx.shape == line.details[1][0][0] else fitted(dx, *line.details[1][0])

    # By name, for a tuple of arguments that is made anew each time takes as long as a small product
    if len(reads) == 1:
        (only,) = reads

        def call_one(slots: list[Any], tensors: list[Any]) -> None:
            result = run(slots[only])
            slots[write] = result if result is out or unchecked else fit(result)

        return call_one
    if len(reads) == 2:
        first, second = reads

        def call_two(slots: list[Any], tensors: list[Any]) -> None:
            result = run(slots[first], slots[second])
            slots[write] = result if result is out or unchecked else fit(result)

        return call_two
    if len(reads) == 3:
        left, middle, right = reads

        def call_three(slots: list[Any], tensors: list[Any]) -> None:
            result = run(slots[left], slots[middle], slots[right])
            slots[write] = result if result is out or unchecked else fit(result)

        return call_three
    read = reader(reads)

    def call(slots: list[Any], tensors: list[Any]) -> None:
        result = run(*read(slots))
        slots[write] = result if result is out or unchecked else fit(result)

    return call


def varying_call(line: Line, run: Any, marked: dict[str, Any]) -> Call:
    """A call that gets other params in every step, of one result."""
    read, (write,) = reader(line.reads), line.writes

    def call(slots: list[Any], tensors: list[Any]) -> None:
        result = run(*read(slots), **filled(marked, slots, tensors))
        slots[write] = result if line.kind == "forward" else fitted(result, *line.details[1][0])

    return call


def call_of_several(line: Line, run: Any) -> Call:
    """A call of several results: what an op keeps, beside what it returns."""
    read, writes, marked = reader(line.reads), line.writes, varying(line)

    def call(slots: list[Any], tensors: list[Any]) -> None:
        for write, value in zip(writes, run(*read(slots), **filled(marked, slots, tensors))):
            slots[write] = value

    return call


def forward(line: Line, recorded: Recorded) -> Call:
    """A forward of one output, whose params are the same in every step, is called without more ado."""
    params, several, count = line.details
    if several or has_marks(params) or len(line.writes) != 1:
        return any_forward(line, recorded)
    function, read, write = line.target.forward, reader(line.reads), line.writes[0]
    shape, dtype = shape_and_dtype(recorded.slots[write].value)

    def call(slots: list[Any], tensors: list[Any]) -> None:
        y = function(*read(slots), **params)
        if type(y) is not np.ndarray:
            y = np.asarray(y)
        if y.shape != shape or y.dtype != dtype:
            raise Departure(line, f"{line.name} makes other shapes or dtypes, by the values that it gets")
        slots[write] = y

    return call


def any_forward(line: Line, recorded: Recorded) -> Call:
    """A forward with several outputs, with values that it keeps, or with other params in every step."""
    params, several, count = line.details
    function, read, writes = line.target.forward, reader(line.reads), line.writes
    expected = [shape_and_dtype(recorded.slots[write].value) for write in writes[:count]]
    keeps, marked = bool(line.target.keeps), has_marks(params)

    def call(slots: list[Any], tensors: list[Any]) -> None:
        returned = function(*read(slots), **(filled(params, slots, tensors) if marked else params))
        y, kept = (returned[0], returned[1:]) if keeps else (returned, ())
        outputs = [np.asarray(output) for output in (y if several else (y,))]
        if [(output.shape, output.dtype) for output in outputs] != expected:
            raise Departure(line, f"{line.name} makes other shapes or dtypes, by the values that it gets")
        for write, value in zip(writes, (*outputs, *kept)):
            slots[write] = value

    return call


def rule(line: Line, recorded: Recorded) -> Call:
    """A rule, whose gradient is summed back and cast where that is needed."""
    params, expected, _ = line.details
    if line.target.variadic or has_marks(params):
        return any_rule(line, recorded)
    function, read, write = line.target.function, reader(line.reads), line.writes[0]
    shape, dtype = expected[0]

    def call(slots: list[Any], tensors: list[Any]) -> None:
        dx = function(*read(slots), **params)
        if type(dx) is not np.ndarray or dx.shape != shape or dx.dtype is not dtype:
            dx = fitted(dx, shape, dtype)
        slots[write] = dx

    return call


def any_rule(line: Line, recorded: Recorded) -> Call:
    """A rule of several inputs, or one with other params in every step."""
    params, expected, _ = line.details
    function, variadic = line.target.function, line.target.variadic
    read, writes = reader(line.reads), line.writes

    def call(slots: list[Any], tensors: list[Any]) -> None:
        dxs = function(*read(slots), **filled(params, slots, tensors))
        wanted = [(dx, each) for dx, each in zip(dxs if variadic else (dxs,), expected) if each is not None]
        for write, (dx, (shape, dtype)) in zip(writes, wanted):
            slots[write] = fitted(dx, shape, dtype)

    return call


def fitted(dx: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A gradient as `backward.fit` brings it into the shape and dtype of its input."""
    dx = np.asarray(dx)
    dx = dx if dx.shape == shape else OPS["sum_to"](dx, shape=shape)
    return dx if dx.dtype == dtype else OPS["to"](dx, dtype=dtype)


def add(line: Line, recorded: Recorded) -> Call:
    """The sum of two gradients of one edge."""
    (before, dx), write = line.reads, line.writes[0]

    def call(slots: list[Any], tensors: list[Any]) -> None:
        slots[write] = np.asarray(slots[before] + slots[dx])

    return call


def as_tuple(line: Line, recorded: Recorded) -> Call:
    """What a rule reads of a variadic input, or of several outputs."""
    read, write = reader(line.reads), line.writes[0]

    def call(slots: list[Any], tensors: list[Any]) -> None:
        slots[write] = read(slots)

    return call


def cast(line: Line, recorded: Recorded) -> Call:
    """An operand in the dtype that an op brings its inputs to."""
    read, write, dtype = line.reads[0], line.writes[0], line.target

    def call(slots: list[Any], tensors: list[Any]) -> None:
        slots[write] = np.asarray(slots[read], dtype)

    return call


def function(line: Line, recorded: Recorded) -> Call:
    """A function that is no op, called again with the tensors themselves where it changes them."""
    (inputs, options), places = line.details
    target, writes = line.target, line.writes
    changes_own = line.name == "change_off_the_tape"
    if not has_marks((inputs, options)) and not writes:
        return lambda slots, tensors: target(*inputs, **options)

    def call(slots: list[Any], tensors: list[Any]) -> None:
        given = filled(inputs, slots, tensors)
        result = target(*given, **filled(options, slots, tensors))
        results = [given[0]] if changes_own else result if isinstance(result, (tuple, list)) else (result,)
        for place, write in zip(places, writes):
            value = results[place]
            slots[write] = value._data if isinstance(value, Tensor) else value

    return call


def exchange(line: Line, recorded: Recorded) -> Call:
    """A follower's function, called with the gradients at leaves; what it returns takes their places."""
    arrived, options = line.details
    target, read, writes = line.target, reader(line.reads), line.writes

    def call(slots: list[Any], tensors: list[Any]) -> None:
        gradients = iter(read(slots))
        results = target(*[next(gradients) if each else None for each in arrived], **options)
        for write, result in zip(writes, results or ()):
            slots[write] = result

    return call


def step(line: Line, recorded: Recorded) -> Call:
    """An optimiser's update of all its parameters."""
    update = update_of(line.target).step
    return lambda slots, tensors: update()


def shape_and_dtype(array: Any) -> tuple[Any, Any]:
    """Of an array that was recorded."""
    return array.shape, array.dtype


MAKERS: dict[str, Callable[[Line, Recorded], Call]] = {
    "forward": forward,
    "rule": rule,
    "add": add,
    "tuple": as_tuple,
    "cast": cast,
    "function": function,
    "exchange": exchange,
    "deposit": deposit,
    "step": step,
}
