"""A real pdb, driven through its standard input: `step` from `loss.backward()` leads straight into the first rule."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

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

CONVOLUTION_LAST = """
import numpy as np
import tinygrad_conv as tg

x = tg.tensor([[[[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]]])
w = tg.tensor([[[[1.0, 0.0], [0.0, 1.0]]]], requires_grad=True, name="w")
y = tg.conv2d(x, w)
error = tg.tensor([[[[1.0, 2.0], [-1.0, 1.0]]]])
y.backward(error)
"""


def debug(script: Path, presses: list[str]) -> list[str]:
    """What pdb says after each press, beginning at the script's last line."""
    last_line = len(script.read_text().splitlines())
    start = [f"break {last_line}", "continue"]
    done = subprocess.run(
        [sys.executable, "-m", "pdb", str(script)],
        input="\n".join([*start, *presses, "quit", ""]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8", "PYTHON_COLORS": "0", "HOME": str(script.parent)},
        timeout=120,
    )
    answers = done.stdout.split("(Pdb) ")
    assert f"({last_line})<module>()" in answers[2], done.stdout + done.stderr
    return answers[3 : 3 + len(presses)]


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
    frames = re.findall(r"(\w+)\.py\(\d+\)(<?\w+>?)\(\)", stack)
    user = frames.index(("a_net", "<module>"))
    assert frames[user:] == [("a_net", "<module>"), ("tensor", "backward"), ("tape", "sweep"), ("loss", "mse_loss_dx")]


def test_one_frame_above_the_rule_the_sweep_says_which_op_and_from_which_line(tmp_path: Path) -> None:
    script = written(tmp_path, FIVE_OPS)
    presses = presses_until(script, "mse_loss_dx")
    sweep, node, rule = debug(script, ["step"] * presses + ["up", "p node", "p rule"])[presses:]
    assert "dx = rule.function(" in sweep
    assert "mse_loss" in node and "a_net.py:10" in node
    assert "mse_loss_dx" in rule and "ops/loss.py" in rule.replace("\\", "/")


def test_in_the_rule_of_a_convolution_stand_the_article_s_arrays(tmp_path: Path) -> None:
    """The first rule that this backward runs is ∂w, for x needs no gradient."""
    script = written(tmp_path, CONVOLUTION_LAST)
    seeded = presses_until(script, "conv2d_dw")
    arguments, dy = debug(script, ["step"] * seeded + ["args", "p dy.tolist()"])[seeded:]
    assert re.findall(r"^(\w+) = ", arguments, re.MULTILINE) == [
        "dy", "x", "w_shape", "stride", "padding", "dilation", "groups",
    ]  # fmt: skip
    assert dy.strip() == "[[[[1.0, 2.0], [-1.0, 1.0]]]]"
