"""Normalisations, with PyTorch's running statistics, and dropout, with the random numbers of `manual_seed`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..creation import generator
from ..dtypes import Array
from ..engine.modes import no_grad
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import dropout as drops
from ..ops import norm
from .activations import refuse_inplace
from .signatures import Operand, documented_by

__all__ = [
    "batch_norm",
    "dropout",
    "dropout2d",
    "group_norm",
    "instance_norm",
    "layer_norm",
]
