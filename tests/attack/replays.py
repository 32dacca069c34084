"""Random trainings, replayed and eager: the same bits after every call, whatever is done between two calls.

What cannot be replayed runs eagerly, and is equal for that reason; so the numbers of a whole step have to be
the same in any case.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from ..replay_steps import numbers, trained
from .campaign import Campaign
from .replayed import between, layers, steps

CLASSES = 3
LARGE = 0.1  # how many cases have large images, which other kernels serve
SIMPLEST = {
    "optimizer": "SGD",
    "loss": "mse",
    "dtype": "float32",
    "samples": 1,
    "channels": 4,
    "side": 6,
    "equal": 1,
    "bare": False,
    "check_every": None,
}


@dataclass
class Case:
    """A net of these layers, trained by a step that does `extras` besides; `calls` has what comes before
    each call of it, a name each, "" for nothing. equal: so many calls at first get equal batches. bare: the
    step is given arrays, of which it makes tensors. check_every: as `tg.replay` has it.
    """

    layers: tuple[str, ...]
    optimizer: str
    loss: str
    extras: tuple[str, ...]
    calls: tuple[str, ...]
    dtype: str
    samples: int
    channels: int
    side: int
    equal: int
    bare: bool
    seed: int
    check_every: int | None = None


class Replays(Campaign):
    """Each training runs twice from the same beginning."""

    def make(self, random: np.random.Generator) -> Case:
        def some(names: Iterable[str], most: int) -> tuple[str, ...]:
            return tuple(map(str, random.choice(sorted(names), random.integers(0, most + 1))))

        large = random.random() < LARGE
        calls = [name if random.random() < 0.5 else "" for name in some(between.EVENTS, 5)]
        return Case(
            layers=some(layers.LAYERS, 5),
            optimizer=str(random.choice(sorted(OPTIMIZERS))),
            loss=str(random.choice(sorted(LOSSES))),
            extras=tuple(dict.fromkeys(some(steps.EXTRAS, 3))),
            calls=("", "", "", *calls, "", ""),
            dtype=str(random.choice(["float32", "float32", "float64"])),
            samples=int(random.choice([1, 8, 33]) if large else random.integers(1, 5)),
            channels=int(random.choice([4, 8, 48]) if large else 4),
            side=int(random.choice([6, 16, 32]) if large else 6),
            equal=int(random.choice([1, 2, 4])),
            bare=bool(random.random() < 0.2),
            seed=int(random.integers(2**31)),
            check_every=[None, None, 1, 2][random.integers(4)],
        )

    def check(self, case: Case) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected, _, eager = trained(lambda: training(case), Kept)
            replayed, _, replay = trained(
                lambda: training(case), lambda step: Kept(tg.replay(step, check_every=case.check_every))
            )
        for number, (mine, theirs) in enumerate(zip(replayed, expected)):
            assert mine == theirs, f"call {number} of {len(expected) - 1} differs"
        for number, (mine, theirs) in enumerate(zip(replay.results, eager.results)):
            assert numbers(mine) == numbers(theirs), f"what call {number} returned became another later on"

    def smaller(self, case: Case) -> Iterable[Case]:
        for name in ("layers", "extras", "calls"):
            members = getattr(case, name)
            for place in range(len(members)):
                yield replace(case, **{name: members[:place] + members[place + 1 :]})
        for name, simplest in SIMPLEST.items():
            if getattr(case, name) != simplest:
                yield replace(case, **{name: simplest})


class Kept:
    """A step whose results somebody keeps, and changes in place where there are several."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self.step, self.results = step, []

    def __call__(self, *arguments: Any) -> Any:
        result = self.step(*arguments)
        self.results.append(result)
        if isinstance(result, tuple) and isinstance(result[0], tg.Tensor):
            with tg.no_grad(), suppress(tg.errors.MutationError):
                result[0].mul_(2)
        return result


def training(case: Case) -> tuple[list[Any], Callable[..., Any], list[Any]]:
    """What the step changes, the step, and its calls with what comes between them."""
    tg.manual_seed(case.seed)
    steps.begin()
    net = nn.Sequential(
        nn.Conv2d(2, case.channels, 3, padding=1),
        *(layers.LAYERS[name](case.channels, case.side) for name in case.layers),
        nn.Flatten(),
        nn.Linear(case.channels * case.side**2, CLASSES),
    ).to(np.dtype(case.dtype))
    optimizer = OPTIMIZERS[case.optimizer](net.parameters())
    step = steps.step_of(net, optimizer, LOSSES[case.loss], case.extras)
    calls: list[Any] = []
    for number, name in enumerate(case.calls):
        if name == "one more group" and not {"schedule", "put back"}.isdisjoint(case.extras):
            continue  # a schedule, or a state, is for the groups that there are
        if name and name != "another size":
            calls.append(between.event(name, net, optimizer))
        samples = case.samples + (name == "another size")
        calls.append(batch(case, samples, max(0, number - case.equal + 1)))
    return [net, optimizer, *step.owners], step.step, calls


def batch(case: Case, samples: int, number: int) -> tuple[Any, Any]:
    """Images [samples, 2, side, side] and labels [samples], equal for equal numbers."""
    rng = np.random.default_rng([case.seed, number])
    images = rng.standard_normal((samples, 2, case.side, case.side)).astype(case.dtype)
    labels = rng.integers(0, CLASSES, samples)
    return (images, labels) if case.bare else (tg.tensor(images), tg.tensor(labels))


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda params: optim.SGD(params, lr=0.01),
    "momentum": lambda params: optim.SGD(params, lr=0.01, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "nesterov": lambda params: optim.SGD(params, lr=0.01, momentum=0.9, nesterov=True, maximize=True),
    "Adam": lambda params: optim.Adam(params, lr=0.01, weight_decay=0.01),
    "amsgrad": lambda params: optim.AdamW(params, lr=0.01, amsgrad=True, maximize=True),
    "AdamW": lambda params: optim.AdamW(params, lr=0.01),
    "NAdam": lambda params: optim.NAdam(params, lr=0.01),
    "RAdam": lambda params: optim.RAdam(params, lr=0.01),
    "Adamax": lambda params: optim.Adamax(params, lr=0.01),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.01, lr_decay=0.1),
    "Adadelta": lambda params: optim.Adadelta(params),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.001),
    "centered": lambda params: optim.RMSprop(params, lr=0.001, centered=True, momentum=0.9),
    "two groups": lambda params: optim.SGD(groups(list(params)), lr=0.01, momentum=0.5),
}


def groups(params: list[Any]) -> list[dict[str, Any]]:
    """The first parameter by itself, with a learning rate of its own."""
    return [{"params": params[:1], "lr": 0.002}, {"params": params[1:]}]


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "mse": lambda y, labels: tg.mse_loss(y, one_hot(y, labels)),
    "mse by sums": lambda y, labels: ((y - one_hot(y, labels)) ** 2).sum(dim=1).mean(),
    "cross entropy": tg.cross_entropy,
    "smoothed": lambda y, labels: tg.cross_entropy(y, labels, label_smoothing=0.1),
    "nll": lambda y, labels: tg.nll_loss(tg.log_softmax(y, 1), labels),
    "bce": lambda y, labels: tg.binary_cross_entropy_with_logits(y, one_hot(y, labels)),
    "huber": lambda y, labels: tg.huber_loss(y, one_hot(y, labels)),
    "margins": lambda y, labels: (1 + y - y.gather(1, labels[:, None])).clamp(min=0).mean(),
    "smooth l1": lambda y, labels: tg.smooth_l1_loss(y, one_hot(y, labels), reduction="sum"),
}


def one_hot(y: Any, labels: Any) -> Any:
    """Labels [N] as [N, classes] in the dtype of y."""
    return tg.nn.functional.one_hot(labels, CLASSES).to(y.dtype)


CAMPAIGN = Replays()
