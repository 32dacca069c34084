"""Layers beyond convolutions, against their formulas; what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import ShapeError

X = np.random.default_rng(0).standard_normal((2, 4, 6))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


FORMULAS = [
    (nn.Mish(), lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    (nn.Hardswish(), lambda x: x * np.clip(x + 3, 0, 6) / 6),
    (nn.Hardsigmoid(), lambda x: np.clip(x + 3, 0, 6) / 6),
    (nn.CELU(0.5), lambda x: np.maximum(x, 0) + np.minimum(0.5 * np.expm1(x / 0.5), 0)),
    (nn.Threshold(0.2, -1), lambda x: np.where(x > 0.2, x, -1)),
    (nn.Softsign(), lambda x: x / (1 + abs(x))),
    (nn.Tanhshrink(), lambda x: x - np.tanh(x)),
    (nn.Hardshrink(0.3), lambda x: np.where(abs(x) > 0.3, x, 0)),
    (nn.Softshrink(0.3), lambda x: np.sign(x) * np.maximum(abs(x) - 0.3, 0)),
    (nn.GLU(1), lambda x: x[:, :2] * sigmoid(x[:, 2:])),
    (nn.Softmin(1), lambda x: np.exp(-x) / np.exp(-x).sum(1, keepdims=True)),
    (nn.Unflatten(2, (2, 3)), lambda x: x.reshape(2, 4, 2, 3)),
    (nn.AdaptiveAvgPool1d(3), lambda x: x.reshape(2, 4, 3, 2).mean(3)),
    (nn.AdaptiveMaxPool1d(2), lambda x: x.reshape(2, 4, 2, 3).max(3)),
    (nn.InstanceNorm1d(4, eps=0), lambda x: (x - x.mean(2, keepdims=True)) / x.std(2, keepdims=True)),
    (nn.LocalResponseNorm(1, 0.5, 2.0, 3.0), lambda x: x / (3 + 0.5 * x**2) ** 2),
    (nn.Dropout1d(0.5).eval(), lambda x: x),
]


@pytest.mark.parametrize("layer, formula", FORMULAS, ids=lambda value: type(value).__name__)
def test_they_are_their_formulas(layer, formula):
    np.testing.assert_allclose(layer(tg.tensor(X)).data, formula(X), rtol=1e-12, atol=1e-14)


def test_layers_of_two_inputs():
    a, b = X[0], X[1]
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(nn.CosineSimilarity()(tg.tensor(a), tg.tensor(b)).data, cosine, rtol=1e-12)
    distance = np.linalg.norm(a - b + 1e-6, axis=1)
    np.testing.assert_allclose(nn.PairwiseDistance()(tg.tensor(a), tg.tensor(b)).data, distance, rtol=1e-12)
    p, q = (np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (a, b))
    divergence = (q * np.log(q / p)).sum() / 4
    loss = nn.KLDivLoss(reduction="batchmean")(tg.tensor(np.log(p)), tg.tensor(q))
    np.testing.assert_allclose(loss.item(), divergence, rtol=1e-12)


def test_softmax_over_channels():
    x = tg.tensor(X[None])
    np.testing.assert_allclose(nn.Softmax2d()(x).data, tg.softmax(x, 1).data)
    with pytest.raises(ShapeError, match=r"^Softmax2d: x must be \[N, C, H, W\] or \[C, H, W\], not \[4,6\]"):
        nn.Softmax2d()(x[0, 0])


def test_a_dim_that_is_not_said_is_warned_of_once_a_line():
    for shape, implied in (((3,), 0), ((2, 3), 1), ((2, 3, 4), 0), ((2, 3, 2, 2), 1)):
        x = tg.ones(*shape)
        with pytest.warns(
            UserWarning, match=f"^softmax: .* dim {implied} of {len(shape)}; write dim={implied}"
        ) as seen:
            y = tg.softmax(x)
        assert seen[0].filename == __file__
        np.testing.assert_allclose(y.data, tg.softmax(x, implied).data)
    with pytest.warns(UserWarning, match="^log_softmax"):
        nn.LogSoftmax()(tg.ones(2, 3))
    assert repr(nn.Softmax()) == "Softmax(dim=None)"


def test_a_dropped_channel_is_dropped_as_a_whole():
    tg.manual_seed(0)
    y = nn.Dropout1d(0.5)(tg.ones(20, 10, 3)).data
    assert {*y.reshape(200, 3).mean(1).tolist()} == {0.0, 2.0}


def test_embedding():
    layer = nn.Embedding(4, 2, padding_idx=-1, rng=0)
    assert layer.padding_idx == 3 and not layer.weight.data[3].any() and layer.weight.data[:3].all()
    y = layer(np.array([[0, 3], [1, 1]]))
    assert y.shape == (2, 2, 2)
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [2, 2], [0, 0], [0, 0]]
    assert repr(layer) == "Embedding(4, 2, padding_idx=3)"
    with pytest.raises(ValueError, match="^Embedding: padding_idx=4 must be one of the 4 rows"):
        nn.Embedding(4, 2, padding_idx=4)
    with pytest.raises(ShapeError, match=r"^Embedding: embeddings must be \[V, D\], not \[3\]"):
        nn.Embedding.from_pretrained(np.ones(3))
    given = nn.Embedding.from_pretrained(np.eye(3), freeze=False)
    assert given.weight.requires_grad and given(np.array(2)).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    "make, words",
    [
        (
            lambda: nn.AdaptiveAvgPool1d((1, 2)),
            "AdaptiveAvgPool1d: output_size must be an int, or None for as",
        ),
        (lambda: nn.LocalResponseNorm(0), "LocalResponseNorm: size must be at least 1, not 0"),
        (lambda: nn.Unflatten(1, 4), "Unflatten: unflattened_size must be a sequence of ints, not 4"),
        (lambda: nn.Softshrink("x"), "Softshrink: lambd must be a number, not 'x'"),
        (lambda: nn.GLU(1.5), "GLU: dim must be an int, not 1.5"),
        (
            lambda: nn.KLDivLoss(reduction="all"),
            "KLDivLoss: reduction must be 'none', 'sum', 'mean' or 'batch",
        ),
        (
            lambda: nn.ConstantPad2d((1, 2), 0),
            r"ConstantPad2d: padding must be an int or \(left, right, top,",
        ),
        (lambda: nn.Embedding(-1, 2), "Embedding: num_embeddings must be at least 0, not -1"),
    ],
)
def test_what_they_refuse(make, words):
    with pytest.raises((TypeError, ValueError), match=f"^{words}"):
        make()
