"""A short share of each campaign of the attack (tests/attack), and of what the campaigns share."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.attack import interrupts
from tests.attack.__main__ import campaign_named, campaigns, main
from tests.attack.campaign import (
    IDLE,
    Campaign,
    IdleSeconds,
    TrialTimeout,
    attack,
    failure_of,
    shrunk,
    time_limit,
)
from tests.attack.kernels import Case
from tests.attack.replays import SIMPLEST

TRIALS = {"threads": 5}  # for about a second each; 6 of the others


MARKS = {"programs": pytest.mark.torch}  # what the others do not need


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in campaigns()])
def test_a_short_share_of_each(name):
    if name == "programs":
        pytest.importorskip("torch")
    result = attack(campaign_named(name), TRIALS.get(name, 6), seed=1)
    assert not result.failures, "\n".join(map(str, result.failures))


def test_the_kernels_are_not_attacked_in_vain(monkeypatch):
    """Winograd as it would be, did it not look at what it mixes."""
    monkeypatch.setattr("tinygrad_conv.kernels.conv.winograd.mixable", lambda *energies: True)
    campaign = campaign_named("kernels")
    case = Case(channels=2, size=(9, 3), kernel=(3, 1), special="outlier", share=0.05)
    error = failure_of(campaign, case)
    assert "by winograd, served by winograd" in str(error)
    assert shrunk(campaign, case, error)[0].channels == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("optimizer", ["SGD", "momentum", "Adam", "two groups"])
def test_replays_are_not_attacked_in_vain(optimizer, monkeypatch):
    """A guard as it would be, did it not look at which array a parameter has."""
    monkeypatch.setattr("tinygrad_conv.replay.guard.Guard.moved", lambda guard: False)
    campaign = campaign_named("replays")
    case = campaign.make(np.random.default_rng(0))
    case = replace(case, **SIMPLEST, layers=("relu",), extras=(), calls=("", "", "", "another array", ""))
    case = replace(case, optimizer=optimizer)
    error = failure_of(campaign, case)
    assert "differs" in str(error)
    assert shrunk(campaign, case, error)[0].layers == ()


class AtMost(Campaign):
    """Numbers are at most 10."""

    def make(self, random):
        return int(random.integers(0, 1000))

    def check(self, case):
        assert case <= 10

    def smaller(self, case):
        return [case // 2, case - 1] if case else []


def test_a_failure_is_shrunk_and_can_be_repeated():
    result = attack(AtMost(), 100, seed=3)
    assert {failure.case for failure in result.failures} == {11}
    assert str(result) == f"passed {100 - len(result.failures)} of 100"
    assert str(attack(AtMost(), 100, seed=3)) == str(result)


def test_a_hang_is_a_failure(monkeypatch):
    with pytest.raises(TrialTimeout, match="computed for more than 0.05 s"), time_limit(0.05):
        while True:
            pass
    monkeypatch.setattr("tests.attack.campaign.IDLE_SECONDS_A_TRIAL", 1)
    monkeypatch.setattr("tests.attack.campaign.IDLE", 0.5)  # other tests' threads may look now and then
    with pytest.raises(TrialTimeout, match="waited for 1 s without computing"), time_limit(20):
        time.sleep(20)


def test_seconds_in_which_something_was_computed_are_no_hang(monkeypatch):
    computed = iter([0.0, 0.5, 0.5 + 2 * IDLE, 1.0, 1.0])  # in this process so far, whenever it is asked
    monkeypatch.setattr("tests.attack.campaign.time", SimpleNamespace(process_time=lambda: next(computed)))
    monkeypatch.setattr("tests.attack.campaign.IDLE_SECONDS_A_TRIAL", 1)
    count = IdleSeconds()
    for _ in range(3):
        count()
    with pytest.raises(TrialTimeout, match="waited"):
        count()


def test_the_command_says_how_it_went(monkeypatch, capsys):
    monkeypatch.setattr("tests.attack.__main__.campaign_named", lambda name: AtMost())
    assert main(["threads", "--seconds", "0.1", "--seed", "3"]) == 1
    *failures, last = capsys.readouterr().out.splitlines()
    assert failures[0] == "threads: seed 3"
    assert last.startswith("passed ")
    trial = next(line for line in failures if line.startswith("trial ")).split()[1].rstrip(":")
    assert main(["threads", "--seed", "3", "--trial", trial]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "passed 0 of 1"


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file that was just opened
@pytest.mark.parametrize("action", ["save_recording", "save_page", "save_profile", "save_checkpoint"])
def test_an_interrupt_anywhere_in_saving_leaves_a_whole_file(action):
    campaign = campaign_named("interrupts")
    for line in range(0, 2**20, 2**20 // 12):
        campaign.check(interrupts.Case(action, "SGD", "float32", layers=1, steps=0, line=line, seed=0))


@pytest.mark.exhaustive
@pytest.mark.parametrize("action", ["save_page", "save_profile"])
def test_a_file_that_is_emptied_first_is_noticed(action, monkeypatch):
    def write(path):
        with open(path, "wb") as file:
            yield file

    monkeypatch.setattr("tinygrad_conv.atomic_write.replacing", contextmanager(write))
    cases = [interrupts.Case(action, "SGD", "float32", 1, 0, line, seed=0) for line in range(-20, 0)]
    assert any(failure_of(campaign_named("interrupts"), case) for case in cases)
