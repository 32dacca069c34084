"""Replayed steps that take gradients of gradients, or of what they are called with."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import batches, same_as_eager, small_net, trained


def test_gradients_of_gradients() -> None:
    def make() -> Any:
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 1))
        optimizer = optim.Adam(net.parameters(), lr=0.01)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            x = x.clone().requires_grad_()
            out = net(x * 1.5)
            (dx,) = tg.grad(out.sum(), x, create_graph=True)
            loss = (dx.flatten(1).norm(dim=1) - 1).pow(2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return [net], step, batches(6)

    same_as_eager(make, at_least=4)


def test_gradients_of_gradients_where_rules_read_what_the_step_is_called_with() -> None:
    def make() -> Any:
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        optimizer = optim.Adam(net.parameters(), lr=0.01)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            w, b = net.parameters()
            loss = tg.cross_entropy(net(x), y)
            dw, db = tg.grad(loss, [w, b], create_graph=True)
            loss = tg.cross_entropy(tg.nn.functional.linear(x.flatten(1), w - dw, b - db), y)
            loss.backward()
            optimizer.step()
            return loss

        return [net], step, batches(6)

    same_as_eager(make, at_least=4)


PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "gather": lambda x, places: x.gather(1, places),
    "take": lambda x, places: x.take(places),
    "take_along_dim": lambda x, places: tg.take_along_dim(x, places, 1),
    "index_select": lambda x, places: x.index_select(1, places[0]),
    "embedding": lambda x, places: nn.functional.embedding(places, x),
    "scatter_add": lambda x, places: tg.zeros(4, 3).scatter_add(1, places, x),
    "masked_select": lambda x, places: x.masked_select(places > 0),
    "cummax": lambda x, places: (x * places).cummax(1)[0],
    "an index": lambda x, places: x[places[:, 0], places[:, 1]],
    "an index in slices": lambda x, places: x[1:, places[0]],
}


@pytest.mark.parametrize("op", PLACES)
def test_gradients_of_gradients_at_places_that_are_equal_in_both_recordings(op: str) -> None:
    """The tape has a copy of these, and rules may compute others from it by NumPy."""

    def make() -> Any:
        rng = np.random.default_rng(0)
        x = tg.tensor(rng.standard_normal((4, 3)))
        same, *others = (rng.permuted(np.tile(np.arange(3), (4, 1)), axis=1) for _ in range(4))

        def step(places: Any) -> Any:
            leaf = x.float().requires_grad_()
            (slope,) = tg.grad((PLACES[op](leaf, places) ** 3).sum(), leaf, create_graph=True)
            return tg.grad((slope**2).sum(), leaf)

        return [], step, [(tg.tensor(places),) for places in (same, same, same, *others)]

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* runs eagerly, .* computes by NumPy")
        expected, *_ = trained(make)
        replayed, *_ = trained(make, tg.replay)
    assert replayed == expected


def test_a_gradient_of_an_argument() -> None:
    def make() -> Any:
        net = small_net()
        calls = [(x.requires_grad_(), y) for x, y in batches(6)]

        def step(x: Any, y: Any) -> Any:
            loss = tg.cross_entropy(net(x), y)
            (dx,) = tg.grad(loss, x, retain_graph=True)
            loss.backward()
            return dx, loss

        return [net, *(x for x, _ in calls)], step, calls

    same_as_eager(make, at_least=4)
