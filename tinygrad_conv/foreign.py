"""Whose something is: this package's, or PyTorch's. Its tensors become arrays here, without importing it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from .dtypes import Array, check_unmasked

PACKAGE = __name__.partition(".")[0]


def is_own(definition: Any) -> bool:
    """Whether a function or a class is defined in this package."""
    return (getattr(definition, "__module__", None) or "").startswith(f"{PACKAGE}.")


def torch_if_imported() -> ModuleType | None:
    """PyTorch where somebody has imported it, and not this package: `sys.modules["torch"] = tg`, so that a
    script runs as it is.
    """
    torch = sys.modules.get("torch")
    return None if torch is sys.modules[PACKAGE] else torch


def is_torchs(value: Any) -> bool:
    """Whether it is one of PyTorch's tensors."""
    torch = torch_if_imported()
    return torch is not None and isinstance(value, torch.Tensor)


def is_torchs_lazy(value: Any) -> bool:
    """Whether it is a parameter or buffer of one of PyTorch's lazy layers, which has no shape yet."""
    return is_torchs(value) and bool(sys.modules["torch"].nn.parameter.is_lazy(value))


def numbers_of(value: Any, owner: str = "") -> Array:
    """What is no Tensor as an array, in the same memory where NumPy has the dtype and it is on the CPU.

    PyTorch's tensors may require grad, and be anywhere; bfloat16 becomes float32, which holds its numbers
    exactly. Raises TypeError, ValueError or RuntimeError for what are no numbers that NumPy has, DtypeError
    for a masked array, with the `owner` in its message.
    """
    if not is_torchs(value):
        check_unmasked(value, owner)
        return np.asarray(value)
    plain = value.detach().cpu().resolve_conj().resolve_neg()
    if plain.dtype is sys.modules["torch"].bfloat16:
        plain = plain.float()
    numbers: Array = plain.numpy()
    return numbers


def plain_option(value: Any) -> Any:
    """An option of an optimiser, in which PyTorch may have tensors of one number, as Python's numbers."""
    if type(value) in (list, tuple):
        return type(value)(map(plain_option, value))
    return value.item() if is_torchs(value) and value.numel() == 1 else value
