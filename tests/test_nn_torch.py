"""Layers against PyTorch's: keys, shapes, printed form, beginnings, and a training run with the same
weights.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:Using padding='same' with even"),
]  # PyTorch's own note
torch = pytest.importorskip("torch")

LAYERS = [
    lambda nn: nn.Conv2d(4, 6, 3),
    lambda nn: nn.Conv2d(4, 6, (3, 1), (2, 1), (1, 0), groups=2, bias=False),
    lambda nn: nn.Conv2d(4, 6, 3, padding="same", dilation=2),
    lambda nn: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2, dilation=2),
    lambda nn: nn.ConvTranspose2d(4, 6, (2, 3), bias=False),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 6, 3, 2, 1, 2, 2, bias=False)),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 6, 4, padding="same")),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.ConvTranspose1d(4, 6, 3, 3, 1, 2, 2, dilation=2)),
    lambda nn: nn.Linear(9, 5),
    lambda nn: nn.Linear(9, 5, bias=False),
    lambda nn: nn.MaxPool2d(2),
    lambda nn: nn.MaxPool2d((3, 2), 2, (1, 0), ceil_mode=True),
    lambda nn: nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    lambda nn: nn.AvgPool2d(2, ceil_mode=True, divisor_override=3),
    lambda nn: nn.Flatten(),
    lambda nn: nn.Flatten(-2),
    lambda nn: nn.Identity(54, flag=True),
    lambda nn: nn.ReLU(),
    lambda nn: nn.ReLU6(),
    lambda nn: nn.LeakyReLU(),
    lambda nn: nn.LeakyReLU(0.3),
    lambda nn: nn.PReLU(),
    lambda nn: nn.PReLU(4, 0.1),
    lambda nn: nn.ELU(0.7),
    lambda nn: nn.SELU(),
    lambda nn: nn.GELU(),
    lambda nn: nn.GELU("tanh"),
    lambda nn: nn.SiLU(),
    lambda nn: nn.Softplus(2.0, 1.0),
    lambda nn: nn.Hardtanh(-0.5, 0.7),
    lambda nn: nn.LogSigmoid(),
    lambda nn: nn.Softmax(1),
    lambda nn: nn.Softmin(2),
    lambda nn: nn.Softmax2d(),
    lambda nn: nn.Mish(),
    lambda nn: nn.CELU(0.5),
    lambda nn: nn.Threshold(0.1, -2.0),
    lambda nn: nn.Softsign(),
    lambda nn: nn.Tanhshrink(),
    lambda nn: nn.Hardshrink(),
    lambda nn: nn.Softshrink(0.3),
    lambda nn: nn.GLU(1),
    lambda nn: nn.Unflatten(1, (2, 2)),
    lambda nn: nn.Unflatten(-1, [3, -1]),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.Dropout1d(0.0)),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.AdaptiveAvgPool1d(5)),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.AdaptiveMaxPool1d(7)),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.InstanceNorm1d(4, affine=True, track_running_stats=True)),
    lambda nn: nn.LocalResponseNorm(3),
    lambda nn: nn.LocalResponseNorm(2, 0.1, 0.5, 2.0),
    lambda nn: nn.ConstantPad2d((1, 2, 0, 3), 1.5),
    lambda nn: nn.LogSoftmax(dim=-1),
    lambda nn: nn.BatchNorm2d(4),
    lambda nn: nn.BatchNorm2d(4, 1e-3, None),
    lambda nn: nn.BatchNorm2d(4, affine=False, track_running_stats=False),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.BatchNorm1d(4, momentum=0.3)),
    lambda nn: nn.InstanceNorm2d(4),
    lambda nn: nn.InstanceNorm2d(4, 1e-3, 0.2, affine=True, track_running_stats=True),
    lambda nn: nn.BatchNorm2d(4, bias=False),
    lambda nn: nn.GroupNorm(2, 4),
    lambda nn: nn.LayerNorm(9, bias=False),
    lambda nn: nn.GroupNorm(4, 4, 1e-3, affine=False),
    lambda nn: nn.LayerNorm(9),
    lambda nn: nn.LayerNorm([4, 9, 9], 1e-3),
    lambda nn: nn.LayerNorm((9, 9), elementwise_affine=False),
    lambda nn: nn.Dropout(0.0),
    lambda nn: nn.Dropout2d(0.0),
    lambda nn: nn.Sigmoid(),
    lambda nn: nn.Tanh(),
    lambda nn: nn.Conv2d(4, 6, (3, 5), 2, (1, 2), padding_mode="reflect"),
    lambda nn: nn.Conv2d(4, 6, 3, padding=2, padding_mode="replicate", bias=False),
    lambda nn: nn.Conv2d(4, 6, (3, 4), padding="same", padding_mode="circular", dilation=2),
    lambda nn: nn.Conv2d(4, 6, 3, padding="valid", padding_mode="circular"),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 6, 3, padding=2, padding_mode="circular")),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 6, 4, padding="same", padding_mode="reflect")),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.MaxPool1d(3, 2, 1, 2, ceil_mode=True)),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.AvgPool1d(3, 2, 1, True, False)),
    lambda nn: nn.Sequential(nn.Flatten(2), nn.AvgPool1d(2)),
    lambda nn: nn.AdaptiveAvgPool2d(1),
    lambda nn: nn.AdaptiveAvgPool2d((4, None)),
    lambda nn: nn.AdaptiveMaxPool2d((4, 2)),
    lambda nn: nn.Upsample(scale_factor=2),
    lambda nn: nn.Upsample((5, 13), mode="bilinear", align_corners=True),
    lambda nn: nn.Upsample(scale_factor=(1.5, 2), mode="bilinear"),
    lambda nn: nn.PixelShuffle(2),
    lambda nn: nn.Unfold((2, 3), 2, 1, 2),
    lambda nn: nn.Sequential(nn.Unfold(3), nn.Fold(9, 3)),
    lambda nn: nn.ZeroPad2d(2),
    lambda nn: nn.ZeroPad2d((1, -1, 2, 0)),
    lambda nn: nn.ReflectionPad2d((1, 2, 3, 4)),
    lambda nn: nn.ReplicationPad2d((1, 2, 3, 4)),
    lambda nn: nn.CircularPad2d((1, 2, 3, 4)),
    lambda nn: nn.Sequential(nn.Conv2d(4, 3, 3), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))),
]


def copy_weights(ours, theirs):
    """PyTorch's weights, shaken a little so that none is 0 or 1, into both."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})


@pytest.mark.parametrize("make", LAYERS)
def test_keys_shapes_repr_values_and_gradients(make):
    ours, theirs = make(nn).double(), make(torch.nn).double()
    assert repr(ours) == repr(theirs)
    assert {key: tensor.shape for key, tensor in ours.state_dict().items()} == {
        key: tuple(tensor.shape) for key, tensor in theirs.state_dict().items()
    }
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [key for key, _ in ours.named_modules()] == [key for key, _ in theirs.named_modules()]
    copy_weights(ours, theirs)
    rng = np.random.default_rng(0)
    for training in (True, True, False):
        compare(ours.train(training), theirs.train(training), rng.standard_normal((3, 4, 9, 9)), rng)
    for key, tensor in ours.state_dict().items():
        np.testing.assert_allclose(tensor.data, theirs.state_dict()[key].numpy(), rtol=1e-10, err_msg=key)


def compare(ours, theirs, array, rng):
    """The outputs and all gradients for one input."""
    x, u = tg.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    y, v = ours(x), theirs(u)
    np.testing.assert_allclose(y.data, v.detach().numpy(), rtol=1e-10, atol=1e-12)
    dy = rng.standard_normal(y.shape)
    y.backward(dy)
    v.backward(torch.from_numpy(dy))
    np.testing.assert_allclose(x.grad, u.grad.numpy(), rtol=1e-10, atol=1e-11)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10, atol=1e-11)


CLASSES, PICTURES = np.array([2, 0, 1, -100, 2]), np.random.default_rng(3).uniform(0.05, 0.95, (5, 3))
LOSSES = [
    (lambda nn, a: nn.MSELoss(reduction="sum"), PICTURES),
    (lambda nn, a: nn.L1Loss(), PICTURES),
    (lambda nn, a: nn.SmoothL1Loss(beta=0.3), PICTURES),
    (lambda nn, a: nn.HuberLoss("sum", 0.3), PICTURES),
    (lambda nn, a: nn.BCELoss(a([0.5, 1.0, 2.0])), PICTURES),
    (lambda nn, a: nn.BCEWithLogitsLoss(a([0.5, 1.0, 2.0]), pos_weight=a([3.0, 1.0, 0.1])), PICTURES),
    (lambda nn, a: nn.BCEWithLogitsLoss(reduction="none"), PICTURES),
    (lambda nn, a: nn.NLLLoss(), CLASSES),
    (lambda nn, a: nn.NLLLoss(a([0.5, 1.0, 2.0]), ignore_index=1, reduction="sum"), np.abs(CLASSES) % 3),
    (lambda nn, a: nn.CrossEntropyLoss(), CLASSES),
    (lambda nn, a: nn.CrossEntropyLoss(a([0.5, 1.0, 2.0]), label_smoothing=0.1), CLASSES),
    (lambda nn, a: nn.CrossEntropyLoss(reduction="none"), PICTURES / PICTURES.sum(1, keepdims=True)),
]


@pytest.mark.parametrize("make, target", LOSSES)
def test_losses(make, target):
    ours, theirs = (
        make(nn, np.array),
        make(torch.nn, lambda values: torch.tensor(values, dtype=torch.float64)),
    )
    assert repr(ours) == repr(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    array = np.random.default_rng(0).uniform(0.05, 0.95, (5, 3))
    x, u = tg.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    y, v = ours(x, tg.tensor(target)), theirs(u, torch.tensor(target))
    np.testing.assert_allclose(y.data, v.detach().numpy(), rtol=1e-10)
    y.sum().backward()
    v.sum().backward()
    np.testing.assert_allclose(x.grad, u.grad.numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Linear(30, 500),
        lambda nn: nn.Conv2d(6, 100, (5, 2), groups=2),
        lambda nn: nn.ConvTranspose2d(100, 20, 3, groups=2),
    ],
)
def test_the_beginning_has_pytorchs_distribution(make):
    tg.manual_seed(0)
    torch.manual_seed(0)
    ours, theirs = make(nn), make(torch.nn)
    levels = np.linspace(0, 1, 11)
    for key, tensor in ours.state_dict().items():
        reference, bound = theirs.state_dict()[key].numpy(), np.abs(theirs.weight.detach().numpy()).max()
        spread = (
            5 * bound / np.sqrt(tensor.numel())
        )  # both samples' quantiles lie this close to the distribution's
        np.testing.assert_allclose(
            np.quantile(tensor.data, levels), np.quantile(reference, levels), atol=spread
        )


@pytest.mark.parametrize("name, options", [("SGD", {"lr": 0.1, "momentum": 0.9}), ("Adam", {"lr": 0.01})])
def test_the_same_net_takes_the_same_course(name, options):
    def build(nn):
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, stride=2),
            nn.Tanh(),
            nn.AvgPool2d(2, padding=1),
            nn.Flatten(),
            nn.Linear(24, 5),
            nn.Sigmoid(),
            nn.Linear(5, 3),
        ).double()

    ours, theirs = build(nn), build(torch.nn)
    copy_weights(ours, theirs)
    optimizer = getattr(optim, name)(ours.parameters(), **options)
    reference = getattr(torch.optim, name)(theirs.parameters(), **options)
    rng, losses = np.random.default_rng(0), []
    x, t = rng.standard_normal((8, 1, 12, 12)), rng.standard_normal((8, 3))
    for _ in range(30):
        optimizer.zero_grad()
        reference.zero_grad()
        ours_loss = nn.MSELoss()(ours(tg.tensor(x)), tg.tensor(t))
        theirs_loss = torch.nn.MSELoss()(theirs(torch.from_numpy(x)), torch.from_numpy(t))
        ours_loss.backward()
        theirs_loss.backward()
        optimizer.step()
        reference.step()
        losses.append((ours_loss.item(), theirs_loss.item()))
    course = np.array(losses)
    np.testing.assert_allclose(course[:, 0], course[:, 1], rtol=1e-10)
    assert course[-1, 0] < course[0, 0]


def test_shared_layers_and_buffers_have_pytorchs_keys():
    def build(nn, buffer):
        net = nn.Module()
        net.first = nn.Linear(2, 2)
        net.again = net.first
        net.register_buffer("kept", buffer)
        net.register_buffer("not_kept", buffer, persistent=False)
        net.last = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.ModuleList([nn.ReLU(), nn.Linear(1, 1)])})
        return net

    ours, theirs = build(nn, tg.ones(2)), build(torch.nn, torch.ones(2))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for members in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [key for key, _ in getattr(ours, members)()] == [key for key, _ in getattr(theirs, members)()]
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("name", ["Hardswish", "Hardsigmoid"])
def test_hard_activations(name):
    """PyTorch's gradients in float64 are made with a sixth that float32 has."""
    ours, theirs = getattr(nn, name)(), getattr(torch.nn, name)()
    assert repr(ours) == repr(theirs)
    array = np.concatenate([np.linspace(-5, 5, 102), [-3.0, 3.0, 0.0]])
    x, u = tg.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    y, v = ours(x), theirs(u)
    np.testing.assert_allclose(y.data, v.detach().numpy(), rtol=1e-12, atol=1e-12)
    y.sum().backward()
    v.sum().backward()
    np.testing.assert_allclose(x.grad, u.grad.numpy(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.CosineSimilarity(),
        lambda nn: nn.CosineSimilarity(-1, 1e-3),
        lambda nn: nn.PairwiseDistance(),
        lambda nn: nn.PairwiseDistance(1.0, keepdim=True),
        lambda nn: nn.KLDivLoss(reduction="batchmean"),
        lambda nn: nn.KLDivLoss(log_target=True),
    ],
)
@pytest.mark.filterwarnings("ignore:reduction:UserWarning")  # PyTorch's, of the mean
def test_layers_of_two_inputs(make):
    ours, theirs = make(nn), make(torch.nn)
    assert repr(ours) == repr(theirs)
    arrays = [np.random.default_rng(seed).uniform(0.1, 1, (4, 5)) for seed in range(2)]
    xs = [tg.tensor(array, requires_grad=True) for array in arrays]
    us = [torch.tensor(array, requires_grad=True) for array in arrays]
    y, v = ours(*xs), theirs(*us)
    np.testing.assert_allclose(y.data, v.detach().numpy(), rtol=1e-10)
    y.sum().backward()
    v.sum().backward()
    for x, u in zip(xs, us):
        np.testing.assert_allclose(x.grad, u.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("padding_idx", [None, 1, -1])
def test_embedding(padding_idx):
    ours, theirs = (place.Embedding(5, 3, padding_idx) for place in (nn, torch.nn))
    assert repr(ours) == repr(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    assert (ours.weight.data == 0).any(1).tolist() == (theirs.weight == 0).any(1).tolist()
    copy_weights(ours, theirs)
    numbers = np.array([[0, 4, 4], [1, 2, 4]])
    y, v = ours(tg.tensor(numbers)), theirs(torch.tensor(numbers))
    np.testing.assert_array_equal(y.data, v.detach().numpy())
    (y**2).sum().backward()
    (v**2).sum().backward()
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), rtol=1e-6)
    table = np.arange(6.0).reshape(3, 2)
    ours = nn.Embedding.from_pretrained(tg.tensor(table))
    theirs = torch.nn.Embedding.from_pretrained(torch.tensor(table))
    assert repr(ours) == repr(theirs) and not ours.weight.requires_grad
    np.testing.assert_array_equal(ours(np.array([2, 0])).data, theirs(torch.tensor([2, 0])).numpy())


@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax", "Softmin"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 2, 2)])
def test_the_dim_that_is_not_said(name, shape):
    array = np.random.default_rng(0).standard_normal(shape)
    with pytest.warns(UserWarning, match="Implicit dimension choice"):
        expected = getattr(torch.nn, name)()(torch.tensor(array))
    with pytest.warns(UserWarning, match=f"without dim it runs along dim . of {len(shape)}; write dim="):
        y = getattr(nn, name)()(tg.tensor(array))
    np.testing.assert_allclose(y.data, expected.numpy(), rtol=1e-12)
