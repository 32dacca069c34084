"""Products on PyTorch's sample inputs."""

from __future__ import annotations

from typing import Any

import tinygrad_conv as tg

from .entry import Entry


def equation_first(args: Any, kwargs: Any) -> Any:
    """OpInfo's order, with a list of operands, as the function's."""
    operands, equation = args
    return (equation, *operands), kwargs


TABLE = {
    "bmm": Entry(tg.bmm),
    "einsum": Entry(tg.einsum, adapt=equation_first),
    "matmul": Entry(tg.matmul),
    "nn.functional.linear": Entry(tg.linear),
}
LEFT_OUT = {
    "bmm.triton_optimized": "a GPU kernel",
}
