"""Shapes, orders, parts, unions and places on PyTorch's sample inputs."""

from __future__ import annotations

from typing import Any

import tinygrad_conv as tg

from .entry import Entry


def is_legacy(sample: Any) -> bool:
    """A list of tensors with an empty one of one dimension among others."""
    shapes = {tuple(getattr(tensor, "shape", ())) for tensor in sample.input}
    return (0,) in shapes and len(shapes) > 1


def has_other_rank(sample: Any) -> bool:
    """An index into a number, or an empty index of another number of dimensions."""
    index = sample.args[1]
    return index.ndim != sample.input.ndim and (not index.numel() or not sample.input.ndim)


TABLE = {
    "cat": Entry(
        tg.cat,
        left_out={"an empty tensor of one dimension fits all others only for old programs' sake": is_legacy},
    ),
    "chunk": Entry(tg.chunk),
    "clone": Entry(tg.clone),
    "expand": Entry(tg.Tensor.expand),
    "__getitem__": Entry(tg.Tensor.__getitem__),
    "flatten": Entry(tg.flatten),
    "flip": Entry(tg.flip),
    "gather": Entry(tg.gather, left_out={"an index must have the dimensions of the input": has_other_rank}),
    "permute": Entry(tg.permute),
    "repeat": Entry(tg.Tensor.repeat),
    "reshape": Entry(tg.reshape),
    "roll": Entry(tg.roll),
    "scatter_add": Entry(tg.scatter_add),
    "split": Entry(tg.split),
    "split.list_args": Entry(tg.split),
    "squeeze": Entry(tg.squeeze),
    "squeeze.multiple": Entry(tg.squeeze),
    "stack": Entry(tg.stack),
    "transpose": Entry(tg.transpose),
    "unsqueeze": Entry(tg.unsqueeze),
    "view": Entry(tg.reshape),
}
