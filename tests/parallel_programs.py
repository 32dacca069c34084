"""What ranks do in tests/test_parallel.py: `mpiexec -n 2 python -m tests.parallel_programs NAME …`.

Each program asserts on every rank; rank 0 prints its name where all ranks have come to its end. The oracle is
one process with the joined batch.
"""

from __future__ import annotations

import copy
import hashlib
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim, parallel
from tinygrad_conv.engine.observe import Observer
from tinygrad_conv.parallel.shares import share_of

PROGRAMS: dict[str, Callable[[], None]] = {}
RANK, SIZE = parallel.rank(), parallel.world_size()
TOLERANCE = {np.float32: 1e-6, np.float64: 1e-12}


def program(function: Callable[[], None]) -> Callable[[], None]:
    PROGRAMS[function.__name__] = function
    return function


def batch(count: int, dtype: Any = np.float64, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images [count, 1, 8, 8] and labels, the same on all ranks."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 1, 8, 8)).astype(dtype), rng.integers(0, 3, count)


def own(array: np.ndarray, rank: int = RANK, size: int = SIZE) -> Any:
    """This rank's share."""
    places = share_of(len(array), rank, size)
    return tg.tensor(array[places.start : places.stop])


def conv_net(dtype: Any = np.float64, norm: bool = False, seed: int = 0) -> Any:
    tg.manual_seed(seed)
    layers = [
        nn.Conv2d(1, 4, 3, padding=1),
        *([nn.BatchNorm2d(4)] if norm else []),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 3))
    return net.double() if dtype is np.float64 else net


def grads(net: Any) -> list[Any]:
    return [None if p.grad is None else p.grad.copy() for p in net.parameters()]


def backward(net: Any, images: Any, labels: Any, scale: float = 1.0) -> Any:
    loss = tg.cross_entropy(net(images), labels) * scale
    loss.backward()
    return loss


def expected(net: Any, *batches: tuple[np.ndarray, np.ndarray], scale: float = 1.0) -> list[Any]:
    """The gradients of one process with the joined batches, one after another."""
    net.zero_grad()
    for images, labels in batches:
        backward(net, tg.tensor(images), tg.tensor(labels), scale)
    result = grads(net)
    net.zero_grad()
    return result


def assert_close(mine: list[Any], theirs: list[Any], tolerance: float = 1e-12) -> None:
    """Each to within this part of the largest number."""
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs):
        assert (a is None) == (b is None)
        if a is not None:
            assert np.abs(a - b).max() <= tolerance * max(np.abs(b).max(), 1e-3), np.abs(a - b).max()


def assert_same_everywhere(arrays: list[Any]) -> None:
    """The same bits on all ranks."""
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    assert parallel.on_main(lambda: digest) == digest


@contextmanager
def refused(*words: str) -> Any:
    """A RankError on every rank, with these words."""
    with pytest.raises(parallel.RankError) as caught:
        yield
    for word in words:
        assert word in str(caught.value), str(caught.value)


# Gradients
@program
def gradients_are_those_of_the_joined_batch() -> None:
    for dtype in (np.float32, np.float64):
        for count, bucket_bytes in ((16, 1 << 18), (7, 300), (3, 1), (1, 300)):
            images, labels = batch(count, dtype)
            net = parallel.DataParallel(conv_net(dtype), bucket_bytes=bucket_bytes)
            right = expected(conv_net(dtype), (images, labels))
            backward(net, own(images), own(labels))
            assert_close(grads(net), right, TOLERANCE[dtype])
            assert_same_everywhere(grads(net))


@program
def a_training_is_that_of_one_process() -> None:
    dataset = data.TensorDataset(*batch(26))
    curves = []
    for net, alone in ((conv_net(), {"num_replicas": 1, "rank": 0}), (parallel.DataParallel(conv_net()), {})):
        sampler = parallel.ShardedSampler(dataset, batch_size=8, seed=3, **alone)
        loader = data.DataLoader(dataset, batch_sampler=sampler)
        optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        losses = []
        for _ in range(3):
            for images, labels in loader:
                optimizer.zero_grad()
                loss = backward(net, images, labels)
                optimizer.step()
                losses.append(loss.item() if alone else parallel.average(loss, len(images)))
        curves.append(losses)
        assert_same_everywhere([p.data for p in net.parameters()])
    assert len(curves[0]) == 12
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-12)


@program
def a_plain_mean_over_ranks_is_there_on_request() -> None:
    images, labels = batch(SIZE + 1)
    net = parallel.DataParallel(conv_net(), weighted=False)
    alone = conv_net()
    right = [np.zeros_like(p.data) for p in alone.parameters()]
    for rank in range(SIZE):
        parts = own(images, rank), own(labels, rank)
        right = [a + b / SIZE for a, b in zip(right, expected(alone, tuple(part.data for part in parts)))]
    backward(net, own(images), own(labels))
    assert_close(grads(net), right)


@program
def a_gradient_that_is_there_is_added_once() -> None:
    images, labels = batch(7)
    net = parallel.DataParallel(conv_net())
    backward(net, own(images), own(labels))
    once = grads(net)
    backward(net, own(images), own(labels))
    for twice, gradient in zip(grads(net), once):
        assert (twice == gradient + gradient).all()


@program
def two_backwards_of_one_forward_weigh_alike() -> None:
    images, labels = batch(7)
    net, alone = parallel.DataParallel(conv_net(), bucket_bytes=300), conv_net()
    for model, given in ((alone, (images, labels)), (net, (own(images), own(labels)))):
        scores = model(tg.tensor(given[0]))
        (scores.sum(1) ** 2).mean().backward(retain_graph=True)
        tg.cross_entropy(scores, tg.tensor(given[1])).backward()
    assert_close(grads(net), grads(alone))


class Branches(nn.Module):
    """Two ways, and a layer that none of them takes."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.nobody = nn.Linear(3, 2), nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x: Any, left: bool) -> Any:
        return self.left(x) if left else self.right(x)


@program
def parameters_may_be_used_on_some_ranks_alone() -> None:
    tg.manual_seed(0)
    net = parallel.DataParallel(Branches(), bucket_bytes=8)
    x = tg.ones(2, 3)
    for _ in range(2):
        net.zero_grad()
        net(x, RANK == 0).sum().backward()
        left, right = net.module.left.weight.grad, net.module.right.weight.grad
        np.testing.assert_allclose(left, np.full((2, 3), 2 / SIZE))
        np.testing.assert_allclose(right, np.full((2, 3), 2 * (SIZE - 1) / SIZE))
        assert net.module.nobody.weight.grad is None


@program
def a_layer_may_be_used_twice_and_weights_be_shared() -> None:
    images, labels = batch(7)

    def twice() -> Any:
        tg.manual_seed(0)
        layer, head = nn.Linear(64, 64), nn.Linear(64, 3)
        return nn.Sequential(nn.Flatten(), layer, nn.ReLU(), layer, head).double()

    right = expected(twice(), (images, labels))
    net = parallel.DataParallel(twice(), bucket_bytes=64)
    backward(net, own(images), own(labels))
    assert_close(grads(net), right)


@program
def half_floats_are_summed_as_floats() -> None:
    weight = nn.Parameter(np.full(4, 1.0, np.float16))
    net = nn.Sequential()
    net.weight = weight
    net = parallel.DataParallel(net, weighted=False)
    weight.backward(np.full(4, 40000.0, np.float16))  # two of them are more than a half float holds
    assert weight.grad.dtype == np.float16 and (weight.grad == 40000).all()
    assert net.follower.averaging.buckets[0].memory.dtype == np.float32


@program
def a_parameter_alone_goes_backward() -> None:
    net = nn.Sequential()
    net.weight = nn.Parameter(np.array(2.0))
    net = parallel.DataParallel(net)
    net.module.weight.backward(np.array(float(RANK)))
    assert net.module.weight.grad == (SIZE - 1) / 2


@program
def models_may_meet_in_one_backward() -> None:
    images, labels = batch(7)
    bodies = [nn.Sequential(nn.Flatten(), nn.Linear(64, 8)).double() for _ in range(2)]
    heads = [nn.Linear(8, 3).double() for _ in range(2)]
    for theirs, mine in ((bodies[1], bodies[0]), (heads[1], heads[0])):
        theirs.load_state_dict(parallel.on_main(mine.state_dict))
    body, head = parallel.DataParallel(bodies[0]), parallel.DataParallel(heads[0])
    bodies[1].load_state_dict(body.state_dict()), heads[1].load_state_dict(head.state_dict())
    backward(lambda x: head(body(x)), own(images), own(labels))
    backward(lambda x: heads[1](bodies[1](x)), tg.tensor(images), tg.tensor(labels))
    assert_close(grads(body) + grads(head), grads(bodies[1]) + grads(heads[1]))


@program
def another_thread_may_go_backward() -> None:
    images, labels = batch(6)
    net = parallel.DataParallel(conv_net())
    thread = threading.Thread(target=lambda: backward(net, own(images), own(labels)))
    thread.start()
    thread.join()
    assert_close(grads(net), expected(conv_net(), (images, labels)))


# Accumulation
@program
def accumulated_batches_are_averaged_once() -> None:
    batches = [batch(7, seed=seed) for seed in range(3)]
    net, alone = parallel.DataParallel(conv_net(), bucket_bytes=300), conv_net()
    right = expected(conv_net(), *batches, scale=1 / 3)
    for _ in range(2):
        net.zero_grad()
        with net.no_sync():
            for images, labels in batches[:2]:
                backward(net, own(images), own(labels), 1 / 3)
        alone.zero_grad()
        for images, labels in batches[:2]:
            backward(alone, own(images), own(labels), 1 / 3)
        assert_close(grads(net), grads(alone))  # this rank's own, until now
        backward(net, own(batches[2][0]), own(batches[2][1]), 1 / 3)
        assert_close(grads(net), right)
        assert_same_everywhere(grads(net))


@program
def what_has_been_averaged_stays_where_more_is_accumulated() -> None:
    batches = [batch(6, seed=seed) for seed in range(3)]
    net = parallel.DataParallel(conv_net())
    right = expected(conv_net(), *batches)
    backward(net, *map(own, batches[0]))
    with net.no_sync():
        backward(net, *map(own, batches[1]))
    backward(net, *map(own, batches[2]))
    assert_close(grads(net), right)


@program
def batches_shared_out_in_other_proportions_cannot_be_accumulated() -> None:
    net = parallel.DataParallel(conv_net())
    with net.no_sync():
        backward(net, *map(own, batch(2 * SIZE)))
    before = grads(net)
    with refused("shared out in different proportions", "drop_last=True"):
        backward(net, *map(own, batch(SIZE + 1)))
    assert_close(grads(net), before)


@program
def halves_of_a_batch_can_be_accumulated_with_a_smaller_one() -> None:
    batches = [batch(4 * SIZE), batch(2 * SIZE, seed=1)]
    net = parallel.DataParallel(conv_net())
    with net.no_sync():
        backward(net, *map(own, batches[0]))
    backward(net, *map(own, batches[1]))
    assert_close(grads(net), expected(conv_net(), *batches))


# Hooks and higher derivatives
@program
def hooks_see_the_averaged_gradient() -> None:
    images, labels = batch(7)
    net = parallel.DataParallel(conv_net())
    right = expected(conv_net(), (images, labels))
    seen, written = [], []
    first = next(net.parameters())
    first.register_hook(lambda gradient: seen.append(gradient.copy()) or -gradient)
    first.register_post_accumulate_grad_hook(lambda leaf: written.append(leaf.grad.copy()))
    backward(net, own(images), own(labels))
    assert_close([seen[0], -written[0], -first.grad, *grads(net)[1:]], [right[0]] * 3 + right[1:])


@program
def grad_is_this_rank_s_own_and_a_penalty_of_it_is_averaged() -> None:
    images, labels = batch(7)
    results = []
    net, alone = parallel.DataParallel(conv_net()), conv_net()
    for model, x, y in ((net, own(images), own(labels)), (alone, tg.tensor(images), tg.tensor(labels))):
        x = tg.Tensor(x.data, requires_grad=True)
        scores = model(x)
        (slope,) = tg.grad((scores * scores).sum(), x, create_graph=True)
        (tg.cross_entropy(scores, y) + (slope**2).sum((1, 2, 3)).mean()).backward()
        results.append(grads(model))
    assert_close(*results)
    parts = own(images), own(labels)
    weights = list(net.parameters())
    locally = tg.grad(tg.cross_entropy(net(parts[0]), parts[1]), weights)
    by_itself = tg.grad(tg.cross_entropy(alone(parts[0]), parts[1]), list(alone.parameters()))
    assert_close([each.data for each in locally], [each.data for each in by_itself])


# The beginning
@program
def all_begin_with_rank_0_s_model() -> None:
    net = conv_net(norm=True, seed=RANK)
    net[1].running_mean.data[...] = RANK
    wrapped = parallel.DataParallel(net)
    first = conv_net(norm=True, seed=0)
    for name, tensor in wrapped.state_dict().items():
        assert (tensor.data == first.state_dict()[name].data).all(), name
    assert (net[1].running_mean.data == 0).all()


@program
def models_that_differ_are_refused_on_all_ranks() -> None:
    last = SIZE - 1

    def odd(change: Callable[[Any], Any]) -> Any:
        net = conv_net()
        return change(net) if RANK == last else net

    def grown(net: Any) -> Any:
        net[-1] = nn.Linear(64, 4).double()
        return net

    def frozen(net: Any) -> Any:
        net[0].requires_grad_(False)
        return net

    cases = {
        "float64[4,64], trained, rank 0 has 4.weight float64[3,64], trained": grown,
        "it has 0.weight float64[4,1,3,3], rank 0 has 0.weight float64[4,1,3,3], trained": frozen,
        "it has 0.weight float32[4,1,3,3], trained, rank 0 has 0.weight float64[4,1,3,3]": lambda n: (
            n.float()
        ),
        "only it has 5.weight": lambda net: nn.Sequential(*net, nn.Linear(3, 2)),
        "4.weight without numbers yet": lambda net: nn.Sequential(*list(net)[:-1], nn.LazyLinear(3)),
    }
    for words, change in cases.items():
        with refused(f"the model of rank {last} is not that of rank 0", words):
            parallel.DataParallel(odd(change))


@program
def a_model_that_changes_after_it_was_wrapped_is_refused() -> None:
    net = conv_net()
    net[0].requires_grad_(False)
    wrapped = parallel.DataParallel(net)
    images, labels = map(own, batch(2 * SIZE))
    backward(wrapped, images, labels)
    net[0].requires_grad_(True)
    with refused("0.weight has become another (dtype, shape or requires_grad)", "wrap the model again"):
        backward(wrapped, images, labels)
    net[0].requires_grad_(False)
    backward(wrapped, images, labels)
    net.float()
    with refused("4.bias has become another"):
        backward(wrapped, images.float(), labels)


@program
def frozen_layers_have_no_gradient() -> None:
    images, labels = batch(7)
    nets = conv_net(), conv_net()
    for net in nets:
        net[0].weight.requires_grad = False
    right = expected(nets[1], (images, labels))
    wrapped = parallel.DataParallel(nets[0])
    backward(wrapped, own(images), own(labels))
    assert right[0] is None
    assert_close(grads(wrapped), right)


@program
def forwards_count_that_a_backward_goes_through() -> None:
    net = parallel.DataParallel(conv_net())
    images, labels = batch(7)
    right = expected(conv_net().eval(), (images, labels))
    for count in range(20 + RANK):  # others do not, however many there are
        net(own(images)[: 1 + count % 2])
    backward(net.eval(), own(images), own(labels))
    assert_close(grads(net), right)


@program
def many_forwards_may_be_in_one_backward() -> None:
    images = own(batch(SIZE + 1)[0])
    net, alone = parallel.DataParallel(conv_net()), conv_net()
    sum(net(images).square().sum((1,)).mean() for _ in range(20)).backward()
    sum(alone(tg.tensor(batch(SIZE + 1)[0])).square().sum((1,)).mean() for _ in range(20)).backward()
    assert_close(grads(net), grads(alone))
    with refused("over more than 16 forwards of different numbers of samples"):
        sum(net(images[: 1 + count % 2]).sum() for count in range(20)).backward()


@program
def what_zero_grad_throws_away_does_not_count() -> None:
    net = parallel.DataParallel(conv_net())
    with net.no_sync():
        backward(net, *map(own, batch(2 * SIZE)))
    net.zero_grad()
    backward(net, *map(own, batch(SIZE + 1, seed=1)))
    assert_close(grads(net), expected(conv_net(), batch(SIZE + 1, seed=1)))


# Batch norm
def normed_pair(momentum: float | None = 0.1) -> tuple[Any, Any]:
    nets = [conv_net(norm=True) for _ in range(2)]
    for net in nets:
        net[1].momentum = momentum
    return parallel.DataParallel(nets[0], sync_batch_norm=True, bucket_bytes=300), nets[1]


@program
def synchronised_batch_norm_is_that_of_the_joined_batch() -> None:
    for momentum in (0.1, None):
        net, alone = normed_pair(momentum)
        assert isinstance(net.module[1], parallel.SyncBatchNorm)
        for seed, count in enumerate((4 * SIZE, SIZE + 1, 1)):
            images, labels = batch(count, seed=seed)
            right = expected(alone, (images, labels))
            net.zero_grad()
            backward(net, own(images), own(labels))
            assert_close(grads(net), right)
        mine, theirs = net.state_dict(), alone.state_dict()
        assert list(mine) == list(theirs)
        for name in mine:
            np.testing.assert_allclose(mine[name].data, theirs[name].data, rtol=1e-12, err_msg=name)
        assert_close([net.eval()(tg.tensor(images)).data], [alone.eval()(tg.tensor(images)).data])


@program
def synchronised_batch_norm_sends_the_gradient_of_the_joined_batch_to_its_input() -> None:
    x, factors = np.random.default_rng(0).standard_normal((2, 2 * SIZE + 1, 3, 4))
    layer, alone = parallel.SyncBatchNorm(3).double(), nn.BatchNorm1d(3).double()
    for norm in (layer, alone):
        norm.weight.data[...] = [0.5, -1, 2]
    whole = tg.Tensor(x, requires_grad=True)
    (alone(whole) * factors).sum((1, 2)).mean().backward()
    part = tg.Tensor(own(x).data, requires_grad=True)
    (layer(part) * own(factors)).sum((1, 2)).mean().backward()
    count = len(part)
    assert_close([part.grad * count / len(x)], [own(whole.grad).data])


@program
def one_element_on_all_ranks_is_too_few_for_a_batch_norm() -> None:
    layer = parallel.SyncBatchNorm(2)
    with refused("more than one value for each channel"):
        layer(tg.ones(1 if RANK == 0 else 0, 2))


@program
def batch_norm_is_local_by_default() -> None:
    net = parallel.DataParallel(conv_net(norm=True))
    images, labels = batch(4 * SIZE)
    backward(net, own(images), own(labels))
    alone = conv_net(norm=True)
    alone(own(images))
    (_, mean), (_, theirs) = (next(iter(each.named_buffers())) for each in (net, alone))
    np.testing.assert_allclose(mean.data, theirs.data)
    first = parallel.on_main(lambda: mean.data.copy())
    assert RANK == 0 or (first != mean.data).any()
    net.broadcast_buffers()
    assert (first == mean.data).all()


# Replay
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


# NaN
@program
def nan_is_refused_on_all_ranks_and_nothing_is_written() -> None:
    for replay in (False, True):
        net = parallel.DataParallel(conv_net(), bucket_bytes=300)

        step = partial(backward, net)
        step = tg.replay(step) if replay else step
        images, labels = map(own, batch(2 * SIZE))
        for _ in range(3):
            net.zero_grad()
            step(images, labels)
        before = grads(net)
        bad = tg.tensor(images.data)
        if RANK == SIZE - 1:
            bad.data[0, 0, 0, 0] = np.nan
        with refused(f"0.weight (float64[4,1,3,3], 36 NaN, the first at [0, 0, 0, 0]) on rank {SIZE - 1};"):
            step(bad, labels)
        assert_close(grads(net), before)
        net.zero_grad()
        step(images, labels)
        assert_close(grads(net), before)


@program
def a_sum_that_overflows_is_refused() -> None:
    net = nn.Sequential()
    net.weight = nn.Parameter(np.ones(1, np.float32))
    net = parallel.DataParallel(net, weighted=False)
    with refused("in their sum over the ranks, which overflows"):
        (net.module.weight * 3e38).sum().backward()


# Who looks on
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


# Helpers, states
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


# Those that fail
def train_on(event: Callable[..., Any], timeout: float | None = 300) -> None:
    """Ten steps; at the sixth something happens to rank 1."""
    net = parallel.DataParallel(conv_net(), timeout=timeout)
    images, labels = map(own, batch(4 * SIZE))
    for step in range(10):
        if step == 5 and RANK == 1 and event(net, images, labels) == "leave":
            break
        net.zero_grad()
        backward(net, images, labels)
    print("rank", RANK, "is through", flush=True)


def get_nan(net: Any, images: Any, labels: Any) -> None:
    images.data[0, 0, 0, 0] = np.nan


def raise_an_exception(net: Any, images: Any, labels: Any) -> None:
    raise ValueError("the labels are wrong")


def be_killed(net: Any, images: Any, labels: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(net: Any, images: Any, labels: Any) -> str:
    return "leave"


def stand_still(net: Any, images: Any, labels: Any) -> None:
    time.sleep(60)


def wait_elsewhere(net: Any, images: Any, labels: Any) -> None:
    parallel.barrier()


def fail_on_the_way(net: Any, images: Any, labels: Any) -> None:
    """An exception in a backward that somebody catches: the others wait for the rest of its gradients."""
    scores = net(images)
    scores.register_hook(lambda gradient: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tg.cross_entropy(scores, labels).backward()


FAILURES = {
    event.__name__: event
    for event in (get_nan, raise_an_exception, be_killed, leave, stand_still, wait_elsewhere, fail_on_the_way)
}


def fail_at_once() -> None:
    """Before the ranks have met."""
    if RANK == 1:
        raise ValueError("there is no data")
    parallel.barrier()


def main(names: list[str]) -> None:
    if names == ["fail_at_once"]:
        fail_at_once()
    if {*names} & {*FAILURES}:
        train_on(FAILURES[names[0]], timeout=2 if names[0] == "stand_still" else 300)
        return
    for name in names or PROGRAMS:
        try:
            PROGRAMS[name]()
        except BaseException:
            print(f"{name} fails on rank {RANK} of {SIZE}:\n{traceback.format_exc()}", flush=True)
            raise
        parallel.barrier()
        parallel.print_main(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
