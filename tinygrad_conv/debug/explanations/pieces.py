"""What an explanation is made of: plain named arrays, and how a gradient is put together from them.

Nothing in here knows an op. A page draws these pieces, a terminal prints them, and each piece that claims to
make a gradient can be asked for it (`total`), so that the claim is held against the recorded numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import show_shape, show_value

ROUNDINGS = 256  # of a dtype's eps, of the sizes added up: by so much a gradient may differ from its pieces


@dataclass(eq=False, repr=False)
class Figure:
    """An array with a name; label says what it is."""

    name: str
    array: Array
    label: str = ""

    def __repr__(self) -> str:
        return f"{self.name} = {show_value(self.array)}" + (f"   {self.label}" if self.label else "")


@dataclass(eq=False, repr=False)
class Factor(Figure):
    """An array that is multiplied: `dims` says which dimension of the whole each of its own is (None: the
    last ones, as arrays broadcast); of size 1 it is repeated.
    """

    dims: tuple[int, ...] | None = None

    def in_whole(self, ndim: int) -> Array:
        """The array, in such a shape that it broadcasts against the whole."""
        array = np.asarray(self.array)
        if self.dims is None:
            return array
        shape = [1] * ndim
        for dim, size in zip(self.dims, array.shape):
            shape[dim] = size
        return array.reshape(shape)


@dataclass(eq=False, repr=False)
class Term:
    """A product of factors, added or (sign -1) taken away. called: in a formula."""

    factors: tuple[Factor, ...]
    sign: int = 1
    called: str = ""
    step: int | None = None  # whose contribution it is

    @property
    def name(self) -> str:
        """As a formula writes it."""
        return self.called or " · ".join(factor.name for factor in self.factors)

    def value(self, shape: tuple[int, ...]) -> Array:
        """The product over the whole, in float64."""
        product = np.full(shape, float(self.sign))
        for factor in self.factors:
            product = product * factor.in_whole(len(shape)).astype(np.float64)
        return product


@dataclass(eq=False, repr=False)
class Basis:
    """A function on evenly spaced places; a curve is the sum of such, each times a coefficient of the number
    that is looked at.
    """

    values: Array
    coefficient: Factor | None = None  # None: 1


@dataclass(eq=False, repr=False)
class Curve:
    """A function of one number, to be drawn with this number on it."""

    function: str  # y = relu(x)
    axis: str  # what is laid off to the right: x, or x - target
    at: Figure  # where each number is on it
    height: Figure  # and how high: the function's value there
    slope: Figure  # and how steep it is there, by the rule
    low: float
    high: float
    bases: tuple[Basis, ...]


@dataclass(eq=False, repr=False)
class View:
    """One thing that is shown: a gradient, or the output."""

    of: str  # dx
    title: str
    text: str = ""
    formula: str = ""
    figures: tuple[Figure, ...] = ()
    made: str = "made"  # the name under which a page finds who draws it

    def complaint(self) -> str:
        """What is wrong with it beside the recording, in words; "" if nothing is."""
        return ""

    def lines(self) -> Iterable[str]:
        """It in a terminal."""
        yield f"{self.of}: {self.title}" if self.title else self.of
        yield from (line for line in (self.formula, self.text) if line)
        yield from (f"  {figure!r}" for figure in self.figures)


@dataclass(eq=False, repr=False)
class Notes(View):
    """Words, and perhaps arrays."""

    made: str = "notes"


@dataclass(eq=False, repr=False)
class Sum(View):
    """A gradient as a sum of products: result = Σ over some dimensions of the whole, Σ terms.

    shape: of the whole. dims: which dimension of the result each dimension of the whole is; -1: it is summed
    over. curve: of the function whose slope is one of the factors.
    """

    result: Array = field(default_factory=lambda: np.zeros(()))
    shape: tuple[int, ...] = ()
    terms: tuple[Term, ...] = ()
    dims: tuple[int, ...] | None = None
    curve: Curve | None = None
    made: str = "sum"

    @property
    def summed(self) -> tuple[int, ...]:
        """The dimensions of the whole that are summed over."""
        return tuple(dim for dim, kept in enumerate(self.dims or ()) if kept == -1)

    def total(self) -> Array:
        """The sum, in float64."""
        return self.added([term.value(self.shape) for term in self.terms])

    def added(self, values: Sequence[Array]) -> Array:
        """Terms over the whole, added up to the shape of the result."""
        whole = np.zeros(self.shape)
        for value in values:
            whole = whole + value
        return np.asarray(whole.sum(self.summed)).reshape(self.result.shape)

    def complaint(self) -> str:
        with np.errstate(all="ignore"):
            values = [term.value(self.shape) for term in self.terms]
            sizes = self.added([np.abs(value) for value in values])
            return disagreement(self.of, self.result, self.added(values), sizes)

    def lines(self) -> Iterable[str]:
        yield from super().lines()
        with np.errstate(all="ignore"):
            for term in self.terms:
                value = self.added([term.value(self.shape)])
                sign = "-" if term.sign < 0 else "+"
                yield f"  {sign} {term.name}: {show_value(term.sign * value)}"
        over = f", summed over {dims_in_words(self.summed)}" if self.summed else ""
        yield f"  = {self.of} {show_value(self.result)}{over}"


@dataclass(eq=False, repr=False)
class Matrix:
    """An array read as matrices: which of its dimensions are the rows, which the columns, which the batch."""

    name: str
    array: Array
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    batch: tuple[int, ...] = ()

    def as_matrices(self) -> Array:
        """[batch ..., rows, columns]."""
        array = np.asarray(self.array).transpose(*self.batch, *self.rows, *self.columns)
        shape = self.array.shape
        sizes = [math.prod(shape[dim] for dim in dims) for dims in (self.rows, self.columns)]
        return array.reshape(*(shape[dim] for dim in self.batch), *sizes)


@dataclass(eq=False, repr=False)
class Contraction(View):
    """result[r, c] = Σ_k left[r, k] · right[k, c] (+ bias[c]): row × column, or outer products added up.

    Of each batch, where there are any; what of the batch the result has not, is summed over.
    """

    left: Matrix = field(default_factory=lambda: Matrix("", np.zeros((0, 0)), (0,), (1,)))
    right: Matrix = field(default_factory=lambda: Matrix("", np.zeros((0, 0)), (0,), (1,)))
    result: Matrix = field(default_factory=lambda: Matrix("", np.zeros((0, 0)), (0,), (1,)))
    bias: Figure | None = None
    outer: bool = False
    made: str = "contraction"

    def total(self) -> Array:
        """The product in float64, as [batch ..., rows, columns] of the result."""
        left, right = (
            matrix.as_matrices().astype(np.float64, copy=False) for matrix in (self.left, self.right)
        )
        return self.added(left, right, 0.0 if self.bias is None else self.bias.array)

    def added(self, left: Array, right: Array, bias: Any) -> Array:
        """The matrix product of each batch, those added up that the result has but one of."""
        product: Array = left @ right
        wanted = self.result.as_matrices().shape
        extra = product.ndim - len(wanted)
        product = product.sum(tuple(range(extra)))
        stretched = tuple(dim for dim, size in enumerate(wanted[:-2]) if size == 1 != product.shape[dim])
        return product.sum(stretched, keepdims=True) + bias

    def complaint(self) -> str:
        with np.errstate(all="ignore"):
            left, right = (
                np.abs(matrix.as_matrices()).astype(np.float64) for matrix in (self.left, self.right)
            )
            bias = 0.0 if self.bias is None else np.abs(self.bias.array)
            sizes = self.added(left, right, bias)
            return disagreement(self.of, self.result.as_matrices(), self.total(), sizes)

    def lines(self) -> Iterable[str]:
        yield from super().lines()
        for matrix in (self.left, self.right):
            yield f"  {matrix.name} = {show_value(matrix.array)}"
        yield f"  {self.of} = {show_value(self.result.array)}"


@dataclass(eq=False, repr=False)
class Pooling(View):
    """Windows over the rows and columns of images: what each read, and to where its dy goes.

    rows, columns: for each window (first place, step, how many); what lies outside of the image is padding.
    winner: for each window the place h W + w that won it; None where all places share. share: of an average,
    by what each window's dy is multiplied, [P, Q]. won: for each place how many windows it won, or is in.
    """

    x: Array | None = None
    y: Array | None = None
    dy: Array = field(default_factory=lambda: np.zeros((0, 0)))
    result: Array = field(default_factory=lambda: np.zeros((0, 0)))
    rows: list[tuple[int, int, int]] = field(default_factory=list)
    columns: list[tuple[int, int, int]] = field(default_factory=list)
    winner: Array | None = None
    share: Array | None = None
    won: Array | None = None
    made: str = "pooling"

    def total(self) -> Array:
        """Each window's dy, at the place that won it, or its share at all of its places; in float64."""
        return self.spread(self.dy.astype(np.float64))

    def spread(self, dy: Array) -> Array:
        """The adjoint of the pooling."""
        images = dy.reshape(-1, *dy.shape[-2:])
        height, width = self.result.shape[-2:]
        dx = np.zeros((len(images), height * width))
        if self.winner is not None:
            image = np.arange(len(images))[:, None]
            np.add.at(dx, (image, self.winner.reshape(len(images), -1)), images.reshape(len(images), -1))
            return dx.reshape(self.result.shape)
        rows, columns = membership(self.rows, height), membership(self.columns, width)
        shared = images if self.share is None else images * self.share
        spread: Array = rows.T @ shared @ columns
        return spread.reshape(self.result.shape)

    def complaint(self) -> str:
        with np.errstate(all="ignore"):
            sizes = self.spread(np.abs(self.dy.astype(np.float64)))
            return disagreement(self.of, self.result, self.total(), sizes)

    def lines(self) -> Iterable[str]:
        yield from super().lines()
        yield f"  {self.of} = {show_value(self.result)}"


def membership(windows: Sequence[tuple[int, int, int]], size: int) -> Array:
    """[windows, size]: 1 where a window covers a place along an axis."""
    member = np.zeros((len(windows), size))
    for number, (first, step, count) in enumerate(windows):
        places = first + step * np.arange(count)
        member[number, places[(places >= 0) & (places < size)]] = 1
    return member


def disagreement(name: str, recorded: Array, total: Array, sizes: Array) -> str:
    """In words how far the pieces are from the recorded numbers; "" if within rounding, or not finite."""
    eps = float(np.finfo(recorded.dtype).eps) if recorded.dtype.kind == "f" else 0.0
    tiny = float(np.finfo(recorded.dtype).tiny) if recorded.dtype.kind == "f" else 0.0
    difference = np.abs(total - recorded.astype(np.float64))
    allowed = ROUNDINGS * (eps * (sizes + np.abs(recorded)) + tiny)
    wrong = (difference > allowed) & np.isfinite(difference)
    if not wrong.any():
        return ""
    largest = float(difference[wrong].max())
    return f"the pieces do not add up to the recorded {name}: they differ by up to {largest:.3g}"


def complaint_about(view: View) -> str:
    """What is wrong with a view, and be it that its pieces do not fit together: a file may say anything."""
    try:
        return view.complaint()
    except ValueError as error:
        return f"the pieces of {view.of} do not fit together: {error}"


def dims_in_words(dims: Sequence[int]) -> str:
    """`dim 0`, `dims 0, 2 and 3`."""
    if len(dims) == 1:
        return f"dim {dims[0]}"
    return f"dims {', '.join(map(str, dims[:-1]))} and {dims[-1]}"


@dataclass(eq=False, repr=False)
class StepExplanation:
    """How the gradients of one step come about: for people, as text, and as arrays to compute with.

    subject: `%3 relu`. about: a sentence on the op. views: one for each gradient, and what else there is to
    see. remarks: what could not be shown, or does not agree with the recording.
    """

    subject: str
    about: str = ""
    views: tuple[View, ...] = ()
    remarks: tuple[str, ...] = ()

    def __getitem__(self, of: str) -> View:
        """The view of a gradient by its name, `explanation["dx"]`. Raises KeyError for one it has not."""
        for view in self.views:
            if view.of == of:
                return view
        known = ", ".join(view.of for view in self.views) or "none"
        raise KeyError(f"{self.subject} has no view of {of!r}; it has {known}")

    def __bool__(self) -> bool:
        return bool(self.views or self.about or self.remarks)

    def __repr__(self) -> str:
        parts = [f"{self.subject}: {self.about}" if self.about else self.subject]
        for view in self.views:
            parts.append("\n    ".join(view.lines()))
        return "\n  ".join([*parts, *(f"({remark})" for remark in self.remarks)])

    def checked(self) -> StepExplanation:
        """The same with a remark for each view that disagrees with the recording; that view is left out."""
        complaints = [(view, complaint_about(view)) for view in self.views]
        kept = tuple(view for view, complaint in complaints if not complaint)
        remarks = tuple(complaint for _, complaint in complaints if complaint)
        return replace(self, views=kept, remarks=(*self.remarks, *remarks))


def shape_text(array: Any) -> str:
    """`[2,3]`."""
    return show_shape(np.shape(array))
