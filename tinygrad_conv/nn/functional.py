"""The functions, where PyTorch's scripts look for them: `import tinygrad_conv.nn.functional as F`."""

from __future__ import annotations

from ..absent.missing import public_names
from ..functional import *  # noqa: F403
from ..functional import __all__  # noqa: F401

__getattr__, __dir__ = public_names(__name__)
