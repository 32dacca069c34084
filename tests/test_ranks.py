"""Quantiles, places in an order, and what is made of several rows: against NumPy and itertools."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError, ShapeError, SizeError

METHODS = ["linear", "lower", "higher", "midpoint", "nearest"]


def random(*shape):
    return np.random.default_rng(0).standard_normal(shape)


def leaf(*shape):
    return tg.tensor(random(*shape), requires_grad=True)


@pytest.mark.parametrize("interpolation", METHODS)
@pytest.mark.parametrize("q", [0.0, 0.3, 1.0, np.array([0.25, 0.5, 0.9])])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, -1])
def test_quantiles_are_numpys(dim, keepdim, q, interpolation):
    x = random(5, 4)
    options = {"axis": dim, "keepdims": keepdim, "method": interpolation}
    y = tg.quantile(tg.tensor(x), q, dim, keepdim, interpolation=interpolation)
    np.testing.assert_allclose(y.data, np.quantile(x, q, **options), rtol=1e-12)
    x[0, 1] = x[2, 1] = np.nan
    y = tg.nanquantile(tg.tensor(x), q, dim, keepdim, interpolation=interpolation)
    np.testing.assert_allclose(y.data, np.nanquantile(x, q, **options), rtol=1e-12)
    y = tg.quantile(tg.tensor(x), q, dim, keepdim, interpolation=interpolation)
    np.testing.assert_allclose(y.data, np.quantile(x, q, **options), rtol=1e-12)


def test_the_gradient_of_a_quantile_goes_to_its_two_neighbours():
    x = tg.tensor(np.array([3.0, 1.0, 7.0, 5.0]), requires_grad=True)
    x.quantile(0.4).backward()  # 1.2 of the way 1, 3, 5, 7: between 3 and 5
    np.testing.assert_allclose(x.grad, [0.8, 0, 0, 0.2])
    assert tg.gradcheck(lambda x: tg.quantile(x, 0.4, dim=0), leaf(5, 2), order=2)


def test_quantiles_of_nothing_but_nan_are_nan():
    assert np.isnan(tg.tensor([np.nan, np.nan]).nanquantile(0.5).item())


@pytest.mark.parametrize("right", [False, True])
def test_places_are_how_many_numbers_are_below(right):
    sequence, values = np.array([1.0, 2.0, 2.0, 4.0]), np.array([[0.0, 2.0, 2.5], [4.0, 5.0, np.nan]])
    below = [[(sequence <= v).sum() if right else (sequence < v).sum() for v in row] for row in values]
    below[1][2] = 4
    for places in (
        tg.searchsorted(tg.tensor(sequence), tg.tensor(values), right=right),
        tg.searchsorted(tg.tensor(sequence), tg.tensor(values), side="right" if right else "left"),
        tg.bucketize(tg.tensor(values), tg.tensor(sequence), right=right),
    ):
        assert places.dtype == np.int64 and places.tolist() == below
    assert tg.bucketize(2.0, tg.tensor(sequence), right=right).item() == (3 if right else 1)
    assert tg.bucketize(tg.tensor(values), tg.tensor(sequence), out_int32=True).dtype == np.int32


def test_places_row_by_row_and_through_a_sorter():
    sequence, values = random(2, 3, 5), random(2, 3, 4)
    expected = (np.sort(sequence)[..., None, :] < values[..., None]).sum(-1)
    order = tg.tensor(sequence).argsort()
    assert (tg.searchsorted(tg.tensor(np.sort(sequence)), tg.tensor(values)).data == expected).all()
    assert (tg.searchsorted(tg.tensor(sequence), tg.tensor(values), sorter=order).data == expected).all()


@pytest.mark.parametrize("r", [1, 2, 3, 5])
@pytest.mark.parametrize("again", [False, True])
def test_combinations_are_those_of_itertools(again, r):
    choices = itertools.combinations_with_replacement if again else itertools.combinations
    row = [3.0, 1.0, 4.0, 1.5]
    made = tg.combinations(tg.tensor(row), r, with_replacement=again)
    assert made.shape[1] == r and list(map(tuple, made.tolist())) == list(choices(row, r))
    assert tg.combinations(tg.tensor(row), 0).shape == (0,)
    assert tg.combinations(tg.zeros(0), r, again).shape == (0, r)


def test_products_of_rows_are_those_of_itertools():
    rows = [[1, 2], [3, 4, 5], [6]]
    assert tg.cartesian_prod(*map(tg.tensor, rows)).tolist() == [*map(list, itertools.product(*rows))]
    assert tg.cartesian_prod(tg.tensor([1, 2])).tolist() == [1, 2]


def test_blocks_stand_on_the_diagonal():
    a, row, b = random(2, 3), random(2), random(3, 1)
    expected = np.zeros((6, 6))
    expected[:2, :3], expected[2, 3:5], expected[3:, 5:] = a, row, b
    made = tg.block_diag(tg.tensor(a), tg.tensor(row), tg.tensor(b))
    np.testing.assert_array_equal(made.data, expected)
    assert tg.block_diag(tg.tensor(2.0)).tolist() == [[2.0]] and tg.block_diag().shape == (1, 0)
    assert tg.gradcheck(tg.block_diag, leaf(2, 3), leaf(2), order=2)
    assert tg.gradcheck(tg.cartesian_prod, leaf(2), leaf(3), order=2)
    assert tg.gradcheck(tg.combinations, leaf(4), order=2)


def test_nothing_times_a_logarithm_is_nothing():
    x = tg.tensor([0.0, 0.0, 2.0], requires_grad=True)
    y = tg.tensor([0.0, np.inf, 3.0], requires_grad=True)
    z = x.xlogy(y)
    np.testing.assert_allclose(z.data, [0, 0, 2 * np.log(3)], rtol=1e-6)
    z.sum().backward()
    np.testing.assert_allclose(x.grad, [0, 0, np.log(3)], rtol=1e-6)
    np.testing.assert_allclose(y.grad, [0, 0, 2 / 3], rtol=1e-6)
    assert np.isnan(tg.xlogy(x.detach(), np.nan).data).all()
    assert tg.xlogy(2.0, tg.tensor([1.0])).item() == 0 and tg.xlogy(tg.tensor([2]), 1.0).item() == 0
    x, y = (tg.tensor([0.0, 0, 0, 2], requires_grad=i == 0) for i in range(2))
    tg.xlogy(x, y + tg.tensor([2.0, 0, -1, 1])).sum().backward()
    np.testing.assert_allclose(x.grad, [np.log(2), 0, 0, np.log(3)], rtol=1e-6)
    entropy = -tg.xlogy(p := tg.tensor([0.0, 0.5, 0.5]), p).sum()
    assert entropy.item() == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: tg.quantile(x, 1.2), ValueError, r"^quantile: q must lie in \[0, 1\], not 1.2"),
        (lambda x: tg.quantile(x, np.nan), ValueError, r"^quantile: q must lie in \[0, 1\], not nan"),
        (
            lambda x: tg.quantile(x.int(), 0.5),
            DtypeError,
            "^quantile: input must be floating.*input.float",
        ),
        (lambda x: tg.quantile(x[:0], 0.5), ShapeError, "^quantile: there are no numbers along dim=None"),
        (lambda x: tg.quantile(x, tg.zeros(1, 1)), ShapeError, r"^quantile: q must be a number or \[k\]"),
        (lambda x: tg.quantile(x, 0.5, interpolation="cubic"), ValueError, "quantile: interpolation must be"),
        (lambda x: tg.nanquantile(x, 0.5, dim=3), ShapeError, "nanquantile: dim"),
        (lambda x: tg.bucketize(x, x), ShapeError, r"^bucketize: boundaries must be \[n\]"),
        (lambda x: tg.searchsorted(x, x[0]), ShapeError, "^searchsorted: the sequence must be"),
        (lambda x: tg.searchsorted(x, x, side="left", right=True), ValueError, "contradicts right=True"),
        (lambda x: tg.searchsorted(x, x, side="up"), ValueError, "^searchsorted: side must be"),
        (lambda x: tg.searchsorted(x, x, sorter=x), DtypeError, "sorter must hold integers"),
        (lambda x: tg.searchsorted(x, x, sorter=x.int()[:1]), ShapeError, "sorter must have the shape"),
        (lambda x: tg.searchsorted(x, x, sorter=x.int() + 3), IndexError, "sorter has places from 4 to 4"),
        (lambda x: tg.combinations(x), ShapeError, r"^combinations: input must be a row \[n\]"),
        (lambda x: tg.combinations(x[0], -1), ValueError, "^combinations: r must be"),
        (lambda x: tg.combinations(tg.zeros(10**5), 6), SizeError, "^combinations: r"),
        (lambda x: tg.cartesian_prod(x), ShapeError, r"^cartesian_prod: pass rows \[n\], not \[2,3\]"),
        (lambda x: tg.cartesian_prod(), ShapeError, "^cartesian_prod: pass rows .*not nothing"),
        (lambda x: tg.block_diag(x[None]), ShapeError, r"^block_diag: pass matrices.*not \[1,2,3\]"),
        (lambda x: tg.block_diag([x, x]), TypeError, "^block_diag: each of tensors must be a Tensor"),
        (lambda x: tg.block_diag(1.0), TypeError, "^block_diag: each of tensors must be a Tensor"),
        (lambda x: tg.cartesian_prod([x[0], x[0]]), TypeError, "^cartesian_prod: each of tensors must be"),
        (lambda x: tg.xlogy("a", x), TypeError, "^xlogy: input must be"),
    ],
)
def test_what_cannot_be_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call(tg.ones(2, 3))


@pytest.mark.filterwarnings("error")
def test_quantiles_beside_infinities():
    inf = np.inf
    rows = {
        (-inf, 1.0): -inf,
        (1.0, inf): inf,
        (-inf, -inf, 1.0): -inf,
        (2.0, inf, inf): inf,
        (-inf, 3.0, inf): 3,
    }
    for row, median in rows.items():
        assert tg.quantile(tg.tensor(row), 0.5).item() == median
        assert tg.nanquantile(tg.tensor((*row, np.nan)), 0.5).item() == median
    with np.errstate(invalid="ignore"):
        assert np.isnan(tg.quantile(tg.tensor([-inf, inf]), 0.5).item())
    x = tg.tensor([1.0, 2.0, inf], requires_grad=True)
    tg.quantile(x, 0.25).backward()
    np.testing.assert_array_equal(x.grad, [0.5, 0.5, 0])
