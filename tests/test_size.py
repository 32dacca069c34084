"""A shape is a tuple that can count."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import leaf


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3, 4), (2, 0, 4)])
def test_a_shape_is_a_tuple_with_numel(shape):
    x = tg.zeros(*shape)
    assert x.shape == x.size() == shape == tg.Size(shape)
    assert isinstance(x.shape, tuple)
    assert hash(x.shape) == hash(shape)
    assert repr(x.shape) == repr(shape)
    assert x.shape.numel() == x.size().numel() == x.numel() == tg.numel(x)


def test_a_part_of_it_counts_too():
    shape = tg.zeros(2, 3, 4).shape
    assert shape[1:].numel() == 12
    assert shape[:0].numel() == 1
    assert type(shape[-1]) is type(tg.zeros(2, 3).size(0)) is int
    batch, *rest = shape
    assert (batch, rest) == (2, [3, 4])


def test_it_is_made_copied_and_pickled():
    assert tg.Size() == ()
    assert tg.Size(np.array([2, 3])) == tg.Size(range(2, 4)) == (2, 3)
    for twin in (
        copy.copy(tg.Size([2])),
        copy.deepcopy(tg.Size([2])),
        pickle.loads(pickle.dumps(tg.Size([2]))),
    ):
        assert type(twin) is tg.Size
        assert twin == (2,)
    for wrong in ([1.5], "ab", 3, [None]):
        with pytest.raises(TypeError, match="Size: sizes must be integers, not"):
            tg.Size(wrong)


def test_whatever_takes_sizes_takes_it(tmp_path):
    w, x = leaf(2, 12), tg.zeros(2, 3, 4)
    y = tg.reshape(w, x.shape).view_as(x).expand_as(np.zeros((5, 2, 3, 4)))
    assert tg.zeros(x.shape).shape == tg.rand(x.shape).shape == np.zeros(x.shape).shape == (2, 3, 4)
    assert tg.interpolate(tg.zeros(1, 1, 2, 2), size=x.shape[1:]).shape == (1, 1, 3, 4)
    recording = y.sum().record()
    recording.save(tmp_path / "shapes.tgrec.npz")
    loaded = tg.debug.load(tmp_path / "shapes.tgrec.npz")
    assert loaded.find(op="reshape")[-1].params == {"shape": (2, 3, 4)}
    assert tg.grad(y.sum(), w, create_graph=True)[0].shape == (2, 12)
