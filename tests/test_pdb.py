"""A real pdb, driven through its standard input: one `step` passes the engine by, forward and backward."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug import debugger

from .helpers import INSTALLED, more
from .pdb_driver import TO_THE_NEXT_LINE, drive, written

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "step_through_conv.py"

FIVE_OPS = """
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv import nn

x = tg.tensor([[[[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]]])
net = nn.Sequential(nn.Conv2d(1, 1, 2, bias=False), nn.ReLU(), nn.Flatten())
with tg.no_grad():
    net[0].weight[:] = np.array([[[[1.0, 0.0], [0.0, 1.0]]]])
breakpoint()
y = net(x)
y = y * 2.0
loss = tg.mse_loss(y, np.ones((1, 4), np.float32), reduction="sum")
breakpoint()
loss.backward()
end = True
"""

FIVE_HUNDRED_OPS = FIVE_OPS.replace("y = y * 2.0", "y = y * 2.0\nfor _ in range(495):\n    y = y * 1.0")

EVERY_LENGTH = pytest.mark.parametrize("text", [FIVE_OPS, *more(FIVE_HUNDRED_OPS)], ids=["5 ops", "500 ops"])


def in_the_forward(tmp_path: Path, text: str, presses: list[str]) -> list[str]:
    """The answers to presses from the line `y = net(x)` on."""
    begin = TO_THE_NEXT_LINE
    start, *answers = drive([str(written(tmp_path, text))], begin + presses)[len(begin) :]
    assert "-> y = net(x)" in start
    return answers


def in_the_backward(tmp_path: Path, text: str, presses: list[str]) -> list[str]:
    """The answers to presses from the line `loss.backward()` on."""
    begin = [*TO_THE_NEXT_LINE, "continue", *TO_THE_NEXT_LINE]
    start, *answers = drive([str(written(tmp_path, text))], begin + presses)[len(begin) :]
    assert "-> loss.backward()" in start
    return answers


@EVERY_LENGTH
def test_one_step_leads_from_backward_into_the_first_rule(tmp_path: Path, text: str) -> None:
    step, arguments = in_the_backward(tmp_path, text, ["step", "args"])
    assert "--Call--" in step and "mse_loss_dx()" in step
    named = dict(line.split(" = ") for line in arguments.strip().splitlines())
    assert list(named) == ["dy", "x", "target", "reduction"]
    assert named["dy"].startswith("array(1.")
    assert named["x"].startswith("array([[4., 6., 0., 4.]")
    assert named["target"].startswith("array([[1., 1., 1., 1.]")
    assert named["reduction"] == "'sum'"


@EVERY_LENGTH
@pytest.mark.exhaustive
def test_one_step_leads_from_a_net_to_the_head_of_its_first_op(tmp_path: Path, text: str) -> None:
    (step,) = in_the_forward(tmp_path, text, ["step"])
    assert "--Call--" in step and "conv2d()" in step


@pytest.mark.parametrize("kernels", ["fast", *more("reference")])
def test_one_step_leads_from_the_arithmetic_into_the_kernel(tmp_path: Path, kernels: str) -> None:
    text = FIVE_OPS.replace("y = net(x)", f'with tg.use_kernels("{kernels}"): y = net(x)')
    to_the_arithmetic = ["next"] * 2  # past the head, and the checked window
    begin = TO_THE_NEXT_LINE
    answers = drive([str(written(tmp_path, text))], [*begin, "step", *to_the_arithmetic, "step", "next"])
    line, kernel, inside = answers[-3:]
    assert "-> y = kernels.correlate(" in line
    file = "reference.py" if kernels == "reference" else "im2col.py"
    assert f"{file}(" in kernel and "correlate()" in kernel
    assert f"{file}(" in inside


@pytest.mark.exhaustive
def test_checks_are_stepped_over(tmp_path: Path) -> None:
    """`step` alone, from the head of conv2d on: every line of it is seen, and none of what it calls."""
    answers = in_the_forward(tmp_path, FIVE_OPS, ["step"] * 4)
    assert all("conv.py(" in answer and "conv2d()" in answer for answer in answers[:3])
    assert "-> y = kernels.correlate(" in answers[2]
    assert "im2col.py(" in answers[3]


@pytest.mark.exhaustive
def test_from_rule_to_rule_it_is_one_step_more(tmp_path: Path) -> None:
    """The end of a rule, and the head of the next."""
    presses = ["step", "return", "step"]
    _, end, head = in_the_backward(tmp_path, FIVE_OPS, presses)
    assert "--Return--" in end and "mse_loss_dx()" in end
    assert "--Call--" in head and "mul_da()" in head


@pytest.mark.exhaustive
def test_between_the_user_s_line_and_the_rule_stands_the_chain_rule(tmp_path: Path) -> None:
    stack = in_the_backward(tmp_path, FIVE_OPS, ["step", "where"])[-1]
    functions = frames(stack)
    user = functions.index(("a_net", "<module>"))
    assert functions[user:] == [
        ("a_net", "<module>"),
        ("tensor", "backward"),
        ("backpropagation", "backpropagate"),
        ("backpropagation", "sweep_from"),
        ("backward", "sweep"),
        ("backward", "send_back"),
        ("loss", "mse_loss_dx"),
    ]


@pytest.mark.exhaustive
def test_one_frame_above_the_rule_stand_the_op_and_its_line(tmp_path: Path) -> None:
    presses = ["step", "up", "p node", "p rule"]
    _, above, node, rule = in_the_backward(tmp_path, FIVE_OPS, presses)
    assert "dx = rule.function(" in above
    assert "mse_loss" in node and "a_net.py:12" in node
    assert "mse_loss_dx" in rule and "ops/loss.py" in rule.replace("\\", "/")


@pytest.mark.exhaustive
def test_a_layer_of_the_user_s_is_stepped_into(tmp_path: Path) -> None:
    own = "class Twice(nn.Module):\n    def forward(self, x):\n        return x * 2\n"
    text = FIVE_OPS.replace("nn.Conv2d(1, 1, 2, bias=False)", "Twice(), nn.Conv2d(1, 1, 2, bias=False)")
    text = text.replace("net[0].weight", "net[1].weight").replace("net = nn", f"{own}net = nn")
    first, second, third = in_the_forward(tmp_path, text, ["step"] * 3)
    assert "--Call--" in first and "forward()" in first and "a_net.py" in first
    assert "-> return x * 2" in second
    assert "--Call--" in third and "mul()" in third


@pytest.mark.exhaustive
@pytest.mark.parametrize(("forward", "function"), [("False", "conv2d_dw"), ("True", "conv2d")])
def test_a_breakpoint_at_an_op_is_one_step_from_it(tmp_path: Path, forward: str, function: str) -> None:
    """In every version of Python: the debugger stops in `break_on`, and leaves it out from there on."""
    stop = f'with tg.debug.break_on("conv2d", forward={forward}):'
    text = FIVE_OPS.replace("breakpoint()\n", "").replace("y = net(x)", f"{stop} y = net(x)")
    text = text.replace("loss.backward()", f"{stop} loss.backward()")
    event = "call" if forward == "True" else "step"
    start, name, head = drive([str(written(tmp_path, text))], [f"p {event}.op", "step"])
    assert "breakpoints.py(" in start
    assert name.startswith("'conv2d'") and f"{function}()" in head


@pytest.mark.exhaustive
@pytest.mark.parametrize("observer", ["profile()", "detect_anomaly()", 'debug.break_on("relu", name="none")'])
def test_what_looks_on_is_passed_by(tmp_path: Path, observer: str) -> None:
    lines = FIVE_OPS.replace("y = net(x)", "with tg.OBSERVER:\n    breakpoint()\n    y = net(x)")
    lines = lines.replace("loss.backward()", "with tg.OBSERVER:\n    breakpoint()\n    loss.backward()")
    text = lines.replace("\nbreakpoint()", "").replace("OBSERVER", observer)
    begin = TO_THE_NEXT_LINE
    presses = [*begin, "step", "continue", *begin, "step"]
    answers = drive([str(written(tmp_path, text))], presses)
    assert "--Call--" in answers[len(begin) + 1] and "conv2d()" in answers[len(begin) + 1]
    assert "--Call--" in answers[-1] and "mse_loss_dx()" in answers[-1]


OWN_OP = """
import numpy as np
import tinygrad_conv as tg

@tg.primitive
def squared(x):
    return x * x

@squared.grad("x")
def squared_dx(dy, x):
    return dy * 2 * x

def program(x):
    return squared(x).sum()

x = tg.Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
breakpoint()
tg.gradcheck(squared, x)
breakpoint()
tg.gradcheck(program, x)
end = True
"""


@pytest.mark.exhaustive
def test_one_step_leads_from_gradcheck_into_what_it_checks(tmp_path: Path) -> None:
    """An op's forward, or a function of the user's; the judge itself is passed by."""
    begin = TO_THE_NEXT_LINE
    presses = [*begin, "step", "args", "continue", *begin, "step", "step", "step"]
    answers = drive([str(written(tmp_path, OWN_OP))], presses)
    op, arguments, *_, function, line, inside = answers[len(begin) + 1 :]
    assert "--Call--" in op and "a_net.py" in op and "squared()" in op
    assert arguments.startswith("x = array([1., 2., 3.]")
    assert "--Call--" in function and "program()" in function
    assert "-> return squared(x).sum()" in line
    assert "--Call--" in inside and "squared()" in inside


@pytest.mark.exhaustive
def test_step_after_step_from_gradcheck_shows_the_op_and_its_rule_alone(tmp_path: Path) -> None:
    """And the ops that the rule itself is made of; neither the judge nor what it calls of Python's."""
    text = OWN_OP.replace("breakpoint()\ntg.gradcheck(program, x)\n", "")
    answers = drive([str(written(tmp_path, text))], [*TO_THE_NEXT_LINE, *["step"] * 110])
    stops = re.findall(r"^> (.*)\(\d+\)(\w+)\(\)", "".join(answers), re.MULTILINE)
    assert len(stops) > 100
    functions = list(dict.fromkeys((Path(file).name, function) for file, function in stops))
    assert functions == [
        ("a_net.py", "squared"),
        ("a_net.py", "squared_dx"),
        ("arithmetic.py", "mul"),
        ("arithmetic.py", "broadcast"),
    ]


@pytest.mark.exhaustive
def test_a_plain_breakpoint_goes_through_the_engine(tmp_path: Path) -> None:
    """Which is why PYTHONBREAKPOINT is documented."""
    begin = TO_THE_NEXT_LINE
    step = drive([str(written(tmp_path, FIVE_OPS))], [*begin, "step"], hook="pdb.set_trace")[-1]
    assert "module.py(" in step


@pytest.mark.exhaustive
def test_set_trace_can_be_called_again_and_again(tmp_path: Path) -> None:
    text = "import tinygrad_conv as tg\nfor turn in range(3):\n    tg.debug.set_trace()\n    here = turn\n"
    begin = TO_THE_NEXT_LINE
    presses = [*begin, "p turn", "continue"] * 3
    answers = drive([str(written(tmp_path, text))], presses[:-1])
    turns = answers[len(begin) + 1 :: len(begin) + 2]
    assert [turn.split()[0] for turn in turns[:3]] == ["0", "1", "2"]


@pytest.mark.extras
def test_in_ipython_it_is_ipython_s_debugger(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    keys = ["step", "args", "continue"]
    script = written(
        tmp_path, FIVE_OPS.replace("breakpoint()\ny =", "y =").replace("breakpoint", "tg.debug.set_trace")
    )
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor", str(script)],
        input="\n".join([*TO_THE_NEXT_LINE, *keys, ""]),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INSTALLED), "IPYTHONDIR": str(tmp_path)},
        timeout=120,
    )
    step, arguments = done.stdout.split("ipdb> ")[-3:-1]
    assert "--Call--" in step and "mse_loss_dx()" in step, done.stdout + done.stderr
    assert "reduction = 'sum'" in arguments


def test_every_name_of_the_plumbing_is_a_module_or_a_package_of_modules() -> None:
    root = Path(tg.__file__).parent.parent
    for pattern in debugger.PLUMBING:
        path = root / debugger.path_of(pattern).removesuffix("/**")
        assert path.exists(), f"{pattern} is no module: PLUMBING in debug/debugger.py has to follow"
    for module in ("tinygrad_conv.ops.conv", "tinygrad_conv.kernels.reference", "__main__"):
        assert not any(fnmatchcase(module, pattern) for pattern in debugger.PLUMBING)


@pytest.mark.exhaustive
def test_the_readme_s_walk_through_the_example() -> None:
    """Key by key what README.md, "Stepping through backpropagation", says."""
    begin = TO_THE_NEXT_LINE
    keys = ["p loss", "tbreak tg.ops.conv.conv2d_dw", "s", "a", "w", "u", "p node", "d", "c"]
    in_the_rule = ["a", "u", "p node", "d", "r", "p __return__[0, 0].tolist()"]
    second = ["c", *begin, "s", "a", "r", "p __return__[0, 0].tolist()"]
    start, *answers = drive([str(EXAMPLE)], begin + keys + in_the_rule + second)[len(begin) :]
    assert "-> loss.backward()" in start
    loss, breakpoint_set, step, arguments, stack, above, node, _, stop = answers[: len(keys)]
    assert "3.5" in loss and "div" in loss
    assert "ops/conv.py" in breakpoint_set.replace("\\", "/")
    assert "div_da()" in step
    assert arguments.splitlines() == ["dy = array(1., dtype=float32)", "b = array(2., dtype=float32)"]
    assert [function for _, function in frames(stack)][-4:] == ["sweep_from", "sweep", "send_back", "div_da"]
    assert "rule.function(" in above
    assert node.startswith("<div → float32[], ") and "step_through_conv.py:21>" in node
    assert "conv2d_dw()" in stop
    arguments, _, node, _, _, dw = answers[len(keys) : -len(second)]
    assert re.findall(r"^(\w+) = ", arguments, re.MULTILINE) == ["dy", "x", "w_shape", "geometry"]
    assert "[[[[ 1.,  2.]" in arguments
    assert node.startswith("<conv2d → float32[1,1,2,2], ") and "step_through_conv.py:20>" in node
    assert dw.startswith("[[6.0, 2.0], [1.0, 4.0]]")
    step, arguments, _, dx = answers[-4:]
    assert "conv2d_dx()" in step
    assert "[[[[1., 2.]" in arguments.replace(" 1.", "1.") and "3., 4." in arguments
    assert dx.startswith("[[1.0, 4.0, 4.0], [2.0, 9.0, 10.0], [-3.0, -1.0, 4.0]]")


def frames(stack: str) -> list[tuple[str, str]]:
    """(file without its ending, function) of each frame that `where` lists, outermost first."""
    return re.findall(r"(\w+)\.py\(\d+\)(<?\w+>?)\(\)", stack)
