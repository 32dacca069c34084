"""Stopping in a rule: `break_on`, and `where_am_i` at a real pdb's prompt; in debugpy, as VS Code drives
it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import debug

from .debug_nets import crooked, shapes

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture
def stops(monkeypatch):
    """What a debugger would have seen where it stopped: the function, and the step or the call, with its
    repr.
    """
    seen = []

    def stop():
        frame = sys._getframe(1)
        step_or_call = frame.f_locals.get("step") or frame.f_locals["call"]
        seen.append((frame.f_code.co_name, step_or_call, repr(step_or_call)))

    monkeypatch.setattr(sys, "breakpointhook", stop)
    return seen


def test_before_the_rules_of_an_op_in_a_layer(stops):
    loss, leaves = shapes()
    with debug.break_on("conv2d", name="shapesnet.conv1"):
        loss.backward()
    ((function, step, _),) = stops
    assert function == "before_step" and step.where.layer == "shapesnet.conv1"
    np.testing.assert_allclose(step.grad_output.sum((0, 2, 3)), leaves["conv1.bias"].grad, rtol=1e-6)


def test_before_the_rules_means_before(stops):
    with debug.break_on("exp", when=lambda step: step.grad_inputs == {}):
        tg.tensor([1.0], requires_grad=True).exp().sum().backward()
    assert len(stops) == 1


def test_only_when(stops):
    loss, _ = shapes()
    sizes = []
    with debug.break_on(
        "conv*", when=lambda step: sizes.append(abs(step.grad_output).max()) or len(sizes) == 2
    ):
        loss.backward()
    assert len(sizes) == 2 and len(stops) == 1


def test_before_a_forward(stops):
    with debug.break_on("conv2d", name="*.conv2", forward=True):
        shapes().loss.backward()
    ((function, call, shown),) = stops
    assert function == "before_op" and call.op == "conv2d" and call.inputs["x"].shape == (3, 4, 6, 6)
    assert "x: float32[3,4,6,6]" in shown and "output" not in shown


def test_at_the_first_forward_that_is_not_finite(stops):
    x = tg.tensor([1.0, 0.0], requires_grad=True)
    with np.errstate(all="ignore"), debug.break_on(nonfinite=True):
        (tg.log(x) * 2.0).sum().backward()
    ((function, call, _),) = stops
    assert function == "after_op" and call.op == "log" and np.isinf(call.outputs[0].data).any()


def test_at_the_first_gradient_that_is_not_finite(stops):
    x = tg.tensor([1.0, 0.0], requires_grad=True)
    with np.errstate(all="ignore"), debug.break_on(nonfinite=True):
        (x.sqrt() * 2.0).sum().backward()
    ((function, step, _),) = stops
    assert function == "after_step" and step.op == "sqrt" and np.isinf(step.grad_inputs["x"]).any()


def test_gradients_are_what_they_are_without(stops):
    usual, watched = crooked(), crooked()
    usual.loss.backward()
    with debug.break_on(), debug.break_on("conv2d"):
        watched.loss.backward()
    assert len(stops) > 10
    for name, leaf in usual.leaves.items():
        np.testing.assert_array_equal(leaf.grad, watched.leaves[name].grad, strict=True)


def test_an_op_that_does_not_exist():
    with pytest.raises(ValueError, match="there is no op 'conv3d'"):
        debug.break_on("conv3d")


def test_where_am_i_from_inside_a_rule(scratch_ops):
    places = []

    @tg.primitive
    def asking(x):
        return x * 2

    @asking.grad("x")
    def asking_dx(dy):
        places.append(debug.where_am_i())
        return dy * 2

    x = tg.tensor([1.0], requires_grad=True)
    line = sys._getframe().f_lineno + 1
    y = asking(x.exp().exp())
    y.sum().backward()
    for _ in asking(x.exp().exp()).sum().steps():
        pass
    with debug.Observer():
        asking(x.exp().exp()).sum().backward()
    assert [place.op for place in places] == ["asking"] * 3 and [place.ahead for place in places] == [3, 3, 3]
    assert places[0].where.file == __file__ and places[0].where.line == line
    assert (
        "rule asking_dx" in repr(places[0]) and "3 ops to go" in repr(places[0]) and "<exp" in repr(places[0])
    )


def test_where_am_i_before_the_rules(monkeypatch):
    places = []
    monkeypatch.setattr(sys, "breakpointhook", lambda: places.append(debug.where_am_i()))
    with debug.break_on("exp"):
        tg.tensor([1.0], requires_grad=True).exp().sum().backward()
    assert (
        places[0].op == "exp"
        and places[0].ahead == 1
        and repr(places[0]).startswith("before the gradient rules of exp, whose")
    )


def test_where_am_i_outside_of_a_backward():
    with pytest.raises(RuntimeError, match="no backward is running here"):
        debug.where_am_i()


SCRIPT = """
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv import nn

tg.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1))
loss = net(tg.ones(1, 1, 4, 4)).sum()
with tg.debug.break_on("conv2d"):
    loss.backward()
print("done", net[0].weight.grad.shape)
"""


def environment():
    """Of a subprocess: nothing of ours but the project."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8", "PYTHON_COLORS": "0"}


def pdb_answers(script: Path, presses: list[str]) -> list[str]:
    """What a real pdb says at each of its prompts in a program that calls breakpoint()."""
    done = subprocess.run(
        [sys.executable, str(script)],
        input="\n".join([*presses, ""]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(),
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split("(Pdb) ")


def test_a_real_pdb_stops_before_the_rule_and_steps_into_it(tmp_path: Path):
    script = tmp_path / "net.py"
    script.write_text(SCRIPT)
    answers = pdb_answers(
        script, ["p step.op, step.where.layer, step.grad_output.shape", *["step"] * 30, "continue"]
    )
    assert "before_step" in answers[0]
    assert answers[1].strip() == "('conv2d', 'sequential.0', (1, 2, 2, 2))"
    presses = [press for press, answer in enumerate(answers[2:], 1) if "conv2d_dw()" in answer]
    assert presses and presses[0] <= 20, "".join(answers)
    assert "done (2, 1, 3, 3)" in answers[-1]


@pytest.mark.exhaustive
def test_at_a_real_pdb_s_prompt_in_a_rule_one_call_says_where_one_is(tmp_path: Path):
    script = tmp_path / "net.py"
    script.write_text(SCRIPT.replace('with tg.debug.break_on("conv2d"):', "breakpoint()\nif True:"))
    commands = [
        "break tg.ops.conv.conv2d_dw",
        "continue",
        "import tinygrad_conv as tg",
        "p tg.debug.where_am_i()",
    ]
    commands += ["p type(dy), dy.shape", "clear 1", "continue"]
    _, _, stopped, _, where, printed, *_ = pdb_answers(script, commands)
    assert "conv2d_dw()" in stopped and "conv.py" in stopped
    assert "in rule conv2d_dw" in where and "net.py:8 in sequential.0" in where and "\n1 op to go" in where
    assert printed.strip() == "(<class 'numpy.ndarray'>, (1, 2, 2, 2))"


@pytest.mark.exhaustive
def test_pythonbreakpoint_is_respected(tmp_path: Path):
    script = tmp_path / "net.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env={**environment(), "PYTHONBREAKPOINT": "0"},
        timeout=120,
    )
    assert done.stdout == "done (2, 1, 3, 3)\n", done.stderr
