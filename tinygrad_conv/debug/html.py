"""What notebooks show of single things: a step as what flows through it, image-like tensors as pictures."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from ..dtypes import Array
from ..engine.node import Node
from ..engine.tensor import Tensor
from ..errors import show_array
from ..members import members_of
from .step import Step
from .values import plain, saved_arrays

PICTURES = 16  # at most, of one tensor
LARGEST = 1024  # rows and columns of an image
ZOOMED = 96  # small images are enlarged to about this many pixels

BLOCK = "font-family: monospace; white-space: pre; line-height: 1.2; overflow-x: auto; text-align: left"
GRID = "display: grid; grid-template-columns: repeat(auto-fill, min({}px, 100%)); gap: 4px"
PIXELS = "image-rendering: pixelated; display: block; margin: 0; max-width: 100%"
"""Styles said here, for notebooks have their own: images one below the other, text in any font."""


def show_tensor(tensor: Tensor) -> str:
    """A tensor: its repr, and pictures if it looks like images: [H, W], [1 or 3, H, W] or [N, C, H, W]."""
    return f"{block(repr(tensor))}{pictures(tensor.data)}"


def block(text: str) -> str:
    """A text as it is in a terminal."""
    return f'<pre style="{BLOCK}">{escape(text)}</pre>'


def pictures(array: Array) -> str:
    """An array's images in a grid, grey ones a channel each; its lowest number black, its highest white."""
    if not looks_like_images(array):
        return ""
    images = images_in(array)
    shown = images[:PICTURES]
    width = zoom_of(shown[0]) * shown[0].shape[1]
    grid = f'<div style="{GRID.format(width)}">{"".join(map(picture, shown))}</div>'
    if len(images) == len(shown):
        return grid
    return f"{grid}<small>the first {len(shown)} of {len(images):,} pictures</small>"


def looks_like_images(array: Array) -> bool:
    """Whether the last two dimensions may be rows and columns."""
    if array.ndim not in (2, 3, 4) or not array.size:
        return False
    return min(array.shape[-2:]) >= 3 and max(array.shape[-2:]) <= LARGEST


def images_in(array: Array) -> list[Array]:
    """Images [H, W] or [H, W, 3] with numbers from 0 to 255."""
    numbers = np.nan_to_num(array.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = numbers.min(), numbers.max()
    grey = np.round((numbers - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    if grey.ndim > 2 and grey.shape[-3] == 3:
        return list(np.moveaxis(grey, -3, -1).reshape(-1, *grey.shape[-2:], 3))
    return list(grey.reshape(-1, *grey.shape[-2:]))


def picture(image: Array) -> str:
    """An image as an <img> of whole pixels."""
    height, width = image.shape[:2]
    zoom = zoom_of(image)
    source = base64.b64encode(png(image)).decode()
    size = f'width="{width * zoom}" height="{height * zoom}"'
    return f'<img src="data:image/png;base64,{source}" {size} style="{PIXELS}">'


def zoom_of(image: Array) -> int:
    """How many pixels wide and high one of the image's is shown."""
    return max(1, ZOOMED // max(image.shape[:2]))


def png(image: Array) -> bytes:
    """An image [H, W] (grey) or [H, W, 3] (RGB) of bytes as a PNG file (ISO/IEC 15948)."""
    height, width = image.shape[:2]
    not_filtered = b"\0"
    rows = b"".join(not_filtered + np.ascontiguousarray(row).tobytes() for row in image)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if image.ndim == 3 else 0, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def chunk(name: bytes, data: bytes) -> bytes:
    """A PNG chunk: its length, its name, the data, and a checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain text."""
    lines = [table_row("th", head), *(table_row("td", row) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def table_row(tag: str, texts: Iterable[str]) -> str:
    """A row of a table, of heads or of data."""
    cells = "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
    return f"<tr>{cells}</tr>"


def show_node(node: Node) -> str:
    """A node: its repr, and what it keeps for its rules."""
    rows = [(name, show_array(array)) for name, array in saved_arrays(node)]
    return f"{block(repr(node))}{table(('its rules read', ''), rows)}"


def show_step(step: Step) -> str:
    """A step: the gradients that came and went, as pictures where they look like images."""
    gradients = {"grad_output": step.grad_output}
    gradients |= {f"grad_inputs[{name!r}]": gradient for name, gradient in step.grad_inputs.items()}
    shown = [
        f"<p>{escape(name)}: {show_array(array)}</p>{pictures(plain(array))}"
        for name, value in gradients.items()
        for array in members_of(value)
        if array is not None
    ]
    return f"{block(repr(step))}{''.join(shown)}"
