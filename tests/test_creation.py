"""Numbers that are made: in their range in every dtype, and of the dtype that was meant."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError

FLOATS = [np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_numbers_stay_below_their_bound(dtype, monkeypatch):
    class Highest:
        """A generator that draws the largest number there is."""

        def random(self, shape):
            return np.full(shape, np.nextafter(1.0, 0.0))

    monkeypatch.setattr("tinygrad_conv.randomness.default.generator", Highest)
    assert tg.rand(3, dtype=dtype).data.max() == np.nextafter(dtype(1), dtype(0))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bound", [1.0, 0.1, -0.3])
def test_initial_numbers_stay_below_their_bound(dtype, bound):
    w = tg.nn.init.uniform_(tg.empty(100_000, dtype=dtype), bound - 1e-3, bound, generator=0)
    assert w.data.max() < bound


def test_random_integers_fit_their_dtype():
    assert tg.randint(0, 256, (9,), dtype=np.uint8).dtype == np.uint8
    for low, high, dtype in [(0, 1000, np.uint8), (-1, 5, np.uint8), (0, 129, np.int8), (0, 3, bool)]:
        with pytest.raises(ValueError, match="randint: .* holds"):
            tg.randint(low, high, (3,), dtype=dtype)


@pytest.mark.parametrize("bound", [np.float32(0.5), np.float64(0.5), np.array(0.5), tg.tensor(0.5)])
def test_counting_from_a_fraction_gives_fractions(bound):
    np.testing.assert_array_equal(tg.arange(bound, 3).data, np.array([0.5, 1.5, 2.5], np.float32))


@pytest.mark.parametrize("bounds", [(0.0, 3), (0, 3.0), (0.0, 3, 1), (np.float32(0), 3), (0, 3, 1.0)])
def test_a_range_with_a_float_among_its_bounds_is_of_floats(bounds):
    """Also where that is a 0, which is false to Python."""
    y = tg.arange(*bounds)
    assert y.dtype == tg.float32 and y.tolist() == [0, 1, 2]


def test_linspace_of_integers_leaves_out_what_is_behind_the_point():
    assert tg.linspace(-5, 5, 4, dtype=tg.int64).tolist() == [-5, -1, 1, 5]
    assert tg.linspace(1, -1, 5, dtype=tg.int32).tolist() == [1, 0, 0, 0, -1]
    np.testing.assert_array_equal(tg.linspace(0, 1, 3).data, np.array([0, 0.5, 1], np.float32))


@pytest.mark.parametrize("bounds", [(0, 5, 0), (0, float("inf")), (float("nan"),), (0, 1, float("nan"))])
def test_a_range_without_an_end_is_refused(bounds):
    with pytest.raises(ValueError, match="^arange: from .* to .* in steps of .* there is no end"):
        tg.arange(*bounds)


@pytest.mark.parametrize("seed", [True, [], (1, 2), None, 1.5, "1"])
def test_what_is_no_seed_is_refused_at_once(seed):
    """Not when somebody asks for the generator's state."""
    before = tg.initial_seed()
    for begin in (tg.manual_seed, tg.Generator().manual_seed):
        with pytest.raises(
            (TypeError, tg.errors.DtypeError), match="^manual_seed: seed must be an int, not "
        ):
            begin(seed)
    assert tg.initial_seed() == before


def test_seeds_of_numpy_and_of_tensors_are_numbers():
    numbers = [
        tg.rand(2, generator=tg.Generator().manual_seed(seed)) for seed in (3, np.int64(3), tg.tensor(3))
    ]
    assert numbers[0].tolist() == numbers[1].tolist() == numbers[2].tolist()


@pytest.mark.parametrize("make", [tg.rand, tg.randn])
@pytest.mark.parametrize("dtype", [np.int64, bool, np.uint8])
def test_what_is_drawn_has_fractions(make, dtype):
    like = getattr(tg, f"{make.__name__}_like")
    with pytest.raises(DtypeError, match=f"^{make.__name__}: dtype must be float16, float32 or float64, not"):
        make(2, dtype=dtype)
    for call in (lambda: like(tg.zeros(2, dtype=dtype)), lambda: like(tg.zeros(2), dtype=dtype)):
        with pytest.raises(DtypeError, match=f"^{make.__name__}_like: dtype must be float16"):
            call()
    assert like(tg.zeros(2, dtype=dtype), dtype=tg.float64).dtype == np.float64


@pytest.mark.parametrize("bounds", [(5, 0), (0, 5, -1), (1.0, 0.5)])
def test_a_range_that_leads_away_from_its_end_is_refused(bounds):
    with pytest.raises(
        ValueError, match="arange: step -?1 leads away from the end, from .*; give it the other"
    ):
        tg.arange(*bounds)
    assert tg.arange(2, 2).shape == tg.arange(2, 2, -1).shape == (0,)


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
@pytest.mark.parametrize(
    "bounds", [(1000, 1010, 0.1), (-1, 1, 1e-3), (1, 2, 1 / 3), (5, 0, -0.1), (4096, 4200, 1)]
)
def test_steps_do_not_add_up_their_roundings(bounds, dtype):
    """NumPy's arange goes from 1000 to 1999.66 in float32, in steps of 0.1."""
    first, last, step = bounds
    right = first + step * np.arange(np.ceil((last - first) / step))
    np.testing.assert_array_equal(tg.arange(*bounds, dtype=dtype), right.astype(dtype))


def test_a_long_way_in_small_steps():
    np.testing.assert_allclose(tg.arange(1000, 2000, 0.1)[-1].item(), 1999.9, rtol=1e-7)
    np.testing.assert_allclose(tg.arange(1e6, 1e6 + 10, 0.01)[-1].item(), 1e6 + 9.99, rtol=1e-7)


def test_integers_in_steps_are_cut_first():
    np.testing.assert_array_equal(tg.arange(0, 10, 2.5, dtype=tg.int64), [0, 2, 4, 6, 8])
    np.testing.assert_array_equal(tg.arange(2**62, 2**62 + 2), [2**62, 2**62 + 1])
    with pytest.raises(ValueError, match="arange: from 0 to 3 in steps of 0 there is no end"):
        tg.arange(0, 3, 0.5, dtype=tg.int64)


@pytest.mark.parametrize("bounds", [(300,), (-3, 3), (5, -2, -3)])
def test_integers_that_would_wrap_in_an_arange(bounds):
    with pytest.raises(ValueError, match="arange: uint8 holds 0 … 255, not all of"):
        tg.arange(*bounds, dtype=tg.uint8)


def test_integers_that_a_float_would_round():
    """The permutation would have the same number twice, and a random integer could be `high`."""
    with pytest.raises(ValueError, match="randperm: float16 holds -2048 … 2048, not all of 0 … 2999"):
        tg.randperm(3000, dtype=tg.float16)
    with pytest.raises(ValueError, match="randint: float32 holds"):
        tg.randint(0, 2**25, (3,), dtype=tg.float32)
    assert sorted(tg.randperm(2049, dtype=tg.float16).tolist()) == list(range(2049))


def test_integers_of_64_bits_with_and_without_a_sign_have_no_dtype_in_common():
    large, signed = tg.tensor(np.array([2**63 + 1], np.uint64)), tg.tensor([-1])
    for meet in (lambda: large + signed, lambda: tg.cat([large, signed]), lambda: large == signed):
        with pytest.raises(DtypeError, match="no integer dtype holds both"):
            meet()
    with pytest.raises(DtypeError, match="no integer dtype holds both"):
        tg.utils.data.default_collate([1, 2**63])
    assert (large + large.clone().fill_(1)).tolist() == [2**63 + 2]
    assert (large + 1).dtype == np.uint64


class OthersArray:
    """An array of another library, whose `__array__` is older than the argument `copy`."""

    def __init__(self, numbers):
        self.numbers, self.dtype = numbers, numbers.dtype

    def __array__(self, dtype=None):
        return self.numbers if dtype is None else self.numbers.astype(dtype)


@pytest.mark.parametrize("make", [tg.tensor, tg.as_tensor, tg.Tensor])
@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32])
def test_arrays_of_other_libraries_keep_their_dtype(make, dtype):
    """float64 was rounded to the default dtype in silence."""
    numbers = (
        np.array([1, 2, 3]).astype(dtype) / dtype(3) if dtype != np.int32 else np.array([1, 2, 3], dtype)
    )
    made = make(OthersArray(numbers))
    assert made.dtype == dtype and made.tolist() == numbers.tolist()
    assert np.shares_memory(made.data, numbers) == (make is not tg.tensor)
