"""What the tables of the families are made of."""

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


def is_complex(sample: Sample) -> bool:
    """Whether an argument is a complex number, or a tensor of such."""
    return "complex" in str([getattr(value, "dtype", type(value)) for value in sample.args])


COMPLEX = {"complex numbers": is_complex}
