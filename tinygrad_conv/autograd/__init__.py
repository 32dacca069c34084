"""What PyTorch's scripts look for in `torch.autograd`: own functions with a backward, gradients, checks.

An op of your own is shorter as `@tg.primitive`, and its rules can be stepped into and repaired; see README.
"""

from __future__ import annotations

from ..absent.missing import public_names
from ..checks.gradcheck import gradcheck
from ..engine.differentiate import grad
from ..engine.modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from . import function
from .function import Function
from .variable import Variable, backward

__all__ = [
    "Function",
    "Variable",
    "backward",
    "enable_grad",
    "function",
    "grad",
    "gradcheck",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]

__getattr__, __dir__ = public_names(__name__)
