"""Every error the project raises, and how shapes, arrays and tables are written.

Each error is also the built-in that users of NumPy or PyTorch would catch, so `except ValueError` keeps
working. What is refused, and in which words, stands beside what it guards.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


class ShapeError(ValueError):
    """Shapes that do not fit together; the message names op, argument, shapes and the fix."""


class SizeError(ShapeError, MemoryError):
    """A size that could never fit into memory; it is refused before anything is allocated."""


class UninitializedError(ValueError, RuntimeError):
    """Numbers, or a shape, of a lazy layer's parameter before the first forward, which gives it some."""


class DtypeError(TypeError):
    """A dtype that the operation cannot take, for example a gradient for integers."""


class DeclarationError(TypeError):
    """An op or a rule that is declared wrongly; raised when the declaration runs, with its line."""


class RuleError(RuntimeError):
    """A gradient rule that is missing, or returned something that cannot be its input's gradient."""


class GraphError(RuntimeError):
    """A backward that has nothing to go through, or no gradient to begin with."""


class TapeConsumedError(GraphError):
    """A second backward through a tape that the first one has freed."""


class MutationError(RuntimeError):
    """A tensor changed between the forward that read it and the backward that would read it again."""


class AnomalyError(ArithmeticError):
    """The first NaN or infinity under `detect_anomaly`: which op made it, out of what, and from which
    line.
    """


class GradcheckError(AssertionError):
    """A gradient that differs from the finite differences of its forward; `kind` says in a word what is wrong
    with it.
    """

    kind = ""


class ReplayError(AssertionError):
    """A replayed step that differs from the eager one: at which op, on which line."""


class RankError(RuntimeError):
    """Ranks of a parallel training that do not do the same, or one of which has got NaN, ended or not come;
    the message says which rank it is. It is raised on all ranks that are there to raise it.
    """


class DamagedFileError(ValueError):
    """A file that is cut off, damaged, hostile or of another kind; the message names the member of it, and
    what is wrong.
    """


class DataError(DamagedFileError):
    """A file of data that is damaged, cut off or of another format; the message names the file, the place in
    it, and what was expected there.
    """


class CheckpointError(DamagedFileError):
    """A file that is no checkpoint, a damaged one, or one that does not fit what is to be loaded; the message
    names the member of it, and what is wrong. Nothing was loaded.
    """


class OnnxError(DamagedFileError):
    """A model of ONNX's that is damaged or hostile, or has what is not supported; the message names the node,
    or the tensor, and what is.
    """


class RecordingError(DamagedFileError):
    """A file that is no recording, or a damaged one; the message names the member of it, and what is
    wrong.
    """


class ExportError(ValueError):
    """A model that cannot be written as another program's file; the message names op and line, and what to
    do. No file was written.
    """


class MissingExtraError(ImportError):
    """An optional package that this feature needs is not installed; the message says which extra brings
    it.
    """


def show_shape(shape: Iterable[Any]) -> str:
    """`(16, 3, 8, 8)` as messages write it: `[16,3,8,8]`."""
    return "[" + ",".join(map(str, shape)) + "]"


def show_array(array: Any) -> str:
    """Anything with a shape and a dtype as messages write it: `float32[16,3,8,8]`."""
    return f"{array.dtype}{show_shape(array.shape)}"


def show_tensor(tensor: Any) -> str:
    """A tensor by its name, or by its dtype and shape, which one of a lazy layer may not have yet."""
    waits = getattr(tensor, "is_uninitialized", False)
    return tensor.name or (repr(tensor) if waits else show_array(tensor.data))


def show_value(value: Any) -> str:
    """A value in a few words: a small array by its numbers, a large one by its range."""
    value = getattr(value, "data", value) if type(value).__module__ != "numpy" else value
    if isinstance(value, tuple):
        return "(" + ", ".join(map(show_value, value)) + ")"
    if not isinstance(value, np.ndarray):
        return SHORT.repr(value)
    if value.size <= 8:
        return " ".join(np.array2string(value, precision=4, separator=", ").split())
    finite = value[np.isfinite(value)]
    span = f" from {finite.min():.4g} to {finite.max():.4g}" if finite.size else ""
    return f"{show_array(value)}{span}{describe_nonfinite(value)}"


def show_count(count: int, noun: str, plural: str = "") -> str:
    """A number of things: `1 op`, `1,204 ops`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def show_table(rows: Iterable[Sequence[str]], sides: str, gap: str = "  ") -> list[str]:
    """Rows as lines whose cells stand below each other: by column to the left, "<", or to the right, ">"."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table)]
    return [
        gap.join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths)).rstrip()
        for row in table
    ]


def describe_nonfinite(value: np.ndarray[Any, Any]) -> str:
    """`, 3 NaN, 1 inf, the first at [0, 2]`, or nothing."""
    if value.dtype.kind != "f" or np.isfinite(value).all():
        return ""
    nans, infinities = int(np.isnan(value).sum()), int(np.isinf(value).sum())
    first = ", ".join(map(str, np.argwhere(~np.isfinite(value))[0])) if value.ndim else ""
    counts = [f"{count:,} {name}" for count, name in ((nans, "NaN"), (infinities, "inf")) if count]
    return f", {', '.join(counts)}, the first at [{first}]"


class Short(reprlib.Repr):
    """Values as a listing shows them: bounded, and arrays by dtype and shape."""

    def __init__(self) -> None:
        super().__init__()
        self.maxtuple = self.maxlist = self.maxlevel = 4
        self.maxstring = self.maxother = 40

    def repr_ndarray(self, array: np.ndarray[Any, Any], level: int) -> str:
        return f"{array.item():.6g}" if array.ndim == 0 else show_array(array)

    def repr_slice(self, index: slice, level: int) -> str:
        bounds = [index.start, index.stop] + [index.step] * (index.step is not None)
        return ":".join("" if bound is None else self.repr1(bound, level) for bound in bounds)

    def repr_ellipsis(self, index: Any, level: int) -> str:
        return "…"


SHORT = Short()
