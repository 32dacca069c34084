"""Losses against PyTorch where it is easy to be wrong: few digits, nothing to average, saturated predictions,
ignored labels."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.torch
functional = torch.nn.functional

REGRESSION = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"]
BINARY = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]
DIGITS = {np.float16: 4e-3, np.float32: 2e-6, np.float64: 1e-13}
REDUCTIONS = ["none", "sum", "mean"]


def compare(name, arrays, rtol=1e-12, atol=1e-12, labels=None, **options):
    """Value and gradients of a loss, ours and PyTorch's; arrays are inputs with gradients, labels without
    one.
    """
    mine = [tg.tensor(array, requires_grad=True) for array in arrays]
    other = [torch.tensor(array, requires_grad=True) for array in arrays]
    targets = [] if labels is None else [labels]
    y = getattr(tg, name)(*mine, *map(tg.tensor, targets), **on(options, tg.tensor))
    z = getattr(functional, name)(*other, *map(torch.tensor, targets), **on(options, torch.tensor))
    assert str(y.dtype) == str(z.dtype).removeprefix("torch.")
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=rtol, atol=atol)
    y.backward(np.ones_like(y.data))
    z.backward(torch.ones_like(z))
    for ours, theirs in zip(mine, other):
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=rtol, atol=atol)


def on(options, make):
    """The options, with the arrays among them as tensors."""
    return {name: make(value) if isinstance(value, np.ndarray) else value for name, value in options.items()}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", DIGITS, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", REGRESSION + BINARY)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0), (2, 1, 5), (40,)])
def test_dtypes_and_sizes(name, shape, dtype, reduction):
    random = np.random.default_rng(0)
    prediction, target = (
        random.uniform(0.1, 0.9, shape).astype(dtype),
        random.uniform(0, 1, shape).astype(dtype),
    )
    digits = (
        DIGITS[dtype] if shape else max(DIGITS[dtype], 1e-7)
    )  # PyTorch computes a number alone with fewer digits
    compare(name, [prediction, target], rtol=digits, atol=digits, reduction=reduction)


@pytest.mark.parametrize("name", REGRESSION)
def test_both_branches_and_their_border(name):
    difference = np.array([0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 100.0, -1e6])
    compare(name, [difference, np.zeros(9)], reduction="none")


def test_saturated_predictions():
    """Logarithms end at -100, as do gradients at their bound; logits of any size are exact."""
    certain = np.array([0.0, 1.0, 0.0, 1.0, 1e-30, 0.5])
    labels = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    mine, other = tg.tensor(certain, requires_grad=True), torch.tensor(certain, requires_grad=True)
    y = tg.binary_cross_entropy(mine, labels, reduction="none")
    z = functional.binary_cross_entropy(other, torch.tensor(labels), reduction="none")
    y.sum().backward()
    z.sum().backward()
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(
        mine.grad, other.grad.numpy(), rtol=1e-8
    )  # PyTorch's bound is 1e-12 in float32
    logits = np.array([0.0, 40.0, -40.0, 800.0, -800.0, 1e4])
    compare("binary_cross_entropy_with_logits", [logits, labels], reduction="none", pos_weight=np.array(3.0))
    compare(
        "binary_cross_entropy_with_logits", [logits.astype(np.float32), labels.astype(np.float32)], rtol=1e-6
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", DIGITS, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("shape", [(4, 3), (1, 3), (0, 3), (3,), (2, 3, 2, 1), (2, 3, 0), (2, 1)])
@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_labels(name, shape, dtype, reduction):
    random = np.random.default_rng(0)
    classes = shape[min(len(shape) - 1, 1)]
    labels = random.integers(0, classes, shape[:1] + shape[2:] if len(shape) > 1 else ())
    scores, weight = (
        random.standard_normal(shape).astype(dtype),
        random.uniform(0.5, 2, classes).astype(dtype),
    )
    digits = {
        "rtol": DIGITS[dtype],
        "atol": DIGITS[dtype],
        "reduction": reduction,
        "labels": np.asarray(labels),
    }
    compare(name, [scores], **digits)
    compare(name, [scores], weight=weight, ignore_index=0, **digits)
    if name == "cross_entropy":
        compare(name, [scores], weight=weight, ignore_index=0, label_smoothing=0.2, **digits)
        compare(name, [scores], label_smoothing=1.0, **digits)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(4, 3), (1, 3), (0, 3), (3,), (2, 3, 2, 1), (2, 3, 0)])
def test_probabilities(shape, reduction):
    random = np.random.default_rng(0)
    scores, wanted = random.standard_normal(shape), random.uniform(0, 1, shape)
    compare("cross_entropy", [scores, wanted], reduction=reduction)
    weight = random.uniform(0.5, 2, 3)
    compare("cross_entropy", [scores, wanted], reduction=reduction, weight=weight, label_smoothing=0.3)


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_a_batch_in_which_every_label_is_ignored(name):
    """The mean of nothing is NaN, and its gradient is 0: it must not spoil the parameters."""
    for reduction in REDUCTIONS:
        compare(name, [np.ones((2, 3))], labels=np.array([-100, -100]), reduction=reduction)


def test_a_class_that_is_impossible():
    """A logit of -inf costs nothing where its class is not wanted."""
    scores = np.array([[1.0, -np.inf, 0.5], [800.0, -800.0, 0.0]])
    compare("cross_entropy", [scores], labels=np.array([0, 2]))
    compare("nll_loss", [scores], labels=np.array([0, 2]))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_labels_of_small_integers(dtype):
    compare("nll_loss", [np.log([[0.2, 0.8], [0.5, 0.5]])], labels=np.array([1, 0], dtype))
    wanted = tg.cross_entropy(tg.tensor([[0.2, 0.8]]), np.array([1], dtype)).item()
    assert wanted == pytest.approx(
        functional.cross_entropy(torch.tensor([[0.2, 0.8]]), torch.tensor([1])).item()
    )
