"""Steps that are not taken, go uphill, or are taken with gradients that are not those of this step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...engine.location import place_at
from ...errors import show_count
from ...members import grouped
from . import rates, signs
from .finding import PERHAPS, Finding
from .models import is_parameter, key_of, made_at
from .rates import backward_place, loss_said, place_of_steps
from .seen import History, OpSeen
from .thresholds import FEW_STEPS, GROWING


def examine(history: History) -> Iterator[Finding]:
    """What is wrong with the steps."""
    idle = [*rebound(history), *no_steps(history)]
    yield from idle
    yield from stale_gradients(history)
    yield from growing_graph(history)
    if idle:
        return
    yield from doubled(history)
    yield from rates.examine(history, any(signs.examine(history)))


def rebound(history: History) -> Iterator[Finding]:
    """Steps by hand that give the name of a parameter a new tensor, and leave the parameter as it is."""
    sweeps = [sweep for sweep in history.sweeps if sweep.writes]
    still = {leaf for sweep in sweeps for leaf in sweep.grads} - {update.leaf for update in history.updates}
    ends = [op for op in history.ops if op.op in ("sub", "add") and not op.swept and not op.readers]
    lines = grouped((op.where, op) for op in ends if is_change_of(op, still))
    for ops in lines.values():
        leaves = {given.leaf for op in ops for given in op.inputs if given.leaf is not None}
        if len(sweeps) < FEW_STEPS or len(ops) < FEW_STEPS * len(leaves) - 1:
            continue
        yield Finding(
            "rebound",
            "no parameter ever changes: the update gives a name a new tensor, and leaves the parameter as "
            "it is",
            f"{len(sweeps)} backwards brought gradients to {show_count(len(leaves), 'parameter')}; what is "
            f"made of parameter and gradient here is read by nothing{loss_said(history)}",
            "change it in place: p -= rate * p.grad under tg.no_grad(), or p.copy_(…); p = p - … only "
            "rebinds the name p",
            ops[-1].place,
            weight=96,
        )


def is_change_of(op: OpSeen, still: set[Any]) -> bool:
    """Whether an op adds to, or subtracts from, one of these parameters numbers of its shape off the tape."""
    leaves = [given for given in op.inputs if given.leaf is not None and given.leaf in still]
    others = [given for given in op.inputs if given.leaf is None and not given.wanted]
    return len(leaves) == 1 and len(others) == 1 and leaves[0].shape == others[0].shape == op.shape


def no_steps(history: History) -> Iterator[Finding]:
    """Backwards without steps, steps without gradients, steps without backwards."""
    sweeps = [sweep for sweep in history.sweeps if sweep.writes]
    reached = {leaf for sweep in sweeps for leaf in sweep.grads}
    yield from never_stepped(history, len(sweeps), reached)
    yield from idle_optimizers(history, reached)
    if len(history.steps) >= 2 and not any(step.moved for step in history.steps):
        yield from steps_without_gradients(history, len(sweeps), reached)
    swept = [update for update in history.updates if update.optimizer is not None and update.swept]
    lost = [update for update in swept if not update.grad]
    if len(lost) >= 2 and len(lost) == len(swept):
        yield no_gradient_left(history, len({update.round for update in lost}), "0")


def never_stepped(history: History, sweeps: int, reached: set[Any]) -> Iterator[Finding]:
    """So many backwards bring gradients to leaves, and nothing changes any parameter among them."""
    if sweeps < FEW_STEPS or history.steps or history.updates or any(rebound(history)):
        return
    trained = [leaf for leaf in reached if is_parameter(leaf) or leaf in history.optimized()]
    if not trained and is_repeated(history):
        trained = list(reached)  # tensors, as a net by hand has them
    if not trained or (history.given and not history.optimizers):
        return
    yield Finding(
        "no_step",
        "optimizer.step() is never called"
        if history.optimizers
        else "nothing changes the parameters: no step",
        f"{sweeps} backwards brought gradients to {show_count(len(trained), 'parameter')}, and none "
        "has changed",
        "call optimizer.step() (with its brackets) after loss.backward()",
        backward_place(history),
        weight=95,
    )


def steps_without_gradients(history: History, sweeps: int, reached: set[Any]) -> Iterator[Finding]:
    """Steps none of which moves anything: no backward was called, or none that reaches a parameter."""
    last, count = history.steps[-1], len(history.steps)
    if sweeps:
        if reached & set(last.optimizer.params()):
            yield no_gradient_left(history, count, "None")
    elif history.leaf_sweeps:
        cut = history.leaf_cuts[0] if history.leaf_cuts else None
        by = f"; {cut.op} passes no gradient back" if cut is not None else ""
        yield Finding(
            "cut_tape",
            "backward begins at a new tensor: the tape is cut between the net and the loss",
            f"{len(history.leaf_sweeps)} backwards began at a leaf, which no op made: no gradient "
            f"reaches any parameter{by}",
            "no tg.tensor(…, requires_grad=True) and no requires_grad_() on what was computed; no "
            ".item(), .argmax(), .detach() on the way to the loss",
            place_at(history.leaf_sweeps[0]),
            weight=95,
            cause=cut.place if cut is not None else None,
        )
    else:
        yield Finding(
            "no_backward",
            "optimizer.step() is called, but backward() never is",
            f"{count} steps, no backward: there is no gradient to step by",
            "call loss.backward() before optimizer.step()",
            place_at(last.where),
            weight=95,
        )


def is_repeated(history: History) -> bool:
    """Whether one line goes backward again and again, to the same leaves and with the same loss."""
    losses = history.main_losses()
    same = len(set(losses)) == 1 and len({frozenset(sweep.grads) for sweep in history.sweeps}) == 1
    return same and len(losses) >= 3 * FEW_STEPS


def idle_optimizers(history: History, reached: set[Any]) -> Iterator[Finding]:
    """Optimisers whose step is never called, while others step."""
    stepping = [step.optimizer for step in history.steps if step.moved]
    taken = {param for optimizer in stepping for param in optimizer.params()}
    for optimizer in history.optimizers:
        own = optimizer.params()
        idle = all(optimizer is not step.optimizer for step in history.steps)
        if not idle or len(stepping) < 2 * FEW_STEPS or taken & set(own) or not reached & set(own):
            continue
        yield Finding(
            "no_step",
            f"step() of one optimiser ({type(optimizer).__name__}) is never called, while another steps",
            f"gradients reach its {show_count(len(own), 'parameter')}, and none changes in {len(stepping)} "
            "steps",
            "call its step() too",
            made_at(history, optimizer) or backward_place(history),
            weight=88,
        )


def no_gradient_left(history: History, steps: int, value: str) -> Finding:
    """Gradients are forgotten between the backward and the step."""
    return Finding(
        "gradients_cleared",
        "zero_grad stands between backward and step: the optimiser finds no gradients",
        f"backward brings gradients to its parameters, but at {steps} of {steps} steps every .grad is "
        f"{value}",
        "in this order: optimizer.zero_grad(), loss.backward(), optimizer.step()",
        place_of_steps(history),
        weight=94,
    )


def stale_gradients(history: History) -> Iterator[Finding]:
    """Gradients that a step has used are added to, and used again."""
    stale = [update for update in history.updates if update.stale and update.moved]
    rounds = {update.round for update in stale}
    if len(rounds) < 2:
        return
    leaf = stale[0].leaf
    own = [update for update in history.updates if update.leaf is leaf]
    yield Finding(
        "stale_gradients",
        "zero_grad is forgotten: gradients of earlier steps are added to and used again",
        f"at {len(rounds)} of {len({update.round for update in own})} steps; |g| of {key_of(history, leaf)} "
        f"went from {own[0].swept:.3g} to {own[-1].swept:.3g}, for it is the sum of all backwards so far",
        "call optimizer.zero_grad() in every step, before backward()",
        backward_place(history),
        weight=90,
    )


def growing_graph(history: History) -> Iterator[Finding]:
    """Backwards that go through the graphs of all earlier steps again."""
    for where, counts in grouped((sweep.where, sweep.count) for sweep in history.sweeps).items():
        grows = all(later > earlier for earlier, later in zip(counts, counts[1:]))
        if len(counts) < 2 * FEW_STEPS or not grows or counts[FEW_STEPS] < GROWING * counts[0]:
            continue
        yield Finding(
            "growing_graph",
            "each backward goes through the old graphs too: the graph grows with every step",
            f"{counts[0]} ops in the first backward, {counts[-1]} in number {len(counts)}, and slower "
            "each time",
            "cut what is carried over from step to step: total += loss.item(), hidden = hidden.detach(); "
            "then retain_graph is not needed",
            place_at(where),
            weight=80,
        )


def take_turns(history: History, optimizers: list[Any]) -> bool:
    """Whether several optimisers step in turns, and not one after the other has done its part."""
    order = [step.optimizer for step in history.steps if step.moved]
    own = [optimizer for optimizer in order if any(optimizer is each for each in optimizers)]
    changes = sum(earlier is not later for earlier, later in zip(own, own[1:]))
    return changes >= 2 * FEW_STEPS


def doubled(history: History) -> Iterator[Finding]:
    """Parameters that two optimisers step."""
    owners = grouped((param, each) for each in history.optimizers for param in each.params())
    twice = [param for param, its in owners.items() if take_turns(history, its)]
    rounds = {update.round for update in history.updates if twice and update.leaf is twice[0]}
    if len(rounds) >= 2 * FEW_STEPS:
        yield Finding(
            "two_optimizers",
            f"{show_count(len(twice), 'parameter')} are in two optimisers",
            f"{key_of(history, twice[0])} among them: each step of either changes it",
            "give each parameter to one optimiser",
            made_at(history, owners[twice[0]][-1]),
            PERHAPS,
            weight=45,
        )
