"""A script under `python -m tinygrad_conv step` runs, fails and ends as it does alone."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .step_programs import ARTICLE, NET, environment

pytestmark = pytest.mark.exhaustive


def test_quit_and_the_end_of_the_pipe_end_the_program(drive):
    for lines in (["quit"], []):
        _, done = drive(ARTICLE, *lines)
        assert "dW" not in done.stdout and done.returncode == 0


def test_an_exception_is_shown_as_python_shows_it(drive, tmp_path):
    script = ARTICLE + "def fail():\n    raise ValueError('broken')\nfail()\n"
    _, done = drive(script, "c")
    plain = subprocess.run(
        [sys.executable, str(tmp_path / "a_net.py")], capture_output=True, text=True, env=environment()
    )
    assert done.returncode == plain.returncode == 1
    assert done.stderr == plain.stderr and "ValueError: broken" in done.stderr


def test_syntax_errors_exit_codes_and_missing_files(drive, tmp_path):
    _, done = drive("x = = 1\n")
    assert (
        done.returncode == 1
        and "SyntaxError" in done.stderr
        and "a_net.py" in done.stderr
        and "command.py" not in done.stderr
    )
    _, done = drive("import sys\nsys.exit(7)\n")
    assert done.returncode == 7
    _, done = drive("raise SystemExit('no data')\n")
    assert (done.returncode, done.stderr) == (1, "no data\n")
    (tmp_path / "a_net.py").unlink()
    command = [sys.executable, "-m", "tinygrad_conv", "step", "no.py"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "step: there is no file no.py\n")


def test_a_backward_that_never_comes(drive):
    _, done = drive(ARTICLE, options=["--nth", "2"])
    assert done.stdout.endswith(
        "step: the script ended after 1 backward, so there was no number 2 to stop in\n"
    )


def test_the_script_is_main_and_finds_its_neighbours(drive, tmp_path):
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    _, done = drive(
        "import beside, sys\nprint(__name__, __file__, beside.NAME, sys.argv)\n",
        arguments=["-v", "--nth", "3"],
    )
    path = str(tmp_path / "a_net.py")
    assert done.stdout.startswith(f"__main__ {path} beside {[path, '-v', '--nth', '3']}\n")


def test_it_is_the_recording_and_hooks_run_once(drive):
    script = NET.replace(
        "x = tg.tensor", "net.fc.weight.register_hook(lambda g: print('hook') or g * 2)\nx = tg.tensor"
    )
    script += "print('sum', float(np.abs(net.fc.weight.grad).sum()))\n"
    _, stepped = drive(script, "n", "c")
    _, alone = drive(script, options=["--nth", "99"])
    assert stepped.stdout.count("hook") == 3
    assert re.findall("sum .*", stepped.stdout) == re.findall("sum .*", alone.stdout)


def test_a_gradient_that_is_a_program_is_not_recorded(drive):
    """Under create_graph, of an op with several outputs too; the backward after it is."""
    script = """
import tinygrad_conv as tg
x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True, name="x")
first, second = tg.split(x * x, [1, 2])
(dx,) = tg.grad((first * second).sum(), [x], create_graph=True)
dx.sum().backward()
print("d2x", x.grad.tolist())
"""
    (start, *answers), done = drive(script, "c", options=["--nth", "2"])
    assert start.startswith("> %") and "sum" in start.split("\n")[0]
    assert answers == ["d2x [46.0, 10.0, 14.0]\n"] and done.returncode == 0, done.stderr
    answers, done = drive(script, options=["--nth", "1"])
    assert "there was no number 1 to stop in" in done.stdout and "d2x" in done.stdout
