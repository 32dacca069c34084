"""The last resort: the net guesses, though its weights move and its few samples came by again and again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...dtypes import Array
from .data import classes_of, pairs_of_batches
from .finding import PERHAPS, Finding
from .losses import target_of
from .rates import finite_updates, has_opponents
from .seen import LOSSES, DataSeen, History, OpSeen
from .thresholds import GUESS_LOSS, GUESS_MOVED, GUESS_PASSES, GUESS_STEPS

SUMS = {"sum", "none"}


def examine(history: History) -> Iterator[Finding]:
    """A loss that stays where guessing by the frequencies of the classes has it."""
    losses = [op for op in history.training() if op.op in LOSSES]
    roots = {id(root) for sweep in history.sweeps for root in sweep.roots}
    plain = all(id(op) in roots and op.params.get("reduction", "mean") not in SUMS for op in losses)
    if len(losses) < GUESS_STEPS or len({op.where for op in losses}) > 1 or not plain:
        return
    if has_opponents(history) or moved_in_all(history) < GUESS_MOVED:
        return
    guess, passes = guessed_loss(losses), passes_of([pair[0] for pair in pairs_of_batches(history)])
    late = [op.value for op in losses[-len(losses) // 3 :] if op.value is not None]
    if not guess or passes < GUESS_PASSES or not late:
        return
    if not np.isfinite(late).all() or float(np.mean(late)) < GUESS_LOSS * guess:
        return
    yield Finding(
        "guesses",
        "nothing of the inputs is learned: the loss stays where guessing by the frequencies of the targets "
        "alone has it",
        f"guessing gives {guess:.4g}, and the last {len(late)} steps {float(np.mean(late)):.4g} on the mean, "
        f"though the weights move, and the same samples came by about {passes:.3g} times",
        "do the labels belong to the inputs: are both shuffled with one permutation, and not apart? does an "
        "augmentation (a flip, a crop) change what the label says? is the learning rate far too small or "
        "too large? else the inputs may say little of the targets",
        losses[-1].place,
        PERHAPS,
        weight=30,
    )


def moved_in_all(history: History) -> float:
    """How far steps have moved the weights in all, over their size."""
    updates = finite_updates(history.updates)
    leaves = {update.leaf for update in updates}
    return sum(update.ratio for update in updates) / len(leaves) if leaves else 0.0


def guessed_loss(losses: list[OpSeen]) -> float | None:
    """The loss of the best guess that knows no input: an entropy of classes, or a variance."""
    classes = [classes_of(op) for op in losses]
    known = [each for each in classes if each is not None and each.size]
    if known:
        _, counts = np.unique(np.concatenate(known), return_counts=True)
        shares = counts / counts.sum()
        return float(-(shares * np.log(shares)).sum())
    targets = [target.sample.reshape(-1) for op in losses if (target := target_of(op)) is not None]
    one_number = all(len(op.inputs[0].shape) == 1 or op.inputs[0].shape[1:] == (1,) for op in losses)
    if losses[0].op == "mse_loss" and targets and one_number:
        return float(np.concatenate(targets).var())
    return None


def passes_of(inputs: list[DataSeen]) -> float:
    """How often each sample came by, on the mean; 1 where each was new."""
    rows: list[Array] = [
        row for data in inputs if data.is_float and data.sample.ndim == 2 for row in data.sample
    ]
    return len(rows) / len({row.tobytes() for row in rows}) if rows else 0.0
