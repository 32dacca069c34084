"""Explanations as plain data for the player: words once for all steps, arrays in the page's store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import Array
from ..explanations import (
    Contraction,
    Curve,
    Factor,
    Figure,
    Matrix,
    Pooling,
    StepExplanation,
    Sum,
    Term,
    View,
)
from .arrays import Arrays

EXACT = 64  # numbers of a computed array that are kept in float64


class Words:
    """The sentences of a page, each once: `add` gives the number under which the page finds one."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def add(self, text: str) -> int:
        """Store a text."""
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def texts(self) -> list[str]:
        """All of them, by number."""
        return list(self._numbers)


class Encoder:
    """Makes plain data of explanations."""

    def __init__(self, arrays: Arrays, words: Words) -> None:
        self.arrays, self.words = arrays, words

    def explanation(self, explanation: StepExplanation) -> dict[str, Any] | None:
        """One of a step or a leaf; None where there is nothing to say."""
        if not explanation:
            return None
        return {
            "about": self.words.add(explanation.about),
            "remarks": list(explanation.remarks),
            "views": [self.view(view) for view in explanation.views],
        }

    def view(self, view: View) -> dict[str, Any]:
        """A view: what all have, and what this kind has."""
        common = {
            "made": view.made,
            "of": view.of,
            "title": self.words.add(view.title),
            "text": self.words.add(view.text),
            "formula": self.words.add(view.formula),
            "figures": [self.figure(figure) for figure in view.figures],
        }
        if isinstance(view, Sum):
            return {**common, **self.sum(view)}
        if isinstance(view, Contraction):
            return {**common, **self.contraction(view)}
        if isinstance(view, Pooling):
            return {**common, **self.pooling(view)}
        return common

    def array(self, array: Array | None) -> int | None:
        """The number of an array that was recorded; of None, None."""
        return None if array is None else self.arrays.add(np.asarray(array))

    def computed(self, array: Array, like: Any = None) -> int | None:
        """The number of what an explanation computed in float64; many are kept in float32, unless the step's
        own numbers (`like`) are float64.
        """
        array = np.asarray(array)
        recorded_wide = like is not None and np.asarray(like).dtype == np.float64
        if array.dtype == np.float64 and array.size > EXACT and not recorded_wide:
            with np.errstate(all="ignore"):
                array = array.astype(np.float32)
        return self.arrays.add(array)

    def figure(self, figure: Figure, like: Any = None) -> dict[str, Any]:
        """A figure."""
        return {
            "name": figure.name,
            "label": self.words.add(figure.label),
            "array": self.computed(figure.array, like),
        }

    def factor(self, factor: Factor, like: Any) -> dict[str, Any]:
        """A factor: a figure, and its place in the whole."""
        return {**self.figure(factor, like), "dims": None if factor.dims is None else list(factor.dims)}

    def term(self, term: Term, like: Any) -> dict[str, Any]:
        """A product."""
        return {
            "sign": term.sign,
            "called": self.words.add(term.name),
            "step": term.step,
            "factors": [self.factor(factor, like) for factor in term.factors],
        }

    def sum(self, view: Sum) -> dict[str, Any]:
        """A sum of products."""
        return {
            "result": self.array(view.result),
            "shape": list(view.shape),
            "dims": None if view.dims is None else list(view.dims),
            "terms": [self.term(term, view.result) for term in view.terms],
            "curve": None if view.curve is None else self.curve(view.curve, view.result),
        }

    def curve(self, curve: Curve, like: Any) -> dict[str, Any]:
        """A curve: its samples are shared by all that are drawn over the same span."""
        return {
            "function": curve.function,
            "axis": curve.axis,
            "at": self.computed(curve.at.array, like),
            "height": self.computed(curve.height.array, like),
            "slope": self.computed(curve.slope.array, like),
            "low": curve.low,
            "high": curve.high,
            "bases": [
                {
                    "values": self.computed(basis.values),
                    "coefficient": None
                    if basis.coefficient is None
                    else self.factor(basis.coefficient, like),
                }
                for basis in curve.bases
            ],
        }

    def matrix(self, matrix: Matrix) -> dict[str, Any]:
        """An array read as matrices."""
        dims: dict[str, Sequence[int]] = {
            "rows": matrix.rows,
            "columns": matrix.columns,
            "batch": matrix.batch,
        }
        return {
            "name": matrix.name,
            "array": self.array(matrix.array),
            **{name: list(which) for name, which in dims.items()},
        }

    def contraction(self, view: Contraction) -> dict[str, Any]:
        """A matrix product."""
        return {
            "left": self.matrix(view.left),
            "right": self.matrix(view.right),
            "result": self.matrix(view.result),
            "bias": None if view.bias is None else self.array(view.bias.array),
            "outer": view.outer,
        }

    def pooling(self, view: Pooling) -> dict[str, Any]:
        """Windows over images."""
        arrays = {name: self.array(getattr(view, name)) for name in ("x", "y", "dy", "result", "won")}
        return {
            **arrays,
            "winner": None if view.winner is None else self.array(view.winner.astype(np.int32)),
            "share": self.array(view.share),
            "rows": view.rows,
            "columns": view.columns,
        }
