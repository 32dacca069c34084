"""The ops against PyTorch where its own samples do not go: ties, zeros, bounds, NaN; values, first and second
gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg

pytestmark = pytest.mark.torch

TIES = np.array([[1.0, 3, 3, 2], [2, 2, 2, 2], [-1, 0, 0, -3]])
ZEROS = np.array([[0.0, 2, 3], [0, 0, 5], [4, 1, 2], [0, 0, 0]])
IMAGE = np.array([[0.0, 1, 1, 0, 2], [1, 1, 0, 2, 2], [3, 3, 3, 0, 0], [0, 3, 1, 1, 4]])[None, None]


@pytest.fixture(autouse=True)
def torch() -> Any:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def assert_same(ours: Any, theirs: Any) -> None:
    for tensor, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(tensor.data, other.detach().numpy(force=True), rtol=1e-12, atol=1e-12)


def compare(torch: Any, function: Callable[..., Any], *arrays: Any, order: int = 2) -> None:
    """`function(library, *tensors)`, its gradients, and those of ⟨gradients, v⟩; it is squared, so that these
    aren't all zero.
    """
    ours = [tg.tensor(array, requires_grad=True) for array in arrays]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    y, z = function(tg, *ours), function(torch, *theirs)
    assert_same([y], [z])
    grads = tg.grad((y * y).sum(), ours, create_graph=True)
    wanted = torch.autograd.grad((z * z).sum(), theirs, create_graph=True)
    assert_same(grads, wanted)
    if order == 2:
        v = [np.random.default_rng(1).standard_normal(array.shape) for array in arrays]
        seconds = tg.grad(grads, ours, v)
        assert_same(
            seconds, torch.autograd.grad(wanted, theirs, [torch.tensor(direction) for direction in v])
        )


@pytest.mark.parametrize(
    "function",
    [
        lambda lib, x: lib.amax(x, 1),
        lambda lib, x: lib.amin(x, 1, True),
        lambda lib, x: lib.amax(x, (0, 1)),
        lambda lib, x: x.max(),
        lambda lib, x: x.min(),
        lambda lib, x: lib.max(x, 1).values,
        lambda lib, x: lib.max(x, 1).indices * x.sum(1),
        lambda lib, x: lib.min(x, 0, keepdim=True)[0],
        lambda lib, x: lib.maximum(x, x.flip(1)),
        lambda lib, x: lib.minimum(x, x.flip(1)),
        lambda lib, x: lib.max(x, x.flip(0)),
        lambda lib, x: lib.clamp(x, 0, 2),
        lambda lib, x: lib.clamp(x, min=x.flip(1)),
        lambda lib, x: lib.clamp(x, max=2.0),
        lambda lib, x: x.argmax(1) * x.sum(1),
        lambda lib, x: x.argmin() * x.sum(),
        lambda lib, x: lib.abs(x),
        lambda lib, x: lib.sign(x) * x,
        lambda lib, x: lib.norm(x, float("inf"), 1),
        lambda lib, x: lib.norm(x, float("inf")),
        lambda lib, x: lib.norm(x, 1, 1),
    ],
)
def test_ties_and_kinks(torch: Any, function: Any) -> None:
    compare(torch, function, TIES)


@pytest.mark.parametrize(
    "function",
    [
        lambda lib, x: x.prod(),
        lambda lib, x: x.prod(1),
        lambda lib, x: x.prod(0, keepdim=True),
        lambda lib, x: x**2,
        lambda lib, x: x**3.0,
        lambda lib, x: x**1,
        lambda lib, x: x**0 + x,
        lambda lib, x: 2.0**x,
        lambda lib, x: lib.norm(x, 2, 0),
        lambda lib, x: lib.norm(x, 3, 0),
        lambda lib, x: lib.norm(x, 0, 0) + x.sum(),
        lambda lib, x: lib.var(x, 1),
        lambda lib, x: lib.var(x, (0, 1), unbiased=False),
        lambda lib, x: lib.std(x[:3], 1, correction=0),
        lambda lib, x: lib.std(x[:2], True),
        lambda lib, x: lib.logsumexp(x, 1),
        lambda lib, x: lib.cumsum(x, 1),
        lambda lib, x: lib.where(x > 0, x * x, -x),
        lambda lib, x: lib.masked_fill(x, x == 0, 7.0) ** 2,
    ],
)
def test_zeros(torch: Any, function: Any) -> None:
    compare(torch, function, ZEROS)


def test_the_norm_at_the_origin_is_flat(torch: Any) -> None:
    for p in (2, 3, 1.5, 1):
        compare(torch, lambda lib, x, p=p: lib.norm(x, p, 1), np.zeros((2, 3)), order=1)


def test_the_deviation_of_what_does_not_deviate_is_flat(torch: Any) -> None:
    compare(torch, lambda lib, x: lib.std(x, 1), np.ones((2, 3)), order=1)


def test_pow_of_zeros_by_the_exponent(torch: Any) -> None:
    base, exponent = np.array([0.0, 0, 0, 2, 3]), np.array([0.0, 1, 2, 0, -1])
    compare(torch, lambda lib, a, b: a**b, base, exponent, order=1)


def test_logsumexp_of_infinities(torch: Any) -> None:
    compare(
        torch, lambda lib, x: lib.logsumexp(x, 1), np.array([[-np.inf, 1, 2], [-np.inf, -np.inf, 0]]), order=1
    )
    x = np.full((2, 3), -np.inf)
    np.testing.assert_array_equal(tg.logsumexp(x, 1), [-np.inf, -np.inf])


@pytest.mark.parametrize("name", ["amax", "amin", "argmax", "argmin", "sum", "mean", "prod"])
def test_nan(torch: Any, name: str) -> None:
    x = np.array([[1.0, np.nan, 2], [3, 4, 5]])
    assert_same([getattr(tg, name)(tg.tensor(x), 1)], [getattr(torch, name)(torch.tensor(x), 1)])


@pytest.mark.parametrize(
    "function",
    [
        lambda F, x: F.max_pool2d(x, 2, 1),
        lambda F, x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
        lambda F, x: F.max_pool2d(x, 2, 1, 1, 2),
        lambda F, x: F.max_pool2d(x, 2, 1, return_indices=True)[1] * x.sum(),
        lambda F, x: F.adaptive_max_pool2d(x, (3, 2)),
        lambda F, x: F.adaptive_max_pool2d(x, (3, 2), return_indices=True)[1] * x.sum(),
        lambda F, x: F.adaptive_avg_pool2d(x * x, (3, 2)),
        lambda F, x: F.avg_pool2d(x * x, 3, 2, 1, True, False),
        lambda F, x: F.fold(x.reshape(1, 4, 5) ** 2, (2, 6), 2) if x.ndim == 4 else x,
        lambda F, x: F.interpolate(x * x, scale_factor=(1.5, 2), mode="bilinear"),
        lambda F, x: F.pad(x * x, (2, 1, 3, 0), "reflect"),
    ],
)
def test_windows_over_ties(torch: Any, function: Any) -> None:
    compare(torch, lambda lib, x: function(lib if lib is tg else torch.nn.functional, x), IMAGE)


def test_the_last_nan_wins_a_window(torch: Any) -> None:
    x = np.array([[[[np.nan, 1, 2], [np.nan, 5, np.nan]]]])
    for result, other in zip(
        tg.max_pool2d(x, 2, 1, return_indices=True),
        torch.nn.functional.max_pool2d(torch.tensor(x), 2, 1, return_indices=True),
        strict=True,
    ):
        np.testing.assert_array_equal(result, other.numpy())


@pytest.mark.parametrize("seed", range(40))
def test_indexing(torch: Any, seed: int) -> None:
    """Random mixtures of integers, slices, index arrays and masks; integers not beside arrays, where NumPy's
    rules hold.
    """
    rng = np.random.default_rng(seed)
    shape = tuple(int(size) for size in rng.integers(1, 5, 3))

    rows = rng.integers(1, 5)
    index: list[Any] = []
    for size in shape:
        kinds = [
            int(rng.integers(-size, size)),
            slice(None, None, int(rng.integers(1, 3))),
            slice(int(rng.integers(0, size)), None),
            rng.integers(-size, size, rows),
        ]
        index.append(kinds[int(rng.integers(0, len(kinds)))])
    mask = rng.random(shape[0]) < 0.7
    if not any(isinstance(part, np.ndarray) for part in index[1:]):
        index[0] = [index[0], mask][seed % 2]
    if any(isinstance(part, np.ndarray) for part in index):
        index = [slice(part, None) if isinstance(part, int) else part for part in index]
    index.insert(len(index) * int(rng.integers(0, 2)), [None, Ellipsis][seed % 2])
    x = rng.standard_normal(shape)
    ours, theirs = tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    as_torch = tuple(torch.tensor(part) if isinstance(part, np.ndarray) else part for part in index)
    y, z = ours[tuple(index)], theirs[as_torch]
    assert_same([y], [z])
    dy = rng.standard_normal(y.shape)
    assert_same(tg.grad(y, ours, dy), torch.autograd.grad(z, theirs, torch.tensor(dy)))


@pytest.mark.parametrize(
    "equation, shapes",
    [
        ("ii", [(4, 4)]),
        ("ij->", [(2, 3)]),
        ("ij->ji", [(2, 3)]),
        ("i,i", [(3,), (3,)]),
        ("bij,bjk", [(2, 3, 4), (2, 4, 2)]),
        ("...i,...i->...", [(2, 1, 3), (4, 3)]),
        ("iij,jk->ik", [(2, 2, 3), (3, 2)]),
        ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 4)]),
        ("iji,j->", [(2, 3, 2), (3,)]),
        ("ba,b", [(2, 3), (2,)]),
        ("Ab,b->A", [(2, 3), (1,)]),
    ],
)
def test_einsum(torch: Any, equation: str, shapes: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    compare(torch, lambda lib, *xs: lib.einsum(equation, *xs), *arrays, order=1)


@pytest.mark.parametrize(
    "function",
    [
        lambda lib, x, w, place: lib.gather(x, 0, place) + w,
        lambda lib, x, w, place: lib.scatter(x, 0, place, w),
        lambda lib, x, w, place: lib.scatter(x, 0, place, value=2.0) + w,
        lambda lib, x, w, place: lib.scatter_add(x, 0, place, w),
        lambda lib, x, w, place: lib.scatter_reduce(x, 0, place, w, "amax"),
        lambda lib, x, w, place: lib.scatter_reduce(x, 0, place, w, "prod"),
        lambda lib, x, w, place: lib.scatter_reduce(x, 0, place, w, "mean", include_self=False),
        lambda lib, x, w, place: (x * 2).scatter_(0, place, w),
    ],
)
def test_a_place_alone_is_one_of_a_row(torch: Any, function: Any) -> None:
    row, number = np.array([1.0, 2.0, 3.0]), np.array(5.0)
    places = {torch: torch.tensor(1), tg: tg.tensor(1)}
    compare(torch, lambda lib, x, w: function(lib, x, w, places[lib]), row, number, order=1)
    with pytest.raises(IndexError, match="index holds 3"):
        function(tg, tg.tensor(row), tg.tensor(number), tg.tensor(3))
