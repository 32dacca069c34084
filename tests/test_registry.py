"""Every registered op on every sample of its cases: gradients at order 1 and 2, dtypes, layouts, empty and
size-1 dimensions.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv  # noqa: F401 — declares the ops
from tinygrad_conv.checks import samples  # noqa: F401 — declares the cases
from tinygrad_conv.checks.cases import CASES
from tinygrad_conv.checks.command.op_check import (
    check_dtypes,
    check_layouts,
    check_scalars,
    compare_gradients,
)
from tinygrad_conv.engine.registry import OPS

from .helpers import more

ALL = [
    (case, sample, () if position == number == 0 else pytest.mark.exhaustive)
    for cases in CASES.values()
    for position, case in enumerate(cases)
    for number, sample in enumerate(case.samples())  # the first one has sizes as usual
]
BY_SAMPLE = pytest.mark.parametrize(
    ("case", "sample"),
    [pytest.param(case, sample, id=f"{case}-{sample}", marks=marks) for case, sample, marks in ALL],
)
pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value encountered")


@pytest.mark.parametrize("name", OPS)
def test_every_op_has_a_case(name):
    assert name in CASES, f"{name} has no case; declare one in tinygrad_conv/checks/samples/"


def test_every_case_has_an_op():
    assert set(CASES) <= set(OPS)


@pytest.mark.parametrize("name", CASES)
def test_the_cases_of_every_op_reach_empty_inputs_and_sizes_of_1(name):
    shapes = [np.shape(value) for case in CASES[name] for sample in case.samples() for value in sample.inputs]
    assert any(0 in shape for shape in shapes)
    assert any(1 in shape for shape in shapes)


@pytest.mark.parametrize("order", [1, *more(2)])
@BY_SAMPLE
def test_gradients(case, sample, order):
    assert not compare_gradients(case, sample, order=order), "the case draws kinks; use apart(…)"


@BY_SAMPLE
def test_dtypes(case, sample):
    check_dtypes(case, sample)


@BY_SAMPLE
def test_layouts(case, sample):
    check_layouts(case, sample)


@pytest.mark.parametrize("name", OPS)
def test_scalars(name):
    check_scalars(OPS[name])
