"""What a step does outside of Python's objects, or in large ones, is noticed; and copies of steps."""

from __future__ import annotations

import copy
import csv
import io
import os
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn

from .replay_steps import images, same_as_eager

Done = tuple[Callable[[Any], Any], Callable[[], Any]]
"""What a step does with x, and how to see that it has been done."""


def asking_for_a_file(path: Path) -> Done:
    path.unlink(missing_ok=True)
    return lambda x: x * (2 if os.path.exists(path) else 1), path.touch


def running_a_command(path: Path) -> Done:
    path.write_text("")
    return lambda x: os.system(f"echo >> {path}"), path.read_text


def writing_a_table(path: Path) -> Done:
    text = io.StringIO()
    writer = csv.writer(text)
    return lambda x: writer.writerow([1]), text.getvalue


def writing_bytes(path: Path) -> Done:
    stream = {"log": io.BytesIO()}
    return lambda x: stream["log"].write(b"."), lambda: stream["log"].getvalue()


def asking_for_the_seed(path: Path) -> Done:
    tg.manual_seed(2)
    return lambda x: x * tg.initial_seed(), lambda: bool(tg.manual_seed(3))


def variables_by_any_name(path: Path) -> Done:
    globals()["factor_by_any_name"] = 1
    return lambda x: x * globals()["factor_by_any_name"], lambda: globals().update(factor_by_any_name=3)


def warning_somebody(path: Path) -> Done:
    return lambda x: warnings.warn("a step", stacklevel=1), lambda: None


SAYS = {
    asking_for_a_file: "asks the operating system",
    running_a_command: "asks the operating system",
    writing_a_table: "by writerow",
    writing_bytes: "by write",
    asking_for_the_seed: "asks for the seed",
    variables_by_any_name: r"calls globals()",
    warning_somebody: "calls warn()",
}


@pytest.mark.parametrize("doing", SAYS, ids=lambda doing: doing.__name__)
def test_what_leaves_the_program(doing: Callable[[Path], Done], tmp_path: Path) -> None:
    def make() -> Any:
        seen: list[Any] = []
        do, look = doing(tmp_path / "file")

        def step(x: Any) -> Any:
            y = do(x)
            return y if isinstance(y, tg.Tensor) else x * 1

        calls = [call for x in images(6, (3,)) for call in ((x,), lambda: seen.append(look()))]
        return [seen], step, calls

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_as_eager(make, refused=SAYS[doing])


def test_what_numpy_does_about_overflows() -> None:
    """An error that eager raises is raised."""

    @tg.replay
    def step(x: Any) -> Any:
        with np.errstate(over="raise"):
            return x.exp()

    with pytest.warns(UserWarning, match="what NumPy does about overflows"):
        for _ in range(3):
            step(tg.ones(2))
    with pytest.raises(FloatingPointError):
        step(tg.tensor([1.0, 1e3]))


LARGE: dict[str, Callable[[], Any]] = {
    "a list": lambda: [0] * 2000,
    "a dict": lambda: dict.fromkeys(range(2000), 0),
    "an array": lambda: np.zeros(30_000),
}


@pytest.mark.parametrize("kind", LARGE)
def test_something_large_is_written_to(kind: str) -> None:
    def make() -> Any:
        counts = LARGE[kind]()

        def step(x: Any) -> Any:
            counts[1234] += 1
            return x * 1

        return [counts], step, [(x,) for x in images(6, (3,))]

    same_as_eager(make, refused="it sets counts")


def test_something_large_that_the_loop_changes() -> None:
    samples = [1.0] * 2000
    step = tg.replay(lambda x, number: x * samples[number])
    for _ in range(4):
        samples[0] += 1  # the step reads another one
        step(tg.ones(1), 5)
    assert step.replays == 2


@tg.replay
def doubled(x: Any) -> Any:
    return x * 2


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(tg.ones(3))
        self.step = tg.replay(self.scaled, check=True)

    def scaled(self, x: Any) -> Any:
        return (x * self.weight).detach()

    @tg.replay
    def decorated(self, x: Any) -> Any:
        return self.scaled(x)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies(copied: Callable[[Any], Any]) -> None:
    net = Scaled()
    x = tg.tensor([1.0, 2.0, 3.0])
    for _ in range(4):
        net.step(x), net.decorated(x)
    other = copied(net)
    assert other.step.check and other.step.recordings == 0 and other.step is not net.step
    other.weight.data[...] = 5
    for _ in range(4):
        np.testing.assert_array_equal(other.step(x).data, 5 * x.data)
        np.testing.assert_array_equal(other.decorated(x).data, 5 * x.data)
        np.testing.assert_array_equal(net.step(x).data, x.data)
    assert copied(doubled) is doubled
