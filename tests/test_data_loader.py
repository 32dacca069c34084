"""Datasets, samplers and loaders, as `torch.utils.data` has them."""

from __future__ import annotations

import collections
import inspect
import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest

import tinygrad_conv as tg
import tinygrad_conv.utils.data
from tinygrad_conv.errors import DtypeError, ShapeError
from tinygrad_conv.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    random_split,
)


class Pair(NamedTuple):
    image: np.ndarray
    label: int


class Squares(Dataset):
    """A dataset as users write them."""

    def __init__(self, count=5, make=lambda place: (np.full(2, place), place**2)):
        self.count, self.make = count, make

    def __len__(self):
        return self.count

    def __getitem__(self, place):
        if not 0 <= place < self.count:
            raise IndexError(place)
        return self.make(place)


class Stream(IterableDataset):
    def __init__(self, count):
        self.count = count

    def __iter__(self):
        return iter(range(self.count))


def test_the_path_is_pytorchs():
    assert tg.utils.data is tinygrad_conv.utils.data and tg.utils.data.DataLoader is tg.data.DataLoader
    assert set(tg.utils.data.__all__) <= set(tg.data.__all__)
    assert tg.utils.data.get_worker_info() is None


def test_examples_are_put_together_member_by_member():
    def together(make):
        return next(iter(DataLoader(Squares(3, make), 2)))

    x, y = together(lambda place: (np.full(2, place), place))
    assert x.tolist() == [[0, 0], [1, 1]] and y.tolist() == [0, 1] and y.dtype == np.int64
    batch = together(lambda place: {"x": np.ones(2), "name": f"image {place}", "at": (place, float(place))})
    assert list(batch) == ["x", "name", "at"] and batch["name"] == ["image 0", "image 1"]
    assert batch["x"].shape == (2, 2) and batch["at"][1].dtype == np.float32
    pair = together(lambda place: Pair(np.ones(3), place))
    assert type(pair) is Pair and pair.image.shape == (2, 3) and pair.label.tolist() == [0, 1]
    nested = together(lambda place: [[place], {"a": tg.ones(1)}])
    assert nested[0][0].tolist() == [0, 1] and nested[1]["a"].shape == (2, 1)
    assert together(lambda place: True).dtype == bool
    assert together(lambda place: np.float64(place)).dtype == np.float64
    assert together(lambda place: b"x") == [b"x", b"x"]
    assert together(lambda place: ()) == []
    assert default_collate([tg.ones(2), tg.zeros(2)]).tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize(
    "examples, dtype",
    [
        ([1, 2.5], np.float32),
        ([2.5, 1], np.float32),
        ([tg.tensor(1), tg.tensor(2.5)], np.float32),
        ([np.ones(2, np.int64), np.ones(2, np.float32)], np.float32),
        ([np.ones(2, np.float16), np.ones(2, np.int32)], np.float16),
        ([True, 2], np.int64),
        ([np.float32(1), np.float64(2)], np.float64),
    ],
)
def test_examples_meet_in_the_dtype_of_arithmetic(examples, dtype):
    batch = default_collate(examples)
    assert batch.dtype == dtype
    for number, example in zip(batch.tolist(), examples):
        np.testing.assert_array_equal(number, np.asarray(example))


def test_examples_that_require_a_gradient_get_it():
    x = tg.ones(4, 2, requires_grad=True)
    whole = TensorDataset(x)
    for dataset in (whole, [(x[place],) for place in range(4)], Subset(whole, range(4))):
        x.grad = None
        for number, (batch,) in enumerate(DataLoader(dataset, 2)):
            (batch * (number + 1)).sum().backward(retain_graph=True)
        assert x.grad.tolist() == [[1, 1], [1, 1], [2, 2], [2, 2]]


@pytest.mark.parametrize("name", "dataset batch_size drop_last shuffle sampler batch_sampler".split())
def test_what_a_loader_is_made_of_is_settled(name):
    loader = DataLoader(range(5), 2)
    with pytest.raises(ValueError, match=f"DataLoader: {name} is settled when a loader is made; make an"):
        setattr(loader, name, 3)
    assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    "examples, error, words",
    [
        ([None], DtypeError, "default_collate: an example is a NoneType, no array of numbers"),
        ([], ValueError, "default_collate: a batch needs at least one example"),
        ([np.ones(1), np.ones(2)], ShapeError, r"default_collate: examples of shapes \[1\], \[2\] cannot be"),
        (
            [{"a": 1}, {"b": 1}],
            TypeError,
            r"default_collate: an example has the keys \['a'\], another has \[",
        ),
        ([(1, 2), (1,)], ValueError, "default_collate: an example has 2 members, another 1; make them alike"),
        ([(1, 2), 3], ValueError, "default_collate: an example has 2 members, another is a int"),
        ([1, "a"], DtypeError, "default_collate: "),
        ([{1}], DtypeError, "default_collate: an example is a set"),
    ],
)
def test_examples_that_do_not_fit_together(examples, error, words):
    with pytest.raises(error, match=f"^{words}"):
        default_collate(examples)


def test_samplers_say_which_examples_come():
    loader = DataLoader(Squares(), sampler=[4, 0, 4], batch_size=2)
    assert [y.tolist() for _, y in loader] == [[16, 0], [16]] and len(loader) == 2
    loader = DataLoader(Squares(), batch_sampler=[[3], [1, 2]])
    assert [y.tolist() for _, y in loader] == [[9], [1, 4]] and len(loader) == 2 and loader.batch_size is None
    loader = DataLoader(Squares(), batch_sampler=BatchSampler(SequentialSampler(range(5)), 2, True))
    assert [y.tolist() for _, y in loader] == [[0, 1], [4, 9]] and len(loader) == 2

    class Evens(Sampler):
        def __iter__(self):
            return iter([0, 2, 4])

    loader = DataLoader(Squares(), sampler=Evens(), batch_size=3)
    assert [y.tolist() for _, y in loader] == [[0, 4, 16]]
    with pytest.raises(TypeError, match="has no len"):
        len(loader)
    single = DataLoader(Squares(), batch_size=None)
    assert [y for _, y in single] == [0, 1, 4, 9, 16] and len(single) == 5
    assert isinstance(next(iter(single))[0], tg.Tensor)
    assert list(DataLoader(Squares(), batch_size=None, collate_fn=lambda example: example[1])) == [
        0,
        1,
        4,
        9,
        16,
    ]
    keyed = DataLoader({"a": 1, "b": 2}, sampler=["b", "a"], batch_size=2)
    assert next(iter(keyed)).tolist() == [2, 1]


def test_streams_are_cut_into_batches():
    assert [batch.tolist() for batch in DataLoader(Stream(5), 2)] == [[0, 1], [2, 3], [4]]
    assert [batch.tolist() for batch in DataLoader(Stream(5), 2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(DataLoader(Stream(3), None)) == [0, 1, 2]
    assert list(DataLoader(Stream(4), 2, collate_fn=sum)) == [1, 5]
    endless = DataLoader(
        type("Endless", (IterableDataset,), {"__iter__": lambda self: itertools.count()})(), 2
    )
    assert next(iter(endless)).tolist() == [0, 1]
    with pytest.raises(TypeError, match="has no len"):
        len(endless)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: DataLoader([1], shuffle=True, sampler=[0]), "sampler says the order; leave out shuffle"),
        (lambda: DataLoader([1], 2, batch_sampler=[[0]]), "leave out batch_size"),
        (
            lambda: DataLoader([1], shuffle=True, drop_last=True, batch_sampler=[[0]]),
            "out shuffle, drop_last",
        ),
        (lambda: DataLoader([1], None, drop_last=True), r"\(batch_size None\) leave out drop_last"),
        (lambda: DataLoader(Stream(1), shuffle=True), "an order of its own; leave out shuffle"),
        (lambda: DataLoader(Stream(1), sampler=[0]), "an order of its own"),
        (lambda: DataLoader([1], generator=0, seed=0), "one of generator and seed"),
    ],
)
def test_options_that_exclude_each_other(make, words):
    with pytest.raises(ValueError, match=f"^DataLoader: .*{words}"):
        make()


def test_options_for_workers_change_nothing():
    loader = DataLoader(
        Squares(), 5, num_workers=4, pin_memory=True, persistent_workers=True, timeout=1, prefetch_factor=2
    )
    assert next(iter(loader))[1].tolist() == [0, 1, 4, 9, 16]


def test_a_generator_repeats_every_epoch():
    def epochs(**options):
        loader = DataLoader(Squares(20), 20, True, **options)
        return [next(iter(loader))[1].tolist() for _ in range(2)]

    first, second = epochs(generator=np.random.default_rng(1))
    assert first != second and epochs(generator=1) == epochs(seed=1) == [first, second]
    tg.manual_seed(0)
    unseeded = epochs()
    tg.manual_seed(0)
    assert epochs() == unseeded


def test_random_samplers():
    assert sorted(RandomSampler(range(7))) == list(range(7)) and len(RandomSampler(range(7))) == 7
    twice = list(RandomSampler(range(3), num_samples=7, generator=0))
    assert len(twice) == 7 and sorted(twice[:3]) == sorted(twice[3:6]) == [0, 1, 2]
    again = list(RandomSampler(range(3), True, 100, generator=0))
    assert len(again) == 100 and set(again) == {0, 1, 2}
    assert list(RandomSampler(range(3), True, 100, generator=0)) == again
    assert list(RandomSampler([])) == []
    assert sorted(SubsetRandomSampler([5, 7, 9])) == [5, 7, 9]
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert list(BatchSampler(SequentialSampler(range(5)), 2, False)) == [[0, 1], [2, 3], [4]]
    assert all(type(place) is int for place in RandomSampler(range(3)))


@pytest.mark.parametrize(
    "sampler",
    [RandomSampler(range(3), True, 10**12), WeightedRandomSampler([1, 2], 10**12)],
    ids=["random", "weighted"],
)
def test_more_indices_than_fit_in_memory_come_lot_by_lot(sampler):
    assert len(sampler) == 10**12
    drawn = list(itertools.islice(sampler, 150_000))
    assert len(drawn) == 150_000 and drawn[:70_000] != drawn[70_000:140_000]


@pytest.mark.parametrize("sampler", [np.array(1), tg.tensor(1), 3], ids=["array", "tensor", "number"])
def test_what_only_looks_iterable_is_no_sampler(sampler):
    with pytest.raises(TypeError, match="BatchSampler: sampler .*iterable of indices"):
        BatchSampler(sampler, 2, False)
    with pytest.raises(TypeError, match="DataLoader: sampler .*iterable of indices"):
        DataLoader([1, 2], sampler=sampler)


def test_weights_are_shares():
    drawn = collections.Counter(WeightedRandomSampler([0, 1, 3], 40000, generator=0))
    assert set(drawn) == {1, 2} and math.isclose(drawn[2] / 40000, 0.75, abs_tol=0.02)
    assert sorted(WeightedRandomSampler(tg.tensor([1.0, 0.0, 2.0]), 2, replacement=False)) == [0, 2]
    for size in (1e308, 5e-324):  # whose sum no float holds, or of which no share may be made by 1 / sum
        weights = np.full(4, size)
        assert list(WeightedRandomSampler(weights, 9, generator=0)) == list(
            WeightedRandomSampler(np.ones(4), 9, generator=0)
        )
    with pytest.raises(ValueError, match="2 of 1 examples with a weight above 0"):
        WeightedRandomSampler([1e308, 1e-300], 2, replacement=False)
    for weights, words in (
        ([-1.0, 2.0], "0 or more"),
        ([0.0, 0.0], "one above 0"),
        ([[1.0]], "a number or a seq"),
    ):
        with pytest.raises((ValueError, TypeError), match=f"WeightedRandomSampler: weights .*{words}"):
            WeightedRandomSampler(weights, 1)
    with pytest.raises(ValueError, match="cannot draw num_samples=2 of 1 examples .* without replacement"):
        WeightedRandomSampler([0, 1], 2, False)


def test_parts_of_datasets():
    part = Subset(Squares(), [4, 2])
    assert len(part) == 2 and part[0][1] == 16 and part[-1][1] == 4
    tensors = TensorDataset(np.arange(10.0), np.arange(10))
    x, y = next(iter(DataLoader(Subset(Subset(tensors, [9, 7, 5]), [2, 0]), 2)))
    assert x.tolist() == [5, 9] and y.tolist() == [5, 9]
    assert Subset(tensors, [9, 7, 5])[[2, 0]][1].tolist() == [5, 9]
    both = Squares(2) + tensors
    assert len(both) == 12 and both[1][1] == 1 and both[2][1].item() == 0 and both[-1][1].item() == 9
    assert both.cumulative_sizes == [2, 12] and isinstance(both, ConcatDataset)
    for place in (12, -13):
        with pytest.raises(IndexError, match=f"ConcatDataset: there is no example {place} of 12"):
            both[place]
    with pytest.raises(TypeError, match=r"ConcatDataset: datasets\[0\] is a Stream, which has no len"):
        Stream(1) + Squares()
    with pytest.raises(ValueError, match="at least one"):
        ConcatDataset([])
    with pytest.raises(NotImplementedError, match="Dataset has no examples: define `def __getitem__"):
        Dataset()[0]


@pytest.mark.parametrize(
    "count, lengths, sizes",
    [
        (10, [7, 3], [7, 3]),
        (10, [0.7, 0.3], [7, 3]),
        (11, [0.5, 0.5], [6, 5]),
        (10, [1 / 3, 1 / 3, 1 / 3], [4, 3, 3]),
        (5, [1.0], [5]),
        (5, [5, 0], [5, 0]),
        (0, [0, 0], [0, 0]),
    ],
)
def test_random_parts(count, lengths, sizes):
    parts = random_split(range(count), lengths, generator=0)
    assert [len(part) for part in parts] == sizes
    assert sorted(itertools.chain(*parts)) == list(range(count))
    again = random_split(range(count), lengths, generator=np.random.default_rng(0))
    assert [part.indices for part in again] == [part.indices for part in parts]


def test_random_parts_that_cannot_be():
    for lengths in ([7, 4], [0.5, 0.6], [-5, 15], [2.5, 7.5], []):
        with pytest.raises(ValueError, match="^random_split: lengths .* add up to the 10 examples"):
            random_split(range(10), lengths)
    with pytest.warns(UserWarning, match="random_split: part 1 has no examples"):
        random_split(range(2), [0.9, 0.1, 0.0][:2])


def test_one_example_stays_what_it_is():
    assert default_convert("a") == "a" and default_convert(3) == 3
    converted = default_convert({"x": np.ones(2), "pair": Pair(np.ones(1), 2)})
    assert isinstance(converted["x"], tg.Tensor) and isinstance(converted["pair"].image, tg.Tensor)
    assert isinstance(default_convert([np.float32(1)])[0], tg.Tensor)


@pytest.mark.torch
def test_names_and_arguments_are_pytorchs():
    theirs = pytest.importorskip("torch.utils.data")
    for name in tg.utils.data.__all__:
        ours = list(inspect.signature(getattr(tg.utils.data, name)).parameters)
        others = list(inspect.signature(getattr(theirs, name)).parameters)
        assert [name for name in ours if name in others] == [name for name in others if name in ours], name
    for lengths, count in (([0.7, 0.3], 11), ([0.1, 0.2, 0.7], 17), ([1 / 3] * 3, 10)):
        ours, others = (place.random_split(range(count), lengths) for place in (tg.utils.data, theirs))
        assert list(map(len, ours)) == list(map(len, others))
    loader, other = (
        place.DataLoader(list(range(7)), batch_size=3, drop_last=True) for place in (tg.utils.data, theirs)
    )
    assert [batch.tolist() for batch in loader] == [batch.tolist() for batch in other]
