"""What a step asks optimisers, schedules, generators and this package itself for, or puts back there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import methodcaller
from random import Random, SystemRandom
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import images, same_as_eager


def saved(optimizer: Any, schedule: Any) -> Callable[[], Any]:
    """Puts the optimiser back to what it is now."""
    state = optimizer.state_dict()
    return lambda: optimizer.load_state_dict(state)


def saved_schedule(optimizer: Any, schedule: Any) -> Callable[[], Any]:
    state = schedule.state_dict()
    return lambda: schedule.load_state_dict(state)


def read(optimizer: Any, schedule: Any) -> Callable[[], Any]:
    return lambda: optimizer.state_dict()["param_groups"][0]["lr"]


def read_schedule(optimizer: Any, schedule: Any) -> Callable[[], Any]:
    return lambda: schedule.state_dict()["last_epoch"]


@pytest.mark.parametrize("kind", [saved, saved_schedule, read, read_schedule], ids=lambda kind: kind.__name__)
def test_states_of_optimisers_and_schedules(kind: Callable[[Any, Any], Callable[[], Any]]) -> None:
    def make() -> Any:
        net = nn.Linear(3, 1)
        optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        schedule = optim.lr_scheduler.StepLR(optimizer, 2)
        net(tg.ones(1, 3)).sum().backward()
        optimizer.step()
        put_back = kind(optimizer, schedule)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            put_back()
            loss = net(x).sum()
            loss.backward()
            optimizer.step()
            schedule.step()
            return loss

        return [net, optimizer], step, [(x,) for x in images(6, (2, 3))]

    same_as_eager(make, refused="state_dict of what trains")


def asking_where_a_generator_is() -> Callable[[], Any]:
    generator = tg.Generator()
    return lambda: generator.get_state()


def asking_for_a_generators_seed() -> Callable[[], Any]:
    generator = tg.Generator()
    return lambda: generator.initial_seed()


def drawing_by_a_partial() -> Callable[[], Any]:
    return partial(Random(3).random)


def drawing_by_functions_in_c() -> Callable[[], Any]:
    random, call = Random(3), methodcaller("random")
    return lambda: sum(map(call, [random]))


def drawing_seeds() -> Callable[[], Any]:
    seeds = np.random.SeedSequence(3)
    return lambda: seeds.spawn(1)


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        (asking_where_a_generator_is, "where random numbers are"),
        (lambda: tg.get_rng_state, "where random numbers are"),
        (asking_for_a_generators_seed, "asks for the seed"),
        (drawing_by_a_partial, "draws random numbers"),
        (drawing_by_functions_in_c, "draws random numbers"),
        (drawing_seeds, "draws random numbers"),
        (lambda: tg.get_num_threads, "number of threads"),
        (lambda: lambda: tg.set_num_threads(tg.get_num_threads()), "number of threads"),
    ],
)
def test_what_a_step_asks_of_random_numbers_and_threads(
    source: Callable[[], Callable[[], Any]], refused: str
) -> None:
    def make() -> Any:
        ask = source()

        def step(x: Any) -> Any:
            ask()
            return x * 2

        return [], step, [(x,) for x in images(5, (3,))]

    same_as_eager(make, refused=refused)


def test_random_numbers_of_the_system_are_told() -> None:
    random = SystemRandom()
    step = tg.replay(lambda x: x * (1.0 if random.random() < 2 else 2.0))
    with pytest.warns(UserWarning, match="draws random numbers"):
        assert [step(tg.ones(1)).item() for _ in range(3)] == [1.0] * 3
