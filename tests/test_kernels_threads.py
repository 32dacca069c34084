"""Sharing rows between threads changes nothing but the time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue

import numpy as np
import pytest

from tinygrad_conv import kernels
from tinygrad_conv.kernels import blas, processors, threads, workers
from tinygrad_conv.kernels.workers import Part, work_through

from .test_kernels import LARGER, Array, assert_same, larger_case, results


@pytest.fixture
def three_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """However small the work, three threads share it."""
    if not blas.libraries():
        pytest.skip("NumPy has a BLAS here that cannot be held")
    before = kernels.get_num_threads()
    monkeypatch.setattr(threads, "WORTH_SHARING", 0.0)
    kernels.set_num_threads(3)
    yield
    kernels.set_num_threads(before)


def blas_threads() -> list[int]:
    """How many threads each BLAS library has now."""
    return [library.get_threads() for library in blas.libraries()]


@pytest.mark.parametrize("name", LARGER)
def test_shared_results_are_right_and_the_same_in_every_run(name: str, three_threads: None) -> None:
    case, before = larger_case(name), blas_threads()
    with kernels.use_kernels("reference"):
        expected = results(case)
    first, second = results(case), results(case)
    for key in expected:
        assert_same(first[key], expected[key], 3e-5)
        np.testing.assert_array_equal(first[key], second[key])
    assert blas_threads() == before


def test_pooling_is_shared_too(three_threads: None) -> None:
    x = np.random.default_rng(0).standard_normal((4, 3, 16, 16)).astype(np.float32)
    window = kernels.make_window((16, 16), (2, 2), (2, 2))
    y, tap = kernels.max_pool(x, window)
    dx = kernels.scatter_taps(y, tap, window)
    with kernels.use_kernels("reference"):
        expected_y, expected_tap = kernels.max_pool(x, window)
        np.testing.assert_array_equal(dx, kernels.scatter_taps(y, tap, window))
    np.testing.assert_array_equal(y, expected_y)
    np.testing.assert_array_equal(tap, expected_tap)


def test_users_threads_do_not_disturb_each_other(three_threads: None) -> None:
    cases, before = (
        [larger_case(name) for name in ("winograd", "stride 2", "lenet", "grouped")],
        blas_threads(),
    )
    expected = [results(case) for case in cases]
    failures: list[str] = []

    def compute(number: int) -> None:
        for _ in range(5):
            for name, value in results(cases[number]).items():
                if not np.array_equal(value, expected[number][name]):
                    failures.append(f"{name} of case {number}")

    users = [threading.Thread(target=compute, args=(number,)) for number in range(len(cases))]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert not failures
    assert blas_threads() == before


def test_every_thread_can_hold_blas(three_threads: None) -> None:
    """Newer threadpoolctl lets one thread of the process set the number, and silently ignores all others."""
    seen: list[list[int]] = []

    def hold() -> None:
        with blas.blas_held():
            seen.append(blas_threads())

    before = blas_threads()
    hold()
    other = threading.Thread(target=hold)
    other.start()
    other.join()
    assert seen == [[1] * len(before)] * 2
    assert blas_threads() == before


def test_choices_of_one_thread_are_not_anothers() -> None:
    seen: list[str | None] = []
    case = larger_case("lenet")

    def compute() -> None:
        kernels.correlate(case.x, case.w, case.window)
        seen.append(kernels.served())

    with kernels.use_kernels("reference"):
        other = threading.Thread(target=compute)
        other.start()
        other.join()
        compute()
    assert seen == ["im2col", "reference"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_computes_on(three_threads: None) -> None:
    case = larger_case("lenet")
    expected = kernels.correlate(case.x, case.w, case.window)
    child = os.fork()
    if child == 0:
        same = np.array_equal(kernels.correlate(case.x, case.w, case.window), expected)
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_error_in_any_part_arrives_when_no_other_runs(failing: int, three_threads: None) -> None:
    error = KeyboardInterrupt if failing == 0 else ValueError  # Ctrl-C only ever reaches the main thread
    begun, finished = [], []

    def work(first: int, last: int) -> None:
        if first == failing:
            raise error
        begun.append(first)
        time.sleep(0.01)
        finished.append(first)

    with pytest.raises(error):
        threads.share(work, 3, 1.0)
    at_the_error = sorted(finished)
    time.sleep(0.03)
    assert sorted(begun) == sorted(finished) == at_the_error


def test_what_no_thread_has_begun_the_sharer_does_itself(three_threads: None) -> None:
    """As where other programs keep all processors busy."""
    awake = threading.Event()
    busy = [Part(lambda first, last: awake.wait(), 0, 1, {}) for _ in range(2)]
    for part in busy:
        threads._state.pool().take(part)
    done = []
    try:
        shared = threads.share(lambda first, last: done.append(first) or (first, last), 10, 1e6)
    finally:
        awake.set()
    assert shared == [(0, 3), (3, 6), (6, 10)] and all(part.outcome() for part in busy)
    assert done == [0, 3, 6]


def test_who_is_interrupted_with_a_part_in_hand_does_not_wait_for_it(
    three_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come between the claim and the work: nobody would ever say that such a part is done."""
    begun, awake, caught = threading.Barrier(3), threading.Event(), []
    for _ in range(2):
        threads._state.pool().take(Part(lambda first, last: (begun.wait(), awake.wait()), 0, 1, {}))
    begun.wait()  # both workers are busy

    def interrupted(part: Part) -> None:
        raise KeyboardInterrupt

    def sharing() -> None:
        try:
            threads.share(lambda first, last: first, 3, 1e6)
        except KeyboardInterrupt as error:
            caught.append(error)

    monkeypatch.setattr(Part, "run", interrupted)
    sharer = threading.Thread(target=sharing, daemon=True)
    sharer.start()
    sharer.join(timeout=30)
    monkeypatch.undo()
    awake.set()
    assert len(caught) == 1


def test_workers_have_the_sharers_error_settings(three_threads: None) -> None:
    def work(first: int, last: int) -> str:
        return np.geterr()["over"]

    with np.errstate(over="raise"):
        assert threads.share(work, 3, 1.0) == ["raise"] * 3
    with np.errstate(over="ignore"):
        assert threads.share(work, 3, 1.0) == ["ignore"] * 3


needs_processors = pytest.mark.skipif(
    processors.current_processor() is None or len(os.sched_getaffinity(0)) < 2,
    reason="threads have one processor here, or none that they know of",
)


@needs_processors
def test_a_thread_that_has_one_processor_alone_stays_there() -> None:
    allowed = os.sched_getaffinity(0)
    here = processors.current_processor()
    assert here in allowed
    try:
        os.sched_setaffinity(0, {here})
        processors.leave(here)
        assert os.sched_getaffinity(0) == {here}
        assert processors.current_processor() == here
    finally:
        os.sched_setaffinity(0, allowed)


@needs_processors
def test_a_thread_is_elsewhere_when_it_has_left() -> None:
    """Afterwards the scheduler may have it return, which it hardly ever does at once."""
    left = []
    for _ in range(10):
        here = processors.current_processor()
        processors.leave(here)
        left.append(processors.current_processor() != here)
    assert sum(left) > 5


@needs_processors
def test_a_worker_leaves_the_processor_of_who_shares(
    three_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may run where it might before, and a thread that is elsewhere, or shares, is left alone."""
    told: list[tuple[int, set[int]]] = []
    set_affinity, allowed, sharer = os.sched_setaffinity, os.sched_getaffinity(0), threading.get_native_id()

    def set_and_tell(pid: int, mask: set[int]) -> None:
        told.append((threading.get_native_id(), mask))
        set_affinity(pid, mask)

    here = {sharer: 0}
    monkeypatch.setattr(os, "sched_setaffinity", set_and_tell)
    monkeypatch.setattr(processors, "current_processor", lambda: here.get(threading.get_native_id(), 1))
    monkeypatch.setattr(workers, "current_processor", processors.current_processor)
    seen = threads.share(lambda first, last: time.sleep(0.02) or os.sched_getaffinity(0), 3, 1e6)
    assert told == [] and seen == [allowed] * 3
    here[sharer] = 1
    seen = threads.share(lambda first, last: time.sleep(0.02) or os.sched_getaffinity(0), 3, 1e6)
    masks = [[mask for thread, mask in told if thread == each] for each in {thread for thread, _ in told}]
    assert sharer not in {thread for thread, _ in told} and seen == [allowed] * 3
    assert masks == [[allowed - {1}, allowed]] * 2


@needs_processors
def test_a_worker_that_may_not_leave_works_where_it_is(
    three_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(pid: int, mask: set[int]) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    monkeypatch.setattr(processors, "current_processor", lambda: min(os.sched_getaffinity(0)))
    monkeypatch.setattr(workers, "current_processor", processors.current_processor)
    assert threads.share(lambda first, last: time.sleep(0.02) or last, 3, 1e6) == [1, 2, 3]


def test_parts_are_consecutive_and_in_order(three_threads: None) -> None:
    assert threads.share(lambda first, last: (first, last), 10, 1e6) == [(0, 3), (3, 6), (6, 10)]
    assert threads.share(lambda first, last: (first, last), 2, 1e6) == [(0, 1), (1, 2)]
    assert threads.share(lambda first, last: (first, last), 0, 1e6) == [(0, 0)]


def test_a_part_may_share_its_own_work(three_threads: None) -> None:
    def outer(first: int, last: int) -> list[tuple[int, int]]:
        return threads.share(lambda begin, end: (first + begin, first + end), last - first, 1e6)

    for _ in range(50):
        parts = [pair for several in threads.share(outer, 12, 1e6) for pair in several]
        assert sorted(place for begin, end in parts for place in range(begin, end)) == list(range(12))


def test_who_shared_a_part_and_did_it_does_not_do_it_again() -> None:
    """As a worker, it takes from the queue what it has put there from within another part."""
    done, queue = [], SimpleQueue()
    part = Part(lambda first, last: done.append((first, last)), 0, 3, {})
    queue.put(part)
    queue.put(None)
    part.outcome()
    work_through(queue)
    assert done == [(0, 3)]


def test_the_sharer_has_more_to_do_the_less_there_is(three_threads: None) -> None:
    """For its helpers begin later. But each of them has something."""
    lengths = [
        threads.share(lambda first, last: last - first, 100, time) for time in (1.0, 100.0, 400.0, 1e6)
    ]
    assert lengths == [[98, 1, 1], [60, 20, 20], [40, 30, 30], [33, 33, 34]]


def test_a_blas_that_cannot_be_held_keeps_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "libraries", lambda: ())
    before = threads._state.wanted
    with pytest.warns(UserWarning, match="pip install threadpoolctl"):
        kernels.set_num_threads(4)
    try:
        assert kernels.get_num_threads() == 1
        case = larger_case("winograd")
        expected: Array = results(case)["y"]
        np.testing.assert_allclose(
            kernels.correlate(case.x, case.w, case.window), expected, rtol=1e-4, atol=1e-4
        )
    finally:
        threads._state.change(before)


def test_set_num_threads_wants_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        kernels.set_num_threads(0)
