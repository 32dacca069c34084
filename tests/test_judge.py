"""The judge names the mistake: each kind proven on rules that are broken in just that way
(tests/tools/broken.py).
"""

from __future__ import annotations

import linecache
import re

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import more
from tests.tools import broken, misbehaviours
from tests.tools.breakages import BREAKAGES
from tests.tools.broken import Trial, make_op
from tests.tools.judge_figures import answer, count
from tinygrad_conv.checks import gradcheck
from tinygrad_conv.engine.location import show_path, show_place
from tinygrad_conv.errors import GradcheckError

FORWARDS_FAULT = {
    "forward_in_float64",
    "forward_in_float32",
    "forward_changes_its_input",
    "forward_reads_memory",
    "noisy",
}


FURTHER = [breakage for index, breakage in enumerate(BREAKAGES) if index % 24]


@pytest.mark.parametrize("seed", [0, *more(1)])
@pytest.mark.parametrize("breakage", [*BREAKAGES[::24], *more(*FURTHER)], ids=lambda value: value.__name__)
def test_the_mistake_is_named(breakage, seed):
    trial = breakage(np.random.default_rng(seed))
    kind, message = answer(trial)
    assert kind in trial.kind.split("-or-"), message
    assert trial.says in message
    blamed = re.findall(r"(rule|forward) \S+ \(\S*(?:broken|breakages|misbehaviours)\.py:\d+\)", message)
    assert blamed == ["forward" if breakage.__name__ in FORWARDS_FAULT else "rule"], message


@pytest.mark.exhaustive
def test_other_draws_of_each_breakage_get_no_wrong_answer():
    counts = count(1)
    assert sum(verdicts["wrong"] for verdicts in counts.values()) == 0
    assert sum(verdicts["right"] for verdicts in counts.values()) >= 0.95 * len(BREAKAGES)


@pytest.mark.exhaustive
def test_every_op_that_the_breakages_start_from_is_right():
    rng = np.random.default_rng(0)
    for _ in range(60):
        forward, rules, inputs, params = broken.some_right_op(rng)
        trial = Trial(make_op(forward, **rules), inputs, "passed", params)
        assert answer(trial) == ("passed", "")
    unit = make_op(broken.unit, ("length",), {"length": broken.unit_length}, x=broken.unit_dx)
    assert answer(Trial(unit, [broken.numbers(rng, 3, 4)], "passed", order=2)) == ("passed", "")


def test_the_message_names_op_rule_entry_and_both_lines():
    op = make_op(broken.wave, x=twice)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(op, tg.Tensor(np.array([1.0, 2.0]), requires_grad=True))
    text = str(caught.value)
    assert "gradcheck of wave fails at order 1" in text
    assert "∂y[0] / ∂x[0]: the gradient gives 2.763546581, finite differences give 1.38177329" in text
    assert f"rule twice ({show_place(twice)}) for 'x' of wave" in text
    assert "a constant factor: 2 times the right gradient of x, everywhere" in text


def twice(dy, x):
    return 2 * broken.wave_dx(dy, x)


def test_in_a_function_the_op_to_blame_is_named_with_the_line_that_calls_it():
    op = make_op(broken.wave, x=twice)

    def model(x):
        hidden = x.exp()
        return op(hidden).sum()

    with pytest.raises(GradcheckError) as caught:
        gradcheck(model, tg.Tensor(np.array([0.1, 0.2]), requires_grad=True))
    assert "gradcheck of wave" in str(caught.value)
    line = str(caught.value).partition("called at ")[2].partition("test_judge.py:")[2].split()[0]
    assert "op(hidden)" in linecache.getline(__file__, int(line))


def test_where_every_op_is_right_something_leaves_the_tape():
    with pytest.raises(GradcheckError, match="leaves the tape") as caught:
        gradcheck(lambda x: x * tg.Tensor(x.data), tg.Tensor(np.array([1.0, 2.0]), requires_grad=True))
    assert caught.value.kind == "off the tape"


def test_a_numpy_call_is_named_with_its_line():
    op = make_op(broken.wave, x=misbehaviours.wave_dx_in_numpy)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(op, tg.Tensor(np.array([1.0, 2.0]), requires_grad=True))
    line = misbehaviours.wave_dx_in_numpy.__code__.co_firstlineno + 1
    assert f"diagnosis: {show_path(misbehaviours.__file__)}:{line}: np.sin is NumPy's" in str(caught.value)


def test_too_large_to_look_into_says_so():
    op = make_op(broken.wave, x=twice)
    with pytest.raises(GradcheckError, match="smaller inputs") as caught:
        gradcheck(op, tg.Tensor(np.ones((40, 50)), requires_grad=True))
    assert caught.value.kind == "unknown"


def message_of(fn, *arrays, order=1):
    with pytest.raises(GradcheckError) as caught:
        gradcheck(fn, *(tg.Tensor(np.array(array), requires_grad=True) for array in arrays), order=order)
    return str(caught.value)


DICE = np.random.default_rng()


def draws_outside_of_any_op(x):
    return x * tg.Tensor(DICE.random(2))


def changes_its_input(x):
    x.data += 1.0
    return x * 2


@pytest.mark.parametrize("fn", [draws_outside_of_any_op, changes_its_input])
def test_what_is_wrong_outside_of_every_op_is_the_function_s(fn):
    assert f"function {fn.__name__} ({show_place(fn)})" in message_of(fn, [1.0, 2.0])


class Noisy(tg.nn.Module):
    """A layer that draws numbers."""

    def forward(self, x):
        return draws_outside_of_any_op(x)


def test_what_is_wrong_outside_of_every_op_is_the_layer_s():
    assert f"function Noisy ({show_place(Noisy.forward)})" in message_of(Noisy(), [1.0, 2.0])


def test_a_wrong_dtype_is_of_order_1_and_says_what_to_do():
    op = make_op(lambda x: x * np.ones(x.shape), x=lambda dy: dy)
    text = message_of(op, [1.0, 2.0], order=2)
    assert "fails at order 1" in text
    assert "makes float64 of float32; arrays that it makes itself should have its input's dtype" in text


def test_a_curvature_that_is_lost_without_a_trace_is_said_to_leave_the_tape():
    text = message_of(make_op(lambda x: x**3, x=cube_dx), [1.0, 2.0], order=2)
    assert "right at order 1, wrong at order 2: something in the rule leaves the tape" in text
    assert f"rule cube_dx ({show_place(cube_dx)})" in text


def test_a_style_that_is_frowned_upon_is_no_diagnosis():
    op = make_op(lambda x: x * x, x=lambda dy, x: 2 * dy * x if isinstance(dy, np.ndarray) else dy * x)
    assert "diagnosis: arrays and Tensors (create_graph=True) give different gradients" in message_of(
        op, [1.0, 2.0]
    )


def cube_dx(dy, x):
    return 3 * dy * x * off_the_tape[0](x)


off_the_tape = [lambda x: tg.Tensor(x.data) if isinstance(x, tg.Tensor) else x]


def test_the_traceback_is_the_user_s_and_not_the_judge_s():
    with pytest.raises(GradcheckError) as caught:
        gradcheck(make_op(broken.wave, x=twice), tg.Tensor(np.array([1.0, 2.0]), requires_grad=True))
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    with pytest.raises(GradcheckError) as caught:
        gradcheck(
            make_op(broken.wave, x=misbehaviours.wave_dx_in_numpy),
            tg.Tensor(np.array([1.0]), requires_grad=True),
        )
    assert isinstance(caught.value.__cause__, TypeError)  # raised in the rule
