"""A real pdb, driven through its standard input: `step` from `loss.backward()` leads straight into the first
rule.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_conv as tg

INSTALLED = Path(tg.__file__).resolve().parent.parent
EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "step_through_conv.py"

FIVE_OPS = """
import numpy as np
import tinygrad_conv as tg

x = tg.tensor([[[[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]]])
w = tg.tensor([[[[1.0, 0.0], [0.0, 1.0]]]], requires_grad=True, name="w")
y = tg.conv2d(x, w)
y = tg.relu(y)
y = tg.flatten(y)
y = y * 2.0
loss = tg.mse_loss(y, np.ones(4, np.float32), reduction="sum")
loss.backward()
"""

FIVE_HUNDRED_OPS = FIVE_OPS.replace("y = y * 2.0", "y = y * 2.0\nfor _ in range(495):\n    y = y * 1.0")


def drive(arguments: list[str], presses: list[str]) -> list[str]:
    """What pdb says at its first prompt, and after each press."""
    done = subprocess.run(
        [sys.executable, *arguments],
        input="\n".join([*presses, "quit", ""]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(INSTALLED), "PYTHONIOENCODING": "utf-8", "PYTHON_COLORS": "0"},
        timeout=120,
    )
    answers = done.stdout.split("(Pdb) ")
    assert len(answers) > len(presses), done.stdout + done.stderr
    return answers[: len(presses) + 1]


def debug(script: Path, presses: list[str]) -> list[str]:
    """What pdb says after each press, beginning at the script's last line."""
    last_line = len(script.read_text().splitlines())
    _, _, start, *answers = drive(["-m", "pdb", str(script)], [f"break {last_line}", "continue", *presses])
    assert f"({last_line})<module>()" in start
    return answers


def presses_until(script: Path, rule: str) -> int:
    """How many times `step` has to be pressed until pdb stands in the rule."""
    answers = debug(script, ["step"] * 30)
    reached = [press for press, answer in enumerate(answers, start=1) if f"{rule}()" in answer]
    assert reached, f"30 presses do not reach {rule}:\n" + "".join(answers)
    return reached[0]


def written(folder: Path, text: str) -> Path:
    """The text as a script of that folder."""
    script = folder / "a_net.py"
    script.write_text(text.strip() + "\n")
    return script


@pytest.mark.parametrize("text", [FIVE_OPS, FIVE_HUNDRED_OPS], ids=["5 ops", "500 ops"])
def test_fifteen_steps_lead_from_backward_into_the_first_rule(tmp_path: Path, text: str) -> None:
    script = written(tmp_path, text)
    presses = presses_until(script, "mse_loss_dx")
    assert presses <= 15, "".join(debug(script, ["step"] * presses))


@pytest.mark.parametrize("text", [FIVE_OPS, FIVE_HUNDRED_OPS], ids=["5 ops", "500 ops"])
def test_the_rule_has_its_formula_s_names_and_values_for_locals(tmp_path: Path, text: str) -> None:
    script = written(tmp_path, text)
    presses = presses_until(script, "mse_loss_dx")
    (arguments,) = debug(script, ["step"] * presses + ["args"])[presses:]
    named = dict(line.split(" = ") for line in arguments.strip().splitlines())
    assert list(named) == ["dy", "x", "target", "reduction"]
    assert named["dy"].startswith("array(1.")
    assert named["x"].startswith("array([4., 6., 0., 4.]")
    assert named["target"].startswith("array([1., 1., 1., 1.]")
    assert named["reduction"] == "'sum'"


def test_between_the_user_s_line_and_the_rule_stand_backward_and_sweep_alone(tmp_path: Path) -> None:
    script = written(tmp_path, FIVE_OPS)
    presses = presses_until(script, "mse_loss_dx")
    (stack,) = debug(script, ["step"] * presses + ["where"])[presses:]
    found = frames(stack)
    user = found.index(("a_net", "<module>"))
    assert found[user:] == [
        ("a_net", "<module>"),
        ("tensor", "backward"),
        ("tape", "sweep"),
        ("loss", "mse_loss_dx"),
    ]


def test_one_frame_above_the_rule_the_sweep_says_which_op_and_from_which_line(tmp_path: Path) -> None:
    script = written(tmp_path, FIVE_OPS)
    presses = presses_until(script, "mse_loss_dx")
    sweep, node, rule = debug(script, ["step"] * presses + ["up", "p node", "p rule"])[presses:]
    assert "dx = rule.function(" in sweep
    assert "mse_loss" in node and "a_net.py:10" in node
    assert "mse_loss_dx" in rule and "ops/loss.py" in rule.replace("\\", "/")


def test_the_readme_s_walk_through_the_example() -> None:
    """Key by key what README.md, "Stepping through backpropagation", says; Python 3.13 stops one line
    earlier.
    """
    begin = ["n"] if sys.version_info >= (3, 13) else []
    keys = ["p loss", "tbreak tg.ops.conv.conv2d_dw", *["s"] * 15, "a", "w", "u", "p node", "d", "c"]
    in_the_rule = ["a", "u", "p node", "d", "r", "retval"]
    start, *answers = drive([str(EXAMPLE)], begin + keys + in_the_rule)[len(begin) :]
    assert "-> loss.backward()" in start
    loss, breakpoint_set, *steps, arguments, stack, sweep, node, _, stop = answers[: len(keys)]
    assert "3.5" in loss and "div" in loss
    assert "ops/conv.py" in breakpoint_set.replace("\\", "/")
    assert "div_da()" in steps[-1] and "div_da()" not in steps[-2]
    assert arguments.splitlines() == ["dy = array(1., dtype=float32)", "b = array(2., dtype=float32)"]
    assert [function for _, function in frames(stack)][-4:] == ["main", "backward", "sweep", "div_da"]
    assert "rule.function(" in sweep
    assert node.startswith("<div → float32[], ") and "step_through_conv.py:19>" in node
    assert "conv2d_dw()" in stop
    arguments, _, node, _, _, dw = answers[len(keys) :]
    assert re.findall(r"^(\w+) = ", arguments, re.MULTILINE) == [
        "dy",
        "x",
        "w_shape",
        "stride",
        "padding",
        "dilation",
        "groups",
    ]
    assert "[[[[ 1.,  2.]" in arguments
    assert node.startswith("<conv2d → float32[1,1,2,2], ") and "step_through_conv.py:18>" in node
    assert "[[[[6., 2.]" in dw and "[1., 4.]" in dw


def frames(stack: str) -> list[tuple[str, str]]:
    """(file without its ending, function) of each frame that `where` lists, outermost first."""
    return re.findall(r"(\w+)\.py\(\d+\)(<?\w+>?)\(\)", stack)
