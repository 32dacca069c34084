"""Losses of pairs and triplets, of margins and of distributions: composed, with PyTorch's numbers."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import DtypeError, ShapeError
from tinygrad_conv.nn import functional as F

RNG = np.random.default_rng(0)
A, B, C = RNG.standard_normal((3, 4, 5))
SIGNS = np.array([1.0, -1.0, 1.0, -1.0])
COUNTS = np.arange(20.0).reshape(4, 5)


def cosine(a, b):
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def length(d):
    return np.linalg.norm(d + 1e-6, axis=-1)


LOSSES = [
    ("margin_ranking_loss", (A[:, 0], B[:, 0]), (SIGNS,), {"margin": 0.3}),
    ("hinge_embedding_loss", (A[:, 0],), (SIGNS,), {}),
    ("cosine_embedding_loss", (A, B), (SIGNS,), {"margin": 0.1}),
    ("cosine_embedding_loss", (A, A), (np.array([0, 1, 2, -1]),), {}),  # the loss is 0 where it is no sign
    ("triplet_margin_loss", (A, B, C), (), {}),
    ("triplet_margin_loss", (A, B, C), (), {"margin": 2.0, "p": 1.0, "swap": True}),
    ("soft_margin_loss", (A[:, 0],), (SIGNS,), {}),
    ("gaussian_nll_loss", (A, B, np.abs(C)), (), {"full": True}),
    ("gaussian_nll_loss", (A, B, np.array([[0.0], [1e-9], [1.0], [2.0]])), (), {}),
    ("gaussian_nll_loss", (A, B, np.abs(C[:1])), (), {"full": True}),  # one variance for each column
    ("poisson_nll_loss", (A,), (COUNTS,), {}),
    ("poisson_nll_loss", (np.abs(A),), (COUNTS,), {"log_input": False, "full": True}),
]

FORMULAS = [
    (nn.MarginRankingLoss(0.3), (A, B, np.sign(C)), np.maximum(0, 0.3 - np.sign(C) * (A - B))),
    (nn.HingeEmbeddingLoss(), (A[:, 0], SIGNS), np.where(SIGNS == 1, A[:, 0], np.maximum(0, 1 - A[:, 0]))),
    (
        nn.CosineEmbeddingLoss(0.1),
        (A, B, SIGNS),
        np.where(SIGNS == 1, 1 - cosine(A, B), np.maximum(0, cosine(A, B) - 0.1)),
    ),
    (nn.TripletMarginLoss(), (A, B, C), np.maximum(0, length(A - B) - length(A - C) + 1)),
    (
        nn.TripletMarginLoss(swap=True),
        (A, B, C),
        np.maximum(0, length(A - B) - np.minimum(length(A - C), length(B - C)) + 1),
    ),
    (nn.SoftMarginLoss(), (A[:, 0], SIGNS), np.log1p(np.exp(-SIGNS * A[:, 0]))),
    (nn.GaussianNLLLoss(), (A, B, np.exp(C)), (C + (A - B) ** 2 / np.exp(C)) / 2),
    (nn.PoissonNLLLoss(), (A, COUNTS), np.exp(A) - COUNTS * A),
]


@pytest.mark.parametrize("loss, given, expected", FORMULAS, ids=[type(row[0]).__name__ for row in FORMULAS])
def test_they_are_their_formulas(loss, given, expected):
    np.testing.assert_allclose(loss(*map(tg.tensor, given)).item(), expected.mean(), 1e-9)
    loss.reduction = "none"
    np.testing.assert_allclose(loss(*map(tg.tensor, given)).data, expected, 1e-9, 1e-12)
    loss.reduction = "mean"


@pytest.mark.parametrize("name, inputs, rest, options", LOSSES)
def test_their_gradients(name, inputs, rest, options):
    if name == "gaussian_nll_loss" and not options:
        return  # the gradient of the variance knows nothing of its bound: compared with PyTorch's below
    given = [tg.tensor(array, requires_grad=True) for array in inputs]
    assert tg.gradcheck(lambda *x: getattr(F, name)(*x, *rest, **options), *given)


@pytest.mark.torch
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, inputs, rest, options", LOSSES)
def test_they_are_pytorchs(name, inputs, rest, options, dtype, reduction):
    torch = pytest.importorskip("torch")
    results = []
    for package in (tg, torch):
        given = [package.tensor(array.astype(dtype), requires_grad=True) for array in inputs]
        others = [package.tensor(array.astype(dtype)) for array in rest]
        y = getattr(package.nn.functional, name)(*given, *others, **options, reduction=reduction)
        (y * y).sum().backward()
        results.append([y.detach().numpy(), *(np.asarray(x.grad) for x in given)])
    for ours, theirs in zip(*results):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, *((1e-4, 1e-5) if dtype == "float32" else (1e-9, 1e-9)))


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: F.margin_ranking_loss(A, B[:, :2], SIGNS), ShapeError, "do not broadcast"),
        (lambda: F.soft_margin_loss(A, SIGNS[:3]), ShapeError, "do not broadcast"),
        (lambda: F.gaussian_nll_loss(A, B, -np.abs(C)), ValueError, "var holds negative numbers"),
        (lambda: F.gaussian_nll_loss(A, B, np.abs(C[:1, :1])), ShapeError, "1 in the place of one size"),
        (lambda: F.poisson_nll_loss(COUNTS.astype(int), COUNTS), DtypeError, "poisson_nll_loss: input"),
        (lambda: F.hinge_embedding_loss(A, SIGNS[:, None], "wide"), TypeError, "margin must be a number"),
        (lambda: nn.TripletMarginLoss(reduction="all"), ValueError, "reduction must be"),
        (lambda: F.triplet_margin_loss(A, B, C, swap="yes"), TypeError, "swap"),
    ],
)
def test_what_they_refuse(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("loss", ["hinge_embedding_loss", "soft_margin_loss", "poisson_nll_loss"])
def test_another_reduction_is_refused(loss):
    with pytest.raises(ValueError, match="reduction must be 'none', 'sum' or 'mean', not 'abc'"):
        getattr(tg, loss)(tg.ones(2), tg.ones(2), reduction="abc")


def test_a_margin_that_is_not_above_0_is_refused():
    with pytest.raises(ValueError, match="triplet_margin_loss: margin must be above 0"):
        tg.triplet_margin_loss(tg.ones(1, 2), tg.ones(1, 2), tg.zeros(1, 2), margin=-1.0)


def test_what_cannot_be_and_was_not_expected_costs_nothing():
    """As of classes that are masked out with -inf on both sides."""
    x = tg.tensor([-np.inf, np.log(0.25), np.log(0.75)], requires_grad=True)
    loss = F.kl_div(x, tg.tensor([0.0, 0.5, 0.5]), reduction="sum")
    loss.backward()
    np.testing.assert_allclose(loss.item(), 0.5 * np.log(2) + 0.5 * np.log(2 / 3), rtol=1e-6)
    np.testing.assert_array_equal(x.grad, [0, -0.5, -0.5])
    assert F.kl_div(tg.tensor([-np.inf, 0.0]), tg.tensor([0.5, 0.5]), reduction="sum").item() == np.inf


def test_a_variance_without_end_costs_without_end():
    assert F.gaussian_nll_loss(tg.tensor([1.0]), tg.tensor([0.0]), tg.tensor([np.inf])).item() == np.inf
