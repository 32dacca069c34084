"""`python -m tinygrad_conv doctor SCRIPT`: its report, its exit status, and that it ends the script."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .doctor_programs import HEAD, LOOP, POINTS
from .step_programs import environment

pytestmark = pytest.mark.exhaustive


def consult(tmp_path, source, *arguments, options=()):
    (tmp_path / "train.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "tinygrad_conv", "doctor", *options, "train.py", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=environment(),
        timeout=120,
    )


def test_healthy_is_0_and_one_line(tmp_path):
    done = consult(
        tmp_path, HEAD + POINTS + LOOP.replace("range(0, 96, 24)", "rng.permutation(73)[:4].tolist()")
    )
    assert (done.returncode, done.stdout) == (0, "doctor: 16 steps, 16 backwards: nothing wrong\n"), (
        done.stdout
    )


def test_findings_are_1_and_name_the_line(tmp_path):
    done = consult(tmp_path, HEAD + POINTS + LOOP.replace("        optimizer.zero_grad()\n", ""))
    assert done.returncode == 1
    assert "1. zero_grad is forgotten" in done.stdout and "train.py:21   loss.backward()" in done.stdout


def test_what_cannot_be_examined_is_2(tmp_path):
    for source in ("print('hello')\n", "x = = 1\n", "import a_package_that_nobody_has\n"):
        done = consult(tmp_path, source)
        assert done.returncode == 2 and "nothing to examine" in done.stderr, done
    (tmp_path / "train.py").unlink()
    command = [sys.executable, "-m", "tinygrad_conv", "doctor", "no.py"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "doctor: there is no file no.py\n")


def test_it_ends_the_script_after_its_steps(tmp_path):
    endless = (
        HEAD
        + POINTS
        + "import sys\nprint(sys.argv)\n"
        + LOOP.replace("range(4)", "iter(int, 1)")
        + "print('never')\n"
    )
    done = consult(tmp_path, endless, "--epochs", "7", options=("--steps", "5"))
    assert done.returncode == 0 and "5 steps, 5 backwards" in done.stdout
    assert "['train.py', '--epochs', '7']" in done.stdout and "never" not in done.stdout


def test_backwards_count_where_steps_do_not_come(tmp_path):
    endless = (
        HEAD + POINTS + LOOP.replace("range(4)", "iter(int, 1)").replace("optimizer.step()", "optimizer.step")
    )
    done = consult(tmp_path, endless, options=("--steps", "5"))
    assert done.returncode == 1 and "optimizer.step() is never called" in done.stdout


def test_an_exception_is_shown_and_diagnosed(tmp_path):
    done = consult(tmp_path, HEAD + POINTS + "y = y + 1\n" + LOOP)
    assert done.returncode == 1 and "ValueError" in done.stderr and "runpy" not in done.stderr
    assert "labels are off by one" in done.stdout and "train.py:22" in done.stdout


def test_the_flow_can_be_asked_for(tmp_path):
    done = consult(tmp_path, HEAD + POINTS + LOOP, options=("--flow",))
    assert "sequential.0" in done.stdout and "█" in done.stdout


def test_layers_in_a_list_name_their_line_in_a_script_that_has_ended(tmp_path):
    source = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(8, 8) for _ in range(2)]
        self.last = nn.Linear(8, 3)
    def forward(self, x):
        for layer in self.layers:
            x = layer(x).relu()
        return self.last(x)
def main():
    net = Net()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
main()
"""
    done = consult(tmp_path, HEAD + POINTS + source)
    assert (
        done.returncode == 1
        and "train.py:20   self.layers = [nn.Linear(8, 8) for _ in range(2)]" in done.stdout
    )
