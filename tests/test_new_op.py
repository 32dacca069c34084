"""The ways in for somebody with an op of their own: `new-op`, and `assert_rule` in their tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.tools.broken import make_op
from tinygrad_conv.checks import assert_rule
from tinygrad_conv.errors import GradcheckError


def run(folder, *arguments):
    project = str(Path(tg.__file__).parents[1])  # installed or not
    environment = {**os.environ, "PYTHONPATH": project}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_what_new_op_writes_runs_and_passes_the_check(tmp_path):
    status, out, _ = run(tmp_path, "-m", "tinygrad_conv", "new-op", "my_cap")
    assert status == 0 and "wrote my_cap.py" in out
    status, out, error = run(tmp_path, "my_cap.py")
    assert (status, error) == (0, "") and "the gradient is right" in out
    status, out, _ = run(tmp_path, "-m", "tinygrad_conv", "check", "my_cap.py")
    assert status == 0 and "1 op checked, all right" in out and "guessed" not in out


@pytest.mark.exhaustive
def test_a_rule_that_was_forgotten_is_what_the_check_tells_of(tmp_path):
    run(tmp_path, "-m", "tinygrad_conv", "new-op", "my_cap")
    file = tmp_path / "my_cap.py"
    file.write_text(
        file.read_text(encoding="utf-8").replace("@my_cap.grad", "# @my_cap.grad"), encoding="utf-8"
    )
    status, out, _ = run(tmp_path, "-m", "tinygrad_conv", "check", "my_cap.py")
    told = [line for line in out.splitlines() if line.startswith("my_cap fails")]
    rule = "RuleError: my_cap has no rule for x, which requires grad: pass x.detach(), or declare one with"
    assert status == 1 and told and all(rule in line for line in told)


@pytest.mark.exhaustive
def test_new_op_writes_over_nothing(tmp_path):
    (tmp_path / "mine.py").write_text("precious")
    status, _, error = run(tmp_path, "-m", "tinygrad_conv", "new-op", "mine")
    assert status == 2 and "mine.py exists already" in error
    assert (tmp_path / "mine.py").read_text() == "precious"


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "reason"),
    [("2d", "a name that Python takes"), ("for", "a name that Python takes"), ("conv2d", "already")],
)
def test_new_op_refuses_a_name_that_is_none(tmp_path, name, reason):
    status, _, error = run(tmp_path, "-m", "tinygrad_conv", "new-op", name)
    assert status == 2 and reason in error
    assert not list(tmp_path.iterdir())


def scaled_sum(a, b, *, scale=2.0):
    return scale * (a + b)


def scaled_sum_da(dy, scale):
    return scale * dy


def scaled_sum_db(dy):
    return 2.0 * dy


RIGHT = make_op(scaled_sum, a=scaled_sum_da, b=scaled_sum_da)
RIGHT_FOR_2 = make_op(scaled_sum, a=scaled_sum_da, b=scaled_sum_db)


def test_assert_rule_takes_arrays_tensors_and_params():
    assert_rule(RIGHT, np.ones(3), tg.ones(3), scale=3.0)


def test_assert_rule_checks_every_input_that_has_a_rule():
    assert_rule(RIGHT_FOR_2, np.ones(3), np.ones(3))
    with pytest.raises(GradcheckError, match="scaled_sum_db"):
        assert_rule(RIGHT_FOR_2, np.ones(3), np.ones(3), scale=3.0, repair=False)


def test_assert_rule_refuses_what_is_no_op():
    with pytest.raises(TypeError, match="op must be an op, as @primitive makes it, not function"):
        assert_rule(scaled_sum, np.ones(3))
