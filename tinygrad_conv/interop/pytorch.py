"""Tensors, state dicts, modules and optimisers' states: to PyTorch, and back."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np

from ..creation import sharing
from ..dtypes import Array, as_array
from ..engine.tensor import Tensor
from ..errors import DtypeError, GraphError, MissingExtraError
from ..foreign import is_torchs, is_torchs_lazy, numbers_of, torch_if_imported
from ..nn.module import Module
from ..nn.uninitialized import UninitializedBuffer, UninitializedParameter, is_uninitialized
from ..optim import Adagrad, Optimizer
from .structures import Converted


def to_torch(value: Any) -> Any:
    """A Tensor as one of PyTorch's; what a state dict, a module or an optimiser holds as dicts of them.

        torch_model.load_state_dict(tg.interop.to_torch(net))
        torch_optimizer.load_state_dict(tg.interop.to_torch(optimizer))

    value: a Tensor, an array, a Module, an Optimizer, or dicts, lists and tuples of Tensors, arrays, numbers
    and texts. Of a module or an optimiser come copies. A Tensor shares its memory as `torch.from_dlpack(x)`
    does; a leaf that requires grad is one there too. PyTorch does not notice what is written to shared memory
    here; a backward here notices what PyTorch writes.

    Raises GraphError for a result that requires grad: pass `x.detach()`; TypeError for what else there is;
    MissingExtraError where PyTorch is not installed.
    """
    torch = library("to_torch")
    if isinstance(value, Module):
        value = value.state_dict()
    elif isinstance(value, Optimizer):
        value = state_of(value)
    return Converted("to_torch", partial(torchs, torch)).of(value)


def from_torch(value: Any) -> Any:
    """A tensor of PyTorch's as a Tensor; what a state dict, a module or an optimiser holds as dicts of them.

    value: as for `to_torch`, of PyTorch's. Of a module or an optimiser come copies. A tensor shares its
    memory where it is on the CPU and in a dtype that tensors here have; bfloat16 becomes float32, which holds
    the same numbers. A leaf that requires grad is one here too. PyTorch does not notice what is written to
    shared memory here; a backward here notices what PyTorch writes.

    Raises GraphError for a result that requires grad: pass `t.detach()`; DtypeError for other dtypes;
    TypeError for what else there is.
    """
    torch = torch_if_imported()  # whoever has a tensor of PyTorch's has imported it
    whole = torch is not None and isinstance(value, (torch.nn.Module, torch.optim.Optimizer))
    convert = partial(ours, copy=True) if whole else ours
    return Converted("from_torch", convert).of(value.state_dict() if whole else value)


def library(owner: str) -> Any:
    """PyTorch. Raises MissingExtraError where it is not installed."""
    try:
        import torch
    except ImportError:
        raise MissingExtraError(f"tg.interop.{owner} needs PyTorch: pip install torch") from None
    return torch


def torchs(torch: Any, value: Any) -> Any:
    """A Tensor, an array or one of NumPy's numbers for PyTorch."""
    if isinstance(value, np.generic):
        return value.item()
    if is_uninitialized(value):
        lazy = torch.nn.parameter
        kind = (
            "UninitializedParameter" if isinstance(value, UninitializedParameter) else "UninitializedBuffer"
        )
        return getattr(lazy, kind)(dtype=getattr(torch, value.dtype.name))
    if isinstance(value, np.ndarray):
        value = sharing(value, None)
    if not isinstance(value, Tensor):
        raise TypeError(
            f"expected a Tensor, a module, an optimiser or a dict of tensors, not {type(value).__name__}"
        )
    if value._edge is not None:
        raise GraphError(f"{value._edge.node!r} made this tensor, and only a leaf can go; pass x.detach()")
    return torch.from_dlpack(value.detach()).requires_grad_(value.requires_grad)


def ours(value: Any, copy: bool = False) -> Any:
    """A tensor of PyTorch's as one of ours; arrays, and Tensors, stay what they are."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (np.ndarray, Tensor)):
        return value
    if not is_torchs(value):
        raise TypeError(
            "expected a PyTorch tensor, a module, an optimiser or a dict of tensors, not "
            f"{type(value).__name__}"
        )
    if is_torchs_lazy(value):
        parameter = isinstance(value, sys.modules["torch"].nn.Parameter)
        dtype = str(value.dtype).removeprefix("torch.")
        return UninitializedParameter(dtype) if parameter else UninitializedBuffer(dtype)
    if value.requires_grad and not value.is_leaf:
        raise GraphError(f"{value.grad_fn.name()} made this tensor, and only a leaf can go; pass t.detach()")
    array = array_of(value)
    tensor = sharing(array.copy() if copy else array, None)
    tensor.requires_grad = value.requires_grad
    return tensor


def array_of(tensor: Any) -> Array:
    """A tensor of PyTorch's as an array. Raises DtypeError for one that no tensor here can be."""
    try:
        return as_array(numbers_of(tensor))
    except (TypeError, RuntimeError) as error:
        kind = f"{tensor.dtype}{list(tensor.shape)}, {tensor.layout}, on {tensor.device}"
        raise DtypeError(
            f"a tensor is {kind}: {str(error).rstrip('.')}. Tensors here are dense, and hold bool, integers, "
            "float16, float32 or float64; convert it there, as t.float() does"
        ) from error


def state_of(optimizer: Optimizer) -> dict[str, Any]:
    """An optimiser's state dict as PyTorch's has it: its Adagrad begins with a state, and would make one with
    an option of its own where none comes.
    """
    state_dict = optimizer.state_dict()
    if isinstance(optimizer, Adagrad):
        starts = [
            np.full_like(param.data, group["initial_accumulator_value"])
            for group in optimizer.param_groups
            for param in group["params"]
        ]
        for number, start in enumerate(starts):
            state_dict["state"].setdefault(number, {"step": 0, "sum": start})
    return state_dict
