"""Followers of sweeps: told of every backward and of nothing else, and what they put in gradients' places."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.engine.observe import Observer, follow
from tinygrad_conv.engine.observed import OBSERVATION, Followed

from .replay_steps import batches, same_as_eager, small_net


class Doubling(Observer):
    """Doubles the gradient of some leaves, and takes away that of others."""

    def __init__(self, doubled: list[Any], taken: list[Any]) -> None:
        self.leaves, self.doubled = [*doubled, *taken], len(doubled)

    def before_leaves(self, gradients: Any) -> None:
        gradients.exchange(self.double, self.leaves)

    def double(self, *gradients: Any) -> list[Any]:
        return [
            None if gradient is None or place >= self.doubled else 2 * gradient
            for place, gradient in enumerate(gradients)
        ]


class Telling(Doubling):
    """Tells what it is told of, too."""

    def __init__(self, *leaves: list[Any]) -> None:
        super().__init__(*leaves)
        self.seen: list[str] = []
        self.given: list[Any] = []

    def before_op(self, call: Any) -> None:
        self.seen.append(call.op)

    def before_rules(self, gradients: Any, node: Any, dy: Any) -> None:
        self.seen.append(f"rules of {node.op.name}")

    def double(self, *gradients: Any) -> list[Any]:
        self.given = list(gradients)
        return super().double(*gradients)


@pytest.fixture
def leaves() -> list[tg.Tensor]:
    return [tg.tensor([1.0, 2.0], requires_grad=True) for _ in range(3)]


def test_a_follower_is_told_of_sweeps_and_not_of_ops(leaves: list[tg.Tensor]) -> None:
    follower = Telling(leaves[:1], leaves[1:2])
    follow(follower)
    loss = (leaves[0] * leaves[1] * leaves[2]).sum()
    assert OBSERVATION.get() is None and not follower.seen
    loss.backward()
    assert follower.seen == ["rules of sum", "rules of mul", "rules of mul"]
    assert leaves[0].grad.tolist() == [2, 8] and leaves[1].grad is None and leaves[2].grad.tolist() == [1, 4]


def test_it_sees_those_of_other_threads(leaves: list[tg.Tensor]) -> None:
    follower = Doubling(leaves[:1], [])
    follow(follower)
    thread = threading.Thread(target=lambda: leaves[0].sum().backward())
    thread.start()
    thread.join()
    assert leaves[0].grad.tolist() == [2, 2]


def test_what_has_not_arrived_is_none_and_hooks_see_what_took_its_place(leaves: list[tg.Tensor]) -> None:
    follower = Telling(leaves, [])
    follow(follower)
    seen: list[Any] = []
    leaves[0].register_hook(seen.append)
    leaves[0].sum().backward()
    assert follower.given[1:] == [None, None] and seen[0].tolist() == [2, 2]
    assert leaves[1].grad is None


def test_a_follower_that_nobody_holds_is_gone(leaves: list[tg.Tensor]) -> None:
    first, second = Doubling(leaves, []), Doubling(leaves, [])
    follow(first), follow(second)
    leaves[0].sum().backward()
    assert leaves[0].grad.tolist() == [4, 4]
    del first
    gc.collect()
    leaves[0].grad = None
    leaves[0].sum().backward()
    assert leaves[0].grad.tolist() == [2, 2]
    del second
    gc.collect()
    assert Followed.by is None
    leaves[0].sum().backward()
    assert leaves[0].grad.tolist() == [3, 3]


def test_steps_of_a_debugger_are_followed_and_recordings_are_not(leaves: list[tg.Tensor]) -> None:
    follower = Doubling(leaves, [])
    follow(follower)
    assert list((leaves[0] * 3).sum().steps()) and leaves[0].grad.tolist() == [6, 6]
    record = (leaves[0] * 3).sum().record()
    np.testing.assert_array_equal(record.grad_of(leaves[0]), [3, 3])


@pytest.mark.parametrize("options", [{}, {"check": True}], ids=str)
def test_a_replay_does_what_followers_did(options: dict[str, Any]) -> None:
    kept: list[Any] = []

    def make() -> Any:
        net = small_net()
        weights = list(net.parameters())
        follower = Doubling(weights[:2], weights[3:])
        kept.append(follower)
        follow(follower)
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return [net, optimizer], step, batches()

    step = same_as_eager(make, at_least=5, **options)
    assert "double(" in str(step.program)
