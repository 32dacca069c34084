"""`x[0, :, [1, 2]]`: integers, slices, None, `…` and arrays mixed: the dimensions are in PyTorch's order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_conv as tg

NUMBERS = np.arange(2 * 3 * 4 * 5, dtype=np.float64).reshape(2, 3, 4, 5)

PICKED = [
    ((0, slice(None), [1, 2]), NUMBERS[0][:, [1, 2]]),
    ((0, slice(None), slice(None), [1, 2]), NUMBERS[0][:, :, [1, 2]]),
    ((0, ..., [1, 2]), NUMBERS[0][..., [1, 2]]),
    ((-1, 1, slice(None), [0, 3, 3]), NUMBERS[-1, 1][:, [0, 3, 3]]),
    (([1, 0], slice(None), 2), NUMBERS[:, :, 2][[1, 0]]),
    (([1, 0], slice(None), 2, [1, 4]), NUMBERS[:, :, 2][[1, 0], :, [1, 4]]),
    ((slice(None), 1, slice(1, 3), [0, 2]), NUMBERS[:, 1, 1:3][:, :, [0, 2]]),
    ((0, None, [1, 2]), NUMBERS[0][None, [1, 2]]),
    ((np.int64(0), slice(None), np.array([1, 2])), NUMBERS[0][:, [1, 2]]),
    ((tg.tensor(1), slice(None), tg.tensor([[1], [2]])), NUMBERS[1][:, [[1], [2]]]),
    ((0, slice(None), np.array([True, False, True, False])), NUMBERS[0][:, [0, 2]]),
    (
        (0, slice(None), np.arange(20).reshape(4, 5) % 3 == 0),
        NUMBERS[0][:, np.arange(20).reshape(4, 5) % 3 == 0],
    ),
    ((0, slice(None), np.zeros(0, int)), NUMBERS[0][:, np.zeros(0, int)]),
    ((slice(None), 0, [1, 2]), NUMBERS[:, 0][:, [1, 2]]),
    ((1, 2, slice(None), 3), NUMBERS[1, 2, :, 3]),
]


@pytest.mark.parametrize("index, expected", PICKED, ids=[str(index).replace("\n", "") for index, _ in PICKED])
def test_what_is_picked_its_gradient_and_what_is_set(index, expected):
    x = tg.tensor(NUMBERS, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.data, expected)
    factors = np.arange(1.0, y.numel() + 1).reshape(y.shape)
    (y * factors).sum().backward()
    counts = np.zeros(NUMBERS.size)
    np.add.at(counts, expected.astype(int).ravel(), factors.ravel())
    np.testing.assert_array_equal(x.grad, counts.reshape(NUMBERS.shape))
    assert tg.gradcheck(lambda x: x[index] * factors, x, order=2)

    filled = tg.tensor(NUMBERS)
    filled[index] = -expected - 1
    remain = np.isin(NUMBERS, expected)
    np.testing.assert_array_equal(filled.data, np.where(remain, -NUMBERS - 1, NUMBERS))


@pytest.mark.parametrize("index", [(0, [1], ..., [1, 2]), (None, 0, [1], ..., [1, 2])])
def test_dots_that_stand_for_nothing_stand_between_nothing(index):
    numbers = np.arange(24).reshape(2, 3, 4)
    whole = tuple(part for part in index if part is not ...)
    expected = numbers[0, [1], [1, 2]]
    y = tg.tensor(numbers)[index]
    np.testing.assert_array_equal(y, expected[None] if None in index else expected, strict=True)
    np.testing.assert_array_equal(y, tg.tensor(numbers)[whole], strict=True)


MASKS = [np.array([0, 1], np.uint8), np.array([1, 1], np.uint8)]


@pytest.mark.parametrize("mask", [*MASKS, *map(tg.tensor, MASKS)])
def test_bytes_that_may_be_a_mask_are_refused(mask):
    x = tg.zeros(2, 3, 2)
    for index in (mask, (mask, 0), (..., mask), (None, mask, slice(None), 1)):
        with pytest.raises(tg.errors.DtypeError, match=r"the index is uint8\[2\], to PyTorch a mask"):
            x[index]
        with pytest.raises(tg.errors.DtypeError, match=r"write index.bool\(\) or index.long\(\)"):
            x[index] = 1
    assert x[:, mask].shape == (2, 2, 2)  # of three: no mask
    assert x[mask[:1]].shape == (1, 3, 2)  # one place, of two


def test_a_value_that_is_set_has_its_gradient_in_the_same_order():
    value = tg.tensor(np.ones((3, 2)), requires_grad=True)
    x = tg.zeros(2, 3, 4, dtype=tg.float64)
    x[0, :, [1, 2]] = value
    factors = np.arange(24.0).reshape(2, 3, 4)
    (x * factors).sum().backward()
    np.testing.assert_array_equal(value.grad, factors[0][:, [1, 2]])


def test_the_adjoint_of_putting_is_to_read_with_the_same_index():
    index = (0, slice(None), np.array([1, 2]))  # which an op takes as NumPy does
    x = tg.tensor(np.ones((2, 3)), requires_grad=True)
    assert tg.gradcheck(lambda x: tg.put_add(x, index=index, shape=(2, 3, 4)), x, order=2)


@pytest.mark.parametrize("index", [(0, slice(None), [4]), (2, slice(None), [1]), (0, slice(None), [0], 0)])
def test_a_place_that_is_not_there_is_refused_in_the_ops_words(index):
    with pytest.raises(IndexError, match=r"^getitem: x \[2,3,4\]: "):
        tg.zeros(2, 3, 4)[index]


@pytest.mark.torch
@pytest.mark.parametrize("length", [2, 3, 4])
def test_every_mixture_is_as_in_pytorch(length):
    torch = pytest.importorskip("torch")
    parts = [1, slice(None), slice(1, None), ..., None, [0, 1], [[1], [0]], [True, False, True, False]]
    ours, theirs = tg.tensor(NUMBERS[:, :, :, :4]), torch.tensor(NUMBERS[:, :, :, :4])
    compared = 0
    for index in itertools.product(parts if length < 4 else [1, slice(None), None, [0, 1]], repeat=length):
        if sum(part is ... for part in index) > 1:
            continue  # which NumPy refuses
        try:
            expected = theirs[index]
        except (IndexError, RuntimeError):
            continue
        np.testing.assert_array_equal(ours[index].data, expected.numpy(), str(index))
        compared += 1
    assert compared > 20


LISTS = [
    [[0, 1], [1, 0]],
    [(0, 1), (1, 0)],
    [tg.tensor([0, 1]), tg.tensor([1, 0])],
    [tg.tensor(0), tg.tensor(1)],
    [np.array([0, 1]), np.array([1, 0])],
    [range(2)],
]


@pytest.mark.parametrize("index", LISTS, ids=map(str, LISTS))
def test_a_list_of_lists_is_one_array_of_places(index):
    """As to NumPy, with a warning: PyTorch takes it for a tuple, and says that it will no longer."""
    numbers = np.arange(6.0).reshape(2, 3)
    x, places = tg.tensor(numbers, requires_grad=True), np.array([np.asarray(part) for part in index])
    with pytest.warns(UserWarning, match=r"one array of places, as to NumPy.* or x\[tuple\(index\)\]"):
        y = x[index]
    np.testing.assert_array_equal(y.detach().data, numbers[places])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, np.bincount(places.ravel(), minlength=2)[:, None] * np.ones(3))


@pytest.mark.parametrize("index", [[slice(0, 1), 0], [None, 0], [..., 0]], ids=str)
def test_a_list_with_a_slice_is_refused(index):
    x = tg.tensor(np.arange(6.0).reshape(2, 3))
    with pytest.raises(IndexError, match=r"a list with a slice, None or … in it; write x\[tuple\(index\)\]"):
        x[index]
    with pytest.raises(IndexError, match="a list with a slice"):
        x[index] = 0
    assert x.sum().item() == 15


def test_lists_that_mean_the_same_to_both():
    x = tg.tensor(np.arange(6.0).reshape(2, 3))
    assert x[[1, 0]].tolist() == x[[np.int64(1), 0]].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert x[[True, False]].tolist() == [[0, 1, 2]] and x[[]].shape == (0, 3)
    assert x[[0, 1], [1, 0]].tolist() == x[(0, 1), (1, 0)].tolist() == [1, 3]
    assert x[([[0, 1], [1, 0]],)].shape == (2, 2, 3)


def test_an_index_of_nothing_stands_where_it_picks_from():
    assert tg.zeros(2, 3, 4)[0, ..., []].shape == (3, 0)


def test_a_memoryview_picks_as_its_array_does():
    x = tg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    places = np.array([1, 1])
    y = x[0, memoryview(places)]
    places[:] = 0  # the tape has a copy
    y.sum().backward()
    assert y.tolist() == [1, 1] and x.grad.tolist() == [[0, 2, 0], [0, 0, 0]]
