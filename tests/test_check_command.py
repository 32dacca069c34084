"""`python -m tinygrad_conv check`: the table, a user's file, and its exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_conv.__main__ import main
from tinygrad_conv.checks.cases import CASES
from tinygrad_conv.checks.command.guess import guess
from tinygrad_conv.engine.registry import OPS

MY_OP = '''
import math
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv.checks import case, positive

@tg.primitive
def my_log(x, *, base=2.0):
    """log x to a base."""
    return np.log(x) / math.log(base)

@my_log.grad("x")
def my_log_dx(dy, x, base):
    return dy / x / FACTOR

case(my_log, positive("n m"))
case(my_log, positive("n"), base=10.0)
'''


@pytest.fixture
def scratch(scratch_ops):
    """Ops and cases that a test declares, gone after it."""
    known = dict(CASES)
    yield
    CASES.clear()
    CASES.update(known)


def write(tmp_path, text, name="my_op.py"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


@pytest.mark.exhaustive
def test_an_op_of_the_package(capsys):
    assert main(["check", "relu", "matmul"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["op", "rules", "samples", "gradients", "dtypes", "layouts"]
    assert lines[1].split()[:2] == ["relu", "x"] and lines[1].split()[3:] == ["ok", "ok", "ok"]
    assert lines[2].split()[:3] == ["matmul", "a", "b"]
    assert lines[-1] == "2 ops checked, all right"


def test_a_file_whose_op_is_right(tmp_path, capsys, scratch):
    assert main(["check", write(tmp_path, MY_OP.replace("FACTOR", "math.log(base)"))]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["my_log", "x", "7", "ok", "ok", "ok"]


def test_a_file_whose_op_is_wrong_is_told_how(tmp_path, capsys, scratch):
    path = write(tmp_path, MY_OP.replace("FACTOR", "1.0"))
    assert main(["check", path]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[1].split()[:4] == ["my_log", "x", "7", "WRONG"]
    assert "rule my_log_dx" in out and "my_op.py:12" in out
    assert "a constant factor: 0.69315 times the right gradient of x" in out
    assert "1 op checked, 1 wrong" in out


def test_without_a_case_inputs_are_guessed(tmp_path, capsys, scratch):
    text = (
        MY_OP.replace("FACTOR", "math.log(base)")
        .replace("np.log(x)", "np.log(np.abs(x))")
        .partition("case(my_log")[0]
    )
    assert main(["check", write(tmp_path, text)]) == 0
    assert "inputs guessed" in capsys.readouterr().out


SCALED = '''
import tinygrad_conv as tg

@tg.primitive
def scaled(x, g):
    """x [N, C] times g [C]."""
    return x * g

@scaled.grad("x")
def scaled_dx(dy, g):
    return dy * g

@scaled.grad("g")
def scaled_dg(dy, x):
    return tg.sum(dy * x, dim=0)
'''


def test_shapes_are_those_of_the_docstring(tmp_path, capsys, scratch):
    # its forward takes x and g of one shape too, for which the rule of g is wrong
    assert main(["check", write(tmp_path, SCALED)]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "scaled",
        "x",
        "g",
        "3",
        "ok",
        "ok",
        "ok",
        "shapes",
        "from",
        "the",
        "docstring",
    ]


SHUFFLE = '''
import numpy as np
import tinygrad_conv as tg

@tg.primitive
def shuffle(x, *, groups=2):
    """Channels of several groups by turns: x [N, C, H, W]."""
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).swapaxes(1, 2).reshape(n, c, h, w)

@shuffle.grad("x")
def shuffle_dx(dy, groups):
    return shuffle(dy, groups=WAY_BACK)
'''


@pytest.mark.exhaustive
def test_halves_of_four_do_not_make_a_wrong_rule_right(tmp_path, capsys, scratch):
    # of four channels in two groups the shuffle is its own inverse
    assert main(["check", write(tmp_path, SHUFFLE.replace("WAY_BACK", "groups"))]) == 1
    assert "on shuffle([2,6,8,10])" in capsys.readouterr().out
    assert main(["check", write(tmp_path, SHUFFLE.replace("WAY_BACK", "dy.shape[1] // groups"))]) == 0


def test_a_failure_on_guessed_inputs_is_told_once_and_with_what_to_do(tmp_path, capsys, scratch):
    wrong = SCALED.replace("dy * g", "dy * g * g").replace(" [N, C]", "").replace(" [C]", "")
    wrong = wrong.replace("x * g", "x * g if x.ndim == 2 and g.shape == x.shape[1:] else None")
    assert main(["check", write(tmp_path, wrong)]) == 1
    out = capsys.readouterr().out
    about_the_rule = [line for line in out.splitlines() if "rule scaled_dx" in line]
    assert about_the_rule and len(about_the_rule) == len(set(about_the_rule))
    assert "the inputs were guessed; say which it is made for: case(scaled, normal('n m'), …)" in out


def test_what_cannot_be_guessed_is_asked_for(tmp_path, capsys, scratch):
    text = MY_OP.replace("FACTOR", "1.0").replace("base=2.0", "base").partition("case(my_log")[0]
    text = text.replace("math.log(base)", "math.log(len(base) + int(base))")
    assert main(["check", write(tmp_path, text)]) == 2
    assert "declare one with case(my_log, …)" in capsys.readouterr().out


def test_an_op_that_crashes_is_a_line_in_the_table(tmp_path, capsys, scratch):
    text = MY_OP.replace("dy / x / FACTOR", "dy / x / nonsense")
    assert main(["check", write(tmp_path, text), "relu"]) == 1
    out = capsys.readouterr().out
    assert "NameError: name 'nonsense' is not defined" in out
    assert "relu" in out


def test_a_case_that_says_linear_and_is_not(tmp_path, capsys, scratch):
    text = MY_OP.replace("FACTOR", "math.log(base)").replace(
        'positive("n m")', 'positive("n m"), linear=True'
    )
    assert main(["check", write(tmp_path, text)]) == 1
    assert "declared linear, but its second derivative" in capsys.readouterr().out


def test_a_file_without_an_op(tmp_path):
    with pytest.raises(SystemExit, match="registers no op"):
        main(["check", write(tmp_path, "x = 1")])


README_S = '''
import numpy as np

import tinygrad_conv as tg


@tg.primitive
def smooth_relu_here(x):
    """log(1 + eˣ), elementwise."""
    return np.logaddexp(x, x.dtype.type(0))


@smooth_relu_here.grad("x")
def smooth_relu_dx(dy, x):
    return dy * MISTAKE


x = tg.tensor(np.linspace(-4, 4, 9), requires_grad=True)
print(tg.gradcheck(smooth_relu_here, x, order=2))  # True
'''


@pytest.mark.exhaustive
def test_a_mistake_that_the_file_s_own_gradcheck_finds_is_a_table_no_traceback(
    tmp_path, capsys, scratch, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = Path(write(tmp_path, README_S.replace("MISTAKE", "tg.tanh(x)"))).name
    assert main(["check", path]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[1].split()[:4] == ["smooth_relu_here", "x", "4", "WRONG"]
    assert f"{path} stopped at line 19: GradcheckError: gradcheck of smooth_relu_here" in out
    assert "rule smooth_relu_dx" in out and out.splitlines()[-1] == "1 op checked, 1 wrong"


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "last, stopped",
    [
        ("raise RuntimeError('first\\nsecond')", "stopped at line 20: RuntimeError: first; the ops declared"),
        ("smooth_relu_here()", "stopped at line 20: TypeError: smooth_relu_here takes the inputs"),
        ("import sys; sys.exit(3)", "stopped at line 20: SystemExit: 3; the ops"),
        ("import sys; sys.exit()", ""),
    ],
)
def test_a_file_that_fails_after_its_ops_has_them_checked(tmp_path, capsys, scratch, last, stopped):
    path = write(tmp_path, README_S.replace("MISTAKE", "tg.sigmoid(x)") + last)
    assert main(["check", path]) == (1 if stopped else 0)
    out = capsys.readouterr().out
    assert stopped in out and ("stopped" in out) == bool(stopped)
    assert out.splitlines()[-1] == "1 op checked, all right"


@pytest.mark.parametrize("text", ["1 / 0", "x = ("])
def test_a_file_that_fails_before_any_op_says_where(tmp_path, text):
    error = "ZeroDivisionError" if "/" in text else "SyntaxError"
    with pytest.raises(SystemExit, match=f"registers no op before it stops: .* at line 1: {error}: "):
        main(["check", write(tmp_path, text)])


def test_a_name_that_does_not_exist():
    with pytest.raises(SystemExit, match=r"relo is neither an op nor a file; did you mean relu"):
        main(["check", "relo"])


def test_without_a_name_it_shows_its_help(capsys):
    assert main(["check"]) == 2
    assert "FILE.py" in capsys.readouterr().out


@pytest.mark.exhaustive
def test_inputs_of_the_package_s_own_ops_can_be_guessed():
    for name in ("relu", "matmul", "linear", "conv2d", "mse_loss", "cat"):
        assert guess(OPS[name]).samples, name


def test_from_the_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_conv", "check", "add"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "add" in done.stdout


LAYOUT = """
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv.checks import case, normal

@tg.primitive
def triple(x):
    return x * 3

@triple.grad("x")
def triple_dx(dy):
    return 3 * (dy.ravel(order="K").reshape(dy.shape) if isinstance(dy, np.ndarray) else dy)

@tg.primitive
def rounded(x):
    return x * 2

@rounded.grad("x")
def rounded_dx(dy):
    return dy * 2 if dy.dtype == np.float64 else dy * 2.01

case(triple, normal("n+2 m+3"), linear=True)
case(rounded, normal("n"), linear=True)
"""


def test_what_layouts_and_dtypes_change_is_told_with_the_op_and_the_rule(tmp_path, capsys, scratch):
    assert main(["check", write(tmp_path, LAYOUT)]) == 1
    told = capsys.readouterr().out.splitlines()
    for what, rule in (
        ("dx of triple differs where the inputs and dy are transposed in memory", "rule triple_dx"),
        ("dx of rounded in float32 differs from float64 by", "rule rounded_dx"),
    ):
        (line,) = [at for at, text in enumerate(told) if text.startswith(what)]
        assert told[line + 1].startswith(f"  {rule} (") and "my_op.py:" in told[line + 1]
