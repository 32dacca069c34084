"""Padding that the loss counts: most targets stand where the input is but filled up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...dtypes import Array
from .data import CLASSIFYING
from .finding import Finding
from .losses import target_of
from .models import layer_made_at
from .seen import History, OpSeen
from .thresholds import FEW_STEPS, PADDED


def examine(history: History) -> Iterator[Finding]:
    """Losses most of whose targets are padding."""
    lines: dict[object, list[tuple[OpSeen, float]]] = {}
    index: Array | None = None
    for op in history.training():
        if op.index is not None:
            index = op.index
        if op.op in CLASSIFYING and index is not None:
            lines.setdefault(op.where, []).append((op, padded_share(index, op)))
    for seen in lines.values():
        loss, share = seen[-1][0], float(np.median([share for _, share in seen]))
        if len(seen) < FEW_STEPS or share < PADDED:
            continue
        yield Finding(
            "padding_in_the_loss",
            f"most targets are padding: {share:.0%} of what the loss counts is no word but filling",
            "the rows of the input end (or begin) with one and the same index, and wherever it stands the "
            "target is one class, which is easy to get right; the mean of the loss is mostly theirs",
            "give the loss ignore_index=PAD, or mask these places",
            loss.place,
            weight=61,
            cause=layer_made_at(history, loss.layer),
        )


def padded_share(index: Array, loss: OpSeen) -> float:
    """The share of targets that are padding and count; 0, if there is none."""
    target = target_of(loss)
    ignored = loss.params.get("ignore_index")
    if target is None or target.dtype.kind not in "iu" or loss.params.get("weight") is not None:
        return 0.0
    if (
        loss.params.get("reduction") == "none"
        or len(np.unique(index[:, -1])) > 1
        and len(np.unique(index[:, 0])) > 1
    ):
        return 0.0
    count = min(target.sample.size, index.size)
    classes = target.sample.reshape(-1)[:count]
    if target.shape not in (index.shape, (index.size,)) and int(np.prod(target.shape)) < index.size:
        return 0.0
    shares = [share_of(index, value, classes, ignored) for value in {int(index[0, -1]), int(index[0, 0])}]
    return max(shares)


def share_of(index: Array, value: int, classes: Array, ignored: object) -> float:
    """The share of places at which an index stands that fills up rows, if all of them have one class."""
    filled = index == value
    lengths = filled.sum(axis=1)
    at_end = bool(all(row[len(row) - length :].all() for row, length in zip(filled, lengths)))
    at_start = bool(all(row[:length].all() for row, length in zip(filled, lengths)))
    there = filled.reshape(-1)[: len(classes)]
    own = np.unique(classes[there])
    if not (at_end or at_start) or len(own) != 1 or own[0] == ignored or len(np.unique(classes)) < 2:
        return 0.0
    return float(there.mean()) if lengths.min() < lengths.max() or lengths.min() < index.shape[1] else 0.0
