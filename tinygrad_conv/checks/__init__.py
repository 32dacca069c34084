"""Is the gradient right, and if not, what kind of wrong is it? A map of the folder.

The core, in reading order: is it right?
gradcheck.py     `gradcheck(fn, *inputs, order=1 | 2)`, and in one line of a test `assert_rule(op, …)`
compare.py       gradients beside differences, entry by entry
function.py      a function of Tensors as one of flat vectors: its values, its differences
pullback.py      its gradients, in both modes of the rules; its gradient as a function
tolerance.py     how far apart the two may be
fault.py         what is found wrong: a kind, in a word, and a sentence
directions.py    the same for a large Jacobian, along random directions
kinks.py         where they disagree: a mistake, or a kink?
behaviour.py     what else is asked of rules: they change nothing, are linear, agree in both modes and in
                 every layout of memory, and make no other dtype of the one that they are given
failure.py       the error that a failed check raises; with a diagnosis where that folder is there
wording.py       what its message is made of
calls.py         which ops a function calls
other_inputs.py  other numbers, sizes and params that an op takes
introspection.py what is asked of ops, rules and nodes
surrogates.py    rules that are gradients of another function on purpose

Gone without any harm to the above, if these two are deleted:
diagnosis/       what kind of wrong: from a fault to the op, the rule, its line, and the usual mistake
repair/          the edit of a rule that makes it right, and what inputs cannot tell

command/         `python -m tinygrad_conv check` and `new-op`, and what is checked of each op
cases.py         sample inputs: `case(op, normal("n m"), …)`
samples/         the cases of the package's own ops
"""

from __future__ import annotations

from .cases import apart, case, integers, mask, normal, positive, sizes, uniform
from .gradcheck import AdequacyWarning, KinkWarning, assert_rule, gradcheck

__all__ = [
    "AdequacyWarning",
    "KinkWarning",
    "apart",
    "assert_rule",
    "case",
    "gradcheck",
    "integers",
    "mask",
    "normal",
    "positive",
    "sizes",
    "uniform",
]
