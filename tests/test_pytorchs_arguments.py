"""Arguments of PyTorch's that few calls have: they do what they do there, or say what to write instead."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.nn import functional as F
from tinygrad_conv.optim import lr_scheduler

X = tg.tensor(np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32))
LEAF = tg.ones(2, 3, requires_grad=True)
LABELS = tg.tensor([1, 2, 0, 1])
MATRIX = tg.tensor(np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32))

SAYING_NOTHING = {
    "Embedding": lambda: nn.Embedding(
        5, 3, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False
    ),
    "embedding": lambda: F.embedding(LABELS, MATRIX, max_norm=None, sparse=False),
    "MSELoss": lambda: nn.MSELoss(size_average=None, reduce=None, reduction="sum"),
    "soft_margin_loss": lambda: F.soft_margin_loss(MATRIX, MATRIX, size_average=None, reduction="sum"),
    "Hardtanh": lambda: nn.Hardtanh(-2, 2, min_value=None, max_value=None),
    "zeros": lambda: tg.zeros(2, layout=None, pin_memory=False, out=None),
    "interpolate": lambda: F.interpolate(X, scale_factor=2, antialias=False),
    "clip_grad_norm_": lambda: nn.utils.clip_grad_norm_([tg.zeros(1, requires_grad=True)], 1.0, foreach=True),
    "clone": lambda: X.clone(memory_format=None),
    "contiguous": lambda: X.contiguous(memory_format=None),
    "from_pretrained": lambda: nn.Embedding.from_pretrained(
        MATRIX, max_norm=None, norm_type=2.0, sparse=False
    ),
    "grad": lambda: tg.grad(LEAF.sum(), LEAF, is_grads_batched=False),
    "gather": lambda: tg.gather(MATRIX, 0, LABELS[None], sparse_grad=False),
}


@pytest.mark.parametrize("name", SAYING_NOTHING)
def test_what_says_nothing_is_taken(name):
    SAYING_NOTHING[name]()


ABSENT = [
    (lambda: nn.Embedding(5, 3, max_norm=1.0), "Embedding: there is no max_norm here, shorten the rows"),
    (
        lambda: nn.Embedding(5, 3, sparse=True),
        "Embedding: there is no sparse here, gradients are whole arrays",
    ),
    (
        lambda: F.embedding(LABELS, MATRIX, scale_grad_by_freq=True),
        "embedding: there is no scale_grad_by_freq",
    ),
    (
        lambda: nn.Embedding.from_pretrained(MATRIX, max_norm=1.0),
        "from_pretrained: there is no max_norm here, shorten the rows",
    ),
    (lambda: X.clone(memory_format="channels_last"), "clone: there is no memory_format here"),
    (lambda: nn.MSELoss(size_average=False), "MSELoss: there is no size_average here, write reduction="),
    (
        lambda: F.mse_loss(X, X, reduce=False),
        "mse_loss takes .*; there is no reduce here, write reduction='none'",
    ),
    (
        lambda: tg.zeros(2, pin_memory=True),
        "zeros: there is no pin_memory here, there is no device to copy to",
    ),
    (lambda: X.mean(0, out=X), "mean: there is no out here, assign what is returned"),
    (lambda: nn.Hardtanh(min_value=-2.0), "Hardtanh: there is no min_value here, write min_val"),
    (
        lambda: nn.MSELoss(None, None, "sum"),
        "MSELoss: got 3 by position, takes none; give by name: reduction",
    ),
    (
        lambda: nn.Linear(2, 3, True, "cpu", None, 7),
        r"Linear: got 6 by position, takes 3 \(in_features, out_features, bias\); give by name: dtype, rng",
    ),
    (
        lambda: F.embedding(LABELS, MATRIX, None, 1.0),
        r"embedding: got 4 by position, takes 3 \(input, weight, ",
    ),
    (
        lambda: nn.Linear(2, 2).state_dict({}),
        "state_dict: got 1 by position, takes none; give by name: destination",
    ),
    (
        lambda: nn.Linear(2, 2).load_state_dict({}, assign=True),
        "load_state_dict: assign must be False: numbers are",
    ),
    (lambda: tg.arange(), "arange: give it an end"),
]


@pytest.mark.parametrize(("call", "words"), ABSENT, ids=[words for _, words in ABSENT])
def test_what_is_not_here_is_refused_with_what_to_write_instead(call, words):
    with pytest.raises(TypeError, match=words):
        call()


def test_gradients_of_several_seeds_are_asked_for_one_by_one():
    y = LEAF * 2
    with pytest.raises(
        ValueError, match=r"grad: is_grads_batched=True: there is no vmap here; write tg.stack"
    ):
        tg.grad(y, LEAF, tg.ones(3, *y.shape), is_grads_batched=True)


def test_an_end_by_name():
    np.testing.assert_array_equal(tg.arange(end=3), [0, 1, 2])
    np.testing.assert_array_equal(tg.arange(end=3, start=1), [1, 2])


def test_state_dicts_with_a_prefix_or_into_another():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    state = net.state_dict(prefix="net.")
    assert list(state) == [f"net.{key}" for key in net.state_dict()]
    other = {"epoch": tg.tensor(3)}
    assert net.state_dict(destination=other, prefix="net.") is other
    assert list(other) == ["epoch", *state]
    kept = net.state_dict(keep_vars=True)
    assert kept["0.weight"] is net[0].weight
    assert net.state_dict()["0.weight"] is not net[0].weight


def test_modules_that_come_twice():
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, shared)
    assert list(net.modules()) == [net, shared]
    assert list(net.modules(remove_duplicate=False)) == [net, shared, shared]


@pytest.mark.parametrize("output_size", [(8, 11), [4, 8, 11], [2, 4, 8, 11]])
@pytest.mark.parametrize("layer", [nn.ConvTranspose2d, nn.LazyConvTranspose2d])
def test_a_transposed_convolution_of_a_size(layer, output_size):
    """As with the output_padding that makes it: of [4,5], stride (2, 2) makes [7,9] to [8,10] …"""
    channels = (3, 4) if layer is nn.ConvTranspose2d else (4,)
    x = X[0] if len(output_size) == 3 else X
    made = layer(*channels, 3, stride=(2, 3), padding=(1, 2), rng=0)
    y = made(x, output_size=output_size)
    right = F.conv_transpose2d(x, made.weight, made.bias, (2, 3), (1, 2), output_padding=(1, 0))
    np.testing.assert_array_equal(y.detach(), right.detach())
    assert y.shape[-2:] == (8, 11)


def test_a_size_that_no_padding_makes():
    layer = nn.ConvTranspose1d(3, 2, 3, stride=2)
    assert layer(X[:, :, 0], output_size=[12]).shape == (2, 2, 12)
    for size in ([10], [13], [0]):
        with pytest.raises(ValueError, match="ConvTranspose1d: .*output_size"):
            layer(X[:, :, 0], output_size=size)


def test_an_upsampling_by_the_ratio_of_the_sizes():
    layer = nn.Upsample(scale_factor=1.7, mode="bilinear", recompute_scale_factor=True)
    right = F.interpolate(X, scale_factor=1.7, mode="bilinear", recompute_scale_factor=True)
    np.testing.assert_array_equal(layer(X), right)
    assert not np.array_equal(right, F.interpolate(X, scale_factor=1.7, mode="bilinear"))


SCHEDULES = {
    "StepLR": {"step_size": 3},
    "MultiStepLR": {"milestones": [2, 5, 5]},
    "ConstantLR": {"factor": 0.5, "total_iters": 4},
    "LinearLR": {"total_iters": 4},
    "ExponentialLR": {"gamma": 0.9},
    "CosineAnnealingLR": {"T_max": 6, "eta_min": 0.01},
    "PolynomialLR": {"total_iters": 6, "power": 2.0},
    "LambdaLR": {"lr_lambda": lambda epoch: 1 / (1 + epoch)},
    "OneCycleLR": {"max_lr": 0.5, "total_steps": 12},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3},
}
EPOCHS = (4, 0, 9, 2, 6)


def schedule(name, **options):
    optimizer = optim.SGD([tg.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    return getattr(lr_scheduler, name)(optimizer, **options)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_goes_to_an_epoch(name):
    """The rate is what it is there when it is stepped from the beginning."""
    stepped, rates = schedule(name, **SCHEDULES[name]), []
    for _ in range(12):
        rates += stepped.get_last_lr()
        stepped.step()
    going = schedule(name, **SCHEDULES[name])
    for epoch in EPOCHS:
        going.step(epoch)
        assert going.last_epoch == epoch
        np.testing.assert_allclose(going.get_last_lr(), rates[epoch], rtol=1e-12, atol=1e-15)
    going.step()
    np.testing.assert_allclose(going.get_last_lr(), rates[7], rtol=1e-12, atol=1e-15)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SCHEDULES)
def test_it_is_pytorchs(name):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    theirs = getattr(torch.optim.lr_scheduler, name)(optimizer, **SCHEDULES[name])
    ours = schedule(name, **SCHEDULES[name])
    for epoch in EPOCHS:
        ours.step(epoch)
        theirs.step(epoch)
        np.testing.assert_allclose(ours.get_last_lr(), theirs.get_last_lr(), rtol=1e-12, atol=1e-15)


def test_the_epoch_of_a_metric():
    plateau = schedule("ReduceLROnPlateau", patience=0)
    for epoch, metric in ((3, 1.0), (7, 2.0)):
        plateau.step(metric, epoch=epoch)
        assert plateau.last_epoch == epoch
    np.testing.assert_allclose(plateau.get_last_lr(), 0.01)


@pytest.mark.parametrize("epoch", [-1, 1.5, "3"])
def test_what_is_no_epoch_changes_nothing(epoch):
    made = schedule("StepLR", step_size=3)
    with pytest.raises((TypeError, ValueError), match="StepLR: epoch must be"):
        made.step(epoch)
    assert (made.last_epoch, made.get_last_lr()) == (0, [0.1])


def test_what_follows_another_schedule_begins_by_its_formula():
    """ConstantLR's factor holds for no epoch at all where total_iters is 0, as in PyTorch."""
    optimizer = optim.SGD([tg.zeros(1, requires_grad=True)], lr=0.1)
    parts = [
        lr_scheduler.ExponentialLR(optimizer, 0.5),
        lr_scheduler.ConstantLR(optimizer, 0.3, total_iters=0),
    ]
    both = lr_scheduler.SequentialLR(optimizer, parts, milestones=[2])
    rates = []
    for _ in range(4):
        rates += both.get_last_lr()
        both.step()
    np.testing.assert_allclose(rates, [0.1, 0.05, 0.1, 0.1])
