"""Arrays that a replayed step makes stay as they are until the last has read them, whoever that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.replay.listing import lifetimes

from .replay_steps import images, same_as_eager


def an_index(x: Any, rows: Any, columns: Any) -> Any:
    places = rows * 4 + columns
    others = rows + columns * 2  # as large, so it would be where the places were
    return x.flatten()[places].sum() + others.sum()


def weights_of_classes(x: Any, rows: Any, columns: Any) -> Any:
    weight = x.detach()[0].abs() + 1
    others = x.detach()[0] - 7
    return tg.cross_entropy(x, columns, weight=weight) + others.sum()


def labels_to_gather(x: Any, rows: Any, columns: Any) -> Any:
    places = columns * 1
    others = columns + 2
    return x.gather(1, places[:, None]).sum() + others.sum()


@pytest.mark.parametrize("value", [an_index, weights_of_classes, labels_to_gather])
def test_what_an_op_takes_beside_its_operands(value: Callable[..., Any]) -> None:
    def make() -> Any:
        layer = nn.Linear(4, 4)
        optimizer = optim.SGD(layer.parameters(), lr=0.1)
        rng = np.random.default_rng(0)
        places = [[tg.tensor(rng.integers(0, 4, 4)) for _ in range(2)] for _ in range(6)]

        def step(x: Any, rows: Any, columns: Any) -> Any:
            optimizer.zero_grad()
            loss = value(layer(x), rows, columns)
            loss.backward()
            optimizer.step()
            return loss

        return [layer], step, [(x, *pair) for x, pair in zip(images(6, (4, 4)), places)]

    same_as_eager(make, at_least=4)


def test_lifetimes_are_of_what_an_op_takes_beside_its_operands_too() -> None:
    step = tg.replay(lambda x, i: x[i * 1].exp())
    for _ in range(3):
        step(tg.ones(9), tg.tensor([1, 2]))
    recorded = step.program.recorded
    (index,) = recorded.lines[0].writes
    assert lifetimes(recorded)[index] == (0, 1)


def test_what_ops_of_a_user_keep_is_theirs(scratch_ops: None) -> None:
    seen: list[Any] = []

    @tg.primitive
    def watched(x: Any) -> Any:
        seen.append(x)
        return x * 1

    @watched.grad("x")
    def watched_dx(dy: Any) -> Any:
        seen.append(dy)
        return dy * 1

    def kept(replay: bool) -> list[Any]:
        tg.manual_seed(0)
        first, last = nn.Linear(3, 4), nn.Linear(4, 2)
        seen.clear()

        def step(x: Any) -> Any:
            loss = last(watched(first(x)).relu()).pow(2).mean()
            loss.backward()

        run = tg.replay(step) if replay else step
        for x in images(6, (5, 3)):
            run(x)
        assert not replay or run.replays == 4
        return seen.copy()

    for mine, theirs in zip(kept(True), kept(False)):
        np.testing.assert_array_equal(mine, theirs)


def changed_in_place(x: Any) -> Any:
    with tg.no_grad():
        x.mul_(2)
        return x.sum()


def made_a_leaf(x: Any) -> Any:
    w = x.detach().requires_grad_()
    (dx,) = tg.grad((w**3).sum(), [w])
    return dx


@pytest.mark.parametrize("first", ["leaves", "results"])
@pytest.mark.parametrize("step", [changed_in_place, made_a_leaf])
@pytest.mark.parametrize("check", [False, True])
def test_a_leaf_keeps_its_memory_and_a_result_never_changes_it(first: str, step: Any, check: bool) -> None:
    def make() -> Any:
        inputs = images(8, (2, 3))
        results = [x * 2 for x in inputs[4:]]
        given = [*inputs[:4], *results] if first == "leaves" else [*results, *inputs[:4]]
        return given, step, [(x,) for x in given]

    same_as_eager(make, at_least=4, check=check)
