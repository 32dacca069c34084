"""Steps that go the wrong way: up the gradient, or down what ought to become large."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .finding import FAULT, PERHAPS, Finding
from .models import key_of, made_at
from .rates import backward_place, has_opponents, loss_said
from .seen import LOSSES, PASSING, History, InputSeen, OpSeen
from .thresholds import FEW_STEPS, UPHILL

SIMILARITY, LIKELIHOOD, ERROR = "similarity", "log-likelihood", "error"
DEEPEST = 40  # ops from what backward begins at


@dataclass(frozen=True)
class Term:
    """A term of a loss: what it is, and whether it is added or subtracted."""

    what: str
    sign: int
    op: OpSeen

    @property
    def is_wrong(self) -> bool:
        """Whether it goes the wrong way when the loss falls."""
        return self.sign < 0 if self.what == ERROR else self.sign > 0


def examine(history: History) -> Iterator[Finding]:
    """What goes the wrong way."""
    findings = [*climbing(history), *likelihood(history)]
    yield from findings or wrong_terms(history)


def climbing(history: History) -> Iterator[Finding]:
    """Steps that go up the gradient."""
    by_hand = [update for update in history.updates if update.optimizer is None and update.moved]
    up = [update for update in by_hand if update.along < -UPHILL]
    if len(up) >= 2 and len(up) > 0.8 * len(by_hand) and not rises_on_purpose(history):
        yield Finding(
            "wrong_sign",
            "the steps go up the gradient: the sign of the update is wrong",
            f"the change of {key_of(history, up[0].leaf)} points along +gradient in {len(up)} of "
            f"{len(by_hand)} updates{loss_said(history)}",
            "w -= rate * w.grad (minus)",
            backward_place(history),
            weight=89,
        )
    maximizing = [update for update in history.updates if update.group.get("maximize") and update.moved]
    losses = history.main_losses()
    if len(maximizing) >= 2 and len(losses) > FEW_STEPS and losses[-1] > losses[0]:
        yield Finding(
            "wrong_sign",
            "the optimiser goes up the gradient: maximize=True",
            f"the loss rises{loss_said(history)}",
            "leave out maximize, unless what backward() begins at is to become large",
            made_at(history, maximizing[0].optimizer),
            weight=89,
        )
    negated = [
        sweep for sweep in history.sweeps if sweep.roots and sweep.roots[0].op == "neg" and of_a_loss(sweep)
    ]
    if len(negated) >= FEW_STEPS and len(negated) == len(history.sweeps):
        yield Finding(
            "wrong_sign",
            "backward begins at minus the loss: the steps make it larger (wrong sign)",
            f"the sign of {negated[0].roots[0].before().op} is turned round{loss_said(history)}",  # type: ignore[union-attr]
            "leave out the minus: steps go down",
            negated[0].roots[0].place,
            weight=87,
        )


def likelihood(history: History) -> Iterator[Finding]:
    """Log-likelihoods that are minimised: the minus is missing."""
    likely = [sweep for sweep in history.sweeps if sweep.roots and is_log_likelihood(sweep.roots[0])]
    if len(likely) < FEW_STEPS or len(likely) < len(history.sweeps) or (likely[-1].loss or 0) >= 0:
        return
    yield Finding(
        "wrong_sign",
        "the log-likelihood is minimised: the sign of the loss is wrong, a minus is missing",
        "backward begins at a mean of logarithms of probabilities, which is negative, and steps make it more "
        f"so, without bound{loss_said(history)}",
        "the loss is minus the log-likelihood: return -picked.mean()",
        likely[-1].roots[0].place,
        weight=87,
    )


def is_log_likelihood(root: Any) -> bool:
    """Whether a loss is a mean or sum of log-probabilities, as they are."""
    maker = root if root.op in ("mean", "sum") else None
    while maker is not None and maker.op in PASSING | {"mean", "sum", "gather"}:
        maker = maker.inputs[0].producer if maker.inputs else None
    return maker is not None and maker.op in ("log_softmax", "logsigmoid")


def of_a_loss(sweep: Any) -> bool:
    """Whether a backward begins at minus what a loss function returned."""
    maker = sweep.roots[0].before()
    return maker is not None and maker.op in (
        "cross_entropy",
        "mse_loss",
        "nll_loss",
        "l1_loss",
        "huber_loss",
    )


def rises_on_purpose(history: History) -> bool:
    """Whether what backward begins at is no loss but is negated, as a log-likelihood is."""
    losses = history.main_losses()
    return len(losses) > 2 and losses[-1] < losses[0]


def wrong_terms(history: History) -> Iterator[Finding]:
    """Losses all of whose terms ought to become large: similarities, minus errors."""
    sweeps = [sweep for sweep in history.sweeps if sweep.roots and sweep.writes]
    learning = {update.leaf for update in history.updates}
    losses = history.main_losses()
    if len(sweeps) < 2 * FEW_STEPS or has_opponents(history) or not (losses and losses[-1] < losses[0]):
        return
    if any(len(sweep.roots) > 1 or not learning & set(sweep.grads) for sweep in sweeps):
        return
    terms = [terms_of(sweep.roots[0]) for sweep in sweeps]
    if not all(each and all(term.is_wrong for term in each) for each in terms):
        return
    term = (terms[-1] or [])[0]
    pairs = term.what == SIMILARITY
    what, terms_said = (
        ("the similarity of pairs", "cosine similarities")
        if pairs
        else (f"minus an {ERROR}", "negated errors")
    )
    end = "down to -1, where pairs point in opposite directions" if pairs else "without bound"
    yield Finding(
        "wrong_sign",
        f"{what} is minimised: the sign of the loss is wrong",
        f"backward begins at a mean of {terms_said}, and steps make it smaller, {end}{loss_said(history)}",
        "minimise 1 - similarity, or its negative, if the pairs belong together; nothing, if they are to be "
        "pushed apart"
        if pairs
        else "leave out the minus: steps go down",
        term.op.place,
        PERHAPS if pairs else FAULT,
        weight=87,
    )


def terms_of(root: OpSeen) -> list[Term] | None:
    """The terms of a loss; None where one of them is of no kind that is known."""
    terms: list[Term] = []
    waiting = [(root, 1)]
    for _ in range(DEEPEST):
        if not waiting:
            return terms
        op, sign = waiting.pop()
        what = what_it_is(op)
        if what:
            terms.append(Term(what, sign, op))
            continue
        parts = parts_of(op)
        if parts is None:
            return None
        waiting += [(part, sign * turned) for part, turned in parts]
    return None


def parts_of(op: OpSeen) -> list[tuple[OpSeen, int]] | None:
    """(op, sign) of what a sum, a mean or a multiple is made of; None of any other op."""
    made = [given.producer for given in op.inputs]
    if op.op in PASSING | {"mean", "sum", "neg"} and made and made[0] is not None:
        return [(made[0], -1 if op.op == "neg" else 1)]
    if op.op in ("mul", "div") and len(made) == 2:
        scales = [given.value for given in op.inputs]
        for part, scale in ((made[0], scales[1]), (made[1], scales[0] if op.op == "mul" else None)):
            if part is not None and scale and scales.count(None) == 1:
                return [(part, 1 if scale > 0 else -1)]
    if op.op in ("add", "sub") and len(made) == 2:
        signs = (1, 1 if op.op == "add" else -1)
        known = [part is not None or given.value is not None for part, given in zip(made, op.inputs)]
        return [(part, sign) for part, sign in zip(made, signs) if part is not None] if all(known) else None
    return None


def what_it_is(op: OpSeen) -> str:
    """The kind of a term; "" where it is none."""
    if op.op in LOSSES or is_squared_difference(op):
        return ERROR
    if op.op in ("log_softmax", "logsigmoid"):
        return LIKELIHOOD
    return SIMILARITY if is_cosine(op) else ""


def is_squared_difference(op: OpSeen) -> bool:
    """Whether an op is a square, or the size, of output minus target."""
    if op.op == "mul" and len({id(given.producer) for given in op.inputs}) != 1:
        return False
    if op.op not in ("pow", "abs", "mul") or op.op == "pow" and op.inputs[-1].value != 2:
        return False
    maker = op.inputs[0].producer
    return maker is not None and maker.op == "sub" and sum(map(is_target, maker.inputs)) == 1


def is_target(given: InputSeen) -> bool:
    """Whether an input is data, and not what the net gives."""
    return given.data is not None and not given.wanted


def is_cosine(op: OpSeen) -> bool:
    """Whether an op adds up the products of two things that have been divided by their norms."""
    product = op.inputs[0].producer if op.op == "sum" and op.inputs else None
    if product is None or product.op != "mul" or len(product.inputs) != 2:
        return False
    return all(is_unit(given.producer) for given in product.inputs) and product.recorded


def is_unit(op: OpSeen | None) -> bool:
    """Whether an op divides by a norm."""
    norm = op.inputs[1].producer if op is not None and op.op == "div" and len(op.inputs) == 2 else None
    for _ in range(4):
        if norm is None or norm.op in ("vector_norm", "sqrt"):
            return norm is not None
        norm = norm.inputs[0].producer if norm.inputs else None
    return False
