"""Batches made ahead by a thread: the same ones, its errors, and its end."""

from __future__ import annotations

import copy
import gc
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import data
from tinygrad_conv.data import DataLoader, IterableDataset, RandomSampler, TensorDataset

from .helpers import more


class Noisy:
    """Examples that draw, from the default generator."""

    def __init__(self, count=23):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, place):
        return place, tg.rand(2)


class NoisyStream(IterableDataset):
    def __iter__(self):
        return (tg.rand(2) for _ in range(11))


class Broken(Noisy):
    """Has an example that cannot be had."""

    def __getitem__(self, place):
        if place == 7:
            raise KeyError("the seventh is missing")
        return place


def threads():
    gc.collect()
    return [thread for thread in threading.enumerate() if thread.name == "tinygrad_conv DataLoader"]


def run(make, epochs=3, leave_at=None):
    """All that a loop sees and draws itself, over epochs; of the second one perhaps only the beginning."""
    tg.manual_seed(5)
    loader, seen = make(), []
    for epoch in range(epochs):
        for number, batch in enumerate(loader):
            members = batch if isinstance(batch, list) else [batch]
            seen += [np.asarray(getattr(member, "data", member)).tolist() for member in members]
            seen.append(tg.rand(1).item())
            if epoch == 1 and number == leave_at:
                break
    return seen


KINDS = {
    "shuffled": lambda **options: DataLoader(Noisy(), 4, True, **options),
    "seeded": lambda **options: DataLoader(Noisy(), 4, True, seed=1, **options),
    "in order": lambda **options: DataLoader(Noisy(), 5, drop_last=True, **options),
    "stream": lambda **options: DataLoader(NoisyStream(), 3, **options),
    "singles": lambda **options: DataLoader(Noisy(9), None, **options),
    "lots": lambda **options: DataLoader(
        Noisy(3), 2, sampler=RandomSampler(range(3), num_samples=14), **options
    ),
    "stacked": lambda **options: DataLoader(TensorDataset(np.arange(10.0)), 3, True, **options),
    "collated": lambda **options: DataLoader(
        range(10), 3, True, collate_fn=lambda batch: [tg.rand(len(batch))], **options
    ),
    "transformed": lambda **options: DataLoader(
        data.ImageSet(
            np.arange(90, dtype=np.uint8).reshape(10, 1, 3, 3),
            np.arange(10),
            data.transforms.RandomErasing(1.0, seed=3),
        ),
        3,
        **options,
    ),
}


@pytest.mark.parametrize("leave_at", [1, *more(None, 0)])
@pytest.mark.parametrize("kind", [*list(KINDS)[::3], *more(*list(KINDS)[1::3], *list(KINDS)[2::3])])
def test_everything_is_the_same_with_and_without_a_thread(kind, leave_at):
    without = run(KINDS[kind], leave_at=leave_at)
    for options in ({"num_workers": 1}, {"num_workers": 3, "prefetch_factor": 4}):
        assert run(lambda options=options: KINDS[kind](**options), leave_at=leave_at) == without
    assert not threads()


@pytest.mark.exhaustive
def test_batches_come_from_a_thread_that_is_only_so_far_ahead():
    made, names = [], set()

    class Counted(Noisy):
        def __getitem__(self, place):
            made.append(place)
            names.add(threading.current_thread())
            return place

    batches = iter(DataLoader(Counted(), 1, num_workers=2, prefetch_factor=3))
    assert next(batches).tolist() == [0]
    deadline = time.monotonic() + 20
    while len(made) < 7 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert made == list(range(7)) and names == set(threads())
    del batches
    assert not threads()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_is_raised_in_the_loop_with_its_lines_and_the_loader_goes_on(workers):
    loader, seen = DataLoader(Broken(), 2, num_workers=workers), []
    for _ in range(2):
        with pytest.raises(KeyError, match="the seventh is missing") as raised:
            for batch in loader:
                seen.append(batch.tolist())
        lines = "".join(traceback.format_exception(raised.value))
        assert 'raise KeyError("the seventh is missing")' in lines and "for batch in loader" in lines
        del raised
    assert seen == [[0, 1], [2, 3], [4, 5]] * 2 and not threads()
    batches = iter(loader)
    first = [next(batches).tolist() for _ in range(3)]
    with pytest.raises(KeyError):
        next(batches)
    assert next(batches).tolist() == [8, 9] and first == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("error", [SystemExit("no"), KeyboardInterrupt()])
def test_what_ends_programs_reaches_the_loop_too(error):
    class Ends(Noisy):
        def __getitem__(self, place):
            raise error

    batches = iter(DataLoader(Ends(), 1, num_workers=1))
    with pytest.raises(type(error)):
        next(batches)
    assert list(batches) == []


@pytest.mark.exhaustive
def test_a_loop_that_is_left_ends_its_thread():
    loader = DataLoader(Noisy(), 1, num_workers=2)
    for _ in loader:
        assert len(threads()) == 1
        break
    assert not threads()
    with pytest.raises(ZeroDivisionError):
        for _ in loader:
            raise ZeroDivisionError
    assert not threads()

    def generator():
        yield from loader

    going = generator()
    next(going)
    going.close()
    assert not threads()
    pairs = list(zip(loader, loader))
    assert [first[0].tolist() for first, _ in pairs] == [second[0].tolist() for _, second in pairs]
    assert len(pairs) == 23


def test_the_thread_has_the_modes_of_the_loop_and_no_observer():
    class Modes(Noisy):
        def __getitem__(self, place):
            assert not tg.is_grad_enabled() and tg.get_default_dtype() == np.float64
            return tg.ones(1) * 2

    before = tg.get_default_dtype()
    tg.set_default_dtype("float64")
    try:
        with tg.no_grad():
            assert next(iter(DataLoader(Modes(), 2, num_workers=1))).dtype == np.float64
    finally:
        tg.set_default_dtype(before)


def test_loaders_are_copied_without_their_threads():
    loader = DataLoader(TensorDataset(np.arange(6.0)), 2, True, seed=1, num_workers=1)
    batches = iter(loader)
    next(batches)
    other, unpickled = copy.deepcopy(loader), pickle.loads(pickle.dumps(loader))
    assert [batch[0].tolist() for batch in other] == [batch[0].tolist() for batch in unpickled]


def test_options_of_the_thread_are_looked_at():
    for options in ({"num_workers": -1}, {"prefetch_factor": 0}, {"prefetch_factor": "many"}):
        with pytest.raises((ValueError, TypeError), match="DataLoader: (num_workers|prefetch_factor) must"):
            DataLoader([1], **options)


PROGRAM = """
import sys, time
from tinygrad_conv.data import DataLoader
class Slow:
    def __len__(self): return 1000
    def __getitem__(self, place):
        time.sleep({pause})
        return place
loader = DataLoader(Slow(), 1, num_workers=2)
kept = iter(loader)
try:
    for number, batch in enumerate(loader):
        if number == 2:
            print("running", flush=True)
            {then}
except KeyboardInterrupt:
    print("interrupted", flush=True)
    print(next(iter(loader)).tolist(), flush=True)
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "pause, then, is_interrupted, said",
    [
        (0.001, "time.sleep(60)", True, "running\ninterrupted\n[0]\n"),  # in the loop's body
        (0.01, "pass", True, "running\ninterrupted\n[0]\n"),  # nearly always while it waits for a batch
        *(
            pytest.param(0.001, then, False, "running\n", marks=pytest.mark.exhaustive)
            for then in ("break", "sys.exit()", "1 / 0")
        ),
    ],
    ids=["in the body", "waiting", "break", "exit", "error"],
)
def test_programs_end(pause, then, is_interrupted, said):
    """With a thread of a loop that is still there, and one that is left or interrupted."""
    script = PROGRAM.format(pause=pause, then=then)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        first = process.stdout.readline()
        if is_interrupted:
            time.sleep(0.05)
            process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert first + rest == said
    assert ("ZeroDivisionError" in errors) == (then == "1 / 0") and "Fatal" not in errors
    assert process.returncode == (1 if then == "1 / 0" else 0)
