"""Tensors as scripts write them, against PyTorch: formats, dtypes, what bools do, new ones, modes."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.torch

NAMES = "float double half long int short bool int8 uint8 float32 float64 float16 int64 int32 int16".split()


def same(ours, theirs):
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(ours.data, theirs.numpy())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3)])
def test_dtypes(name, shape):
    same(tg.ones(shape, dtype=getattr(tg, name)), torch.ones(shape, dtype=getattr(torch, name)))
    ours, theirs = tg.full(shape, 1.5), torch.full(shape, 1.5)
    same(ours.to(getattr(tg, name)), theirs.to(getattr(torch, name)))
    same(ours.type(getattr(tg, name)), theirs.type(getattr(torch, name)))
    assert ours.to(getattr(tg, name)).type() == theirs.to(getattr(torch, name)).type()


@pytest.mark.parametrize(
    "compute",
    [
        lambda m: m.sum(),
        lambda m: m.float().mean(),
        lambda m: ~m,
        lambda m: m & ~m,
        lambda m: m | True,
        lambda m: m * 2,
        lambda m: m.long().sum(),
        lambda m: m.sum(0),
        lambda m: (m == m).sum(),
        lambda m: m[m],
        lambda m: m.int() + m.short(),
        lambda m: m + 1.5,
        lambda m: m.type_as(m.double()),
    ],
)
def test_what_is_asked_of_bools(compute):
    array = np.array([[True, False, True], [False, False, True]])
    same(compute(tg.tensor(array)), compute(torch.tensor(array)))


@pytest.mark.parametrize("value", [0.1, -3.25, 7, True, float("nan"), float("inf")])
@pytest.mark.parametrize("spec", ["", ".4f", ".2e", "8.3f", "5", "+.1f"])
def test_formats(value, spec):
    assert format(tg.tensor(value), spec) == format(torch.tensor(value), spec)


def test_formats_of_several_numbers():
    for module in (tg, torch):
        with pytest.raises(TypeError):
            format(module.ones(2), ".3f")


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.zeros(size=(2, 3)),
        lambda m: m.full((2,), 7),
        lambda m: m.full((2,), 7.0, dtype=m.half),
        lambda m: m.ones(2, dtype=m.long).new_full((3,), 2),
        lambda m: m.ones(2, dtype=m.half).new_tensor([1, 2]),
        lambda m: m.zeros_like(m.ones(2), dtype=m.bool),
        lambda m: m.as_tensor([1, 2]),
        lambda m: m.as_tensor(np.ones(2), dtype=m.float),
        lambda m: m.LongTensor([1, 2]),
        lambda m: m.ones(3).type(m.IntTensor),
        lambda m: m.normal(m.ones(2, dtype=m.double), m.zeros(2)),
        lambda m: m.bernoulli(m.ones(2, 2)),
        lambda m: m.multinomial(m.tensor([[0.0, 1.0], [1.0, 0.0]]), 1),
        lambda m: m.arange(3).add_(1, alpha=2),
        lambda m: m.ones(3).sub(m.arange(3), alpha=3),
        lambda m: m.zeros(2).uniform_(4, 4),
        lambda m: m.zeros(2).bernoulli_(1.0),
    ],
)
def test_new_tensors(make):
    same(make(tg), make(torch))


def test_devices_are_written_alike():
    for name in ("cpu", "cuda", "cuda:1", "mps"):
        ours, theirs = tg.device(name), torch.device(name)
        assert (str(ours), repr(ours), ours.type, ours.index) == (
            str(theirs),
            repr(theirs),
            theirs.type,
            theirs.index,
        )


def test_modes_follow_each_other_alike():
    def course(module):
        seen = []
        with module.no_grad():
            module.set_grad_enabled(True)
            seen.append(module.is_grad_enabled())
        seen.append(module.is_grad_enabled())
        with module.set_grad_enabled(False):
            seen.append(module.is_grad_enabled())
            with module.enable_grad():
                seen.append(module.is_grad_enabled())
        seen.append(module.is_grad_enabled())
        return seen

    assert course(tg) == course(torch)
