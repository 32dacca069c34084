"""What a step's Python draws, has done elsewhere, and reads and sets of an optimiser: no replay does that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from queue import Queue
from threading import Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import batches, same_as_eager, small_net

# Random numbers: each is drawn for a decision, which may well be the same in both recordings


def by_numpys_own() -> Callable[[], float]:
    np.random.seed(1)
    return np.random.rand


def by_a_generator() -> Callable[[], float]:
    return np.random.default_rng(1).random


def by_one_of_ours() -> Callable[[], float]:
    return tg.Generator().manual_seed(1).random


def by_the_default_one() -> Callable[[], float]:
    return tg.manual_seed(1).random


def by_one_in_an_object() -> Callable[[], float]:
    holder = SimpleNamespace(inner=SimpleNamespace(random=np.random.RandomState(1)))
    return lambda: holder.inner.random.rand()


def by_one_of_a_layer() -> Callable[[], float]:
    class Drawing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.random = np.random.default_rng(1)

        def forward(self) -> float:
            return self.random.random()

    return Drawing()


@pytest.mark.parametrize(
    "source",
    [
        by_numpys_own,
        by_a_generator,
        by_one_of_ours,
        by_the_default_one,
        by_one_in_an_object,
        by_one_of_a_layer,
    ],
    ids=range(6),
)
def test_a_decision_by_chance(source: Callable[[], Callable[[], float]]) -> None:
    def make() -> Any:
        net, draw = small_net(), source()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(tg.flip(x, (3,)) if draw() < 0.3 else x), y)
            loss.backward()
            return loss

        return [net], step, batches(8)

    same_as_eager(make, refused="draws random numbers")


def test_functions_that_a_replay_calls_draw_in_it_too() -> None:
    """From a generator that is given to them as from the default one, with nothing by NumPy's methods."""

    def make() -> Any:
        net, random = small_net(), tg.Generator().manual_seed(1)

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            noise = tg.randn(*x.shape, generator=random) + tg.rand(1)
            loss = tg.cross_entropy(net(x + tg.dropout(noise, 0.5)), y)
            loss.backward()
            return loss

        tg.manual_seed(1)
        return [net], step, batches(8)

    same_as_eager(make)


def filling_its_weight(net: Any) -> None:
    nn.init.normal_(net[4].weight)


def filling_new_memory(net: Any) -> None:
    net[4].bias.grad = None
    net.noise = nn.init.uniform_(tg.empty(3))


@pytest.mark.parametrize("fill", [filling_its_weight, filling_new_memory], ids=range(2))
def test_an_initialisation(fill: Callable[[Any], None]) -> None:
    def make() -> Any:
        net = small_net()
        net.noise = tg.zeros(3)

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            fill(net)
            loss = tg.cross_entropy(net(x) + net.noise, y)
            loss.backward()
            return loss

        return [net], step, batches(6)

    same_as_eager(make, refused="tg.replay")


# Work that is done elsewhere


def in_a_thread(function: Callable[[], Any]) -> None:
    thread = Thread(target=function)
    thread.start()
    thread.join()


def in_a_pool(function: Callable[[], Any]) -> None:
    POOL.submit(function).result()


def in_another_context(function: Callable[[], Any]) -> None:
    Context().run(function)


def by_a_queue(function: Callable[[], Any]) -> None:
    queue: Queue[Any] = Queue()
    queue.put(function)
    queue.get()()


POOL = ThreadPoolExecutor(1)
ELSEWHERE = {in_a_thread: "thread", in_a_pool: "thread", in_another_context: "context", by_a_queue: "queue"}


@pytest.mark.parametrize("run", ELSEWHERE, ids=lambda run: run.__name__)
def test_work_that_is_done_elsewhere(run: Callable[[Callable[[], Any]], None]) -> None:
    def make() -> Any:
        net = small_net()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            run(loss.backward)
            return loss.detach()

        return [net], step, batches(6)

    same_as_eager(make, refused=ELSEWHERE[run])


# Options of an optimiser

Step = Callable[[Any, Any], Any]


def make_with(read: Callable[[Any, Any], float], change: Callable[[Any, Any], None]) -> Callable[[], Any]:
    """A maker of a training whose loss has a factor that the step reads; it changes between two calls."""

    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.5, momentum=0.5)
        schedule = optim.lr_scheduler.StepLR(optimizer, 1, 0.5)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(x), y) * read(optimizer, schedule)
            loss.backward()
            optimizer.step()
            return loss

        first, later = batches(4), batches(4, seed=1)
        return [net, optimizer], step, [*first, lambda: change(optimizer, schedule), *later]

    return make


def of_the_group(optimizer: Any, schedule: Any) -> float:
    return optimizer.param_groups[0]["lr"]


def of_all_groups(optimizer: Any, schedule: Any) -> float:
    return max(group["momentum"] for group in optimizer.param_groups)


def of_the_schedule(optimizer: Any, schedule: Any) -> float:
    return schedule.get_last_lr()[0]


def of_the_epoch(optimizer: Any, schedule: Any) -> float:
    return 1.0 + schedule.last_epoch


def halve(optimizer: Any, schedule: Any) -> None:
    optimizer.param_groups[0].update(lr=0.25, momentum=0.25)


def next_epoch(optimizer: Any, schedule: Any) -> None:
    schedule.step()


@pytest.mark.parametrize(
    "read, change",
    [
        (of_the_group, halve),
        (of_all_groups, halve),
        (of_the_group, next_epoch),
        (of_the_schedule, halve),
        (of_the_schedule, next_epoch),
        (of_the_epoch, next_epoch),
    ],
    ids=range(6),
)
def test_what_is_read_of_an_optimiser_is_read_anew(read: Any, change: Any) -> None:
    step = same_as_eager(make_with(read, change), at_least=4)
    assert step.recordings == 4


def test_the_number_of_a_step_is_not_replayed() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.Adam(net.parameters())

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            if optimizer.state and optimizer.state[net[4].bias]["step"] > 4:
                loss = loss * 2
            loss.backward()
            optimizer.step()
            return loss

        return [net, optimizer], step, batches(8)

    same_as_eager(make, refused="step")


def set_in_place(groups: list[Any]) -> None:
    groups[0]["lr"] *= 0.5


def set_by_update(groups: list[Any]) -> None:
    groups[0].update(lr=groups[0]["lr"] * 0.5)


def set_by_a_name(groups: list[Any]) -> None:
    for name in ("lr", "momentum"):
        groups[0][name] = groups[0][name] * 0.5


@pytest.mark.parametrize("change", [set_in_place, set_by_update, set_by_a_name], ids=range(3))
def test_options_that_the_step_changes(change: Callable[[list[Any]], None]) -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.5, momentum=0.5)

        def step(x: Any, y: Any) -> Any:
            change(optimizer.param_groups)
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return [net, optimizer], step, batches(6)

    same_as_eager(make, refused="lr" if change is not set_by_update else "calls update")


def test_options_that_a_step_does_not_name_may_change() -> None:
    def make() -> Any:
        net = small_net()
        optimizer = optim.SGD(net.parameters(), lr=0.5)
        schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
            optimizer.step()
            return loss

        a, b, c, d, e, f = batches(6)
        return [net, optimizer], step, [a, schedule.step, b, c, schedule.step, d, schedule.step, e, f]

    assert same_as_eager(make, at_least=4).recordings == 2
