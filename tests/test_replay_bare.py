"""Arrays of NumPy's among a step's arguments: what Python and NumPy do with them, a replay would not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg

from .replay_steps import same_as_eager

DATA = np.arange(8.0)
REFUSED = "computes with an array"


def calls() -> list[Any]:
    """Arrays [2] of integers; what is asked of them is another one in the last two."""
    return [(np.array(each),) for each in ([0, 1], [1, 0], [0, 1], [1, 0], [5, 7], [6, 6])]


def by_a_method(x: Any) -> Any:
    return 2.0 if x.max() > 4 else 3.0


def by_a_comparison(x: Any) -> Any:
    return 2.0 if (x > 4).any() else 3.0


def by_an_index(x: Any) -> Any:
    return 2.0 if x[0] > 4 else 3.0


def by_how_many_there_are(x: Any) -> Any:
    return float(len(np.unique(x)))


def by_a_loop(x: Any) -> Any:
    return float(sum(number > 4 for number in x))


def by_what_is_in_it(x: Any) -> Any:
    return 2.0 if 0 in x else 3.0


def by_a_text(x: Any) -> Any:
    return float(len(f"{x.tolist()}".split("0")))


def by_another_array(x: Any) -> Any:
    return 2.0 if np.asarray(x).max() > 4 else 3.0


def by_the_place_in_an_array(x: Any) -> Any:
    return 2.0 if DATA[x].max() > 4 else 3.0


def by_the_place_in_a_new_array(x: Any) -> Any:
    return 2.0 if np.eye(8)[x][:, :2].any() else 3.0


ASKING = [
    by_a_method,
    by_a_comparison,
    by_an_index,
    by_how_many_there_are,
    by_a_loop,
    by_what_is_in_it,
    by_a_text,
    by_another_array,
    by_the_place_in_an_array,
    by_the_place_in_a_new_array,
]


@pytest.mark.parametrize("ask", ASKING, ids=lambda ask: ask.__name__)
@pytest.mark.parametrize(
    "within", [lambda x: x, lambda x: [x], lambda x: {"x": (x,)}], ids=["", "list", "dict"]
)
def test_what_python_asks_of_an_array(ask: Callable[[Any], float], within: Callable[[Any], Any]) -> None:
    def step(given: Any) -> Any:
        x = given["x"][0] if isinstance(given, dict) else given[0] if isinstance(given, list) else given
        return tg.tensor(x) * ask(x)

    same_as_eager(lambda: ([], step, [(within(x),) for (x,) in calls()]), refused=REFUSED)


def test_the_type_of_an_array() -> None:
    same_as_eager(
        lambda: ([], lambda x: tg.tensor(x) * (2 if type(x) is np.ndarray else 3), calls()), refused=REFUSED
    )


def test_arrays_that_go_to_ops_and_functions_alone_are_replayed() -> None:
    def make() -> Any:
        w = tg.ones(4, requires_grad=True)

        def step(batch: dict[str, Any]) -> Any:
            x, labels = batch["x"], batch["labels"]
            loss = tg.cross_entropy((w + x) * tg.from_numpy(x).tanh() + np.float32(2), labels)
            loss.backward()
            return loss, batch["x"], x.shape, isinstance(x, np.ndarray)

        rng = np.random.default_rng(0)
        batches = [
            {"x": rng.standard_normal((3, 4), np.float32), "labels": rng.integers(0, 4, 3)} for _ in range(5)
        ]
        return [w, batches], lambda batch: step(batch)[0], [(batch,) for batch in batches]

    same_as_eager(make, at_least=3)


def test_the_very_arrays_are_what_a_step_returns_and_leaves_behind() -> None:
    kept: dict[str, Any] = {}
    memory: list[Any] = [None]

    def step(batch: list[Any]) -> Any:
        kept["x"] = memory[0] = batch[0]
        return batch[0], tg.tensor(batch[0])

    replayed = tg.replay(step)
    with pytest.warns(UserWarning, match="it sets"):
        for number in range(4):
            batch = [np.full(3, float(number))]
            x, copy = replayed(batch)
            assert x is batch[0] and kept["x"] is x and memory[0] is x and type(x) is np.ndarray
            assert copy.tolist() == [number] * 3


def test_arrays_come_back_where_a_step_fails() -> None:
    def step(batch: list[Any]) -> Any:
        raise ValueError("no")

    replayed = tg.replay(step)
    for _ in range(3):
        batch = [np.ones(3)]
        with pytest.raises(ValueError, match="no"):
            replayed(batch)
        assert type(batch[0]) is np.ndarray


def test_what_is_in_an_array_of_objects() -> None:
    class Holder:
        factor = 1.0

    def make() -> Any:
        holders = np.array([Holder(), Holder()])
        inputs = [(tg.ones(2), holders)] * 3
        change = lambda: setattr(holders[1], "factor", 3.0)  # noqa: E731
        return [], lambda x, holders: x * holders[1].factor, [*inputs, change, *inputs]

    assert same_as_eager(make).recordings == 4
