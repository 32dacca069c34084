"""Image-like arrays as pictures: PNG in the HTML itself, of bounded size however large the array is."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from ...dtypes import Array
from .markup import LINE, caption

PICTURES = 16  # at most, of one array
LARGEST = 1024  # rows and columns of an image
LONGEST = 50  # times as long as wide: beyond that a strip, in which nothing is seen
ROOM = 120_000  # bytes of all pixels of one array: a notebook keeps every picture that it has shown
ROOM_FOR_ONE = ROOM // 3
ZOOMED = 96  # small images are enlarged to about this many pixels in their shorter side,
WIDEST = 480  # and to no more than this in their longer one
CONSTANT = 128  # the grey of an image in which every number is the same
NOT_FINITE = (230, 30, 60)  # the red of NaN and infinities

GRID = "display: grid; grid-template-columns: repeat(auto-fill, min({}px, 100%)); gap: 4px; margin: 4px 0"
PIXELS = (
    "image-rendering: pixelated; display: block; margin: 0; max-width: 100%; height: auto; "
    f"outline: 1px solid {LINE}"
)


class Scale(NamedTuple):
    """What the shown numbers lie between; None where none is finite. others: how many are not finite."""

    low: float | None
    high: float | None
    others: int


def pictures(array: Array) -> str:
    """An array's images in a grid, grey ones a channel each, and a caption.

    The lowest number of all is black, the highest white; what is not finite is red.
    """
    if not looks_like_images(array):
        return ""
    planes = list(islice(planes_of(array), PICTURES))
    channels = 3 if is_coloured(array) or not all(np.isfinite(plane).all() for plane in planes) else 1
    step, shown = room_for(channels, *array.shape[-2:])
    planes = [plane[::step, ::step] for plane in planes[:shown]]
    scale = scale_of(planes)
    images = [image_of(plane, scale) for plane in planes]
    width = zoom_of(images[0]) * images[0].shape[1]
    drawn = "".join(picture(image, number) for number, image in enumerate(images, 1))
    told = [show_scale(scale, array.dtype), show_share(len(images), count_of(array)), show_step(step)]
    return f'<div style="{GRID.format(width)}">{drawn}</div>{caption("; ".join(filter(None, told)))}'


def looks_like_images(array: Array) -> bool:
    """Whether it is [H, W], [C, H, W] or [N, C, H, W], with rows and columns as images have them."""
    if array.ndim not in (2, 3, 4) or not array.size:
        return False
    shorter, longer = sorted(array.shape[-2:])
    return shorter >= 3 and longer <= min(LARGEST, LONGEST * shorter)


def is_coloured(array: Array) -> bool:
    """Whether three channels are red, green and blue."""
    return array.ndim > 2 and array.shape[-3] == 3


def count_of(array: Array) -> int:
    """How many images it is."""
    return math.prod(array.shape[: -3 if is_coloured(array) else -2])


def planes_of(array: Array) -> Iterator[Array]:
    """Its images one by one, [H, W] or [H, W, 3]: views, of which the first few are enough."""
    if is_coloured(array):
        array = np.moveaxis(array, -3, -1)
        return (array[index] for index in np.ndindex(array.shape[:-3]))
    return (array[index] for index in np.ndindex(array.shape[:-2]))


def room_for(channels: int, height: int, width: int) -> tuple[int, int]:
    """Every how manyth row and column is shown, and how many images, so that all keep within their room."""
    step = math.ceil(math.sqrt(channels * height * width / ROOM_FOR_ONE))
    pixels = channels * math.ceil(height / step) * math.ceil(width / step)
    return step, max(1, min(PICTURES, ROOM // pixels))


def scale_of(planes: list[Array]) -> Scale:
    """What the numbers of all these planes lie between."""
    numbers = np.concatenate([plane.ravel() for plane in planes]).astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    others = numbers.size - finite.size
    return (
        Scale(float(finite.min()), float(finite.max()), others) if finite.size else Scale(None, None, others)
    )


def image_of(plane: Array, scale: Scale) -> Array:
    """Bytes [H, W] or, in colours, [H, W, 3]."""
    numbers = plane.astype(np.float64)
    finite = np.isfinite(numbers)
    grey = np.full(numbers.shape, CONSTANT, np.uint8)
    if scale.low is not None and scale.high is not None and scale.high > scale.low:
        span = scale.high / 2 - scale.low / 2  # halves: the whole of a span may overflow
        share = (np.where(finite, numbers, scale.low) / 2 - scale.low / 2) / span if span else 0.0 * numbers
        grey = np.round(share * 255).astype(np.uint8)
    if not scale.others:
        return grey
    coloured = grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)
    is_other = ~finite.all(axis=2) if finite.ndim == 3 else ~finite
    coloured[is_other] = NOT_FINITE
    return coloured


def picture(image: Array, number: int) -> str:
    """An image as an <img> of whole pixels."""
    height, width = image.shape[:2]
    zoom = zoom_of(image)
    source = base64.b64encode(png(image)).decode()
    size = f'width="{width * zoom}" height="{height * zoom}" alt="picture {number}"'
    return f'<img src="data:image/png;base64,{source}" {size} style="{PIXELS}">'


def zoom_of(image: Array) -> int:
    """How many pixels wide and high one of the image's is shown."""
    shorter, longer = sorted(image.shape[:2])
    return max(1, min(ZOOMED // shorter, WIDEST // longer))


def show_scale(scale: Scale, dtype: np.dtype[np.generic]) -> str:
    """What the colours mean."""
    others = f"red: {scale.others:,} not finite" if scale.others else ""
    if scale.low is None or scale.high is None:
        return others
    low, high = (show_number(number, dtype) for number in (scale.low, scale.high))
    shades = f"every {'other ' if others else ''}number is {low}"
    if scale.high > scale.low:
        shades = f"black {low}, white {high}"
    return f"{shades}; {others}" if others else shades


def show_number(number: float, dtype: np.dtype[np.generic]) -> str:
    """A number of a dtype in a few letters."""
    return str(bool(number)) if dtype.kind == "b" else f"{number:.4g}"


def show_share(shown: int, count: int) -> str:
    """How many pictures there are, where not all are shown."""
    return f"the first {shown} of {count:,} pictures" if shown < count else ""


def show_step(step: int) -> str:
    """Which rows and columns are shown, where not all are."""
    return f"one of {step} rows and columns" if step > 1 else ""


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
