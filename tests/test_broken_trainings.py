"""The trainings that the doctor is examined with: each says what is wrong with it, and runs.

Whether the doctor knows them is asked by `python -m tests.broken_trainings seen`.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .broken_trainings.docstring import FOLDER, SETS, read, trainings
from .broken_trainings.examination import ROOT, Verdict

ALL = [training for name in SETS for training in trainings(name)]
BROKEN = [training for training in ALL if training.broken]
HEALTHY = [training for training in ALL if not training.broken]


def named(training):
    return str(training.path.relative_to(FOLDER))


@pytest.mark.parametrize(
    "name, broken, healthy", [("seen", 19, 10), ("kept", 19, 10), ("fresh", 24, 14), ("blind", 19, 10)]
)
def test_a_set_has_its_scripts(name, broken, healthy):
    kinds = [training.broken for training in trainings(name)]
    assert (kinds.count(True), kinds.count(False)) == (broken, healthy)


def test_no_two_scripts_share_a_name():
    assert len({training.name for training in ALL}) == len(ALL)


@pytest.mark.parametrize("training", BROKEN, ids=named)
def test_a_broken_training_says_what_is_wrong(training):
    compile(training.source, training.name, "exec")
    assert training.summary.endswith(".") and not training.summary.startswith("Healthy")
    assert training.reason.endswith(".") and training.harm.endswith(".")
    assert training.words and all(all(group) for group in training.words)
    assert len(training.line_numbers()) == len(training.lines)


@pytest.mark.parametrize("training", HEALTHY, ids=named)
def test_a_healthy_training_says_why_it_looks_suspicious(training):
    compile(training.source, training.name, "exec")
    assert training.summary.startswith("Healthy: ") and training.summary.endswith(".")
    assert not (training.reason or training.lines or training.words)


@pytest.mark.parametrize("training", BROKEN, ids=named)
def test_the_right_reason_itself_would_pass(training):
    """The words are those of a right diagnosis: the reason that the docstring gives has one of each group."""
    assert Verdict(training, 1, training.reason).words_missing() == []


@pytest.mark.parametrize("training", [training for training in BROKEN if training.lines], ids=named)
def test_the_line_alone_would_not_pass(training):
    lines = training.source.split("\n")
    quoted = "\n".join(lines[number - 1] for number in training.line_numbers())
    assert Verdict(training, 1, quoted).words_missing()


def test_a_verdict_asks_for_the_exit_code_and_a_word_of_each_group():
    training = read(FOLDER / "seen" / "broken" / "linear_regression_loop.py")
    report = "The gradients accumulate.\n  call zero_grad() before backward()\n"
    assert Verdict(training, 1, report).right
    assert not Verdict(training, 0, report).right
    assert not Verdict(training, 1, "The learning rate is large.").right
    assert Verdict(training, 1, report).first_lines() == ["The gradients accumulate."]


def test_a_verdict_knows_the_line_by_number_or_text():
    training = read(FOLDER / "seen" / "broken" / "linear_regression_loop.py")
    number = training.line_numbers()[0]
    assert Verdict(training, 1, f"training.py:{number}: here").line_named()
    assert Verdict(training, 1, "    optimizer.step()").line_named()
    assert not Verdict(training, 1, f"training.py:{number}0: there").line_named()


def test_a_healthy_training_is_right_without_findings_alone():
    training = HEALTHY[0]
    assert [Verdict(training, code, "").right for code in (0, 1, 2, None)] == [True, False, False, False]


@pytest.mark.exhaustive
@pytest.mark.parametrize("training", ALL, ids=named)
def test_a_training_runs_by_itself(training):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONWARNINGS", None)  # a broken one may overflow, with a warning
    done = subprocess.run(
        [sys.executable, str(training.path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
        timeout=60,
    )
    raises = "ends with an exception" in training.harm
    assert (done.returncode != 0) == raises, done.stderr
    assert done.stdout.strip() or raises
