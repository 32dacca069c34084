"""One loop through a loader: batches in their order, and after each the place to go on from."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..randomness.default import GENERATOR, drawing_by_default, seeded
from ..randomness.state import generator_state, set_generator_state
from .datasets import load_state_of, state_of
from .prefetch import Prefetch

ORDER, EXAMPLES = 0, 1  # what the two generators of an epoch are for


class Place(NamedTuple):
    """Where an epoch is, after a batch: all that is needed to go on from there, as plain values."""

    position: int  # batches that have been handed out
    draws: Any  # the state of the generator that examples draw from
    dataset: Any  # the state of the dataset, or None


class Start(NamedTuple):
    """How an epoch begins, or goes on."""

    order: Any  # the state of the generator that the order is drawn from
    seed: int  # of what else is drawn
    place: Place | None  # None at the beginning


class Production(Iterator[Any]):
    """The batches of an epoch and the place after each, one after the other.

    Whatever an example, a transform or `collate_fn` draws without a generator of its own, it draws from one
    of this epoch, with or without a thread: the loop's own numbers are the same either way. What a sampler
    draws as it is asked for indices comes from another, so that it can be asked ahead.
    """

    def __init__(self, loader: Any, start: Start) -> None:
        self.loader = loader
        self.ordering, self.drawing = seeded(start.seed, ORDER), seeded(start.seed, EXAMPLES)
        self.choosing = self.ordering if loader.is_counted else self.drawing  # for what is gone through
        self.position = start.place.position if start.place else 0
        self.order, self.make = self.steps(start)

    def steps(self, start: Start) -> tuple[Iterator[Any], Callable[[Any], Any]]:
        """What is gone through, and what makes a batch of an item of it; from the place to begin at."""
        if not self.loader.is_counted:
            return self.stream_from(start.place)
        order, make = self.loader.order_and_make()
        indices = self.indices(order, start)
        with drawing_by_default(self.ordering):
            skip(indices, self.position)
        self.draw_from(start.place)
        return indices, make

    def draw_from(self, place: Place | None) -> None:
        """Let examples draw from where they had come to at a place."""
        if place is not None and place.draws is not None:
            set_generator_state("DataLoader", self.drawing, place.draws)

    def indices(self, order: Any, start: Start) -> Iterator[Any]:
        """The sampler's iterator, which draws now: from its own generator, or where the default one was."""
        own = self.loader.order_generator()
        if start.place is None or own is not None:
            return iter(order)
        earlier = seeded(0)
        set_generator_state("DataLoader", earlier, start.order)
        with drawing_by_default(earlier):
            return iter(order)

    def stream_from(self, place: Place | None) -> tuple[Iterator[Any], Callable[[Any], Any]]:
        """The batches of an IterableDataset, from a place on: all before are made again, and dropped, unless
        the dataset has a state of its own.
        """
        with drawing_by_default(self.drawing):
            batches, make = self.loader.order_and_make()
            batches = iter(batches)
            if place is None or place.dataset is None:
                skip(map(make, batches), self.position)
        if place is not None and place.dataset is not None:
            self.draw_from(place)
        return batches, make

    def __next__(self) -> Any:
        before = GENERATOR.get()
        try:
            GENERATOR.set(self.choosing)
            item = next(self.order)
            self.position += 1  # whether or not a batch can be made of it
            GENERATOR.set(self.drawing)
            return self.make(item)
        finally:
            GENERATOR.set(before)

    def place(self) -> Place:
        """Where it has come to."""
        return Place(self.position, generator_state(self.drawing), state_of(self.loader.dataset))


class Epoch(Iterator[Any]):
    """The batches of an epoch as the loop is given them; the loader is told how far it has come."""

    def __init__(self, loader: Any, start: Start) -> None:
        self.loader, self.number = loader, loader.epochs
        production = Production(loader, start)
        self.batches: Iterator[Any] = production
        self.is_ahead = loader.num_workers > 0
        loader.ahead = None
        if self.is_ahead:
            placed = zip(production, iter(production.place, None))  # one after the other
            self.batches = loader.ahead = Prefetch(placed, loader.num_workers * loader.prefetch_factor)
            weakref.finalize(self, loader.ahead.stop)  # a loop that is left; the end of the program
        else:
            loader.place = production  # asked when somebody wants to know

    def __next__(self) -> Any:
        try:
            batch = next(self.batches)
        except StopIteration:
            self.loader.end_epoch(self.number)
            raise
        if self.is_ahead:
            batch, place = batch
            self.loader.reach(self.number, place)
        return batch


def place_of(reached: Place | Production) -> Place:
    """The place that an epoch has reached."""
    return reached.place() if isinstance(reached, Production) else reached


def rewind(dataset: Any, ahead: Prefetch | None, place: Place) -> None:
    """Have a dataset draw as if batches that were made ahead, and not handed out, had not been made."""
    if ahead is not None and ahead.is_stopped and place.dataset is not None:
        ahead.stop(patience=None)
        load_state_of(dataset, place.dataset)


def skip(items: Iterator[Any], count: int) -> None:
    """Leave out so many items."""
    next(itertools.islice(items, count, count), None)
