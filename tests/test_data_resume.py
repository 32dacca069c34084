"""A loader that goes on where another one was: `state_dict` and `load_state_dict`."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.test_data_prefetch import KINDS, Noisy
from tinygrad_conv import data
from tinygrad_conv.data import DataLoader, RandomSampler, Subset, TensorDataset, WeightedRandomSampler
from tinygrad_conv.randomness.default import generator

MORE_KINDS = {
    **KINDS,
    "mt19937": lambda **options: DataLoader(
        Noisy(), 4, True, generator=np.random.Generator(np.random.MT19937(3)), **options
    ),
    "weighted": lambda **options: DataLoader(
        Noisy(3), 2, sampler=WeightedRandomSampler([1, 2, 3], 9, generator=2), **options
    ),
    "batches": lambda **options: DataLoader(
        Noisy(), batch_sampler=data.BatchSampler(RandomSampler(range(23), generator=4), 5, False), **options
    ),
    "lazy sampler": lambda **options: DataLoader(Noisy(5), 2, sampler=Lazy(), **options),
    "subset": lambda **options: DataLoader(Subset(KINDS["transformed"]().dataset, [1, 3, 5]), 2, **options),
    "joined": lambda **options: DataLoader(
        data.ConcatDataset([KINDS["transformed"]().dataset, [(tg.zeros(1, 3, 3), 1)] * 3]), 2, **options
    ),
}


class Lazy(data.Sampler):
    """Draws at each step."""

    def __len__(self):
        return 7

    def __iter__(self):
        for _ in range(7):
            yield int(tg.randint(0, 5, (1,)).item())


def seen_in(loader, epochs, state=None):
    """[(epoch, batch, what came, the state after it)] of some epochs."""
    seen = []
    for _ in range(epochs):
        for batch in loader:
            members = batch if isinstance(batch, list) else [batch]
            values = [np.asarray(getattr(member, "data", member)).tolist() for member in members]
            own = tg.rand(1).item()
            seen.append((values, own, loader.state_dict(), generator().get_state()))
    return seen


@pytest.mark.parametrize(
    "workers, later_workers",
    [(0, 2), *(pytest.param(2, later, marks=pytest.mark.exhaustive) for later in (0, 2))],
)
@pytest.mark.parametrize("kind", MORE_KINDS)
def test_after_each_batch_another_loader_goes_on_exactly(kind, workers, later_workers, tmp_path):
    make = MORE_KINDS[kind]
    tg.manual_seed(1)
    whole = seen_in(make(num_workers=workers), 3)
    expected = [(values, own) for values, own, *_ in whole]
    for place in range(0, len(whole), 3 if len(whole) > 12 else 1):
        *_, state, numbers = whole[place]
        tg.save(state, tmp_path / "state")
        tg.manual_seed(99)
        loader = make(num_workers=later_workers)
        loader.load_state_dict(tg.load(tmp_path / "state"))
        generator().set_state(numbers)
        rest = seen_in(loader, 3 - state["epochs"] + 1)
        assert [(values, own) for values, own, *_ in rest] == expected[place + 1 :], (place, state)


def orders(loader, epochs):
    """The batches of each epoch."""
    return [[x.tolist() for x in loader] for _ in range(epochs)]


def drawing_loader():
    """One whose examples draw."""
    return DataLoader(range(9), 2, shuffle=True, collate_fn=lambda _: tg.rand(2))


@pytest.mark.parametrize(
    "save, resume",
    [
        (
            lambda folder: tg.save(tg.get_rng_state(), folder),
            lambda folder: tg.set_rng_state(tg.load(folder)),
        ),
        (lambda folder: tg.Checkpoints(folder).save(1), lambda folder: tg.Checkpoints(folder).resume()),
    ],
)
def test_a_loader_made_after_a_resume_goes_on_as_one_made_there(save, resume, tmp_path):
    tg.manual_seed(1)
    orders(drawing_loader(), 3)
    save(tmp_path / "state")
    expected = orders(drawing_loader(), 2), tg.rand(1).item()
    tg.manual_seed(2)
    resume(tmp_path / "state")
    assert (orders(drawing_loader(), 2), tg.rand(1).item()) == expected


def test_a_state_from_before_seeds_were_counted_leaves_the_count():
    tg.manual_seed(1)
    loader = DataLoader(range(9), 2, shuffle=True)
    orders(loader, 2)
    older, state = tg.get_rng_state(), loader.state_dict()
    assert older.pop("seeds_taken") == 2
    expected = orders(loader, 1)
    other = DataLoader(range(9), 2, shuffle=True)
    other.load_state_dict(state)
    tg.set_rng_state(older)
    assert orders(other, 1) == expected and tg.get_rng_state()["seeds_taken"] == 3


def test_a_seed_begins_the_count_anew_and_copies_keep_it():
    made = tg.manual_seed(5)
    loader = drawing_loader()
    first = orders(loader, 2)
    twin = copy.deepcopy(made)
    assert twin.get_state() == made.get_state() and twin.seeds_taken == 2
    made.manual_seed(5)
    assert orders(loader, 2) == first


def test_between_epochs_and_before_the_first():
    make = MORE_KINDS["seeded"]
    loader = make()
    at_first = loader.state_dict()
    first = [place.tolist() for place, _ in loader]
    between = loader.state_dict()
    second = [place.tolist() for place, _ in loader]
    assert not at_first["is_running"] and not between["is_running"] and first != second
    for state, expected in ((at_first, [first, second]), (between, [second])):
        other = make()
        list(other)
        other.load_state_dict(state)
        assert [[place.tolist() for place, _ in other] for _ in expected] == expected


def test_after_the_last_batch_the_epoch_has_no_more():
    loader = DataLoader(TensorDataset(np.arange(6)), 2, True, seed=0)
    for _ in loader:
        state = loader.state_dict()  # the last one was not known to be the last
    other = DataLoader(TensorDataset(np.arange(6)), 2, True, seed=0)
    other.load_state_dict(state)
    assert list(other) == []
    assert [x.tolist() for (x,) in other] == [x.tolist() for (x,) in loader]


def test_a_state_is_of_what_was_handed_out_and_not_of_what_was_made():
    loader = MORE_KINDS["seeded"](num_workers=4, prefetch_factor=5)
    batches = iter(loader)
    assert loader.state_dict()["position"] == 0
    next(batches)
    next(batches)
    assert loader.state_dict()["position"] == 2 and loader.state_dict()["epochs"] == 1
    state = loader.state_dict()
    list(batches)
    assert loader.state_dict()["position"] == 0 and state["position"] == 2
    loader.load_state_dict(state)
    assert loader.state_dict() == state  # before it has gone on


def test_the_latest_loop_counts():
    loader = DataLoader(range(6), 2)
    first, second = iter(loader), iter(loader)
    next(first), next(first), next(second)
    assert loader.state_dict()["position"] == 1 and loader.state_dict()["epochs"] == 2
    assert len(list(first)) == 1 and loader.state_dict()["is_running"]


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda state: state.pop("seed"), "missing seed, unknown nothing"),
        (lambda state: state.update(more=1), "missing nothing, unknown more"),
        (lambda state: state.update(epochs=-1), "'epochs' .* must be an int from 0, not -1"),
        (lambda state: state.update(position=True), "'position' .* not True"),
        (lambda state: state.update(position=1.5), "'position' .* not 1.5"),
        (lambda state: state.update(seed=None), "'seed' .* not None"),
        (lambda state: state.update(is_running=1), "'is_running' must be True or False"),
        (lambda state: state.update(is_running=False), "no epoch is running"),
        (lambda state: state.update(position=7), "an epoch has 6 batches"),
        (lambda state: state.update(examples=24), "'examples' .* is 24; this loader has 23"),
        (lambda state: state.update(batch_size=5), "'batch_size' .* is 5; this loader has 4"),
        (lambda state: state.update(order=None), "'order' is None; this loader has a generator"),
        (lambda state: state.update(order={"state": 1}), "no state of a PCG64"),
        (lambda state: state["order"].update(bit_generator="MT19937"), "no state of a PCG64"),
        (lambda state: state["order"]["state"].update(state=-1), "no state of a PCG64"),
        (lambda state: state["order"]["state"].update(state="a"), "no state of a PCG64"),
        (lambda state: state.update(draws=None), "'draws' is None at position 2"),
        (lambda state: state.update(draws=[1]), "no state of a PCG64"),
        (lambda state: state.update(dataset={}), "'dataset' is .*, but this loader's dataset has no state"),
    ],
)
def test_a_state_that_cannot_be_leaves_the_loader_as_it_is(change, words):
    loader = MORE_KINDS["seeded"]()
    next(batches := iter(loader))
    next(batches)
    state = copy.deepcopy(loader.state_dict())
    change(state)
    before = loader.state_dict()
    with pytest.raises(ValueError, match=f"^DataLoader: .*{words}"):
        loader.load_state_dict(state)
    assert loader.state_dict() == before
    assert len(list(batches)) == 4


@pytest.mark.parametrize("state", [None, 3, [], "state", {}, {"epochs": 1}])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(ValueError, match="^DataLoader: the state cannot be loaded"):
        DataLoader(range(3)).load_state_dict(state)


def test_the_state_of_a_dataset_is_loaded_whole_or_not_at_all():
    def make():
        steps = [data.transforms.RandomErasing(1.0, seed=1), data.transforms.RandomHorizontalFlip(seed=2)]
        images = np.arange(90, dtype=np.uint8).reshape(10, 1, 3, 3)
        return DataLoader(data.ImageSet(images, np.arange(10), data.transforms.Compose(steps)), 3)

    loader = make()
    next(iter(loader))
    state = loader.state_dict()
    other = make()
    before = other.state_dict()
    broken = copy.deepcopy(state)
    broken["dataset"]["transform"]["1"]["generator"]["state"] = 5
    for wrong in (broken, {**state, "dataset": None}, {**state, "dataset": {"transform": {"0": {}}}}):
        with pytest.raises(ValueError):
            other.load_state_dict(wrong)
        assert other.state_dict() == before
    other.load_state_dict(state)
    assert other.state_dict() == state


def test_two_epochs_without_draws_between_them_differ():
    for options in ({}, {"seed": 3}):
        loader = DataLoader(Noisy(3), 3, **options)
        first, second = ([noise.tolist() for _, noise in loader] for _ in range(2))
        assert first != second
        again = DataLoader(Noisy(3), 3, **options)
        same = [noise.tolist() for _, noise in again] == first
        assert same == bool(options)


def test_a_stream_without_an_end_goes_on():
    class Endless(data.IterableDataset):
        def __iter__(self):
            return itertools.count()

    loader = DataLoader(Endless(), 2, num_workers=1)
    batches = iter(loader)
    for _ in range(3):
        next(batches)
    other = DataLoader(Endless(), 2)
    other.load_state_dict(loader.state_dict())
    assert next(iter(other)).tolist() == [6, 7]
