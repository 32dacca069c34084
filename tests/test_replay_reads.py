"""Numbers that a replayed step reads: returned as they are they are followed, anything more is refused."""

from __future__ import annotations

import sys
from functools import partial, wraps
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import batches, plain, same_as_eager, small_net


def make_returning(result: Any) -> Any:
    """A maker of an evaluation that returns something of the logits and the labels."""

    def make() -> Any:
        net = small_net()
        return [net], lambda x, y: result(net(x).detach(), y), [(x, y % 2) for x, y in batches(6)]

    return make


def checked(value: Any) -> Any:
    if value > 100:
        raise ValueError
    return value


@pytest.mark.parametrize(
    "result",
    [
        lambda logits, y: int(logits.mean().item()),  # another object than what was read
        lambda logits, y: checked(logits.mean().item()),
        lambda logits, y: logits.mean().item() * 2,
        lambda logits, y: float((logits * 2.0).sum(1).amax().detach().item()) + 1,
        lambda logits, y: max(float((logits * 2.0).sum(1).amax().detach().item()), 1.0),
        lambda logits, y: "many" if logits.mean() > 0 else "few",
        lambda logits, y: (int(y.amax()), int(y.amax() + 0 * y.sum())),  # the same number: which is which?
        lambda logits, y: str(logits.mean()),
        lambda logits, y: [float(number) for number in logits[0]],
        lambda logits, y: ((logits > 100).any().item(), False),  # which is which?
        lambda logits, y: {"many": (logits > 100).sum().item(), "least": 0},
    ],
    ids=range(11),
)
def test_numbers_that_are_more_than_read(result: Any) -> None:
    same_as_eager(make_returning(result), refused="Python reads")


def test_a_number_may_be_read_of_what_the_line_computes() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            plain(net, optimizer)(x, y)
            return float((net(x).softmax(1) * 2.0).sum(1).amax().detach().item())

        return [net], step, batches(6)

    if sys.version_info >= (3, 11):  # which keeps where in its line an instruction stands
        same_as_eager(make, at_least=4)
    else:
        same_as_eager(make, refused="Python reads")


def what_equals_a_constant(large: Any) -> Any:
    return large.sum().item(), 0


def what_equals_an_argument(large: Any, least: int) -> Any:
    return large.sum().item(), least


def what_is_a_key_too(large: Any) -> Any:
    number = large.sum()
    return {number.item(): number.item()}


def what_is_thrown_away(large: Any) -> Any:
    large.sum().item()
    return 0


@pytest.mark.parametrize(
    ("read", "others"),
    [
        (what_equals_a_constant, ()),
        (what_equals_an_argument, (0,)),
        (what_is_thrown_away, ()),
        (what_is_a_key_too, ()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_integer_is_read_that_equals_another_in_the_result(read: Any, others: Any) -> None:
    def make() -> Any:
        numbers = [tg.zeros(3, dtype=tg.int64)] * 4 + [tg.ones(3, dtype=tg.int64)] * 2
        return [], read, [(x, *others) for x in numbers]

    same_as_eager(make, refused="Python reads")


def test_a_gradient_is_none_where_it_is_read() -> None:
    def make() -> Any:
        w, other = nn.Parameter(tg.ones(3)), nn.Parameter(tg.ones(3))

        def step(x: Any) -> Any:
            (x * other).sum().backward()
            return w.grad, None

        def set_gradient() -> None:
            w.grad = np.ones(3, np.float32)

        calls = [(tg.ones(3),)] * 4
        return [w, other], step, [*calls, set_gradient, *calls]

    same_as_eager(make, refused="Python reads")


def at_most(limit: float, step: Any) -> Any:
    @wraps(step)
    def limited(x: Any) -> Any:
        number = step(x)
        return number if number < limit else limit

    return limited


def noted(step: Any) -> Any:
    @wraps(step)
    def call(*inputs: Any) -> Any:
        return step(*inputs)

    return call


def largest(x: Any, parts: int = 0) -> Any:
    if parts:
        number = largest(x, parts - 1)
        return number if number < 2 else 2.0
    return x.amax().item()


READING: dict[str, Any] = {
    "by what decorates it": at_most(2.0, lambda x: x.amax().item()),
    "by itself": lambda x: largest(x, 2),
    "by max": lambda x: max(x.amax().item(), 1.0),
    "by max, with None": lambda x: (lambda number, _: max(number, 1.0))(x.amax().item(), None),
    "by min, which has two": lambda x: min(2.0, x.amax().item()),
}


@pytest.mark.parametrize("reading", READING)
def test_a_number_is_used_further(reading: str) -> None:
    numbers = [1.5, 1.25, 1.75, 0.5, 3.0, 1.5]
    same_as_eager(
        lambda: ([], READING[reading], [(tg.full((2,), number),) for number in numbers]),
        refused="Python reads",
    )


@pytest.mark.parametrize(
    "step",
    [noted(largest), noted(tg.no_grad()(largest)), partial(largest, parts=0), lambda x: float(largest(x))],
    ids=["decorated", "twice", "partial", "by a function"],
)
def test_a_number_is_handed_on_and_no_more(step: Any) -> None:
    same_as_eager(
        lambda: ([], step, [(tg.full((2,), number),) for number in (1.5, 3.0, 1.5, 5.0)]), at_least=2
    )
