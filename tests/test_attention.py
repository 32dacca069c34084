"""`scaled_dot_product_attention`: its formula, masks, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError, ShapeError
from tinygrad_conv.nn import functional as F

RNG = np.random.default_rng(0)
Q, K, V = (RNG.standard_normal(sizes) for sizes in ((2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 7)))
HALF = np.tri(4, 6, dtype=bool)
NONE_FOR_TWO = HALF & (np.arange(4) != 2)[:, None]


def formula(q, k, v, takes_part=True, scale=None, added=0.0):
    scores = q @ np.swapaxes(k, -2, -1) * (1 / np.sqrt(q.shape[-1]) if scale is None else scale) + added
    powers = np.exp(scores - scores.max(-1, keepdims=True)) * takes_part
    return powers / np.maximum(powers.sum(-1, keepdims=True), 1e-300) @ v


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, {}),
        ({"scale": 0.3}, {"scale": 0.3}),
        ({"is_causal": True}, {"takes_part": HALF}),
        ({"attn_mask": HALF}, {"takes_part": HALF}),
        ({"attn_mask": tg.tensor(NONE_FOR_TWO)}, {"takes_part": NONE_FOR_TWO}),
        ({"attn_mask": np.arange(24.0).reshape(4, 6) / 9}, {"added": np.arange(24.0).reshape(4, 6) / 9}),
    ],
)
def test_it_is_its_formula_and_so_are_its_gradients(options, expected):
    inputs = [tg.tensor(array, requires_grad=True) for array in (Q, K, V)]
    y = F.scaled_dot_product_attention(*inputs, **options)
    np.testing.assert_allclose(y.data, formula(Q, K, V, **expected), 1e-10)
    small = [tg.tensor(array[:1, :1, :, :3], requires_grad=True) for array in (Q, K, V)]
    assert tg.gradcheck(lambda *x: F.scaled_dot_product_attention(*x, **options), *small)


def test_a_query_without_keys_gets_zeros_and_gives_no_gradient():
    q, k, v = (tg.tensor(array, requires_grad=True) for array in (Q, K, V))
    y = F.scaled_dot_product_attention(q, k, v, NONE_FOR_TWO)
    y.sum().backward()
    assert not y.data[..., 2, :].any() and not q.grad[..., 2, :].any()
    assert np.isfinite(k.grad).all() and np.isfinite(v.grad).all()


def test_heads_in_groups_and_dropout():
    q, k, v = tg.tensor(Q.repeat(2, 1)), tg.tensor(K), tg.tensor(V)
    grouped = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    np.testing.assert_allclose(grouped.data, formula(Q, K, V).repeat(2, 1))
    tg.manual_seed(0)
    ones = np.ones((1, 6, 1))
    dropped = F.scaled_dot_product_attention(np.zeros((1, 500, 1)), ones, ones, dropout_p=0.5)
    kept = np.round(np.asarray(dropped) * 3)  # of 6 weights of 1/6 those that are kept count double
    assert {*kept.ravel()} <= {*range(7)} and 2.8 < kept.mean() < 3.2


MASK = r"attn_mask \[3,6\] does not broadcast to \[2,3,4,6\], a number for each query and key"


@pytest.mark.parametrize(
    "call, error, words",
    [
        (
            lambda: F.scaled_dot_product_attention(Q, K[..., :4], V),
            ShapeError,
            r"not query \[2,3,4,5\], key \[",
        ),
        (lambda: F.scaled_dot_product_attention(Q, K, V[..., :5, :]), ShapeError, "belong together"),
        (lambda: F.scaled_dot_product_attention(Q[0, 0, 0], K, V), ShapeError, "belong together"),
        (
            lambda: F.scaled_dot_product_attention(Q, K, V, HALF, is_causal=True),
            ValueError,
            "give attn_mask or",
        ),
        (lambda: F.scaled_dot_product_attention(Q.astype(int), K, V), DtypeError, "query"),
        (lambda: F.scaled_dot_product_attention(Q, K, V, dropout_p=2.0), ValueError, "dropout_p"),
        (lambda: F.scaled_dot_product_attention(Q, K, V, np.ones((3, 6))), ShapeError, MASK),
        (lambda: F.scaled_dot_product_attention(Q, K, V, np.ones((3, 6), bool)), ShapeError, MASK),
        (lambda: F.scaled_dot_product_attention(Q[:, :2], K, V, enable_gqa=True), ShapeError, "3 heads"),
    ],
)
def test_what_it_refuses(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.torch
@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": HALF}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_pytorchs(options, dtype):
    torch = pytest.importorskip("torch")
    results = []
    for package in (tg, torch):
        inputs = [package.tensor(array.astype(dtype), requires_grad=True) for array in (Q, K, V)]
        masks = {name: package.tensor(HALF) for name in options if name == "attn_mask"}
        y = package.nn.functional.scaled_dot_product_attention(*inputs, **options | masks)
        (y * y).sum().backward()
        results.append([y.detach().numpy(), *(np.asarray(x.grad) for x in inputs)])
    for ours, theirs in zip(*results):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, 1e-4, 1e-5)
