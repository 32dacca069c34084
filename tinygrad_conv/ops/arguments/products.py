"""The shapes of matrix products."""

from __future__ import annotations

import math
from typing import Any

from ...errors import ShapeError, show_shape


def check_matmul(op: str, a: Any, b: Any) -> None:
    """Refuse matrices that have no product."""
    if a.ndim == 0 or b.ndim == 0 or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        shapes = f"a {show_shape(a.shape)} and b {show_shape(b.shape)}"
        raise ShapeError(f"{op}: {shapes} do not fit: [..., n, k] times [..., k, m]")


def check_bmm(op: str, input: Any, mat2: Any) -> None:
    """Refuse what is not two batches of matrices of one size, each with a product."""
    are_batches = input.ndim == 3 and mat2.ndim == 3
    if not are_batches or input.shape[::2] != mat2.shape[:2]:  # B and k
        shapes = f"input {show_shape(input.shape)} and mat2 {show_shape(mat2.shape)}"
        raise ShapeError(f"{op}: {shapes} must be [B, n, k] and [B, k, m]")


def check_linear(op: str, x: Any, w: Any, b: Any) -> None:
    """Refuse weights that do not fit the features."""
    if w.ndim != 2 or x.ndim == 0 or x.shape[-1] != w.shape[1] or (b is not None and b.shape != w.shape[:1]):
        shapes = f"x {show_shape(x.shape)}, w {show_shape(w.shape)}"
        shapes += "" if b is None else f", b {show_shape(b.shape)}"
        advice = flatten_first(x, w)
        raise ShapeError(f"{op}: {shapes} do not fit x [..., in], w [out, in], b [out]{advice}")


def flatten_first(x: Any, w: Any) -> str:
    """What to do with images that were handed to a layer of features."""
    if x.ndim not in (3, 4) or w.ndim != 2 or x.shape[-1] == w.shape[1]:
        return ""
    flat, features = math.prod(x.shape[1:]), w.shape[1]
    if features in (flat, math.prod(x.shape)):
        call = "x.flatten(1), or nn.Flatten() before the layer" if features == flat else "x.flatten()"
        return f"; flatten it first: {call}"
    if x.ndim == 3:  # as likely a sequence
        return ""
    return f"; flatten it first, x.flatten(1), and let the layer take {flat} features: nn.Linear({flat}, …)"


def check_same_rows(op: str, a: Any, b: Any) -> None:
    """Refuse operands whose leading dimensions differ."""
    if not a.ndim or not b.ndim or a.shape[:-1] != b.shape[:-1]:
        shapes = f"a {show_shape(a.shape)} and b {show_shape(b.shape)}"
        raise ShapeError(f"{op}: {shapes} do not fit [..., n] and [..., m] with the same leading dimensions")


def check_product(op: str, a: Any, b: Any, form: str) -> None:
    """Refuse operands that are not of a form such as "[n, k] and [k, m]"."""
    sizes: dict[str, int] = {}
    letters = [part.strip(" []").split(", ") for part in form.split(" and ")]
    for names, operand in zip(letters, (a, b)):
        fits = len(names) == operand.ndim and all(
            sizes.setdefault(name, size) == size for name, size in zip(names, operand.shape)
        )
        if not fits:
            raise ShapeError(f"{op}: {show_shape(a.shape)} and {show_shape(b.shape)} must be {form}")
