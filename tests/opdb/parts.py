"""Parts and shapes, numbers looked up and written, on PyTorch's sample inputs."""

from __future__ import annotations

import tinygrad_conv as tg

from .entry import Entry

TABLE = {
    "atleast_1d": Entry(tg.atleast_1d),
    "atleast_2d": Entry(tg.atleast_2d),
    "atleast_3d": Entry(tg.atleast_3d),
    "broadcast_tensors": Entry(tg.broadcast_tensors),
    "broadcast_to": Entry(tg.broadcast_to),
    "column_stack": Entry(tg.column_stack),
    "diag": Entry(tg.diag),
    "diag_embed": Entry(tg.diag_embed),
    "diagonal": Entry(tg.diagonal),
    "diff": Entry(tg.diff),
    "dstack": Entry(tg.dstack),
    "fliplr": Entry(tg.fliplr),
    "flipud": Entry(tg.flipud),
    "hstack": Entry(tg.hstack),
    "index_add": Entry(tg.index_add),
    "index_fill": Entry(tg.index_fill),
    "index_select": Entry(tg.index_select),
    "masked_select": Entry(tg.masked_select),
    "meshgrid.list_of_tensors": Entry(tg.meshgrid),
    "meshgrid.variadic_tensors": Entry(tg.meshgrid),
    "movedim": Entry(tg.movedim),
    "narrow": Entry(tg.narrow),
    "ravel": Entry(tg.ravel),
    "repeat_interleave": Entry(tg.repeat_interleave),
    "rot90": Entry(tg.rot90),
    "scatter": Entry(tg.scatter),
    "scatter_reduce.amax": Entry(tg.scatter_reduce),
    "scatter_reduce.amin": Entry(tg.scatter_reduce),
    "scatter_reduce.mean": Entry(tg.scatter_reduce),
    "scatter_reduce.prod": Entry(tg.scatter_reduce),
    "scatter_reduce.sum": Entry(tg.scatter_reduce),
    "select": Entry(tg.select),
    "t": Entry(tg.t),
    "take": Entry(tg.take),
    "take_along_dim": Entry(tg.take_along_dim),
    "tensor_split": Entry(tg.tensor_split),
    "tile": Entry(tg.tile),
    "trace": Entry(tg.trace),
    "tril": Entry(tg.tril),
    "triu": Entry(tg.triu),
    "unbind": Entry(tg.unbind),
    "unflatten": Entry(tg.unflatten),
    "unfold": Entry(tg.Tensor.unfold),
    "vstack": Entry(tg.vstack),
}
