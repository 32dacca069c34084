"""Models in ONNX's format. `pip install "tinygrad_conv[onnx]"` brings the library.

writing/      `export`: a model → a file, from the ops that it applies; `exportable` lists the ops that can be
library.py    the library of ONNX, imported where it is used
"""

from __future__ import annotations

from ...absent.missing import public_names
from .writing.export import export
from .writing.exportable import exportable

__all__ = ["export", "exportable"]

__getattr__, __dir__ = public_names(__name__)
