"""What the losses refuse, and what they say about it."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError, RuleError, ShapeError

X, LABELS = tg.tensor(np.zeros((4, 3))), np.array([0, 1, 2, 0])


@pytest.mark.parametrize(
    "name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"]
)
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
    with pytest.raises(DtypeError, match=rf"{name}: labels must be integers, not float32\[4\]; use target.long"):
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
    with pytest.raises(ValueError, match="binary_cross_entropy: input must be probabilities, 0 to 1; it goes from -0.5 to 1.0"):
        tg.binary_cross_entropy(tg.tensor([-0.5, 1.0]), np.zeros(2))
    with pytest.raises(ValueError, match="binary_cross_entropy: input must be probabilities"):
        tg.binary_cross_entropy(tg.tensor([0.5, np.nan]), np.zeros(2))
    with pytest.raises(ValueError, match="huber_loss: delta must be positive, not 0"):
        tg.huber_loss(tg.tensor([1.0]), np.zeros(1), delta=0)
    with pytest.raises(ValueError, match="smooth_l1_loss: beta must be positive .*, not -1"):
        tg.smooth_l1_loss(tg.tensor([1.0]), np.zeros(1), beta=-1)
    with pytest.raises(ShapeError, match=r"binary_cross_entropy_with_logits: pos_weight \[3\] does not broadcast to input \[4,2\]"):
        tg.binary_cross_entropy_with_logits(tg.tensor(np.zeros((4, 2))), np.zeros((4, 2)), pos_weight=np.ones(3))


def test_one_hot():
    np.testing.assert_array_equal(tg.one_hot(np.array([0, 2])), [[1, 0, 0], [0, 0, 1]])
    assert tg.one_hot(tg.tensor(np.array([[1]])), 4).dtype == np.int64
    assert tg.one_hot(np.zeros((2, 0), int), 4).shape == (2, 0, 4)
    for labels, classes, text in [([3], 3, "from 3 to 3"), ([-1], 3, "from -1 to -1"), ([0], 0, "must be positive"), ([], -1, "pass num_classes")]:
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
    for name, target in [("cross_entropy", np.array([0, 1])), ("nll_loss", np.array([0, 1])), ("smooth_l1_loss", np.ones((2, 3)))]:
        loss = getattr(tg, name)(x, target)
        assert loss.grad_fn.op.name == name
        assert loss.grad_fn.edges[0] is x
