"""Ctrl-C at random moments of a training: the model is before the step or after it, and training goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .campaign import Campaign

ACTIONS = ("backward", "step", "load", "load_optimizer", "zero_grad", "to", "init", "clip")
OPTIMIZERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "SGD": lambda params: optim.SGD(params, 0.1, 0.9),
    "Adam": lambda params: optim.Adam(params, 0.1, amsgrad=True),
    "RMSprop": lambda params: optim.RMSprop(params, 0.1, momentum=0.5, centered=True),
    "in place": lambda params: InPlace(params, {"lr": 0.1}),
}


class InPlace(optim.Optimizer):
    """An optimiser as users write them: it changes numbers and state in place."""

    def update(self, data: Any, grad: Any, state: Any, group: Any) -> None:
        state["steps"] = state.get("steps", 0) + 1
        mean = state.setdefault("mean", np.zeros_like(data))
        mean *= 0.9
        mean += grad
        data -= group["lr"] * mean


@dataclass
class Case:
    """A training in which this action is interrupted at its so-manieth line."""

    action: str
    optimizer: str
    dtype: str
    layers: int
    steps: int
    line: int
    seed: int


class Interrupts(Campaign):
    """The interrupt is raised at a line of the library, which is where the interpreter could raise it."""

    def make(self, random: np.random.Generator) -> Case:
        return Case(
            action=str(random.choice(ACTIONS)),
            optimizer=str(random.choice(list(OPTIMIZERS))),
            dtype=str(random.choice(["float16", "float32", "float64"])),
            layers=int(random.integers(1, 4)),
            steps=int(random.integers(0, 3)),
            line=int(2 ** random.uniform(0, 11)),
            seed=int(random.integers(2**31)),
        )

    def check(self, case: Case) -> None:
        whole, interrupted = Training(case), Training(case)
        act, run = whole.actions()[case.action], interrupted.actions()[case.action]
        before = whole.numbers()
        act()
        after = whole.numbers()
        was_interrupted = interrupt_at(run, case.line)
        numbers = interrupted.numbers()
        if not same(numbers, after):
            assert was_interrupted, "an action that nobody interrupted has other results"
            assert same(numbers, before), f"{case.action} was interrupted between before and after"
            run = interrupted.actions()[case.action]
            run()
        for training in (whole, interrupted):
            training.step()
        assert same(whole.numbers(), interrupted.numbers()), "training goes on with other numbers"

    def smaller(self, case: Case) -> Iterable[Case]:
        for name, least in (("layers", 1), ("steps", 0), ("line", 1)):
            number = getattr(case, name)
            for fewer in (number // 2, number - 1):
                if least <= fewer < number:
                    yield replace(case, **{name: fewer})


class Training:
    """A net, an optimiser, and some steps that they have behind them."""

    def __init__(self, case: Case) -> None:
        random = np.random.default_rng(case.seed)
        sizes = [*random.integers(1, 5, case.layers + 1)]
        layers = [nn.Linear(int(a), int(b), rng=random) for a, b in zip(sizes, sizes[1:])]
        self.net = nn.Sequential(*layers).to(case.dtype)
        self.optimizer = OPTIMIZERS[case.optimizer](self.net.parameters())
        self.x = tg.tensor(random.standard_normal((3, sizes[0])).astype(case.dtype))
        self.seed = case.seed
        for _ in range(case.steps):
            self.step()
        self.loss().backward()

    def loss(self) -> tg.Tensor:
        return (self.net(self.x.to(self.net[0].weight.dtype)) ** 2).mean()

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.loss().backward()
        self.optimizer.step()

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What can be interrupted, prepared."""
        loss, state = self.loss(), self.net.state_dict()
        loaded = {key: tensor.data + 1 for key, tensor in state.items()}
        saved = self.optimizer.state_dict()
        saved["param_groups"][0]["lr"] = 0.05
        return {
            "backward": loss.backward,
            "step": self.optimizer.step,
            "load": lambda: self.net.load_state_dict(loaded),
            "load_optimizer": lambda: self.optimizer.load_state_dict(saved),
            "zero_grad": lambda: self.optimizer.zero_grad(set_to_none=False),
            "to": self.net.double,
            "init": lambda: nn.init.normal_(self.net[0].weight, generator=self.seed),
            "clip": lambda: nn.utils.clip_grad_norm_(self.net.parameters(), 1e-3),
        }

    def numbers(self) -> list[Any]:
        """Everything that a training consists of, copied."""
        numbers: list[Any] = [group["lr"] for group in self.optimizer.param_groups]
        for param in self.net.parameters():
            state = self.optimizer.state.get(param, {})
            values = [param.data, param.grad, *(state[name] for name in sorted(state))]
            numbers += [value.copy() if isinstance(value, np.ndarray) else value for value in values]
        return numbers


def same(one: list[Any], other: list[Any]) -> bool:
    """Whether two trainings are at the same numbers, to the bit."""
    return len(one) == len(other) and all(
        type(a) is type(b) and getattr(a, "dtype", None) == getattr(b, "dtype", None) and np.array_equal(a, b)
        for a, b in zip(one, other)
    )


def interrupt_at(action: Callable[[], Any], line: int) -> bool:
    """Run an action, and interrupt it before its so-manieth line in the library, if it has as many."""
    passed = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal passed
        if "tinygrad_conv" not in frame.f_code.co_filename:
            return None
        if event == "line":
            passed += 1
            if passed == line:
                raise KeyboardInterrupt
        return trace

    tracer = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(tracer)
    return False


CAMPAIGN = Interrupts()
