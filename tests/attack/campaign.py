"""What the campaigns share: drawing a case, holding it to its time, and shrinking it where it fails."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

SECONDS_A_TRIAL = 20  # of computing: a trial that takes longer counts as a hang
IDLE_SECONDS_A_TRIAL = 60  # that pass without computing: it waits for what never comes
IDLE = 1e-3  # seconds of computing within a second by the clock, at the most
SHRINKING_STEPS = 200  # how many smaller cases of a failure are tried at the most


class Campaign:
    """Makes cases, and says what must hold of them. A case is plain data that its repr shows in full."""

    def make(self, random: np.random.Generator) -> Any:
        """A case, drawn at random."""
        raise NotImplementedError

    def check(self, case: Any) -> None:
        """Raise where something does not hold of the case."""
        raise NotImplementedError

    def smaller(self, case: Any) -> Iterable[Any]:
        """Cases somewhat simpler than this one, the simplest first: one that fails too says it better."""
        return ()


class TrialTimeout(BaseException):
    """A trial hangs. No Exception, so that nothing under attack can swallow it."""


@dataclass
class Failure:
    """A case that failed, shrunk, and how."""

    trial: int
    case: Any
    error: BaseException

    def __str__(self) -> str:
        return f"trial {self.trial}: {self.case!r}\n    {type(self.error).__name__}: {self.error}"


@dataclass
class Result:
    """How an attack went."""

    trials: int
    failures: list[Failure]

    def __str__(self) -> str:
        return f"passed {self.trials - len(self.failures)} of {self.trials}"


def run(campaign: Campaign, trials: Iterable[int], seed: int) -> Iterator[Failure | None]:
    """Try these trials, one after another: each draws its case from the seed and its own number alone."""
    for trial in trials:
        case = campaign.make(np.random.default_rng([seed, trial]))
        error = failure_of(campaign, case)
        yield None if error is None else Failure(trial, *shrunk(campaign, case, error))


def attack(campaign: Campaign, trials: int, seed: int = 0) -> Result:
    """So many trials."""
    outcomes = list(run(campaign, range(trials), seed))
    return Result(len(outcomes), [failure for failure in outcomes if failure is not None])


def failure_of(campaign: Campaign, case: Any) -> BaseException | None:
    """What the check of a case raises."""
    try:
        with time_limit(SECONDS_A_TRIAL):
            campaign.check(case)
    except (Exception, TrialTimeout) as error:
        return error
    return None


def shrunk(campaign: Campaign, case: Any, error: BaseException) -> tuple[Any, BaseException]:
    """The simplest case that can be found of this failure: a smaller one that fails in the same way."""
    steps = 0
    candidates = iter(campaign.smaller(case))
    while steps < SHRINKING_STEPS:
        candidate = next(candidates, None)
        if candidate is None:
            break
        steps += 1
        candidate_error = failure_of(campaign, candidate)
        if type(candidate_error) is type(error):
            case, error = candidate, candidate_error
            candidates = iter(campaign.smaller(case))
    return case, error


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TrialTimeout in what runs inside once it computed for so long, or waits for what never comes.

    (Where the system has such timers.)
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    with timer(signal.SIGPROF, signal.ITIMER_PROF, computed_too_long(seconds), seconds):
        with timer(signal.SIGALRM, signal.ITIMER_REAL, IdleSeconds(), 1, again=1):
            yield


@contextmanager
def timer(
    number: int, kind: int, handler: Callable[..., None], seconds: float, again: float = 0
) -> Iterator[None]:
    """Call the handler after so many seconds of a kind of time, and again after each so many more."""
    before = signal.signal(number, handler)
    signal.setitimer(kind, seconds, again)
    try:
        yield
    finally:
        signal.setitimer(kind, 0)
        signal.signal(number, before)


def computed_too_long(seconds: float) -> Callable[..., None]:
    """A handler that says so."""

    def stop(*_: object) -> None:
        raise TrialTimeout(f"it computed for more than {seconds} s")

    return stop


class IdleSeconds:
    """A handler that counts the seconds in which nothing was computed.

    Not all that pass by the clock: on a busy machine a trial gets little of each, and one that was stopped
    and goes on again gets its signals of the meantime as one.
    """

    def __init__(self) -> None:
        self.count, self.computed = 0, time.process_time()

    def __call__(self, *_: object) -> None:
        before, self.computed = self.computed, time.process_time()
        if self.computed - before < IDLE:
            self.count += 1
        if self.count >= IDLE_SECONDS_A_TRIAL:
            raise TrialTimeout(f"it waited for {self.count} s without computing")


def until(seconds: float) -> Iterator[int]:
    """The numbers of trials for as long as the time lasts, at least one."""
    end = time.monotonic() + seconds
    trial = 0
    while trial == 0 or time.monotonic() < end:
        yield trial
        trial += 1
