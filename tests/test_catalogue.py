"""The catalogue of broken rules: what is right in it passes, and what is broken is told wrong."""

from __future__ import annotations

import warnings
from collections import Counter

import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import GradcheckError

from .tools import catalogue

ENTRIES = [entry for family in catalogue.families() for entry in catalogue.entries(family)]
MISTAKES = catalogue.mistakes()


def passes(source, op, folder, order):
    """gradcheck of the op in that source, on its inputs; a kink there would hide a mistake."""
    with catalogue.loaded(source, op, folder) as module, warnings.catch_warnings():
        warnings.simplefilter("error")
        function, inputs = catalogue.call_of(module, op)
        return tg.gradcheck(function, *inputs, order=order)


@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.op)
def test_a_right_op_passes(entry, order, tmp_path):
    assert passes(entry.source, entry.op, tmp_path, order)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.op)
def test_a_broken_rule_is_told_wrong(entry, tmp_path):
    for broken in [broken for broken in MISTAKES if broken.op == entry.op]:
        if broken.order == 2:
            assert passes(broken.source, broken.op, tmp_path, order=1), broken.says
        with pytest.raises(GradcheckError):
            passes(broken.source, broken.op, tmp_path, broken.order)
            pytest.fail(f"passes: {broken.rule}: {broken.says}")


def test_the_catalogue_is_large_and_its_halves_share_no_op():
    assert len(MISTAKES) >= 300 and len(ENTRIES) >= 25
    assert len({broken.source for broken in MISTAKES}) == len(MISTAKES)
    halves = Counter(broken.half for broken in MISTAKES)
    assert set(halves) == {"seen", "kept back"} and min(halves.values()) > 0.4 * len(MISTAKES)
    assert not {broken.op for broken in catalogue.mistakes("seen")} & {
        broken.op for broken in catalogue.mistakes("kept back")
    }
