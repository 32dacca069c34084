"""Gradients of several forwards and backwards, averaged once."""

from __future__ import annotations

import tinygrad_conv as tg
from tinygrad_conv import parallel

from .common import (
    RANK,
    SIZE,
    assert_close,
    assert_same_everywhere,
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
