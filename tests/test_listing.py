"""What there is: the listing of the ops, and what help() says of one."""

from __future__ import annotations

import inspect

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.ops.listing import describe, listing


def test_the_listing_has_a_line_for_every_op():
    lines = listing().splitlines()
    assert lines[0].startswith(f"{len(OPS)} ops")
    assert [line.split("(")[0].strip() for line in lines[1:]] == sorted(OPS)


def test_a_line_has_signature_rules_and_summary():
    (line,) = [line for line in listing().splitlines() if line.startswith("  matmul(")]
    signature, rules, text = [part.strip() for part in line.split("  ") if part.strip()]
    assert (signature, rules) == ("matmul(a, b)", "a b")
    assert text == inspect.getdoc(OPS["matmul"].forward).partition("\n")[0]


def test_an_op_is_described_with_its_rules_and_their_lines():
    text = describe(OPS["conv2d"])
    assert "Cross-correlation of x" in text
    assert "In the formula and the rules x is input, w is weight, b is bias." in text
    assert "Rule for w: conv2d_dw(dy, x, w_shape, **geometry), " in text
    assert "ops/conv.py:" in text
    assert "The weight gradient is the cross-correlation of X with dY." in text


def test_an_op_of_a_user_s_is_listed(scratch_ops):
    @tg.primitive
    def my_own(x, *, k=1):
        """x, k times."""
        return x * k

    assert "my_own(x, *, k=1)" in listing()
    assert "No rule for x" in describe(my_own)


def test_every_op_is_an_attribute_of_tg_ops():
    for name, op in OPS.items():
        assert getattr(tg.ops, name) is op
    assert str(tg.ops) == listing()
