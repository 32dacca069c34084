"""What the tables of tests/opdb_<family>.py are made of: how one of our functions meets PyTorch's own sample
inputs.

A family's file holds `TABLE: dict[str, Entry]`, by the full name of PyTorch's OpInfo ("nn.functional.gelu",
"var_mean", "softmax.with_dtype"), and may hold `LEFT_OUT: dict[str, str]`: OpInfos of a function of ours that
are left out altogether, with the reason. tests/test_opdb_torch.py collects them all. No torch is imported
here or there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Sample = Any  # torch.testing's SampleInput: .input, .args, .kwargs


@dataclass(frozen=True)
class Entry:
    """One of our functions, called with what PyTorch's is called with.

    adapt: (args, kwargs), already converted, as we take them, where the call differs. theirs: what PyTorch
    computes from the same arguments, where it is not the OpInfo itself. left_out: reason → which samples (or
    error inputs) it holds for. A reason that no sample has any more fails. random: for a result that depends
    on chance, `random(result, args, kwargs)` asserts what must hold instead. orders: how often PyTorch's own
    function can be differentiated.
    """

    function: Callable[..., Any]
    adapt: Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]] | None = None
    theirs: Callable[..., Any] | None = None
    left_out: dict[str, Callable[[Sample], bool]] = field(default_factory=dict)
    random: Callable[[Any, tuple[Any, ...], dict[str, Any]], None] | None = None
    orders: int = 2
