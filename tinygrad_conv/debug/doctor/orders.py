"""Inputs and labels that were shuffled apart, so that labels belong to other inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import log2, prod

from ...dtypes import Array
from ...engine.location import place_at
from .data import pairs_of_batches
from .data_seen import row_digests
from .finding import Finding
from .rates import has_fallen, loss_said
from .seen import DataSeen, History, Shuffled
from .thresholds import APART_BITS


def examine(history: History) -> Iterator[Finding]:
    """Arrays in orders of their own, of which the one holds the inputs and the other the labels.

    That is no guess: each input that was seen is known by its numbers, and so is its place in the array that
    was shuffled; in the same place of the other array stands its label.
    """
    if len(history.shuffled) < 2 or has_fallen(history):
        return
    samples = list(samples_of(history))
    for inputs in history.shuffled:
        places = places_of(inputs.rows)
        placed = [(places[row], target) for row, target in samples if row in places]
        for labels in history.shuffled if placed else ():
            if inputs.order == labels.order or len(inputs.rows) != len(labels.rows):
                continue
            count = longest_run(labels, placed)
            if count * bits_by_chance(labels) >= APART_BITS:
                yield apart(history, inputs, labels, count)
                return


def samples_of(history: History) -> Iterator[tuple[int, int]]:
    """The digests of (input, target) of the samples of all steps, as far as batches are kept."""
    for data, target in pairs_of_batches(history):
        if data.is_float and data.sample.ndim == 2 and target.sample.size:
            yield from zip(row_digests(data.sample), target_digests(target))


def target_digests(target: DataSeen) -> list[int]:
    """The digest of each sample's target, as far as the targets are kept."""
    sample: Array = target.sample
    if sample.ndim == 1:
        width = prod(target.shape[1:])
        sample = sample[: len(sample) // width * width].reshape(-1, width)
    return row_digests(sample)


def longest_run(labels: Shuffled, placed: list[tuple[int, int]]) -> int:
    """How many samples, one after the other, have the label that stands in the place of their input."""
    longest = run = 0
    for place, target in placed:
        run = run + 1 if labels.rows[place] == target else 0
        longest = max(longest, run)
    return longest


def places_of(rows: list[int]) -> dict[int, int]:
    """The place of each row that is there once."""
    counts = Counter(rows)
    return {row: place for place, row in enumerate(rows) if counts[row] == 1}


def bits_by_chance(labels: Shuffled) -> float:
    """How unlikely it is that a label is the one in a place where it does not belong, in bits."""
    shares = [count / len(labels.rows) for count in Counter(labels.rows).values()]
    return -log2(sum(share**2 for share in shares))


def apart(history: History, inputs: Shuffled, labels: Shuffled, count: int) -> Finding:
    """The finding about two arrays."""
    return Finding(
        "shuffled_apart",
        "inputs and labels are shuffled apart, each into an order of its own: the labels no longer belong to "
        "their inputs",
        f"{count} samples in a row had their input and their label from the same place of two arrays of "
        f"{len(inputs.rows)}, which were shuffled with different random numbers{loss_said(history)}",
        "one permutation for both: order = rng.permutation(len(x)); x, y = x[order], y[order]",
        place_at(labels.where),
        weight=86,
        cause=place_at(inputs.where),
    )
