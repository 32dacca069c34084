"""Models in ONNX's format, as PyTorch and others write them. `pip install "tinygrad_conv[onnx]"`.

writing/      `export`: a model → a file, from the ops that it applies; `exportable` lists the ops that can be
reading/      `load`: a file → a Module that runs and trains
operators/    for reading: what each of ONNX's operators is in functions of ours
library.py    the library of ONNX, imported where it is used
"""

from __future__ import annotations

from ...absent.missing import public_names
from .reading.loading import load
from .writing.export import export, exportable

__all__ = ["export", "exportable", "load"]

__getattr__, __dir__ = public_names(__name__)
