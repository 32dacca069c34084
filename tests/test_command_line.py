"""`python -m tinygrad_conv` itself; what its commands do is tested command by command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tinygrad_conv.__main__ import COMMANDS, main

NAMES = ["check", "new-op", "step", "doctor", "vscode", "port"]


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


def test_without_a_command_it_says_which_there_are():
    run = subprocess.run([sys.executable, "-m", "tinygrad_conv"], capture_output=True, text=True)
    assert run.returncode == 2 and not run.stdout
    lines = run.stderr.splitlines()
    assert lines[0] == "usage: python -m tinygrad_conv [-h] COMMAND ..."
    described = [line.split(maxsplit=1) for line in lines if line.startswith("    ")]
    assert [name for name, _ in described] == NAMES and len(NAMES) == len(COMMANDS)
    assert all(len(what) > 20 for _, what in described)


def test_asked_for_help_it_says_the_same_and_succeeds(capsys):
    assert main([]) == 2
    told = capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0 and capsys.readouterr().out == told


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_a_help_of_its_own(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith(
        f"usage: python -m tinygrad_conv {name} "
    )


def test_a_command_that_is_not_there_is_refused_with_those_that_are(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["chek"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "chek" in told and all(name in told for name in NAMES)
