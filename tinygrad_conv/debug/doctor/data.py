"""Data: inputs that are not normalised or constant, labels that are sorted, missing or out of place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.location import place_at
from ...errors import show_shape
from ...members import grouped
from . import recurrence
from .finding import NOTE, PERHAPS, Finding
from .losses import is_one_hot, target_of
from .seen import LOSSES, DataSeen, History, OpSeen
from .targets import is_in_order, targets
from .thresholds import (
    ABSENT_SAMPLES,
    FEW_STEPS,
    LARGE_INPUT,
    OFFSET,
    ROW_OFFSET,
    SMALL_INPUT,
    SORTED_BATCHES,
    SORTED_SAMPLES,
    UNEVEN,
)

CLASSIFYING = ("cross_entropy", "nll_loss")
ALIKE_ROWS = 1e-3  # how far means and deviations of rows may be apart that were normalised one by one


def examine(history: History) -> Iterator[Finding]:
    """What is wrong with the data."""
    inputs = batches(history)
    yield from not_normalised(inputs)
    yield from constant(inputs)
    yield from reused_buffers(history, inputs)
    yield from labels(history)
    yield from targets(history)
    yield from same_order(inputs)


def batches(history: History) -> list[tuple[OpSeen, DataSeen]]:
    """(the op that reads it, the data) for each batch that a layer was given from outside in training."""
    seen: list[tuple[OpSeen, DataSeen]] = []
    repeated = repeated_weights(history)
    for op in history.training():
        if op.weight is None or not op.inputs:
            continue
        data = op.inputs[0].data
        if op.inputs[0].inner or (op.weight, op.round) in repeated:
            continue
        if data is not None and data.is_float and len(data.shape) >= 2:
            seen.append((op, data))
    return seen


def repeated_weights(history: History) -> set[tuple[Any, int]]:
    """(weight, step) of weights that multiply what they have made: what they begin with is a state."""
    forwards = recurrence.uses_by_forward(history)
    return {
        key for key, uses in forwards.items() if len(uses) > 1 and recurrence.comes_from(uses[1], uses[0])
    }


def not_normalised(inputs: list[tuple[OpSeen, DataSeen]]) -> Iterator[Finding]:
    """Inputs that are far from zero mean and unit size."""
    for op, data in one_for_each_line(inputs):
        if not data.stats.finite:
            continue
        if data.stats.rms > LARGE_INPUT:
            pixels = 100 < data.stats.high <= 255 and data.stats.low >= 0
            yield Finding(
                "not_normalised",
                f"the input of {op.name} is not normalised: it goes from {data.stats.low:.4g} to "
                f"{data.stats.high:.4g}",
                f"its root mean square is {data.stats.rms:.4g}; nets are made for about 1",
                "x / 255 for pixels" if pixels else "standardise: (x - mean) / std, of the training data",
                op.place,
                weight=64,
            )
            continue
        if 0 < data.stats.rms < SMALL_INPUT:
            yield Finding(
                "tiny_input",
                f"the input of {op.name} is not normalised: it is tiny",
                f"its root mean square is {data.stats.rms:.2g}; nets are made for about 1",
                "standardise: (x - mean) / std; is it divided by 255 twice?",
                op.place,
                weight=57,
            )
            continue
        columns = data.sample
        if columns.ndim != 2 or len(data.shape) != 2 or len(columns) < 8:
            continue
        spread, middle = columns.std(axis=0), np.abs(columns.mean(axis=0))
        varied = spread > 0
        if varied.sum() >= 2 and spread[varied].max() > UNEVEN * spread[varied].min():
            yield Finding(
                "uneven_features",
                f"the features of {op.name}'s input are not normalised: their scales differ",
                f"standard deviations go from {spread[varied].min():.2g} to {spread[varied].max():.2g}",
                "standardise each: (x - mean) / std",
                op.place,
                weight=59,
            )
        elif varied.any():
            yield from offset_of(op, data, middle[varied], spread[varied])


def offset_of(op: OpSeen, data: DataSeen, middle: Array, spread: Array) -> Iterator[Finding]:
    """The finding about columns that hardly vary around a mean far from 0."""
    ratio = float(np.median(middle / spread))
    by_row = how_rows_are_normalised(data.sample) if data.sample.shape[1] > 1 else ""
    if by_row and ratio > ROW_OFFSET:
        yield Finding(
            "rows_normalised",
            f"the input of {op.name} is normalised along the wrong axis: each row by itself, and not each "
            "column",
            f"{by_row}, while each column (feature) hardly varies over the {len(data.sample)} samples: a "
            f"standard deviation of {float(np.median(spread)):.2g} around {float(np.median(middle)):.3g}, so "
            "that all samples are nearly the same",
            "mean and standard deviation of each column over the samples, axis=0: "
            "(x - x.mean(axis=0)) / x.std(axis=0)",
            op.place,
            weight=61,
        )
    elif ratio > OFFSET:
        yield Finding(
            "large_offset",
            f"the input of {op.name} is not normalised: its mean is far larger than its spread",
            f"columns (features) have a mean of ±{float(np.median(middle)):.4g} and a standard deviation of "
            f"{float(np.median(spread)):.2g} over the samples (medians)",
            "subtract the mean of the training data",
            op.place,
            weight=55,
        )


def how_rows_are_normalised(rows: Array) -> str:
    """What all rows have alike that data as they come have not; "" for nothing."""
    means, deviations, lows, highs = rows.mean(axis=1), rows.std(axis=1), rows.min(axis=1), rows.max(axis=1)
    lengths = np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1))
    if np.abs(means).max() < ALIKE_ROWS and np.ptp(deviations) < ALIKE_ROWS:
        return f"each row has mean 0 and standard deviation {deviations.mean():.3g}"
    if np.ptp(lows) < ALIKE_ROWS and np.ptp(highs) < ALIKE_ROWS:
        return f"each row goes from {lows.mean():.3g} to {highs.mean():.3g}"
    if np.ptp(lengths) < ALIKE_ROWS:
        return f"each row has the length {lengths.mean():.3g}"
    return ""


def one_for_each_line(inputs: list[tuple[OpSeen, DataSeen]]) -> list[tuple[OpSeen, DataSeen]]:
    """The batch of median size of each line that reads some."""
    lines = grouped(((op.where, op.layer), (op, data)) for op, data in inputs)
    return [sorted(seen, key=lambda pair: pair[1].stats.rms)[len(seen) // 2] for seen in lines.values()]


def constant(inputs: list[tuple[OpSeen, DataSeen]]) -> Iterator[Finding]:
    """Batches in which all samples are the same."""
    large = [(op, data) for op, data in inputs if data.shape[0] >= SORTED_SAMPLES]
    for seen in grouped(((op.where, op.layer), (op, data)) for op, data in large).values():
        same = [(op, data) for op, data in seen if bool((data.sample == data.sample[:1]).all())]
        if len(same) < min(len(seen), 2) or len(same) < len(seen):
            continue
        op, data = same[-1]
        zeros = "all zeros" if data.stats.low == data.stats.high == 0 else "equal"
        yield Finding(
            "constant_input",
            f"the input of {op.name} is constant: all {data.shape[0]} samples of a batch are the same",
            f"{show_shape(data.shape)}, {zeros} in {len(same)} of {len(seen)} batches",
            "look at how the batch is filled: an index that stays, an array that is never written",
            op.place,
            weight=92,
        )


def pairs_of_batches(history: History) -> list[tuple[DataSeen, DataSeen]]:
    """(input, target) of each loss that has both: the input is the last one that a layer was given before."""
    inputs = {id(op): data for op, data in batches(history)}
    latest: DataSeen | None = None
    pairs = []
    for op in history.training():
        latest = inputs.get(id(op), latest)
        target = target_of(op) if op.op in LOSSES else None
        if target is not None and latest is not None and target.shape[:1] == latest.shape[:1]:
            pairs.append((latest, target))
            latest = None
    return pairs


def reused_buffers(history: History, inputs: list[tuple[OpSeen, DataSeen]]) -> Iterator[Finding]:
    """The same inputs with other labels; batches that wait in one memory."""
    pairs = pairs_of_batches(history)
    by_input: dict[int, set[int]] = {}
    for data, target in pairs:
        by_input.setdefault(data.digest, set()).add(target.digest)
    most = max(by_input.values(), key=len, default=set())
    same = len(by_input) == 1 and len(most) >= FEW_STEPS
    if (same or history.aliases) and inputs:
        op, data = inputs[-1]
        evidence = (
            f"{len(pairs)} steps saw the very same {show_shape(data.shape)}, with {len(most)} "
            "different targets"
            if same
            else f"{max(history.aliases)} batches wait in one and the same memory"
        )
        yield Finding(
            "reused_buffer",
            "a buffer is reused: all batches show the numbers of the last one",
            evidence,
            "let the loader give out copies, buffer.copy(), or tg.tensor(buffer), which copies (tg.Tensor "
            "and from_numpy share the memory)",
            op.place,
            weight=85,
            cause=place_at(history.wrapped[data.pointer]) if data.pointer in history.wrapped else None,
        )


def labels(history: History) -> Iterator[Finding]:
    """Labels that are sorted, or that leave out classes."""
    losses = [op for op in history.training() if op.op in LOSSES and target_of(op) is not None]
    for ops in grouped((op.where, op) for op in losses).values():
        classes = [classes_of(op) for op in ops]
        known = [(op, each) for op, each in zip(ops, classes) if each is not None and each.size]
        if not known:
            continue
        loss = known[0][0]
        loader = place_at(history.loaders[0]) if history.loaders else None
        yield from (
            replace(finding, cause=loader) for finding in sorted_labels(loss, [each for _, each in known])
        )
        yield from absent_classes(loss, [each for _, each in known])


def classes_of(loss: OpSeen) -> Array | None:
    """The classes of a batch: labels, or the places of the ones in one-hot rows."""
    target = target_of(loss)
    if target is None:
        return None
    if loss.op in CLASSIFYING and target.dtype.kind in "iu":
        return target.sample.reshape(-1)
    if is_one_hot(target) and target.sample.shape[1] == target.shape[1]:
        return target.sample.argmax(axis=1)
    if (
        loss.op.startswith("binary")
        and len(target.shape) in (1, 2)
        and target.shape[-1:] in ((1,), target.shape)
    ):
        return target.sample.reshape(-1) if set(np.unique(target.sample)) <= {0.0, 1.0} else None
    return None


def sorted_labels(loss: OpSeen, classes: list[Array]) -> Iterator[Finding]:
    """Batches of one class each."""
    whole = [each for each in classes if each.size >= SORTED_SAMPLES]
    every = np.unique(np.concatenate(whole)) if whole else np.zeros(0)
    if len(whole) < SORTED_BATCHES or loss.op.startswith("binary") and every.size < 2:
        return
    distinct = [np.unique(each).size for each in whole]
    different = len({each.tobytes() for each in whole}) > 1
    outputs = loss.inputs[0].shape[1] if len(loss.inputs[0].shape) > 1 else 2
    if every.size < 2:
        if outputs >= 2 and sum(each.size for each in whole) >= ABSENT_SAMPLES * 2:
            yield Finding(
                "one_label",
                f"every label of {len(whole)} batches is {every[0]:g}: the data are sorted by class, or the "
                "labels constant",
                f"{sum(each.size for each in whole)} samples of one class, and {outputs} outputs",
                "shuffle: DataLoader(…, shuffle=True), or a permutation of the samples",
                loss.place,
                weight=63,
            )
        return
    count, possible = float(np.mean(distinct)), min(every.size, min(each.size for each in whole))
    apart = count < 1 + 0.25 * (possible - 1) and (count <= 1.5 or every.size >= 3 * count)
    in_order = min(each.size for each in whole) >= 2 * SORTED_SAMPLES and all(map(is_in_order, whole))
    if different and (apart or in_order and count < 0.8 * every.size):
        yield Finding(
            "sorted_labels",
            "the batches are sorted by class: not shuffled",
            f"{every.size} classes in {len(whole)} batches, but {count:.2g} in a batch; each batch unlearns "
            "the others",
            "shuffle: DataLoader(…, shuffle=True), or a permutation of the samples in each epoch",
            loss.place,
            weight=63,
        )


def absent_classes(loss: OpSeen, classes: list[Array]) -> Iterator[Finding]:
    """Labels that begin at 1."""
    if loss.op not in CLASSIFYING or len(loss.inputs[0].shape) < 2:
        return
    outputs, every = loss.inputs[0].shape[1], np.concatenate(classes)
    every = every[every >= 0]
    if not every.size or every.size < ABSENT_SAMPLES * outputs or outputs < 3:
        return
    if every.min() == 1 and np.unique(every).size == outputs - 1:
        yield Finding(
            "labels_off_by_one",
            f"labels go from 1 to {every.max()}: off by one, perhaps, for class 0 never occurs",
            f"{outputs} outputs, {every.size} labels, no 0",
            f"labels - 1, and {outputs - 1} outputs",
            loss.place,
            PERHAPS,
            weight=53,
        )


def same_order(inputs: list[tuple[OpSeen, DataSeen]]) -> Iterator[Finding]:
    """Epochs that show the same batches in the same order."""
    if not inputs:
        return
    first = inputs[0][0]
    order = [data.digest for op, data in inputs if (op.where, op.layer) == (first.where, first.layer)]
    length = next((place for place in range(1, len(order)) if order[place] == order[0]), 0)
    if length < SORTED_BATCHES or len(order) < 2 * length:
        return
    if all(order[place] == order[place - length] for place in range(length, len(order))):
        yield Finding(
            "same_order",
            f"the {length} batches come in the same order in every epoch: not shuffled",
            f"{len(order) // length} epochs were seen",
            "DataLoader(…, shuffle=True), for training data",
            first.place,
            NOTE,
            weight=7,
        )
