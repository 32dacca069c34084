"""Is the gradient right, and if not, what kind of wrong is it? A map of the folder, in reading order:

    gradcheck.py     `gradcheck(fn, *inputs, order=1 | 2)`, and the message when it fails
    function.py      a function of Tensors as one of flat vectors: values, gradients, differences
    compare.py       gradients beside differences: entry by entry, or along random directions; kinks
    calls.py         which ops a function calls, and in which dtypes
    rule_source.py   what a rule may say: its source, without running it
    cases.py         sample inputs: `case(op, normal("n m"), …)`
    samples/         the cases of the package's own ops
    op_check.py      what is checked of each op: `python -m tinygrad_conv check`, and the suite
"""

from __future__ import annotations

from .cases import apart, case, integers, mask, normal, positive, sizes, uniform
from .gradcheck import KinkWarning, gradcheck

__all__ = ["KinkWarning", "apart", "case", "gradcheck", "integers", "mask", "normal", "positive", "sizes", "uniform"]
