"""Every op under the name and with the arguments that PyTorch gives it, a file for each family.

Inputs may be Tensors or arrays; a result is a Tensor as soon as one of them is.
"""

from __future__ import annotations

from . import (
    activations,
    arithmetic,
    convolutions,
    losses,
    norms,
    pooling,
    products,
    reductions,
    shapes,
    space,
)
from .activations import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .convolutions import *  # noqa: F403
from .losses import *  # noqa: F403
from .norms import *  # noqa: F403
from .pooling import *  # noqa: F403
from .products import *  # noqa: F403
from .reductions import *  # noqa: F403
from .shapes import *  # noqa: F403
from .space import *  # noqa: F403

__all__ = [  # noqa: PLE0604
    *activations.__all__,
    *arithmetic.__all__,
    *convolutions.__all__,
    *losses.__all__,
    *norms.__all__,
    *pooling.__all__,
    *products.__all__,
    *reductions.__all__,
    *shapes.__all__,
    *space.__all__,
]
