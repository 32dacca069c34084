"""`assert_rule`: everything that is asked of an op's rules, in one line of a test."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from ..engine.op import Op
from ..engine.tensor import Tensor
from .function import is_float_array
from .gradcheck import gradcheck
from .introspection import as_array, rules_of


def assert_rule(op: Op, *inputs: Any, order: Literal[1, 2] = 2, repair: bool = True, **params: Any) -> None:
    """Check all rules of an op, at order 2 unless it is said otherwise, on these inputs and params.

        def test_my_op():
            tg.checks.assert_rule(my_op, np.random.rand(3, 4), np.random.rand(4), scale=2.0)

    inputs: arrays or Tensors; all of floats whose rule there is are checked, whether they require a gradient
    or not. Raises GradcheckError (an AssertionError) as `gradcheck` does; TypeError for what is no op.
    """
    if not isinstance(op, Op):
        raise TypeError(f"assert_rule: op must be an op, as @primitive makes it, not {type(op).__name__}")
    rules = rules_of(op, len(inputs))
    checked = [as_checked(value, rule is not None) for value, rule in zip(inputs, rules)]
    gradcheck(partial(op, **params) if params else op, *checked, order=order, repair=repair)


def as_checked(value: Any, has_rule: bool) -> Any:
    """An input as a leaf that requires a gradient, if it is of floats and there is a rule for it."""
    array = as_array(value)
    return Tensor(array, requires_grad=True) if has_rule and is_float_array(array) else value
