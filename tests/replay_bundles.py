"""What tests of bundled updates share: optimisers, a net, and what watches replays and formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.optim.optimizer import Optimizer
from tinygrad_conv.replay.runner import Program

from .replay_steps import images

CALLS: list[Any] = images(11, (2, 1, 6, 6))


def failures_of_replays(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exception]]:
    """What made replays go on eagerly: nothing, in nearly all tests."""
    raised: list[Exception] = []
    run = Program.run

    def noted(program: Any, *inputs: Any) -> Any:
        try:
            return run(program, *inputs)
        except Exception as error:
            raised.append(error)
            raise

    with monkeypatch.context() as patch:
        patch.setattr(Program, "run", noted)
        yield raised
    assert not raised


def net_of(dtype: Any = np.float32) -> Any:
    """Five parameters of several shapes, in a net for images [N, 1, 6, 6]."""
    tg.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Conv2d(3, 2, 2, bias=False), nn.Flatten(), nn.Linear(18, 2)
    )
    return net.to(dtype)


class Formulas:
    """Of how many numbers formulas are called. Recordings would take notice, so it begins after them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch, self.sizes = patch, list[int]()

    def watched(self, calls: list[Any]) -> list[Any]:
        """Calls of a step, all but the first two of them watched."""
        return [self.end, *calls[:2], self.begin, *calls[2:]]

    def end(self) -> None:
        self.patch.undo()

    def begin(self) -> None:
        self.sizes.clear()
        original = Optimizer.updated_in_dtype

        def noted(optimizer: Any, data: Any, *rest: Any) -> Any:
            self.sizes.append(data.size)
            return original(optimizer, data, *rest)

        self.patch.setattr(Optimizer, "updated_in_dtype", noted)


KINDS: dict[str, Callable[[Any], Any]] = {
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "dampening": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.1, maximize=True),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, foreach=True),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.1, betas=(0.8, 0.9)),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, fused=True),
    "adamw upwards": lambda p: optim.AdamW(p, lr=0.01, maximize=True, amsgrad=True, eps=1e-4),
    "nadam": lambda p: optim.NAdam(p, lr=0.01, weight_decay=0.1),
    "radam": lambda p: optim.RAdam(p, lr=0.01, betas=(0.9, 0.8)),
    "adamax": lambda p: optim.Adamax(p, lr=0.01, weight_decay=0.1),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    "adadelta": lambda p: optim.Adadelta(p, weight_decay=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01),
    "rmsprop centred": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.9, centered=True, maximize=True),
}
