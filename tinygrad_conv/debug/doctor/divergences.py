"""Divergences: Σ t (ln t - x) of an x that holds no logarithms, or of a t that holds some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .finding import Finding
from .seen import History, InputSeen, OpSeen, Stats

ROUNDING = 1e-5  # above 0, that the logarithm of a probability may be by rounding


@dataclass(frozen=True)
class Divergence:
    """A t (ln t - x): what is given as t and as x, and whether t is given as its logarithm."""

    op: OpSeen
    target: InputSeen
    input: InputSeen
    log_target: bool


def examine(history: History) -> Iterator[Finding]:
    """What the divergences of a training are given."""
    told: set[object] = set()
    for op in history.training():
        divergence = divergence_of(op)
        if divergence is not None and op.where not in told:
            told.add(op.where)
            yield from wrong_input(history, divergence)
            yield from wrong_target(divergence)


def divergence_of(op: OpSeen) -> Divergence | None:
    """t ln t - t x, or t (ln t - x), or exp(t) (t - x), however it is written."""
    if len(op.inputs) != 2:
        return None
    first, second = op.inputs
    if op.op == "sub" and is_made_by(first, "mul") and is_made_by(second, "mul"):
        entropy, product = first.producer.inputs, second.producer.inputs  # type: ignore[union-attr]
        if is_logarithm(entropy[1], entropy[0]) and is_same(entropy[0], product[0]):
            return Divergence(op, entropy[0], product[1], False)
    if op.op == "mul" and is_made_by(second, "sub"):
        target, x = second.producer.inputs  # type: ignore[union-attr]
        if is_logarithm(target, first):
            return Divergence(op, first, x, False)
        if is_made_by(first, "exp") and is_same(first.producer.inputs[0], target):  # type: ignore[union-attr]
            return Divergence(op, target, x, True)
    return None


def is_made_by(given: InputSeen, name: str) -> bool:
    """Whether an op of this name has made an input."""
    return given.producer is not None and given.producer.op == name


def is_same(first: InputSeen, second: InputSeen) -> bool:
    """Whether two inputs are one array."""
    if first.producer is not None:
        return first.producer is second.producer
    return first.data is not None and second.data is not None and first.data.digest == second.data.digest


def is_logarithm(given: InputSeen, of: InputSeen) -> bool:
    """Whether an input is the logarithm of another, past a where that keeps its zeros out, or a clamp."""
    if not is_made_by(given, "log"):
        return False
    inner = given.producer.inputs[0]  # type: ignore[union-attr]
    behind = inner.producer.inputs[0] if inner.producer is not None and inner.producer.inputs else inner
    return is_same(inner, of) or is_same(behind, of)


def numbers_of(given: InputSeen) -> Stats | None:
    """The range of an input."""
    if given.producer is not None:
        return given.producer.stats
    return given.data.stats if given.data is not None else None


def wrong_input(history: History, divergence: Divergence) -> Iterator[Finding]:
    """What is given in the place of the logarithms of the model's probabilities."""
    numbers, maker = numbers_of(divergence.input), divergence.input.producer
    if numbers is None or not numbers.finite or numbers.high <= ROUNDING:
        return
    probabilities = numbers.low >= 0 and numbers.high <= 1 + ROUNDING
    given = "probabilities" if probabilities else "scores (logits)"
    made = f"comes from {maker.op} and " if maker is not None else ""
    place = maker.place if maker is not None and probabilities else divergence.op.place
    yield Finding(
        "divergence_of_probabilities",
        f"the KL divergence is given {given} as its input; it needs log-probabilities, from log_softmax",
        f"its input {made}goes from {numbers.low:.3g} to {numbers.high:.3g}, and the logarithm of a "
        "probability is never above 0: the loss is no divergence then, and may fall below 0",
        "F.kl_div(F.log_softmax(scores, dim=1), target)",
        place,
        weight=88,
        cause=divergence.op.place if place is not divergence.op.place else None,
    )


def wrong_target(divergence: Divergence) -> Iterator[Finding]:
    """Targets that are logarithms where probabilities are asked for, or the other way round."""
    numbers = numbers_of(divergence.target)
    if numbers is None or not numbers.finite or not numbers.high > numbers.low:
        return
    if divergence.log_target and numbers.low >= 0:
        given, needed, advice = "probabilities", "their logarithms (log_target=True)", "leave out log_target"
    elif not divergence.log_target and numbers.low < -ROUNDING:
        given, needed, advice = "negative numbers", "probabilities", "log_target=True, if they are logarithms"
    else:
        return
    yield Finding(
        "divergence_from_logarithms",
        f"the targets of the KL divergence are {given}, and it needs {needed}",
        f"they go from {numbers.low:.3g} to {numbers.high:.3g}",
        advice,
        divergence.op.place,
        weight=98,
    )
