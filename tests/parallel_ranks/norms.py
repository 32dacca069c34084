"""Batch norm over the shares of all ranks, and over each rank's own."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, parallel

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
    refused,
)


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
