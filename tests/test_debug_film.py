"""`tg.debug.film`: what it sees of a training, and that the training does not notice."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.debug.training.film import LEAST_LIMIT, LOSSES, film
from tinygrad_conv.engine.observed import OBSERVATION
from tinygrad_conv.errors import ShapeError

from .training_programs import EveryKind, batch, seeded_net, state_of, train

IMAGES = batch()[0]


def test_frames_are_taken_of_a_loop_as_it_is():
    net = seeded_net()
    with film(net, every=5) as shown:
        losses = train(net, 12)
    assert [frame.step for frame in shown] == [0, 5, 10, 12]
    assert shown.steps == list(range(1, 13))
    np.testing.assert_allclose(shown.losses, losses, rtol=1e-6)
    assert shown[1].moment.loss == pytest.approx(losses[4]) and shown[1].moment.lr == 0.05
    assert shown[0].moment.loss is None
    weight = "stem.0.weight"
    np.testing.assert_array_equal(shown[-1].kernels[weight], net.stem[0].weight.data)
    assert (shown[0].kernels[weight] != shown[1].kernels[weight]).any()
    assert repr(shown) == f"<film of 4 frames, steps 0 to 12, every 5 steps, {shown.nbytes / 2**20:.1f} MB>"


def test_the_sizes_of_a_step_are_those_of_its_recording():
    net, (images, labels) = seeded_net(), batch()
    twin = copy.deepcopy(net)
    state = tg.get_rng_state()
    recording = tg.cross_entropy(twin(images), labels).record()
    tg.set_rng_state(state)
    with film(net, every=1) as shown:
        train(net, 1)
    layers = shown[1].moment.layers
    conv = next(flow for flow in recording.flow() if flow.op == "conv2d")
    head = next(flow for flow in recording.flow() if flow.op == "linear")
    for flow, layer in ((conv, layers["stem.0"]), (head, layers["head"])):
        assert (layer.y, layer.zeros) == (pytest.approx(flow.y), flow.zeros)
        assert (layer.dy, layer.dw) == (pytest.approx(flow.dy), pytest.approx(flow.dw))
        assert layer.update == pytest.approx(0.05 * flow.dw, rel=1e-4)  # the first step of SGD
    assert list(layers)[:4] == ["stem.0", "stem.1", "stem.2", "max_pool2d()"]
    assert {"relu()", "relu() #2", "add()", "shared", "drop", "head"} <= {*layers}


def test_nothing_is_changed_by_it():
    plain, looked_at = seeded_net(), None
    plain_losses = train(plain, 7)
    expected = state_of(plain)
    looked_at = seeded_net()
    losses = train(looked_at, 7, film(looked_at, every=2, sample=IMAGES[:1]))
    actual = state_of(looked_at)
    assert losses == plain_losses
    for part in ("modes", "hooks", "random", "numpy"):
        assert expected[part] == actual[part]
    for part in ("state", "grads"):
        assert expected[part].keys() == actual[part].keys()
        for name, array in expected[part].items():
            np.testing.assert_array_equal(array, actual[part][name], strict=True)
    assert OBSERVATION.get() is None


def test_it_ends_where_the_loop_fails():
    net = seeded_net()
    with pytest.raises(ZeroDivisionError), film(net, every=1, sample=IMAGES[:1]) as shown:
        train(net, 2)
        raise ZeroDivisionError
    assert [frame.step for frame in shown] == [0, 1, 2] and shown.closed
    assert OBSERVATION.get() is None and not any(module._hooks for module in net.modules())
    train(net, 1)
    assert len(shown) == 3
    with pytest.raises(RuntimeError, match="film: it has been closed"):
        shown.__enter__()


def test_the_sample_s_maps():
    net = seeded_net()
    with film(net, every=3, sample=IMAGES[:1]) as shown:
        train(net, 3)
    maps = shown[-1].maps
    np.testing.assert_array_equal(maps["input"], IMAGES.data[0])
    net.eval()
    np.testing.assert_allclose(maps["stem.2"], net.stem(IMAGES[:1]).data[0], rtol=1e-5)
    np.testing.assert_allclose(maps["head"], net(IMAGES[:1]).data[0], rtol=1e-5)
    assert (shown[0].maps["head"] != maps["head"]).any()


@pytest.mark.exhaustive
def test_large_maps_are_thinned():
    net = nn.Sequential(nn.Conv2d(1, 40, 1), nn.Flatten(), nn.Linear(40 * 70 * 50, 100))
    with film(net, sample=np.ones((1, 1, 70, 50), np.float32)) as shown:
        pass
    shapes = {name: array.shape for name, array in shown[0].maps.items()}
    assert shapes == {"input": (1, 24, 17), "0": (8, 24, 17), "1": (64,), "2": (64,)}
    assert all(array.size <= 4096 for array in shown[0].kernels.values())


def test_a_sample_that_does_not_fit_is_refused_at_once():
    net = seeded_net()
    with pytest.raises(ShapeError, match="channels"):
        film(net, sample=np.ones((1, 2, 8, 8), np.float32))
    with pytest.raises(TypeError, match="film: sample must be a Tensor, .* not list"):
        film(net, sample=[1.0])
    assert OBSERVATION.get() is None and not any(module._hooks for module in net.modules())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "net"}, "film: model must be an nn.Module, not 'net'"),
        ({"every": 0}, "film: every must be at least 1, not 0"),
        ({"every": 1.5}, "film: every must be an int, or None, not 1.5"),
        ({"every": True}, "film: every must be an int, or None, not True"),
        ({"limit": 10}, f"film: limit must be at least {LEAST_LIMIT}, not 10"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises((TypeError, ValueError)) as error:
        film(**{"model": seeded_net(), **options})
    assert str(error.value) == message


@pytest.mark.exhaustive
def test_memory_is_bounded():
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3))
    optimizer, sizes = optim.SGD(net.parameters(), lr=1e-3), []
    with film(net, every=1, sample=IMAGES[:1], limit=LEAST_LIMIT) as shown:
        for _ in range(90):
            optimizer.zero_grad()
            net(IMAGES).mean().backward()
            optimizer.step()
            sizes.append(shown.nbytes)
    assert max(sizes) <= LEAST_LIMIT and shown.nbytes <= LEAST_LIMIT and max(sizes) > LEAST_LIMIT / 4
    assert shown.every > 1 and shown.every & (shown.every - 1) == 0  # doubled again and again
    steps = [frame.step for frame in shown]
    assert steps[0] == 0 and len(steps) >= 3 and all(step % shown.every == 0 for step in steps[:-1])
    assert steps == sorted(set(steps))


@pytest.mark.exhaustive
def test_memory_is_bounded_for_deep_and_wide_nets_too():
    layers = [layer for _ in range(60) for layer in (nn.Conv2d(4, 4, 3, padding=1), nn.Tanh())]
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), *layers, nn.Conv2d(4, 300, 3))
    images = tg.randn(1, 1, 30, 30)
    with film(net, every=1, sample=images, limit=LEAST_LIMIT) as shown:
        for _ in range(3):
            net(images).mean().backward()
            shown.frame()
            assert shown.nbytes <= LEAST_LIMIT
    assert shown[-1].kernels and shown[-1].maps["input"].shape == (1, 15, 15)


@pytest.mark.exhaustive
def test_a_long_curve_is_thinned():
    net = nn.Linear(1, 1, bias=False)
    optimizer, x = optim.SGD(net.parameters(), lr=0.0), tg.ones(1, 1)
    with film(net, every=None) as shown:
        for _ in range(LOSSES + 10):
            net(x).sum().backward()
            optimizer.step()
    assert len(shown.steps) <= LOSSES and set(np.diff(shown.steps)) == {2}
    assert [frame.step for frame in shown] == [0, LOSSES + 10]


def test_a_loop_without_an_optimiser():
    net = nn.Linear(2, 1)
    with film(net, every=None) as shown:
        for _ in range(4):
            net.zero_grad()
            loss = net(tg.ones(3, 2)).square().mean()
            loss.backward()
            with tg.no_grad():
                for param in net.parameters():
                    param -= 0.1 * param.grad
            shown.frame()
    assert [frame.step for frame in shown] == [0, 1, 2, 3, 4]
    assert shown.steps == [1, 2, 3, 4] and shown.losses == sorted(shown.losses, reverse=True)
    assert shown[2].moment.layers["linear"].dw > 0


def test_frames_by_hand_in_a_loop_with_an_optimiser():
    net = seeded_net()
    with film(net, every=None) as shown:
        for _ in range(2):
            train(net, 3)
            shown.frame()
    assert [frame.step for frame in shown] == [0, 3, 6]
    assert shown[1].moment.loss == shown.losses[2] and shown[2].moment.layers["head"].update > 0


def test_accumulated_gradients_are_one_step():
    net, (images, labels) = seeded_net(), batch()
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    losses = []
    with film(net, every=1) as shown:
        for _ in range(2):
            optimizer.zero_grad()
            for half in (slice(0, 3), slice(3, 6)):
                loss = tg.cross_entropy(net(images[half]), labels[half]) / 2
                loss.backward()
                losses.append(loss.item())
            optimizer.step()
    assert [frame.step for frame in shown] == [0, 1, 2]
    np.testing.assert_allclose(shown.losses, [sum(losses[:2]), sum(losses[2:])], rtol=1e-6)


def test_two_optimisers_make_one_step():
    net, (images, labels) = seeded_net(), batch()
    halves = [optim.SGD(net.stem.parameters(), lr=0.1), optim.SGD(net.head.parameters(), lr=0.2)]
    halves.append(optim.SGD(net.shared.parameters(), lr=0.3))
    with film(net, every=1) as shown:
        for _ in range(3):
            net.zero_grad()
            tg.cross_entropy(net(images), labels).backward()
            for optimizer in halves:
                optimizer.step()
        assert len(shown) == 4  # complete when the last of them has stepped
    assert [frame.step for frame in shown] == [0, 1, 2, 3]
    assert shown[1].moment.lr == [0.1, 0.2, 0.3]
    assert all(shown[2].moment.layers[name].update > 0 for name in ("stem.0", "shared", "head"))


def test_two_models_of_one_name_are_told_apart():
    tg.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    critic = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    optimizers = [optim.SGD(net.parameters(), lr=0.1) for net in (generator, critic)]
    with film(generator, every=1) as of_generator, film(critic, every=1) as of_critic:
        for _ in range(2):
            for optimizer in optimizers:
                optimizer.zero_grad()
                critic(generator(tg.ones(4, 2))).mean().backward()
                optimizer.step()
    assert list(of_generator[1].moment.layers) == ["0", "1"]
    assert list(of_critic[1].moment.layers) == ["0", "1", "2"]
    assert of_generator.step == of_critic.step == 2


def test_evaluations_in_between_are_no_part_of_it():
    net, (images, labels) = seeded_net(), batch()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with film(net, every=1) as shown:
        for _ in range(2):
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(images), labels)
            loss.backward()
            with tg.no_grad():
                tg.cross_entropy(net(images * 100.0), labels)
            optimizer.step()
    assert [frame.step for frame in shown] == [0, 1, 2] and shown[1].moment.layers["stem.0"].y < 10
    np.testing.assert_allclose(shown.losses[-1], loss.item(), rtol=1e-6)


def test_lazy_layers():
    net = nn.Sequential(nn.LazyConv2d(2, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))
    with film(net, every=1, sample=IMAGES[:1]) as shown:
        train(net, 2, lr=0.01)
    assert not shown[0].kernels and not shown[0].maps
    assert shown[1].kernels["0.weight"].shape == (2, 1, 3, 3) and "3" in shown[1].maps


def test_copies_of_the_model_tell_nobody(tmp_path):
    net = seeded_net()
    with film(net, every=1) as shown:
        twin = copy.deepcopy(net)
        pickle.loads(pickle.dumps(net))
        tg.save(net.state_dict(), tmp_path / "state.npz")
        train(twin, 2)
    assert len(shown) == 1 and shown.step == 0


def test_hooks_of_the_user_s_and_observers_in_any_order():
    net, calls = seeded_net(), []
    net.head.register_forward_hook(lambda *call: calls.append(1))
    shown = film(net, every=1)
    with tg.debug.profile():
        train(net, 1)
        shown.close()
        train(net, 1)
    assert OBSERVATION.get() is None and len(shown) == 2 and len(calls) == 2
    with tg.debug.profile():
        shown = film(net, every=1)
    train(net, 1)  # still looking on, for it was not closed
    shown.close()
    assert len(shown) == 2 and OBSERVATION.get() is None


def test_a_diverging_training():
    net, x = nn.Linear(2, 2), tg.ones(3, 2)
    optimizer = optim.SGD(net.parameters(), lr=1e20)
    with film(net, every=1) as shown, np.errstate(all="ignore"):
        for _ in range(6):
            optimizer.zero_grad()
            (net(x) ** 2).mean().backward()
            optimizer.step()
    assert not np.isfinite(shown.losses[-1]) and len(shown) == 7


def test_an_empty_batch_and_frozen_layers():
    net = EveryKind()
    net.stem.requires_grad_(False)
    with film(net, every=1) as shown:
        train(net, 1)
    assert shown[1].moment.layers["stem.0"].dw is None and shown[1].moment.layers["head"].dw > 0
    linear = nn.Linear(2, 2)
    optimizer = optim.SGD(linear.parameters(), lr=0.1)
    with film(linear, every=1, sample=np.zeros((0, 2), np.float32)) as shown:
        linear(tg.zeros(0, 2)).sum().backward()
        optimizer.step()
    assert shown[1].moment.loss == 0.0 and shown[1].moment.layers["linear"].y is None
