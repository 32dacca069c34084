"""Gradients are those of the joined batch, whatever the model and the shares are."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim, parallel

from .common import (
    RANK,
    SIZE,
    TOLERANCE,
    Branches,
    assert_close,
    assert_same_everywhere,
    backward,
    batch,
    conv_net,
    expected,
    grads,
    own,
    program,
)


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
