"""ONNX files: `tg.onnx.export` writes a model, `tg.onnx.exportable` lists the ops that can be written.

`pip install "tinygrad_conv[onnx]"` brings the library.
"""

from .writing.export import export
from .writing.exportable import exportable

__all__ = ["export", "exportable"]
