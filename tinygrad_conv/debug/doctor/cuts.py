"""Where the tape is cut: between what a net gives and the loss, and from one time step to the next."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...engine.location import Place
from ...errors import show_count
from ...members import grouped
from .finding import PERHAPS, Finding
from .models import key_of, line_in, made_at
from .parameters import reached, read_leaves
from .seen import History, OpSeen, behind
from .thresholds import FEW_STEPS

DECIDING = {"round", "floor", "ceil", "trunc", "sign", "bernoulli", "multinomial", "one_hot"}
LOOKED_BACK = 400  # ops from a loss, or from one use of a weight to the one before


@dataclass(frozen=True)
class Cut:
    """An op at which the tape ends, or that reads what was taken off it."""

    op: OpSeen
    how: str


def examine(history: History) -> Iterator[Finding]:
    """Parameters that no gradient reaches because the tape ends before, in part or as a whole."""
    yield from left_behind(history)
    yield from cut_in_time(history)


def left_behind(history: History) -> Iterator[Finding]:
    """An optimiser none of whose parameters any backward reaches."""
    arrived, read = reached(history), read_leaves(history)
    for optimizer in history.optimizers:
        params = optimizer.params()
        called = [step for step in history.steps if step.optimizer is optimizer]
        if len(called) < 2 or any(param in arrived for param in params) or not arrived:
            continue
        if not any(param.requires_grad for param in params):
            continue
        if any(param in read for param in params):
            yield cut_off(history, optimizer)
            continue
        yield Finding(
            "another_model",
            "the optimiser has parameters of another model: no backward reaches any of its "
            f"{show_count(len(params), 'parameter')}",
            f"{len(called)} steps moved nothing, while {show_count(len(arrived), 'other tensor')} got "
            "gradients",
            "make the optimiser of the parameters of the model that is called, after it was made, copied or "
            "its layers replaced",
            made_at(history, optimizer),
            weight=86,
        )


def cut_off(history: History, optimizer: Any) -> Finding:
    """The finding about parameters that the forward reads and the loss does not lead back to."""
    params = optimizer.params()
    roots = [root for sweep in history.sweeps[-FEW_STEPS:] for root in sweep.roots]
    cut = next((cut for cut in map(cut_behind, roots) if cut is not None), None)
    cut = cut or cut_after(history, set(params))
    why = "no path leads back to them from the loss" if cut is None else cut.how
    return Finding(
        "no_gradient",
        f"no gradient reaches any of the {show_count(len(params), 'parameter')} of the optimiser",
        f"the forward reads them, but {why}; a requires_grad_() after that makes a new leaf, and connects "
        "nothing",
        "compute the loss of what comes before that: of probabilities or scores, not of decisions; no "
        ".detach(), .data, .numpy(), .item() or no_grad on the way",
        made_at(history, optimizer) if cut is None else cut.op.place,
        weight=93,
    )


def cut_behind(root: OpSeen) -> Cut | None:
    """The cut nearest to a loss."""
    return next(filter(None, map(cut_at, behind([root], LOOKED_BACK))), None)


def cut_after(history: History, params: set[Any]) -> Cut | None:
    """The cut after which a leaf was made anew: its numbers are a copy, which its shape tells."""
    shapes = {leaf.shape for leaf in reached(history)}
    waiting = [
        op for op in history.ops if any(given.leaf in params for given in op.inputs if given.leaf is not None)
    ]
    seen: set[int] = set()
    while waiting and len(seen) < LOOKED_BACK:
        op = waiting.pop(0)
        cut = cut_at(op)
        if cut is not None and any(each.shape in shapes for each in (op, *op.readers)):
            return cut
        if id(op) not in seen and op.recorded:
            waiting += op.readers
        seen.add(id(op))
    return None


def cut_at(op: OpSeen) -> Cut | None:
    """The cut that an op is, if it is one."""
    if op.ends_the_tape:
        if not op.recording:
            return Cut(op, f"{op.op} runs under no_grad, which records nothing")
        return Cut(op, f"{op.op} has no gradient (it is not differentiable): the tape ends there")
    if is_detached(op):
        return Cut(op, f"{op.op} is given what was taken off the tape (.detach(), .data)")
    return None


def is_detached(op: OpSeen) -> bool:
    """Whether an op reads what another recorded, but off the tape."""
    return any(
        given.producer is not None and given.producer.recorded and not given.wanted for given in op.inputs
    )


def cut_in_time(history: History) -> Iterator[Finding]:
    """A weight that is used again and again in a forward, on a state that is detached each time."""
    sweeps = [sweep.round for sweep in history.sweeps]
    uses_by_weight = uses_of_rounds(history, {each for each in sweeps if sweeps.count(each) == 1})
    often = grouped((weight, uses) for (weight, _), uses in uses_by_weight.items() if len(uses) >= FEW_STEPS)
    for weight, rounds in often.items():
        cuts = [cut_of_state(uses) for uses in rounds[:FEW_STEPS]]
        if len(cuts) < 2 or None in cuts:
            continue
        cut, count = cuts[-1], len(rounds[0])
        yield Finding(
            "cut_in_time",
            "the state is detached in every time step: no gradient flows back through time",
            f"{key_of(history, weight)} is used {count} times in a forward, each time on what it made "
            "before, but that was taken off the tape: the graph ends at every step, so that the loss "
            "teaches the last one alone what to do with its input",
            "no .detach() within the loop over time; between two backwards it is right",
            cut.place if cut is not None else None,
            PERHAPS,
            weight=66,
            cause=detaching_line(cut.place) if cut is not None else None,
        )


def detaching_line(place: Place) -> Place | None:
    """The one line of the function around a place that takes something off the tape; None for several."""
    try:
        tree = ast.parse("".join(linecache.getlines(place.file)))
    except SyntaxError:
        return None
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.Module))
        and getattr(node, "lineno", 0) <= place.line <= (getattr(node, "end_lineno", 0) or place.line)
    ]
    function = max(around, key=lambda node: getattr(node, "lineno", 0), default=tree)
    lines = {
        node.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and node.attr in ("detach", "detach_", "data")
    }
    line = lines.pop() if len(lines) == 1 else place.line
    return None if line == place.line else line_in(place.file, line)


def uses_of_rounds(history: History, rounds: set[int]) -> dict[tuple[Any, int], list[OpSeen]]:
    """By weight and step the ops on the tape that multiply with it, in the first of these steps."""
    first = sorted(rounds)[:FEW_STEPS]
    uses = [op for op in history.ops if op.round in first and op.recorded and op.weight is not None]
    return grouped(((op.weight, op.round), op) for op in uses)


def cut_of_state(uses: list[OpSeen]) -> OpSeen | None:
    """An op that reads the detached state, if each use of a weight is cut off from the one before."""
    if not uses[-1].swept:
        return None
    cut = None
    for earlier, later in zip(uses, uses[1:]):
        if links(later, earlier, through_cuts=False) is not None:
            return None
        cut = links(later, earlier, through_cuts=True)
        if cut is None:
            return None
    return cut


def passes(op: OpSeen) -> bool:
    """Whether an op passes gradients, or would if what it reads had not been taken off the tape."""
    if op.recorded:
        return True
    decides = op.op in DECIDING or op.dtype.kind != "f" or any(given.wanted for given in op.inputs)
    return op.recording and not decides


def links(later: OpSeen, earlier: OpSeen, through_cuts: bool) -> OpSeen | None:
    """The op at which the way from one op back to an earlier one is cut, or, on an uncut way, the last op;
    None, if there is no way.
    """
    waiting: list[tuple[OpSeen, OpSeen | None]] = [(later, None)]
    seen: set[int] = set()
    while waiting and len(seen) < LOOKED_BACK:
        op, cut = waiting.pop(0)
        if op is earlier:
            return cut if through_cuts else op
        if id(op) in seen or not passes(op):
            continue
        seen.add(id(op))
        for given in op.inputs:
            if given.producer is not None and (given.wanted or through_cuts):
                waiting.append((given.producer, cut if given.wanted else op))
    return None
