"""Is a replay what eager is? One step both ways, from the same state, compared bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ..errors import ReplayError, show_array, show_value
from .arguments import Arguments
from .program import Line, difference_of_constants
from .runner import Program
from .state import same_numbers
from .trace import Trace

COMPARED = ("forward", "rule", "add", "cast")


def replay_compared(program: Program, given: Arguments, step: Callable[[], Any]) -> Any:
    """One step by the program, if it is what the eager step is; else ReplayError, with everything as it was.

    The eager step comes first, and is undone: parameters, buffers, optimisers and random numbers are put
    back. What it does in Python beside, a counter or a print, happens once.
    """
    changed = program.changed.of_everything(program.recorded)
    before = changed.state(given.tensors)
    trace = Trace(given.tensors, given.bare, keeps=True)
    with trace:
        step()
    after = changed.state(given.tensors)
    before.restore()
    try:
        parted = difference_of_constants(program.as_recorded, trace.recorded)
        if parted is not None:
            program.run(given.tensors, given.arrays)  # which may notice by itself, and depart
            raise ReplayError(f"replay and eager part: {parted}")
        result = compared_run(program, given, trace)
        compare_states(after, changed.state(given.tensors))
    except BaseException:
        before.restore()
        raise
    return result


def compared_run(program: Program, given: Arguments, trace: Trace) -> Any:
    """One step of the program, each call of it compared with what eager computed."""
    slots = program.template.copy()
    slots[: program.arguments] = given.arrays
    for line, call in zip(program.lines, program.calls):
        call(slots, given.tensors)
        if line.kind in COMPARED:
            for write in line.writes:
                compare(line, slots[write], trace.recorded.slots[write].value)
    return program.result(slots, given.tensors)


def compare(line: Line, value: Any, expected: Any) -> None:
    """Raise where what a call made is not what eager made."""
    if expected is None or not isinstance(expected, np.ndarray):
        return
    same_form = isinstance(value, np.ndarray) and shape_and_dtype(value) == shape_and_dtype(expected)
    if not same_form or not same_numbers(value, expected):
        part(line, value, expected)


def part(line: Line, value: Any, expected: Any) -> NoReturn:
    """Say where they part."""
    other_form = isinstance(value, np.ndarray) and shape_and_dtype(value) != shape_and_dtype(expected)
    show = show_array if other_form else show_value
    raise ReplayError(
        f"replay and eager part at {line.name} ({line.place}): it made {show(value)}, eager made "
        f"{show(expected)}"
    )


def shape_and_dtype(array: Any) -> Any:
    """What shape and dtype it has."""
    return array.shape, array.dtype


def compare_states(eager: Any, replayed: Any) -> None:
    """Raise where parameters, buffers, gradients, optimisers or random numbers are not what eager left."""
    for (tensor, _, mine, _), (_, _, theirs, _) in zip(replayed.numbers, eager.numbers):
        if not same_numbers(mine, theirs):
            raise ReplayError(
                f"replay and eager part: {tensor.name or 'a tensor'} is another one after the step"
            )
    for (tensor, _, mine_grad), (_, _, their_grad) in zip(replayed.grads, eager.grads):
        if not equal_states(mine_grad, their_grad):
            raise ReplayError(
                f"replay and eager part: the gradient of {tensor.name or 'a tensor'} is another one"
            )
    for (optimizer, *mine_state), (_, *their_state) in zip(replayed.optimizers, eager.optimizers):
        if not equal_states(mine_state, their_state):
            raise ReplayError(
                f"replay and eager part: the state of {type(optimizer).__name__} is another one"
            )
    for (_, mine_random), (_, their_random) in zip(replayed.generators, eager.generators):
        if mine_random != their_random:
            raise ReplayError("replay and eager part: they drew different random numbers")


def equal_states(mine: Any, theirs: Any) -> bool:
    """Whether two states are equal, array by array."""
    if isinstance(mine, np.ndarray):
        return isinstance(theirs, np.ndarray) and mine.shape == theirs.shape and same_numbers(mine, theirs)
    if isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(equal_states(mine[key], theirs[key]) for key in mine)
    if isinstance(mine, (list, tuple)):
        return len(mine) == len(theirs) and all(map(equal_states, mine, theirs))
    return mine is theirs or bool(mine == theirs)
