"""What the losses refuse, and what they say about it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError, RuleError, ShapeError

X, LABELS = tg.tensor(np.zeros((4, 3))), np.array([0, 1, 2, 0])


REGRESSION = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"]
BINARY = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]


@pytest.mark.parametrize("name", REGRESSION + BINARY)
def test_targets_of_another_shape(name):
    with pytest.raises(ShapeError, match=rf"{name}: input \[8,1\] and target \[8\].*target.reshape\(8, 1\)"):
        getattr(tg, name)(tg.tensor(np.full((8, 1), 0.5)), np.zeros(8))
    with pytest.raises(ValueError, match=f"{name}: reduction must be 'none', 'sum' or 'mean', not 'avg'"):
        getattr(tg, name)(tg.tensor(np.full(8, 0.5)), np.zeros(8), reduction="avg")


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_labels(name):
    function = getattr(tg, name)
    with pytest.raises(ValueError, match=rf"{name}: .* 3 classes of input \[4,3\].* from 0 to 3"):
        function(X, np.array([0, 1, 2, 3]))
    with pytest.raises(ValueError, match=f"{name}: .*from -1 to 0"):
        function(X, np.array([0, -1, 0, 0]))
    with pytest.raises(
        DtypeError, match=rf"{name}: labels must be integers, not float32\[4\]; use target.long"
    ):
        function(X, LABELS.astype(np.float32))
    with pytest.raises(ShapeError, match=rf"{name}: .*\[4,3\].*\[5\]"):
        function(X, np.array([0, 1, 2, 0, 1]))
    with pytest.raises(ShapeError, match=rf"{name}: weight must be \[3\], one for each class, not \[2\]"):
        function(X, LABELS, np.ones(2))
    with pytest.raises(TypeError, match=f"{name}: weight must be a Tensor or an ndarray, not list"):
        function(X, LABELS, [1.0, 1.0, 1.0])
    with pytest.raises(DtypeError, match=f"{name}: input must be floating-point"):
        function(tg.tensor(np.zeros((4, 3), int)), LABELS)
    with pytest.raises(ValueError, match=f"{name}: reduction"):
        function(X, LABELS, reduction="avg")


def test_cross_entropy_with_probabilities():
    with pytest.raises(ShapeError, match=r"cross_entropy: .*\[4,3\].*\[4,2\]"):
        tg.cross_entropy(X, np.ones((4, 2)))
    with pytest.raises(ValueError, match="cross_entropy: ignore_index=1 has no meaning"):
        tg.cross_entropy(X, np.ones((4, 3)), ignore_index=1)
    with pytest.raises(ValueError, match="cross_entropy: label_smoothing must be from 0 to 1, not 1.5"):
        tg.cross_entropy(X, LABELS, label_smoothing=1.5)


def test_a_weight_gets_no_gradient_and_says_so():
    with pytest.raises(RuleError, match="cross_entropy: weight is a param"):
        tg.cross_entropy(X, LABELS, tg.tensor(np.ones(3), requires_grad=True))


def test_bounds():
    with pytest.raises(
        ValueError, match="binary_cross_entropy: input must be probabilities.* from -0.5 to 1.0"
    ):
        tg.binary_cross_entropy(tg.tensor([-0.5, 1.0]), np.zeros(2))
    with pytest.raises(ValueError, match="binary_cross_entropy: input must be probabilities"):
        tg.binary_cross_entropy(tg.tensor([0.5, np.nan]), np.zeros(2))
    with pytest.raises(ValueError, match="huber_loss: delta must be positive, not 0"):
        tg.huber_loss(tg.tensor([1.0]), np.zeros(1), delta=0)
    with pytest.raises(ValueError, match="smooth_l1_loss: beta must be positive .*, not -1"):
        tg.smooth_l1_loss(tg.tensor([1.0]), np.zeros(1), beta=-1)
    with pytest.raises(
        ShapeError, match=r"with_logits: pos_weight \[3\] does not broadcast to input \[4,2\]"
    ):
        tg.binary_cross_entropy_with_logits(
            tg.tensor(np.zeros((4, 2))), np.zeros((4, 2)), pos_weight=np.ones(3)
        )


def test_one_hot():
    np.testing.assert_array_equal(tg.one_hot(np.array([0, 2])), [[1, 0, 0], [0, 0, 1]])
    assert tg.one_hot(tg.tensor(np.array([[1]])), 4).dtype == np.int64
    assert tg.one_hot(np.zeros((2, 0), int), 4).shape == (2, 0, 4)
    wrong = [
        ([3], 3, "from 3 to 3"),
        ([-1], 3, "from -1 to -1"),
        ([0], 0, "be positive"),
        ([], -1, "pass num_classes"),
    ]
    for labels, classes, text in wrong:
        with pytest.raises(ValueError, match=f"one_hot: .*{text}"):
            tg.one_hot(np.array(labels, int), classes)
    with pytest.raises(DtypeError, match="one_hot: labels must be integers, not float64"):
        tg.one_hot(np.array([1.0]))


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_labels_may_change_afterwards(name):
    """The tape has its own copy of an array of labels."""
    x, labels = tg.tensor(np.zeros((2, 3)), requires_grad=True), np.array([0, 1])
    loss = getattr(tg, name)(x, labels)
    labels[:] = 2
    loss.backward()
    assert np.all(x.grad[:, 2] >= 0) and x.grad[0, 0] < 0 and x.grad[1, 1] < 0


def test_each_loss_is_one_step_of_the_tape():
    x = tg.tensor(np.zeros((2, 3)), requires_grad=True)
    targets = {
        "cross_entropy": np.array([0, 1]),
        "nll_loss": np.array([0, 1]),
        "smooth_l1_loss": np.ones((2, 3)),
    }
    for name, target in targets.items():
        loss = getattr(tg, name)(x, target)
        assert loss.grad_fn.op.name == name
        assert loss.grad_fn.edges[0] is x


@pytest.mark.parametrize("name", REGRESSION + BINARY)
def test_labels_that_are_integers(name):
    """Integers as targets are the same numbers as floats, and weights are not rounded to them."""
    x, labels = np.array([0.2, 0.7, 0.9]), np.array([0, 1, 1])
    options = {"pos_weight": np.array(2.5)} if name.endswith("logits") else {}
    results = []
    for target in (labels, labels.astype(float)):
        leaf = tg.tensor(x, requires_grad=True)
        loss = getattr(tg, name)(leaf, target, **options)
        loss.backward()
        results.append((loss.item(), leaf.grad.tolist()))
    assert results[0] == results[1]


@pytest.mark.parametrize("name", REGRESSION)
def test_a_mean_over_more_elements_than_float16_can_count(name):
    x = tg.tensor(np.full((300, 300), 4.0, np.float16), requires_grad=True)
    loss = getattr(tg, name)(x, np.zeros((300, 300), np.float16))
    loss.backward(np.array(1000.0, np.float16))
    slope = {"mse_loss": 8.0}.get(name, 1.0)
    np.testing.assert_allclose(x.grad, np.full((300, 300), slope * 1000 / 90000), rtol=1e-3)


def test_labels_of_more_pixels_than_float16_can_count():
    x = tg.tensor(np.zeros((1, 2, 300, 300), np.float16), requires_grad=True)
    loss = tg.cross_entropy(x, np.zeros((1, 300, 300), int))
    loss.backward(np.array(1000.0, np.float16))
    assert loss.item() == pytest.approx(np.log(2), rel=1e-3)
    np.testing.assert_allclose(x.grad[:, 0], np.full((1, 300, 300), -0.5 * 1000 / 90000), rtol=1e-3)


def literal_cross_entropy(x, wanted, weight):
    """-Σ_c w_c q_c ln p_c for each sample of x [N, C], with p = softmax(x)."""
    logarithms = x - np.log(np.exp(x).sum(1, keepdims=True))
    return -(weight * wanted * logarithms).sum(1)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_of_class_probabilities_is_its_literal_sum(smoothing):
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((5, 4)), random.uniform(0.5, 2, 4)
    wanted = random.dirichlet(np.ones(4), 5)
    expected = literal_cross_entropy(x, (1 - smoothing) * wanted + smoothing / 4, weight).mean()
    loss = tg.nn.functional.cross_entropy(
        tg.Tensor(x), tg.Tensor(wanted), tg.Tensor(weight), label_smoothing=smoothing
    )
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [(), (5,), (5, 2, 3)])
def test_cross_entropy_of_labels_divides_by_their_weights(shape):
    random = np.random.default_rng(1)
    labels, weight = random.integers(0, 4, shape), random.uniform(0.5, 2, 4)
    x = random.standard_normal((*shape[:1], 4, *shape[1:]))
    rows = np.moveaxis(x, 1 if shape else 0, -1).reshape(-1, 4)
    terms = literal_cross_entropy(rows, np.eye(4)[labels.ravel()], weight)
    loss = tg.nn.functional.cross_entropy(tg.Tensor(x), tg.Tensor(labels), tg.Tensor(weight))
    np.testing.assert_allclose(loss.item(), terms.sum() / weight[labels].sum(), rtol=1e-12)


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_the_weight_of_a_class_that_does_not_occur_counts_nowhere(name, reduction):
    """As of 1 / counts, where a class does not occur."""
    scores, labels = np.random.default_rng(0).standard_normal((4, 3)), np.array([0, 1, 1, 0])
    losses, gradients = [], []
    for rarest in (np.inf, 1.0):
        x = tg.tensor(scores, requires_grad=True)
        loss = getattr(tg, name)(x, labels, weight=np.array([0.5, 2.0, rarest]), reduction=reduction)
        loss.sum().backward()
        losses.append(loss.detach().numpy())
        gradients.append(x.grad)
    np.testing.assert_array_equal(*losses)
    np.testing.assert_array_equal(*gradients)


def test_weights_that_add_up_to_0_give_no_finite_gradient():
    """The loss is x / 0; ignored samples have no share in it. The library does not warn of its division."""
    weight, labels = np.array([1.0, -1.0, 0.0]), np.array([0, 1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for options in ({}, {"label_smoothing": 0.2}):
            x = tg.tensor(np.random.default_rng(0).standard_normal((3, 3)), requires_grad=True)
            loss = tg.cross_entropy(x, labels, weight=weight, ignore_index=2, **options)
            loss.backward()
            assert not np.isfinite(loss.item())
            assert not np.isfinite(x.grad[:2]).any() and not x.grad[2].any()
        x = tg.tensor(np.ones((3, 3)), requires_grad=True)
        tg.nll_loss(x, labels, weight=weight, ignore_index=2).backward()
        np.testing.assert_array_equal(x.grad, [[-np.inf, 0, 0], [0, np.inf, 0], [0, 0, 0]])


@pytest.mark.parametrize("wrong", [-1e-3, 1.5, np.nan])
def test_probabilities_are_from_0_to_1(wrong):
    right, beyond = np.array([0.2, 0.7]), np.array([0.2, wrong])
    for name, pair in {"input": (beyond, right), "target": (right, beyond)}.items():
        with pytest.raises(ValueError, match=f"binary_cross_entropy: {name} must be probabilities, 0 to 1"):
            tg.binary_cross_entropy(*map(tg.tensor, pair))


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("shape", [(), (5,), (0,), (5, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_the_loss_of_labels_is_to_the_bit_that_of_weights_of_1(name, reduction, shape, dtype):
    """Without weights the class that is wanted is read by itself: an Inf or a NaN elsewhere is not met."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 4, shape).astype(np.uint8 if dtype == np.float16 else np.int64)
    x = random.standard_normal((*shape[:1], 4, *shape[1:])).astype(dtype)
    if name == "nll_loss":
        x[x > 1] = -0.0
        x[x < -0.5] = -np.inf
    loss = getattr(tg.nn.functional, name)
    for ignored in (-100, 2):
        options = {"reduction": reduction, "ignore_index": ignored}
        read = loss(tg.Tensor(x), tg.Tensor(labels), **options).numpy()
        weighted = loss(tg.Tensor(x), tg.Tensor(labels), tg.Tensor(np.ones(4, dtype)), **options).numpy()
        assert read.dtype == weighted.dtype and read.tobytes() == weighted.tobytes()
