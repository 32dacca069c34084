"""What a replay has placed beforehand, views of arrays, memory for results, an optimiser's update: each of it
holds for the arrays that it was made of, and for no others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import article, batches, conv, images, pairs, plain, plain_mse, same_as_eager, small_net


@pytest.mark.parametrize("scale", [None, 3.0])
def test_data_from_outside_is_read_in_each_call(scale: float | None) -> None:
    def make() -> Any:
        net, ((x, target), (other, _)) = conv(), pairs(2)
        train = article(net, optim.SGD(net.parameters(), lr=0.1), scale)

        def write() -> None:
            x.data[0, 0, 1] = 5

        def replace() -> None:
            x.data = other.data

        def lay_out() -> None:
            target.data = np.asfortranarray(target.data)

        calls = [(), (), (), write, (), replace, (), (), write, (), lay_out, (), (), ()]
        return [net, x], lambda: train(x, target).item(), calls

    same_as_eager(make, at_least=6)


@pytest.mark.parametrize("layers", ["small", "padded", "strided", "wide"])
def test_a_parameter_gets_another_array_between_calls(layers: str) -> None:
    def make() -> Any:
        tg.manual_seed(0)
        first = {
            "small": nn.Conv2d(1, 2, 2),
            "padded": nn.Conv2d(1, 2, 3, padding=1),
            "strided": nn.Conv2d(1, 2, 2, stride=2, dilation=2),
            "wide": nn.Conv2d(1, 3, 1),
        }[layers]
        net = nn.Sequential(first, nn.Conv2d(first.out_channels, 1, 2))
        train = plain_mse(net, optim.SGD(net.parameters(), lr=0.1))
        weight, second = net[0].weight, net[1].weight
        saved = net.state_dict()

        def replace() -> None:
            weight.data = weight.data + 1

        def turn() -> None:
            second.data = np.asfortranarray(second.data)

        def write() -> None:
            weight.data[...] = 0.5

        def load() -> None:
            net.load_state_dict(saved)

        x = images(8, (2, 1, 6, 6))
        calls = [(x[0],), (x[1],), (x[2],), replace, (x[3],), (x[4],), write, (x[5],), turn, (x[6],), load]
        return [net], train, [*calls, *((each,) for each in x)]

    same_as_eager(make, at_least=6)


@pytest.mark.parametrize("order", ["transposed", "every second", "reversed", "H, C, W, N"])
def test_arguments_that_are_not_contiguous(order: str) -> None:
    def make() -> Any:
        net = small_net()
        views = {
            "transposed": lambda a: a.transpose(0, 1, 3, 2),
            "every second": lambda a: np.repeat(a, 2, 3)[..., ::2],
            "reversed": lambda a: a[:, :, ::-1],
            "H, C, W, N": lambda a: np.ascontiguousarray(a.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2),
        }
        calls = [(tg.Tensor(views[order](x.data)), y) for x, y in batches(6)]
        return [net], plain(net, optim.SGD(net.parameters(), lr=0.1)), calls

    same_as_eager(make, at_least=4)


def test_the_same_picture_in_two_convolutions() -> None:
    def make() -> Any:
        net, ((x, target), *_) = nn.ModuleList([conv(), conv()]), pairs(1)
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step() -> Any:
            optimizer.zero_grad()
            loss = tg.mse_loss(net[0](x) * net[1](x * 2) + net[1](x), target)
            loss.backward()
            optimizer.step()
            return loss

        return [net], step, [()] * 6

    same_as_eager(make, at_least=4)


def test_results_and_gradients_that_somebody_holds_stay() -> None:
    net, calls = conv(), pairs(6)
    step = tg.replay(plain_mse(net, optim.SGD(net.parameters(), lr=0.1)))
    held: list[tuple[Any, Any]] = []
    for x, _ in calls:
        loss, y = step(x)
        for array in (loss.data, y.data, net.weight.grad):
            held.append((array, array.copy()))
    assert step.replays == 4
    assert all(np.array_equal(array, then) for array, then in held)
    assert len({id(array) for array, _ in held}) == len(held)


def test_a_listing_says_where_convolutions_do_not_take_their_memory() -> None:
    net = nn.Conv2d(16, 16, 3, padding=1)
    step = tg.replay(plain_mse(net, optim.SGD(net.parameters(), lr=0.1)))
    program_of = {}
    for shape in ((1, 16, 4, 4), (16, 16, 48, 48)):
        for x in images(3, shape):
            step(x)
        program_of[shape] = step.program
    small, large = (
        next(line for line in str(program).splitlines() if "conv2d_dw(" in line)
        for program in program_of.values()
    )
    assert "buffer" in small and "fresh" in large


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("side", [4, 5])
def test_small_pools_of_any_memory_order_with_ties_and_nans(side: int) -> None:
    def make() -> Any:
        shift = nn.Parameter(tg.zeros(2, 3, side, side))
        rng = np.random.default_rng(0)
        arrays = [rng.integers(-2, 3, (2, 3, side, side)).astype(np.float32) for _ in range(8)]
        arrays[4][0, 1, 2:4, 2:4] = [[np.nan, 1], [2, 0]]
        arrays[5][1, :, 0, 0] = -np.inf
        outside = tg.Tensor(np.asfortranarray(arrays[0]))

        def step(x: Any) -> Any:
            y = tg.max_pool2d(x + shift, 2) * tg.max_pool2d(outside, 2)
            y.sum().backward()
            return y

        def replace() -> None:
            outside.data = np.asfortranarray(arrays[1])

        orders = [(0, 1, 2, 3), (2, 1, 3, 0), (0, 1, 2, 3)]
        calls = [
            (tg.Tensor(np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order))),)
            for order in orders
            for a in arrays
        ]
        return [shift], step, [*calls[:12], replace, *calls[12:]]

    same_as_eager(make, at_least=16)


NUMBERS: dict[str, Callable[[Any], Any]] = {
    "mul": lambda x: x.sum() * 2,
    "add": lambda x: x.sum() + x.mean(),
    "relu": lambda x: x.sum().relu(),
    "tanh": lambda x: x.sum().tanh(),
    "of a loss": lambda x: tg.mse_loss(x, x * 2) * 3,
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("check", [True, False])
def test_results_of_no_dimensions_are_arrays(name: str, check: bool) -> None:
    step = tg.replay(NUMBERS[name], check=check)
    results = [step(x) for x in images(4, (3,))]
    assert step.replays == 2 and all(type(result.data) is np.ndarray for result in results)
    for result, x in zip(results, images(4, (3,))):
        np.testing.assert_array_equal(result.data, NUMBERS[name](x).data)
