"""Shapes, orders, sizes and places that ops which rearrange can be asked for."""

from __future__ import annotations

from typing import Any

from ...allocation import check_fits
from ...errors import ShapeError, show_array, show_shape
from .dims import one_dim
from .values import check_integers

Shape = tuple[int, ...]

PADDING_MODES = ("constant", "reflect", "replicate", "circular")


def check_sizes(op: str, shape: Shape) -> None:
    """Refuse sizes below -1, which NumPy would take for it."""
    if min(shape, default=0) < -1:
        given = f"{min(shape)} as in {show_shape(shape)}"
        raise ShapeError(f"{op}: sizes are 0 or more, or -1 for what the others leave, not {given}")


def check_order(op: str, start: int, end: int, start_dim: int, end_dim: int) -> None:
    """Refuse dimensions in the wrong order."""
    if start > end:
        raise ShapeError(f"{op}: start_dim {start_dim} comes after end_dim {end_dim}")


def check_permutation(op: str, x: Any, order: Shape, dims: Shape) -> None:
    """Refuse an order that leaves a dimension out."""
    if len(order) != x.ndim:
        raise ShapeError(
            f"{op}: dims {dims} must name each of the {x.ndim} dimensions of x {show_shape(x.shape)} once"
        )


def check_joined(op: str, xs: tuple[Any, ...], dim: int) -> None:
    """Refuse arrays that differ beside the dimension in which they are joined."""
    others = [(len(x.shape), x.shape[:dim] + x.shape[dim + 1 :]) for x in xs]
    if not xs or not xs[0].ndim or len(set(others)) > 1:
        shapes = ", ".join(show_shape(x.shape) for x in xs) or "nothing"
        wanted = f"agree in all dimensions but dim={dim}, and there must be one"
        raise ShapeError(f"{op}: the shapes must {wanted}; got {shapes}")


def check_stacked(op: str, xs: tuple[Any, ...]) -> None:
    """Refuse arrays of several shapes."""
    if not xs or any(x.shape != xs[0].shape for x in xs):
        shapes = ", ".join(show_shape(x.shape) for x in xs) or "nothing"
        raise ShapeError(f"{op}: the shapes must agree, and there must be at least one; got {shapes}")


def check_has_dims(op: str, x: Any) -> None:
    """Refuse a number alone."""
    if not x.ndim:
        raise ShapeError(f"{op}: a tensor without dimensions has none to be split along")


def piece_sizes(op: str, x: Any, dim: int, sizes: Any) -> list[int]:
    """One size, or one for each piece, as a list of all. Raises ShapeError where they do not fill x."""
    check_has_dims(op, x)
    whole = x.shape[one_dim(op, dim, x.ndim)]
    if isinstance(sizes, (tuple, list)):
        pieces = list(sizes)
    elif sizes < 1:
        pieces = [whole] if sizes == whole == 0 else [-1]
    else:
        pieces = [sizes] * (whole // sizes) + ([whole % sizes] if whole % sizes or not whole else [])
    if min(pieces, default=0) < 0 or sum(pieces) != whole:
        given = f"x {show_shape(x.shape)} in dim={dim}"
        raise ShapeError(f"{op}: sizes {sizes} must not be negative, and add up to {whole} for {given}")
    return pieces


def chunk_sizes(op: str, x: Any, dim: int, chunks: int) -> list[int]:
    """The sizes of `chunks` pieces, or of fewer. Raises ShapeError where there can be none."""
    whole = x.shape[one_dim(op, dim, x.ndim)] if x.ndim else 0
    if not x.ndim or chunks < 1:
        raise ShapeError(f"{op}: x {show_shape(x.shape)} cannot be split into {chunks} chunks")
    return piece_sizes(op, x, dim, -(-whole // chunks) if whole else [0] * chunks)


def check_shifts(op: str, x: Any, shifts: Shape, dims: Shape | None) -> None:
    """Refuse another number of shifts than dimensions."""
    if len(shifts) != (1 if dims is None else len(dims)):
        raise ShapeError(
            f"{op}: there must be one shift for each dimension; got shifts {shifts} and dims {dims}"
        )
    if dims is not None and not x.ndim:
        raise ShapeError(f"{op}: x has no dimensions, so none in dims {dims}")


def check_repeats(op: str, x: Any, repeats: Any) -> None:
    """Refuse counts that are negative, or fewer than dimensions."""
    if len(repeats) < x.ndim or min(repeats, default=0) < 0:
        shapes = f"repeats {tuple(repeats)} and x {show_shape(x.shape)}"
        raise ShapeError(f"{op}: there must be a count, from 0, for each dimension: {shapes}")
    check_fits(op, "repeats", tuple(repeats), (x.size, *repeats), x.dtype.itemsize)


def check_slopes(op: str, x: Any, w: Any) -> None:
    """Refuse weights of prelu that are neither one number nor one for each channel."""
    channels = x.shape[1] if x.ndim > 1 else 1
    if w.ndim > 1 or w.size not in (1, channels):
        wanted = f"one number, or [{channels}], one for each channel of input {show_shape(x.shape)}"
        raise ShapeError(f"{op}: weight must be {wanted}; it is {show_shape(w.shape)}")


def check_places(op: str, shape: Shape, dim: int, index: Any) -> None:
    """Refuse an index that does not belong to an array of this shape."""
    looked_up = one_dim(op, dim, len(shape))
    check_integers(op, "index", index)
    is_alone = index.ndim == 0 and len(shape) == 1  # one place of a row
    if (index.ndim != len(shape) and not is_alone) or any(
        [axis != looked_up and size > shape[axis] for axis, size in enumerate(index.shape)]
    ):
        shapes = f"index {show_shape(index.shape)} must have the dimensions of x {show_shape(shape)}"
        raise ShapeError(f"{op}: {shapes}, and be no larger than it but in dim={dim}")
    check_within(op, shape[looked_up] if shape else 1, dim, index)


def check_within(op: str, size: int, dim: int, index: Any) -> None:
    """Refuse places that a dimension of this size does not have."""
    if 0 not in index.shape and not 0 <= index.min() <= index.max() < size:
        holds = f"index holds {index.min()} … {index.max()}"
        raise IndexError(f"{op}: {holds}, but x has the places 0 … {size - 1} in dim={dim}")


def check_source(op: str, x: Any, src: Any, index: Any) -> None:
    """Refuse what cannot be added to x at the places of an index."""
    covers = src.ndim == index.ndim and all(most >= size for most, size in zip(src.shape, index.shape))
    if not covers or src.dtype != x.dtype:
        given = f"src {show_array(src)} must have the dtype of x, {x.dtype}"
        raise ShapeError(f"{op}: {given}, and be no smaller than index {show_shape(index.shape)}")


def check_sides(shape: Shape, sides: Any, mode: str, value: Any) -> None:
    """Refuse sides that do not belong to the shape, or that ask for more than there is inside."""
    if mode not in PADDING_MODES:
        raise ValueError(f"pad: mode must be one of {', '.join(PADDING_MODES)}, not {mode!r}")
    if mode != "constant" and value is not None:
        raise ValueError(f"pad: mode {mode!r} takes no value")
    if len(sides) % 2 or len(sides) // 2 > len(shape):
        given = show_sides(shape, sides)
        raise ShapeError(f"pad: {given} must be two numbers for each of some last dimensions")
    if mode != "constant" and len(shape) - len(sides) // 2 not in (1, 2):
        given = f"{show_sides(shape, sides)} pad {len(sides) // 2}"
        raise ShapeError(f"pad: mode {mode!r} pads all dimensions but the first one or two; {given}")
    for size, before, after in zip(shape[::-1], sides[::2], sides[1::2]):
        most = most_padding(mode, size, before, after)
        if size + before + after < 0 or (most is not None and max(before, after) > max(most, 0)):
            shown = f"are more than the {most} that mode {mode!r} can show"
            limit = "leave a negative size" if most is None else shown
            given = show_sides(shape, sides)
            raise ShapeError(f"pad: {given}: {(before, after)} {limit} of a size of {size}")
    added = [before + after for before, after in zip(sides[::2], sides[1::2])][::-1]
    padded = [size + more for size, more in zip(shape[len(shape) - len(added) :], added)]
    check_fits("pad", "sides", tuple(sides), (*shape[: len(shape) - len(added)], *padded), 2)


def show_sides(shape: Shape, sides: Any) -> str:
    """For an error about them."""
    return f"sides {tuple(sides)} of x {show_shape(shape)}"


def most_padding(mode: str, size: int, before: int, after: int) -> int | None:
    """How much of an axis a mode can show at one of its ends; None for as much as one likes."""
    if mode == "reflect":
        return size - 1
    if mode == "circular":
        return size + min(before, 0) + min(after, 0)
    return 0 if mode == "replicate" and not size else None


def check_blocks(op: str, x: Any, factor: int) -> None:
    """Refuse channels that cannot become blocks of pixels, or pixels that cannot become channels."""
    shuffles = op == "pixel_shuffle"
    divided, divisor = (x.shape[-3:-2], factor * factor) if shuffles else (x.shape[-2:], factor)
    if x.ndim < 3 or factor < 1 or any([size % divisor for size in divided]):
        form = f"[..., C · {factor}², H, W]" if shuffles else f"[..., C, H · {factor}, W · {factor}]"
        raise ShapeError(f"{op}: input {show_shape(x.shape)} must be {form}")


def check_resized(op: str, shape: Shape, size: Any) -> None:
    """Refuse to resize from nothing, or to nothing."""
    if any(length < 1 for length in (*shape[2:], *size)):
        raise ShapeError(f"{op}: sizes must be positive, to resize {show_shape(shape)} to {show_shape(size)}")
    check_fits(op, "size", size, (*shape[:2], *size), 2)


def check_row_of_places(op: str, shape: Shape, dim: int, index: Any) -> None:
    """Refuse what names no slices along a dimension: a row of integers, or one of them."""
    size = shape[one_dim(op, dim, len(shape))] if shape else 1
    check_integers(op, "index", index)
    if index.ndim > 1:
        raise ShapeError(f"{op}: index must be a row [k] of places, not {show_shape(index.shape)}")
    check_within(op, size, dim, index)
