"""What `import tinygrad_conv` brings at once, and what comes when it is asked for. The time itself is the
benchmark's.
"""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import tinygrad_conv as tg

from .helpers import more

LATER = ("checks", "data", "debug", "detect_anomaly", "gradcheck", "onnx", "profile")


def python(program):
    """What a program prints in a fresh interpreter."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_what_is_seldom_used_is_not_imported():
    loaded = (
        "import sys, numpy; before = {*sys.modules}; import tinygrad_conv; print(*{*sys.modules} - before)"
    )
    brought = {*python(loaded)}
    assert "tinygrad_conv.ops.conv" in brought
    dear = {
        "concurrent.futures",
        "logging",
        "dataclasses",
        "fractions",
        "numpy.random",
        "numpy.polynomial",
        "threadpoolctl",
    }
    own = {f"tinygrad_conv.{name}" for name in ("checks", "data", "debug", "nn.summary", "parallel")}
    assert not brought & {*dear, *own}


def test_mpi_comes_with_the_first_call_that_needs_it():
    assert python("import sys, tinygrad_conv as tg; tg.parallel; print('mpi4py' in sys.modules)") == ["False"]


@pytest.mark.parametrize("name", [LATER[0], *more(*LATER[1:])])
def test_names_that_come_later_are_there(name):
    assert (
        python(f"import tinygrad_conv as tg; tg.{name}; print('{name}' in vars(tg), '{name}' in dir(tg))")
        == ["True"] * 2
    )


def test_they_are_listed_before_they_are_there():
    assert python(f"import tinygrad_conv as tg; print({{*{LATER}}} <= {{*dir(tg)}}, 'data' in vars(tg))") == [
        "True",
        "False",
    ]


@pytest.mark.exhaustive
def test_every_public_name_comes_with_a_star():
    shown = python(
        "from tinygrad_conv import *; import tinygrad_conv as tg; print(*({*tg.__all__} - {*vars()}))"
    )
    assert shown == []


@pytest.mark.exhaustive
def test_packages_that_come_later_can_be_imported_by_name():
    assert python("import tinygrad_conv.data; print(tinygrad_conv.data.bars.__name__)") == ["bars"]
    assert python("from tinygrad_conv import gradcheck; print(gradcheck.__name__)") == ["gradcheck"]


def test_names_that_nobody_knows_are_refused():
    with pytest.raises(AttributeError, match="module 'tinygrad_conv' has no attribute 'nothing'"):
        tg.nothing  # noqa: B018


def test_an_op_asked_for_by_name_tells_its_rules():
    assert "Rule for w: conv2d_dw(" in inspect.getdoc(tg.ops.conv2d)


def test_a_rule_declared_later_is_told_too(scratch_ops):
    @tg.primitive
    def halved(x):
        """x / 2."""
        return x / 2

    assert "No rule for x" in inspect.getdoc(tg.ops.halved)

    @halved.grad("x")
    def halved_dx(dy):
        """A half."""
        return dy / 2

    assert "Rule for x: halved_dx(dy)" in inspect.getdoc(tg.ops.halved)
