"""Our functions on PyTorch's own sample inputs, those of its OpInfos: what is compared, and what is left out
with which reason.

A family's file holds `TABLE: dict[str, Entry]`, by the full name of PyTorch's OpInfo ("nn.functional.gelu",
"var_mean", "softmax.with_dtype"), and may hold `LEFT_OUT: dict[str, str]`: OpInfos of a function of ours that
are left out altogether, with the reason. tests/test_opdb_torch.py compares. No torch is imported here.
"""

from __future__ import annotations

from . import (
    activations,
    arithmetic,
    composed,
    elementary,
    losses,
    norms,
    parts,
    products,
    questions,
    reductions,
    shapes,
    space,
)
from .entry import Entry

FAMILIES = (
    *(activations, arithmetic, composed, elementary, losses, norms, parts),
    *(products, questions, reductions, shapes, space),
)
TABLE: dict[str, Entry] = {name: entry for family in FAMILIES for name, entry in family.TABLE.items()}
LEFT_OUT: dict[str, str] = {
    name: reason for family in FAMILIES for name, reason in getattr(family, "LEFT_OUT", {}).items()
}
