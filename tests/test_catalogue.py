"""The catalogue of broken rules: what is right in it passes, and what is broken is told wrong."""

from __future__ import annotations

import sys
import warnings
from collections import Counter

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.checks.compare import compare
from tinygrad_conv.checks.fault import Fault
from tinygrad_conv.checks.gradcheck import function_of_leaves
from tinygrad_conv.checks.pullback import gradient_of
from tinygrad_conv.checks.tolerance import Tolerance
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import GradcheckError, RuleError

from .tools import catalogue

ENTRIES = [entry for family in catalogue.families() for entry in catalogue.entries(family)]
MISTAKES = catalogue.mistakes()
EXAM_ENTRIES = {
    exam: [entry for family in catalogue.families(exam) for entry in catalogue.entries(family)]
    for exam in catalogue.EXAMS
}
FRESH_ENTRIES = sum(EXAM_ENTRIES.values(), [])
FRESH_MISTAKES = [broken for exam in catalogue.EXAMS for broken in catalogue.mistakes(exam)]
TOLERANCE = Tolerance(1e-6, 1e-5, 1e-7)


def passes(source, op, folder, order):
    """gradcheck of the op in that source, on its inputs; a kink there would hide a mistake."""
    with catalogue.loaded(source, op, folder) as module, warnings.catch_warnings():
        warnings.simplefilter("error")
        function, inputs = catalogue.call_of(module, op)
        return tg.gradcheck(function, *inputs, order=order, repair=False)


@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.op)
def test_a_right_op_passes(entry, order, tmp_path):
    assert passes(entry.source, entry.op, tmp_path, order)


@pytest.mark.exhaustive
@pytest.mark.parametrize("entry", FRESH_ENTRIES, ids=lambda entry: entry.op)
def test_a_right_op_of_an_exam_passes(entry, tmp_path):
    """Its gradients, that is: half of the blind exam's ops make float64 of float32, which is told too."""
    try:
        assert passes(entry.source, entry.op, tmp_path, 2)
    except GradcheckError as error:
        assert entry.half == "blind" and error.kind == "wrong dtype", error


def agrees(broken, folder, order):
    """Whether gradcheck's comparison, without the words it then finds, sees no difference."""
    with catalogue.loaded(broken.source, broken.op, folder) as module, warnings.catch_warnings():
        warnings.simplefilter("error")
        fn, inputs = catalogue.call_of(module, broken.op)
        function, rng = function_of_leaves(fn, inputs), np.random.default_rng(0)
        try:
            compare(function, TOLERANCE, rng)
            if order == 2:
                compare(gradient_of(function, rng), TOLERANCE, rng)
        except (Fault, RuleError, RuntimeWarning, ValueError):  # a rule may leave its domain, or raise
            return False
        return True


@pytest.mark.exhaustive
@pytest.mark.parametrize("entry", ENTRIES + FRESH_ENTRIES, ids=lambda entry: entry.op)
def test_a_broken_rule_is_seen(entry, tmp_path):
    mistakes = [broken for broken in MISTAKES + FRESH_MISTAKES if broken.entry == entry]
    unseen = [(broken.rule, broken.says) for broken in mistakes if agrees(broken, tmp_path, broken.order)]
    early = [broken.says for broken in mistakes if broken.order == 2 and not agrees(broken, tmp_path, 1)]
    assert mistakes and not unseen and not early


FIRST_OF_EACH_RULE = {broken.says for broken in {broken.rule: broken for broken in MISTAKES}.values()}


@pytest.mark.exhaustive
@pytest.mark.parametrize("broken", MISTAKES, ids=lambda broken: broken.rule)
def test_gradcheck_tells_a_broken_rule_wrong(broken, tmp_path, monkeypatch):
    """With its diagnosis for one mistake of each rule: that takes most of the time."""
    if broken.says not in FIRST_OF_EACH_RULE:
        monkeypatch.setitem(sys.modules, "tinygrad_conv.checks.diagnosis", None)
    with pytest.raises(GradcheckError):
        passes(broken.source, broken.op, tmp_path, broken.order)


def test_the_catalogue_is_large_and_its_halves_share_no_op():
    assert len(MISTAKES) >= 300 and len(ENTRIES) >= 25
    assert len({broken.source for broken in MISTAKES}) == len(MISTAKES)
    halves = Counter(broken.half for broken in MISTAKES)
    assert set(halves) == {"seen", "kept back"} and min(halves.values()) > 0.4 * len(MISTAKES)
    assert not {broken.op for broken in catalogue.mistakes("seen")} & {
        broken.op for broken in catalogue.mistakes("kept back")
    }


@pytest.mark.parametrize("exam", catalogue.EXAMS)
def test_an_exam_is_large_and_shares_no_op_with_the_catalogue_or_the_package(exam):
    mistakes, ops = catalogue.mistakes(exam), [entry.op for entry in EXAM_ENTRIES[exam]]
    assert len(mistakes) >= 160 and len(ops) == len(set(ops)) >= 24
    assert len({broken.source for broken in mistakes}) == len(mistakes)
    assert {broken.half for broken in mistakes} == {exam}
    assert not {*ops} & {entry.op for entry in ENTRIES} and not {*ops} & set(OPS)
