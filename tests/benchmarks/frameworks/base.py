"""What a framework offers to the benchmark: it turns a task into parts that can be timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..cases import DESCENT, Chain, Convolution, Epoch, LayerRun, Task, Training
from ..nets import Net


class Settings(NamedTuple):
    """What the command line says about this project; the peers run as they are installed."""

    without_fast: bool = False  # as if BLAS could not be held: its threads are there, ours are not
    threads: int | None = None
    plain_order: bool = (
        False  # convolutions of C-ordered arrays, not of arrays in the memory order of our own results
    )
    replay: bool = False  # training steps are recorded and replayed


class NotOffered(Exception):
    """The framework has no such thing, or not with these arguments."""


class Part(NamedTuple):
    """What is timed: `run(*prepare())`, without the time that `prepare` takes."""

    run: Callable[..., Any]
    prepare: Callable[[], tuple[Any, ...]] = tuple
    calls: int = 1  # how many calls a run makes; times are given for one
    checks: int = 1  # how many runs are compared with the other frameworks'


STEPS_COMPARED = 4


class Framework:
    """A framework overrides what it can do."""

    has_optimizers = False  # beside plain gradient descent, in steps

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def build(self, task: Task) -> dict[str, Part]:
        """The parts of any task, by name. Raises NotOffered."""
        match task:
            case Training(update=update) if update != DESCENT and not self.has_optimizers:
                raise NotOffered
            case Training():
                return {"step": Part(self.training(task), checks=STEPS_COMPARED)}
            case Epoch():
                return {"epoch": Part(self.epoch(task))}
            case Convolution():
                return self.convolution(task)
            case LayerRun():
                return self.layer(task)
            case Chain():
                return self.chain(task)

    def training(self, task: Training) -> Callable[[], float]:
        """A function that makes one step and returns its loss."""
        raise NotOffered

    def epoch(self, task: Epoch) -> Callable[[], float]:
        """A function that goes through all images once and returns the mean loss of the batches."""
        raise NotOffered

    def convolution(self, task: Convolution) -> dict[str, Part]:
        """The parts forward, dw and dx."""
        raise NotOffered

    def layer(self, task: LayerRun) -> dict[str, Part]:
        """The parts forward, untracked, and backward, which returns [dx, *the weights' gradients]."""
        raise NotOffered

    def chain(self, task: Chain) -> dict[str, Part]:
        """The parts forward (recorded), untracked and backward, and perhaps others."""
        raise NotOffered

    def array(self, result: Any) -> np.ndarray:
        """A result as an ndarray."""
        return np.asarray(result)

    def served(self) -> str | None:
        """Which kernel served last, where that can be told."""
        return None


def layer_by_layer(
    apply: Callable[[Any, Iterator[Any], Any], Any], net: Net, weights: Iterator[Any], x: Any
) -> Any:
    """What a net makes of x; `apply` makes one layer of it, with its weights from the iterator."""
    for layer in net:
        x = apply(layer, weights, x)
    return x
