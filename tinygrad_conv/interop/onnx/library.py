"""The library of ONNX, imported where it is used."""

from __future__ import annotations

from typing import Any

from ...errors import MissingExtraError


def library() -> Any:
    """The library. Raises MissingExtraError where it is not installed."""
    try:
        import onnx.numpy_helper
    except ImportError:
        raise MissingExtraError('tg.onnx needs the package onnx: pip install "tinygrad_conv[onnx]"') from None
    return onnx
