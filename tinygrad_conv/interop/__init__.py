"""Doors to other libraries; each is imported when something goes through it.

    net.load_state_dict(torch_model.state_dict())
    optimizer.load_state_dict(torch_optimizer.state_dict())
    torch_model.load_state_dict(tg.interop.to_torch(net))
    torch_optimizer.load_state_dict(tg.interop.to_torch(optimizer))
    tg.onnx.export(net, x, "net.onnx")
    torch.from_dlpack(x), jax.numpy.from_dlpack(x), np.asarray(x)       tg.from_dlpack(t)

pytorch.py      tensors, state dicts, modules, optimisers' states to PyTorch and back
torch_file.py   `.pt` files
structures.py   what is in dicts and lists, converted
onnx/           models as ONNX files: `tg.onnx`
dlpack.py       memory of any library that speaks DLPack; engine/dlpack.py has the way out

`python -m tests.tools.layers` prints how far each layer's outputs and gradients are from PyTorch's.
"""

from __future__ import annotations

from ..absent.missing import public_names
from .dlpack import from_dlpack
from .pytorch import from_torch, to_torch
from .torch_file import load_torch

__all__ = ["from_dlpack", "from_torch", "load_torch", "to_torch"]

__getattr__, __dir__ = public_names(__name__)
