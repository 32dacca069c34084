"""Replayed steps exchange what eager ones do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import optim, parallel

from .common import (
    RANK,
    SIZE,
    Branches,
    assert_same_everywhere,
    backward,
    batch,
    conv_net,
    grads,
    own,
    program,
)


def steps_of(net: Any, accumulate: bool) -> Callable[..., Any]:
    """A training step, with two batches in it where accumulated."""
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

    def step(images: Any, labels: Any) -> Any:
        optimizer.zero_grad()
        if accumulate:
            with net.no_sync():
                tg.cross_entropy(net(images), labels).backward()
        loss = tg.cross_entropy(net(images * 2), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


@program
def replays_do_what_eager_does_to_the_bit() -> None:
    counts = [4 * SIZE] * 5 + [SIZE + 1] * 4
    for norm, accumulate, options in (
        (False, False, {}),
        (True, False, {}),
        (False, False, {"check": True}),
    ):
        results = []
        for replay in (False, True):
            net = parallel.DataParallel(conv_net(norm=norm), bucket_bytes=300, sync_batch_norm=norm)
            step = steps_of(net, accumulate)
            step = tg.replay(step, **options) if replay else step
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                losses = [step(*map(own, batch(count, seed=seed))).data for seed, count in enumerate(counts)]
            state = [tensor.data for tensor in net.state_dict().values()]
            results.append([*losses, *grads(net), *state])
        assert step.replays == 5, step.replays
        assert "start(" in str(step.program) and "finish(" in str(step.program)
        for eager, replayed in zip(*results):
            assert eager.tobytes() == replayed.tobytes()
        assert_same_everywhere(state)


@program
def replayed_accumulation_is_averaged_once() -> None:
    results = []
    for replay in (False, True):
        net = parallel.DataParallel(conv_net(), bucket_bytes=300)
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        add = partial(backward, net)
        add = tg.replay(add) if replay else add
        for seed in range(5):
            optimizer.zero_grad()
            with net.no_sync():
                add(*map(own, batch(2 * SIZE + 1, seed=seed)))
            add(*map(own, batch(2 * SIZE + 1, seed=seed + 10)))
            optimizer.step()
        results.append([*grads(net), *(p.data for p in net.parameters())])
    assert add.replays == 6, add.replays
    for eager, replayed in zip(*results):
        assert eager.tobytes() == replayed.tobytes()


@program
def a_replay_gives_no_gradient_where_no_rank_has_one() -> None:
    tg.manual_seed(0)
    net = parallel.DataParallel(Branches())
    x = tg.ones(2, 3)

    @tg.replay
    def add(x: Any, left: bool) -> None:
        net(x, left).sum().backward()

    ways = [True] * 4 + [RANK == 0] * 4 + [True]
    for number, left in enumerate(ways):
        net.zero_grad()
        add(x, left)
        gradient = net.module.right.weight.grad
        if 4 <= number < 8:
            assert (gradient == np.float32(2 * (SIZE - 1) / SIZE)).all()
        else:
            assert gradient is None
        assert net.module.nobody.weight.grad is None
    assert add.replays == (7 if RANK == 0 else 5)
