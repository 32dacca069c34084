"""How a model is wrapped, what is refused of it, and what goes wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
