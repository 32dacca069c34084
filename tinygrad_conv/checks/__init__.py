"""Is the gradient right, and if not, what kind of wrong is it? A map of the folder, in reading order:

gradcheck.py     `gradcheck(fn, *inputs, order=1 | 2)`
function.py      a function of Tensors as one of flat vectors: values, gradients, differences
compare.py       gradients beside differences: entry by entry, or along random directions; kinks
fault.py         what is found wrong
explain.py       from there to a message: the op to blame, its rule, its line, the diagnosis
calls.py         which ops a function calls, and in which dtypes
evidence.py      the Jacobian of one op: what the rule gives, and what is right
diagnosis.py     what kind of wrong it is: findings that are tried out on the evidence
constants.py     right at order 1, wrong at order 2: what a rule uses as a constant
rule_source.py   what a rule may say: its source, without running it
cases.py         sample inputs: `case(op, normal("n m"), …)`; guess.py makes some where there are none
samples.py       the cases of the package's own ops
op_check.py      what is checked of each op; table.py is `python -m tinygrad_conv check`
"""

from __future__ import annotations

from .cases import apart, case, integers, mask, normal, positive, sizes, uniform
from .gradcheck import KinkWarning, gradcheck

__all__ = [
    "KinkWarning",
    "apart",
    "case",
    "gradcheck",
    "integers",
    "mask",
    "normal",
    "positive",
    "sizes",
    "uniform",
]
