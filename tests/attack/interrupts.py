"""Ctrl-C at random moments of a training: the model is before the step or after it, and training goes on.

What is saved meanwhile is the old file or the new one, and what a `with` block switches on is off afterwards.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.engine.modes import ENTERED, GRAD
from tinygrad_conv.engine.observed import BACKWARD, LAYER, OBSERVATION
from tinygrad_conv.saving.states import load_states

from .campaign import Campaign

ACTIONS = ("backward", "step", "load", "load_optimizer", "zero_grad", "to", "init", "clip")
ACTIONS += (
    "state",
    "evaluate",
    "save_recording",
    "save_page",
    "save_profile",
    "save_checkpoint",
    "load_checkpoint",
)
LIBRARY = str(Path(tg.__file__).parent)
MODES = (BACKWARD, ENTERED, GRAD, LAYER, OBSERVATION)
OPTIMIZERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "SGD": lambda params: optim.SGD(params, 0.1, 0.9),
    "Adam": lambda params: optim.Adam(params, 0.1, amsgrad=True),
    "RMSprop": lambda params: optim.RMSprop(params, 0.1, momentum=0.5, centered=True),
    "Adagrad": lambda params: optim.Adagrad(params, 0.1, initial_accumulator_value=0.5),
    "Adadelta": lambda params: optim.Adadelta(params, 0.5),
    "Adamax": lambda params: optim.Adamax(params, 0.1),
    "NAdam": lambda params: optim.NAdam(params, 0.1),
    "RAdam": lambda params: optim.RAdam(params, 0.1),
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
    """A training in which this action is interrupted at its so-manieth line, counted round and round."""

    action: str
    optimizer: str
    dtype: str
    layers: int
    steps: int
    line: int
    seed: int


class Interrupts(Campaign):
    """The interrupt is raised before a line of Python, which is where the interpreter could raise it."""

    def make(self, random: np.random.Generator) -> Case:
        return Case(
            action=str(random.choice(ACTIONS)),
            optimizer=str(random.choice(list(OPTIMIZERS))),
            dtype=str(random.choice(["float16", "float32", "float64"])),
            layers=int(random.integers(1, 4)),
            steps=int(random.integers(0, 3)),
            line=int(random.integers(2**20)),
            seed=int(random.integers(2**31)),
        )

    def check(self, case: Case) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # in float16 a training may diverge
            copy_context().run(self.check_alone, case)  # what one case leaves on is off in the next

    def check_alone(self, case: Case) -> None:
        with TemporaryDirectory() as folder, TemporaryDirectory() as other_folder:
            whole, interrupted = Training(case, Path(folder)), Training(case, Path(other_folder))
            act, run = whole.actions()[case.action], interrupted.actions()[case.action]
            modes, before = [mode.get() for mode in MODES], interrupted.numbers()
            lines, _ = run_lines(act, None)
            after = whole.numbers()
            _, place = run_lines(run, case.line % lines)
            assert [mode.get() for mode in MODES] == modes, f"a mode is not what it was; interrupted {place}"
            numbers = interrupted.numbers()
            # to the bit, for a weight that is drawn anew may come close to the old one
            if place and unchanged(numbers, before):
                interrupted.actions()[case.action]()
            elif not same(numbers, after):
                assert place, "an action that nobody interrupted has other results"
                raise AssertionError(f"it is between before and after; interrupted {place}")
            for training in (whole, interrupted):
                training.step()
            assert same(whole.numbers(), interrupted.numbers()), "training goes on with other numbers"

    def smaller(self, case: Case) -> Iterable[Case]:
        for name, least in (("layers", 1), ("steps", 0), ("line", 0)):
            number = getattr(case, name)
            for fewer in (number // 2, number - 1):
                if least <= fewer < number:
                    yield replace(case, **{name: fewer})


class Training:
    """A net, an optimiser, and some steps that they have behind them."""

    def __init__(self, case: Case, folder: Path) -> None:
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
        self.file = folder / case.action
        if case.action in SAVING:
            SAVING[case.action](self)(self.file)
            self.step()

    def loss(self) -> tg.Tensor:
        return (self.net(self.x.to(self.net[0].weight.dtype)) ** 2).mean()

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.loss().backward()
        self.optimizer.step()

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What can be interrupted, prepared."""
        if self.file.name in SAVING:
            save = SAVING[self.file.name](self)
            return {self.file.name: lambda: save(self.file)}
        loss, state = self.loss(), self.net.state_dict()
        loaded = {key: tensor.data + 1 for key, tensor in state.items()}
        saved = self.optimizer.state_dict()
        saved["param_groups"][0]["lr"] = 0.05
        return {
            "backward": loss.backward,
            "step": self.optimizer.step,
            "load": lambda: self.net.load_state_dict(loaded),
            "load_optimizer": lambda: self.optimizer.load_state_dict(saved),
            "load_checkpoint": lambda: load_states(
                {"net": self.net, "optimizer": self.optimizer}, {"net": loaded, "optimizer": saved}
            ),
            "zero_grad": lambda: self.optimizer.zero_grad(set_to_none=False),
            "to": self.net.double,
            "init": lambda: nn.init.normal_(self.net[0].weight, generator=self.seed),
            "state": lambda: (self.net.state_dict(), self.optimizer.state_dict()),
            "evaluate": self.evaluate,
            "clip": lambda: nn.utils.clip_grad_norm_(self.net.parameters(), 1e-3),
        }

    def evaluate(self) -> None:
        """A loss for the eye alone."""
        with tg.no_grad():
            self.loss()

    def recording(self) -> tg.debug.Recording:
        """What a backward does, which adds to no gradient."""
        return self.loss().record()

    def profile(self) -> Any:
        """How long the forward of a loss takes."""
        with tg.profile() as profile:
            self.loss()
        return profile

    def saved(self) -> list[Any]:
        """What is in the folder: nothing but whole files, and in the file what can be compared."""
        names = [path.name for path in self.file.parent.iterdir()]
        return [repr(names), *(content for name in names for content in READING[name](self.file))]

    def numbers(self) -> list[Any]:
        """Everything that a training consists of, copied."""
        numbers = [*self.saved(), *(group["lr"] for group in self.optimizer.param_groups)]
        for param in self.net.parameters():
            state = self.optimizer.state.get(param, {})
            values = [param.data, param.grad, *(state[name] for name in sorted(state))]
            numbers += [value.copy() if isinstance(value, np.ndarray) else value for value in values]
        return numbers


SAVING: dict[str, Callable[[Training], Callable[[Path], None]]] = {
    "save_recording": lambda training: training.recording().save,
    "save_page": lambda training: training.recording().to_html,
    "save_profile": lambda training: training.profile().save,
    "save_checkpoint": lambda training: partial(tg.save, training.net.state_dict()),
}
READING: dict[
    str, Callable[[Path], list[Any]]
] = {  # what can be compared, which is there if the file is whole
    "save_recording": lambda path: list(tg.debug.load(path).grads.values()),
    "save_checkpoint": lambda path: [tensor.data for tensor in tg.load(path).values()],
    "save_page": lambda path: [NUMBER.sub("0", path.read_text(encoding="utf-8"))],
    "save_profile": lambda path: [
        event["args"]["line"] for event in json.loads(path.read_text())["traceEvents"]
    ],
}
NUMBER = re.compile(r'"data":"[^"]*"|-?\d+(\.\d+)?(e[-+]\d+)?')
"""What roundings change on a page: its arrays, in base64, and what is written out."""


def unchanged(numbers: list[Any], before: list[Any]) -> bool:
    """Whether a training is where it was."""
    return len(numbers) == len(before) and all(
        np.array_equal(a, b, equal_nan=isinstance(a, np.ndarray) and a.dtype.kind == "f")
        for a, b in zip(numbers, before)
    )


def same(numbers: list[Any], others: list[Any]) -> bool:
    """Whether two trainings are at the same numbers.

    Some roundings are allowed: BLAS and NumPy add up in another order where memory begins elsewhere.
    """
    return len(numbers) == len(others) and all(map(agree, numbers, others))


def agree(a: Any, b: Any) -> bool:
    """Whether two numbers or arrays of the same type are equal, but for roundings."""
    if type(a) is not type(b) or getattr(a, "dtype", None) != getattr(b, "dtype", None):
        return False
    if not isinstance(a, np.ndarray) or a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    roundings = 16 * np.finfo(a.dtype).eps
    largest = np.max(np.abs(a), initial=0, where=np.isfinite(a))
    return a.shape == b.shape and np.allclose(a, b, roundings, roundings * largest, equal_nan=True)


def run_lines(action: Callable[[], Any], line: int | None) -> tuple[int, str]:
    """Run an action, and interrupt it before this line of those that run in the library, and below it.

    How many lines ran, and where it was interrupted. What the library runs to close a block is passed by:
    Python can be interrupted before the first line of a `finally` or an `__exit__`, and skips it then.
    """
    passed, place = 0, ""

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal passed, place
        if frame.f_code.co_filename == __file__:
            return None
        if event == "line":
            passed += 1
            is_due = line is not None and passed > line and not place
            if is_due and not is_numpys_guard(frame) and not closes_a_block(frame):
                place = f"at {frame.f_code.co_filename}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return trace

    tracer = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except BaseException as error:
        if not place or not is_of_an_interrupt(error):
            raise
    finally:
        sys.settrace(tracer)
    return passed, place


def is_numpys_guard(frame: FrameType) -> bool:
    """Whether it notes which array NumPy is printing. It forgets that in a `finally`; interrupted just before
    the `try`, it prints `...` for whatever array has that address later on.
    """
    code = frame.f_code
    return code.co_name == "wrapper" and Path(code.co_filename).name == "arrayprint.py"


def closes_a_block(frame: FrameType | None) -> bool:
    """Whether this line, or one that it is called from, is of a `finally` or an `__exit__` of the library."""
    while frame is not None:
        if frame.f_lineno in closing_lines(frame.f_code.co_filename):
            return True
        frame = frame.f_back
    return False


@cache
def closing_lines(path: str) -> frozenset[int]:
    """The lines of a file of the library that close a block."""
    if not path.startswith(LIBRARY):
        return frozenset()
    closing: list[ast.stmt] = []
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, ast.Try):
            closing += node.finalbody
        elif isinstance(node, ast.FunctionDef) and node.name == "__exit__":
            closing.append(node)
    return frozenset(
        line for statement in closing for line in range(statement.lineno, (statement.end_lineno or 0) + 1)
    )


def is_of_an_interrupt(error: BaseException | None) -> bool:
    """Whether it is the interrupt, or what cleaning up made of it: `zipfile` raises a ValueError."""
    return error is not None and (
        isinstance(error, KeyboardInterrupt) or is_of_an_interrupt(error.__context__)
    )


CAMPAIGN = Interrupts()
