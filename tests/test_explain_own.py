"""`@op.explain`: what a user's op says of itself, and what is said where it is wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DeclarationError

pytestmark = pytest.mark.usefixtures("scratch_ops")


def declared():
    """An op with an input, a param, a kept value and an optional input."""

    @tg.primitive(keeps=("steep",))
    def scaled_tanh(x, b=None, *, scale=1.0):
        steep = scale * x
        y = np.tanh(steep)
        return (y if b is None else y + b), steep

    @scaled_tanh.grad("x")
    def scaled_tanh_dx(dy, steep, scale):
        return dy * (1 - tg.tanh(steep) * tg.tanh(steep)) * scale

    @scaled_tanh.grad("b")
    def scaled_tanh_db(dy):
        return dy

    @scaled_tanh.kept("steep")
    def scaled_tanh_steep(x, scale):
        return x * scale

    return scaled_tanh


def explained(op, function, **params):
    op.explanation = None
    op.explain(function)
    x = tg.tensor([0.5, -1.0, 2.0], requires_grad=True)
    recording = op(x, **params).sum().record()
    return recording.explain(recording[0])


def test_it_sees_what_it_names():
    seen = {}

    def explain(x, b, y, dy, dx, steep, scale, x_shape, step, more=7):
        seen.update(locals())

    explained(declared(), explain, scale=3.0)
    assert seen["b"] is None and seen["scale"] == 3.0 and seen["x_shape"] == (3,) and seen["more"] == 7
    np.testing.assert_array_equal(seen["x"], [0.5, -1, 2])
    np.testing.assert_array_equal(seen["steep"], [1.5, -3, 6])
    np.testing.assert_allclose(seen["y"], np.tanh(seen["steep"]), rtol=1e-6)
    np.testing.assert_allclose(seen["dx"], 3 * (1 - seen["y"] ** 2), rtol=1e-4, atol=1e-6)
    assert seen["step"].op == "scaled_tanh" and seen["dy"].tolist() == [1, 1, 1]


def test_words_arrays_and_terms():
    def explain(x, y, dy, dx):
        return {"text": "flat far out", "slope": dx / dy, "dx": {"dy": dy, "lost": dx - dy}, "n": 3}

    explanation = explained(declared(), explain)
    assert explanation.about == "flat far out" and explanation.remarks == ()
    assert [figure.name for figure in explanation["own"].figures] == ["slope", "n"]
    np.testing.assert_allclose(explanation["dx"].total(), explanation["dx"].result, rtol=1e-6)
    assert explanation["dx"].formula == "dx = dy + lost"
    assert "flat far out" in repr(explanation) and "+ lost" in repr(explanation)
    assert explained(declared(), lambda: "only words").about == "only words"


def test_terms_that_do_not_add_up_are_not_shown():
    explanation = explained(declared(), lambda dy: {"dx": {"dy": dy}})
    assert explanation.views == ()
    assert re.match(
        "the pieces do not add up to the recorded dx: they differ by up to 0.9", *explanation.remarks
    )


WRONG = {
    "ZeroDivisionError: division by zero": lambda: 1 / 0,
    "returned int; return a text, or a dict": lambda: 3,
    "returned NoneType; return a text": lambda: None,
    "'dz' is no gradient of this step, so it has no terms; its gradients: dx": lambda: {"dz": {"a": 1}},
    "'mask' is object, not a text or an array of numbers": lambda: {"mask": object()},
    "term 'a' is (2,), but the gradient (3,)": lambda: {"dx": {"a": [1, 2]}},
    "ValueError: output array is read-only": lambda x: x.sort(),
    "KeyError: 'no'": lambda: {}["no"],
    "StopIteration": lambda: next(iter([])),
}


@pytest.mark.parametrize("said", WRONG)
def test_an_error_is_shown_with_its_owner_and_not_raised(said):
    explanation = explained(declared(), WRONG[said])
    (remark,) = explanation.remarks
    assert said in remark or "read-only" in said and "read-only" in remark
    assert re.match(
        r"<lambda> \(\S*test_explain_own\.py:\d+\), the explanation of scaled_tanh, failed: ", remark
    )
    assert remark in repr(explanation)


def test_it_changes_nothing():
    op = declared()

    @op.explain
    def scaled_tanh_explained(x):
        x[:] = 0

    x = tg.tensor([0.5, -1.0], requires_grad=True)
    recording = op(x).sum().record()
    assert "read-only" in recording.explain(recording[0]).remarks[0]
    assert recording[0].inputs["x"].tolist() == [0.5, -1.0]


def test_the_page_and_the_stepper_s_text_have_it(tmp_path):
    op = declared()

    @op.explain
    def scaled_tanh_explained(dy):
        return {"text": "</script> flat", "dy": dy}

    x = tg.tensor([0.5, -1.0], requires_grad=True)
    recording = op(x).sum().record()
    recording.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 2 and "script\\u003e flat" in page


def test_interrupts_pass_through():
    def explain():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explained(declared(), explain)


def test_declarations_are_checked():
    op = declared()
    with pytest.raises(
        DeclarationError, match=r"@scaled_tanh.explain at .*: it asks for 'z'; of scaled_tanh it can"
    ):
        op.explain(lambda z: "")
    with pytest.raises(DeclarationError, match="it asks for 'rest'"):
        op.explain(lambda **rest: "")
    with pytest.raises(DeclarationError, match="decorates a function, or names an input, not 3"):
        op.explain(3)

    def first(x):
        return "first"

    def second(x):
        return "second"

    assert op.explain(first) is first and op.explain(first) is first
    with pytest.raises(DeclarationError, match=r"there is one already \(.*test_explain_own.py"):
        op.explain(second)


def test_the_name_of_an_input_still_declares_what_factors_are_called():
    op = declared()

    @op.explain("x")
    def scaled_tanh_factors(index, step):
        return None

    assert op.explanation is None
    x = tg.tensor([0.5, -1.0], requires_grad=True)
    recording = op(x).sum().record()
    assert len(recording.explain(x, (0,))) == 1


def test_an_op_that_says_nothing_is_found_out_where_it_is_elementwise():
    op = declared()
    x = tg.tensor([0.5, -1.0], requires_grad=True)
    recording = op(x).sum().record()
    assert recording.explain(recording[0]).views == ()  # it has two inputs

    @tg.primitive
    def cubed_for_test(x):
        return x * x * x

    @cubed_for_test.grad("x")
    def cubed_for_test_dx(dy, x):
        return 3 * dy * x * x

    recording = cubed_for_test(x).sum().record()
    view = recording.explain(recording[0])["dx"]
    assert view.curve.function == "y = cubed_for_test(x)"

    @tg.primitive
    def reversed_for_test(x):
        return x[::-1].copy()

    @reversed_for_test.grad("x")
    def reversed_for_test_dx(dy):
        return tg.flip(dy, dims=(0,))

    recording = (reversed_for_test(x) * tg.tensor([1.0, 2.0])).sum().record()
    assert recording.explain(recording[0]).views == ()


def test_an_op_in_the_place_of_the_package_s_is_not_explained_by_it():
    @tg.primitive(override=True)
    def relu(x):
        return x * 2

    @relu.grad("x")
    def relu_dx(dy):
        return dy * 2

    recording = relu(tg.tensor([1.0, -1.0], requires_grad=True)).sum().record()
    view = recording.explain(recording[0])["dx"]
    assert view.terms[0].factors[1].array.tolist() == [2, 2]


def test_a_surrogate_is_named():
    @tg.primitive
    def rounded_for_test(x):
        return np.round(x)

    @rounded_for_test.grad("x", of=tg.hardtanh)
    def rounded_for_test_dx(dy, x):
        return dy * ((x > -1) & (x < 1))

    recording = rounded_for_test(tg.tensor([0.4, -1.6], requires_grad=True)).sum().record()
    assert "surrogate hardtanh" in recording.explain(recording[0])["dx"].text
