"""Who looks on, what the ranks do together, and how a training goes on."""

from __future__ import annotations

import copy
import tempfile
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import data, optim, parallel
from tinygrad_conv.engine.observe import Observer

from .common import (
    RANK,
    SIZE,
    assert_close,
    backward,
    batch,
    conv_net,
    expected,
    grads,
    own,
    program,
)


class Order(Observer):
    """What happens in a backward, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def after_rules(self, gradients: Any, node: Any) -> None:
        self.events.append(node.op.name)

    def after_exchange(self, gradients: Any, exchange: Any) -> None:
        if exchange.function.__name__ != "progress":
            self.events.append(exchange.function.__name__)


@program
def gradients_leave_while_the_sweep_still_runs() -> None:
    net = parallel.DataParallel(conv_net(), bucket_bytes=1)
    with Order() as order:
        backward(net, *map(own, batch(8)))
    events = order.events
    assert events[0] == "begin" and events[-2:] == ["finish", "forget"]
    assert events.count("start") == 4
    first, rules = events.index("start"), [at for at, event in enumerate(events) if event == "conv2d"]
    assert first < rules[0]


@program
def debuggers_may_look_on() -> None:
    images, labels = batch(7)
    right = expected(conv_net(), (images, labels))
    net = parallel.DataParallel(conv_net())
    with tg.detect_anomaly():
        backward(net, own(images), own(labels))
    assert_close(grads(net), right)
    net.zero_grad()
    loss = tg.cross_entropy(net(own(images)), own(labels))
    for _ in loss.steps():
        pass
    assert_close(grads(net), right)


@program
def helpers_bring_the_ranks_together() -> None:
    assert parallel.is_main() == (RANK == 0)
    assert parallel.average(tg.tensor(float(RANK))) == (SIZE - 1) / 2
    assert parallel.average(float("nan") if RANK else 5.0, 0 if RANK else 3) == 5.0
    assert np.isnan(parallel.average(1.0, 0))
    assert parallel.on_main(lambda *given: [RANK, *given], 1, 2) == [0, 1, 2]
    with pytest.raises(ZeroDivisionError if RANK == 0 else parallel.RankError, match="division"):
        parallel.on_main(lambda: 1 / 0)
    parallel.barrier()


@program
def the_wrapper_s_state_is_the_model_s() -> None:
    model = conv_net(norm=True)
    net = parallel.DataParallel(model)
    assert list(net.state_dict()) == list(model.state_dict())
    assert [name for name, _ in net.named_parameters()] == [name for name, _ in model.named_parameters()]
    state = {name: tensor.data + 1 for name, tensor in model.state_dict().items()}
    net.load_state_dict(state)
    assert (model[0].weight.data == state["0.weight"]).all()
    with pytest.raises(TypeError, match=r"take net\.module"):
        copy.deepcopy(net)


def parts_of(net: Any, dataset: Any, **ranks: Any) -> dict[str, Any]:
    sampler = parallel.ShardedSampler(dataset, batch_size=6, seed=1, **ranks)
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    return {"model": net, "optimizer": optimizer, "loader": data.DataLoader(dataset, batch_sampler=sampler)}


def go_on(parts: dict[str, Any], steps: int) -> None:
    while steps:
        for images, labels in parts["loader"]:
            parts["optimizer"].zero_grad()
            backward(parts["model"], images, labels)
            parts["optimizer"].step()
            steps -= 1
            if not steps:
                return


@program
def a_training_goes_on_with_another_number_of_ranks() -> None:
    dataset = data.TensorDataset(*batch(26))
    alone = parts_of(conv_net(), dataset, num_replicas=1, rank=0)
    go_on(alone, 12)
    folder = parallel.on_main(tempfile.mkdtemp)
    first = parts_of(parallel.DataParallel(conv_net()), dataset)
    go_on(first, 7)  # in the second epoch
    parallel.on_main(lambda: tg.Checkpoints(folder).save(7, **first))
    half = parallel.ranks.ranks_of().comm.Split(RANK % 2, RANK)
    few = {"num_replicas": half.Get_size(), "rank": half.Get_rank()}
    second = parts_of(parallel.DataParallel(conv_net(seed=5), comm=half), dataset, **few)
    tg.Checkpoints(folder).resume(**second)
    go_on(second, 5)
    mine, theirs = second["model"].state_dict(), alone["model"].state_dict()
    assert_close([t.data for t in mine.values()], [t.data for t in theirs.values()], 1e-10)
