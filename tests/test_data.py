"""Data: generated images, splits, batches."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import data
from tinygrad_conv.errors import MissingExtraError, ShapeError


@pytest.mark.parametrize("make, classes, size", [(data.shapes, 4, 16), (data.bars, 2, 8)])
def test_generated_images(make, classes, size):
    x, y = make(41, seed=3)
    assert (
        x.shape == (41, 1, size, size) and x.dtype == np.float32 and y.shape == (41,) and y.dtype == np.int64
    )
    counts = np.bincount(y.data, minlength=classes)
    assert len(counts) == classes and counts.max() - counts.min() <= 1
    again_x, again_y = make(41, seed=3)
    assert np.array_equal(x.data, again_x.data) and np.array_equal(y.data, again_y.data)
    assert not np.array_equal(x.data, make(41, seed=4)[0].data)
    assert not np.array_equal(make(41)[0].data, make(41)[0].data)
    assert not np.array_equal(y.data, np.sort(y.data))
    clean = make(41, noise=0, seed=3)[0].data
    assert clean.min() == 0 and clean.max() == 1
    assert (x.data - clean).std() == pytest.approx(0.1, rel=0.05)
    empty_x, empty_y = make(0)
    assert empty_x.shape == (0, 1, size, size) and empty_y.shape == (0,)
    assert make(3, size=11)[0].shape == (3, 1, 11, 11)
    for wrong in ({"n": -1}, {"n": 1, "noise": -1}, {"n": 1, "size": 3}):
        with pytest.raises(ValueError, match=make.__name__):
            make(**wrong)


def test_shapes_are_what_their_labels_say():
    x, y = data.shapes(400, size=32, noise=0, seed=0)
    areas = {name: x.data[y.data == label].sum((1, 2, 3)) for label, name in enumerate(data.SHAPES)}
    heights = {name: x.data[y.data == label].max(3).sum((1, 2)) for label, name in enumerate(data.SHAPES)}
    share = {
        name: areas[name] / heights[name] ** 2 for name in data.SHAPES
    }  # constant only if no shape is cut off
    np.testing.assert_allclose(share["circle"], np.pi / 4, rtol=0.1)
    np.testing.assert_allclose(share["square"], 1, rtol=0.1)
    np.testing.assert_allclose(share["triangle"], 1 / np.sqrt(3), rtol=0.2)  # h² / √3, its tip blunted
    np.testing.assert_allclose(share["cross"], 0.3 * 2 - 0.3**2, rtol=0.1)
    assert len(np.unique(np.argmax(x.data.max(3), axis=2))) > 8
    assert areas["circle"].max() > 2 * areas["circle"].min()


def test_bars_lie_as_their_labels_say():
    x, y = data.bars(200, noise=0, seed=0)
    rows, columns = (x.data.max(axis)[:, 0].sum(1) for axis in (3, 2))
    np.testing.assert_array_equal(columns > rows, y.data == data.BARS.index("horizontal"))
    assert np.array_equal(x.data.sum((1, 2, 3)), rows * columns)
    assert len(np.unique(rows)) > 3


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tinygrad_conv\[examples\]'"):
        data.digits()


def test_a_stratified_split_is_fixed_and_fair():
    x, y = np.arange(100), np.repeat([0, 1, 2], [60, 30, 10])
    (train_x, train_y), (test_x, test_y) = data.stratified_split(x, y, 0.3)
    assert np.bincount(test_y.data).tolist() == [18, 9, 3]
    assert sorted([*train_x.tolist(), *test_x.tolist()]) == x.tolist()
    assert np.array_equal(y[train_x.data], train_y.data) and np.all(np.diff(train_x.data) > 0)
    assert data.stratified_split(x, y, 0.3)[1][0].tolist() == test_x.tolist()
    assert data.stratified_split(x, y, 0.3, seed=1)[1][0].tolist() != test_x.tolist()
    assert len(data.stratified_split(x, y, 0)[1][0]) == 0 and len(data.stratified_split(x, y, 1)[0][0]) == 0
    assert len(data.stratified_split(tg.zeros(0, 2), np.zeros(0, int))[0][0]) == 0
    with pytest.raises(ValueError, match="test_fraction"):
        data.stratified_split(x, y, 1.5)
    with pytest.raises(ShapeError, match="one label for each image"):
        data.stratified_split(x, y[:-1])


def test_tensor_dataset():
    dataset = data.TensorDataset(np.arange(6).reshape(3, 2), tg.tensor([1.0, 2.0, 3.0]))
    assert len(dataset) == 3
    x, y = dataset[1]
    assert isinstance(x, tg.Tensor) and x.tolist() == [2, 3] and y.item() == 2.0
    with pytest.raises(ShapeError, match=r"\[3\], \[2\]"):
        data.TensorDataset(np.zeros(3), np.zeros(2))
    with pytest.raises(ShapeError):
        data.TensorDataset(np.float32(1))
    with pytest.raises(ValueError, match="at least one"):
        data.TensorDataset()


def epoch(loader):
    return [y.tolist() for _, y in loader]


def test_batches_in_order():
    dataset = data.TensorDataset(np.zeros((7, 2)), np.arange(7))
    loader = data.DataLoader(dataset, batch_size=3)
    assert epoch(loader) == [[0, 1, 2], [3, 4, 5], [6]] and len(loader) == 3
    short = data.DataLoader(dataset, 3, drop_last=True)
    assert epoch(short) == [[0, 1, 2], [3, 4, 5]] and len(short) == 2
    batch = next(iter(loader))
    assert (
        isinstance(batch, list)
        and all(isinstance(tensor, tg.Tensor) for tensor in batch)
        and batch[0].shape == (3, 2)
    )
    assert len(loader.dataset) == 7
    assert epoch(data.DataLoader(data.TensorDataset(np.zeros((0, 2)), np.zeros(0)), 3)) == []
    with pytest.raises(ValueError, match="batch_size"):
        data.DataLoader(dataset, 0)


def test_shuffling_is_seeded_and_fresh_each_epoch():
    dataset = data.TensorDataset(np.zeros(50), np.arange(50))

    def two_epochs(seed):
        loader = data.DataLoader(dataset, 8, shuffle=True, seed=seed)
        return epoch(loader), epoch(loader)

    first, second = two_epochs(1)
    assert sorted(sum(first, [])) == list(range(50)) and first != second
    assert two_epochs(1) == (first, second) != two_epochs(2)
    assert two_epochs(np.random.default_rng(1)) == (first, second)
    tg.manual_seed(3)
    unseeded = two_epochs(None)
    tg.manual_seed(3)
    assert two_epochs(None) == unseeded


def test_any_dataset_is_stacked():
    class Squares:
        def __len__(self):
            return 4

        def __getitem__(self, place):
            return np.full(2, place), {"even": place % 2 == 0}["even"], float(place**2)

    (x, even, square), _ = data.DataLoader(Squares(), 3)
    assert x.tolist() == [[0, 0], [1, 1], [2, 2]] and even.dtype == bool and square.dtype == np.float32
    (x,) = data.DataLoader([tg.ones(2), tg.zeros(2)], 2)
    assert x.tolist() == [[1, 1], [0, 0]]
    assert list(data.DataLoader([1, 2, 3], 2, collate_fn=sum)) == [3, 3]
    with pytest.raises(ShapeError, match=r"\[1\], \[2\] cannot be stacked"):
        list(data.DataLoader([np.ones(1), np.ones(2)], 2))
