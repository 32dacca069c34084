"""`im2col` for many calls on arrays of the same shapes, one after another.

Memory for patches and products stands ready, and is written to again in each call. Where the forward has laid
out the patches of x, dw finds them there. Of an array that is the same object in every call, a parameter or
memory that is written to again, the views are ready too; `shared["lasting", id(array)]` names those.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np

from ..gemm import dot_in_halves
from ..pointwise import all_finite
from ..sums import LONGEST_DOT
from ..window import Array
from . import im2col, mec, prepared_mec, prepared_scatter, scatter_add
from .plans import Plan

Kernel = Callable[[Array, Array], "Array | None"]


def prepared(
    kernel: Kernel, first: Array, second: Array, shared: dict[Any, Any], out: Array | None
) -> Kernel:
    """A kernel for many calls on arrays of these shapes, whose result is in `out`; one from elsewhere as it
    is. Where `out` is not used, its id is in `shared["declined"]`.
    """
    maker = MAKERS.get(getattr(kernel, "func", None))
    run = None
    if maker is not None:
        settings = cast("partial[Any]", kernel)
        run = maker(first, second, shared, out, *settings.args, **settings.keywords)
    return run or declined(kernel, shared, out)


def declined(run: Kernel, shared: dict[Any, Any], out: Array | None) -> Kernel:
    """One that does not use `out`."""
    shared.setdefault("declined", set()).add(id(out))
    return run


class Patches:
    """V [K, P*Q*N], `matrix`, in memory that is kept."""

    def __init__(self, plan: Plan, known: Array | None) -> None:
        """known: the picture that mostly comes."""
        self.source, self.known = plan.source, known
        padded = np.zeros(plan.padded, plan.dtype)
        self.picture = padded if plan.target is None else padded[plan.target]
        self.view = np.ndarray(plan.patches, plan.dtype, padded, plan.start, plan.steps)
        self.matrix = np.empty(plan.matrix, plan.dtype)
        self.lowered = self.matrix.reshape(plan.patches)
        self.copies = [] if known is None else self.copies_of(known.transpose(1, 2, 3, 0), plan)

    def copies_of(self, picture: Array, plan: Plan) -> list[tuple[Array, Array]]:
        """What is copied, into and from: one that lies as the padded picture does is copied once."""
        if plan.target is None and picture.flags.c_contiguous and picture.dtype == plan.dtype:
            return [(self.lowered, np.ndarray(plan.patches, plan.dtype, picture, plan.start, plan.steps))]
        return [(self.picture, picture[plan.source]), (self.lowered, self.view)]

    def fill(self, x: Array) -> None:
        """Lay out the patches of x [N, C, H, W]."""
        if x is self.known:
            for target, source in self.copies:
                target[...] = source
            return
        self.picture[...] = x.transpose(1, 2, 3, 0)[self.source]
        self.lowered[...] = self.view


def for_y(x: Array, w: Array, shared: dict[Any, Any], out: Array | None, plan: Plan) -> Kernel:
    """y of x and w."""
    patches = shared.setdefault(key_of(x, plan), Patches(plan, lasting(x, shared)))
    rows: Array = w.reshape(len(w), -1)
    place = product_in(out, plan)
    multiply, known = multiplier(rows), lasting(w, shared)
    if known is None or not np.may_share_memory(rows, w):
        rows, known = np.empty(0, w.dtype), None  # nobody may hold on to w, or a copy would not follow it

    def fresh(x: Array, w: Array) -> Array:
        patches.fill(x)
        products = im2col.product(w.reshape(len(w), -1), patches.matrix, plan)
        return products.reshape(plan.out).transpose(3, 0, 1, 2)

    def run(x: Array, w: Array) -> Array:
        patches.fill(x)
        multiply(rows if w is known else w.reshape(len(w), -1), patches.matrix, place)
        return cast(Array, out)

    return declined(fresh, shared, out) if place is None else run


def for_dw(x: Array, dy: Array, shared: dict[Any, Any], out: Array | None, plan: Plan) -> Kernel | None:
    """dw by the patches that the forward has laid out; None if it has not."""
    patches, errors = shared.get(key_of(x, plan)), errors_of(dy, plan)
    if patches is None:
        return None
    place = weight_product_in(out, plan)
    if place is None or patches.matrix.shape[1] > LONGEST_DOT:
        return declined(partial(weight_grad_of, patches.matrix, plan), shared, out)
    matrix, multiply, known = patches.matrix, multiplier(patches.matrix), lasting(dy, shared)
    if known is None or not np.may_share_memory(errors, dy):
        errors, known = np.empty(0, dy.dtype), None

    def run(x: Array, dy: Array) -> Array:
        multiply(matrix, errors if dy is known else errors_of(dy, plan), place)
        return cast(Array, out)

    return run


def weight_grad_of(values: Array, plan: Plan, x: Array, dy: Array) -> Array:
    """dw by patches that are there already, in memory of its own."""
    errors = errors_of(dy, plan)
    if values.shape[1] > LONGEST_DOT:
        return dot_in_halves(values, errors.T).astype(plan.result, copy=False).T.reshape(plan.out)
    return im2col.product(values, errors, plan).T.reshape(plan.out)


def for_dx(dy: Array, w: Array, shared: dict[Any, Any], out: Array | None, plan: Plan) -> Kernel:
    """dx of dy and w; None if w is not finite."""
    patches, place = Patches(plan, lasting(dy, shared)), product_in(out, plan)
    multiply = multiplier(im2col.turned(w, plan))

    def fresh(dy: Array, w: Array) -> Array | None:
        if not all_finite(w):
            return None
        patches.fill(dy)
        products = im2col.product(im2col.turned(w, plan), patches.matrix, plan)
        return products.reshape(plan.out).transpose(3, 0, 1, 2)

    def run(dy: Array, w: Array) -> Array | None:
        if not all_finite(w):
            return None
        patches.fill(dy)
        multiply(im2col.turned(w, plan), patches.matrix, place)
        return out

    return declined(fresh, shared, out) if place is None else run


MAKERS: dict[Any, Callable[..., Kernel | None]] = {
    im2col.correlate: for_y,
    im2col.correlate_weight_grad: for_dw,
    im2col.correlate_input_grad: for_dx,
    mec.correlate: prepared_mec.for_y,
    mec.correlate_weight_grad: prepared_mec.for_dw,
    scatter_add.correlate_input_grad: prepared_scatter.for_dx,
}


def key_of(x: Array, plan: Plan) -> Any:
    """By which the patches of x are found again."""
    return id(x), plan.patches, plan.steps, plan.out[0]


def lasting(array: Array, shared: dict[Any, Any]) -> Array | None:
    """An array that is the same object in every call, nearly always; else None, and nobody holds on to it."""
    known: Array | None = shared.get(("lasting", id(array)))
    return known


def errors_of(dy: Array, plan: Plan) -> Array:
    """dY^T [P*Q*N, O] of dy [N, O, P, Q]."""
    return dy.transpose(1, 2, 3, 0).reshape(plan.out[0], -1).T


def is_plain(plan: Plan, out: Array) -> bool:
    """Whether BLAS may write the product into `out` itself: in one thread, with nothing to be rounded."""
    return not plan.large and plan.dtype == plan.result == out.dtype and plan.dtype.kind == "f"


def product_in(out: Array | None, plan: Plan) -> Array | None:
    """The memory of `out` [N, C, H, W] as the product [C, H*W*N] lies, if it does."""
    if out is None or not is_plain(plan, out):
        return None
    place = out.transpose(1, 2, 3, 0).reshape(plan.out[0], -1)
    return place if np.may_share_memory(place, out) and place.flags.c_contiguous else None


def weight_product_in(out: Array | None, plan: Plan) -> Array | None:
    """The memory of `out` [O, C, kh, kw] as the product [C*kh*kw, O] lies, if it does."""
    if out is None or not is_plain(plan, out):
        return None
    place = out.reshape(plan.out[0], -1).T
    return place if np.may_share_memory(place, out) and place.flags.c_contiguous else None


def multiplier(a: Array) -> Callable[[Array, Array, Any], Any]:
    """What `dot` does for such a first matrix, into given memory."""
    return np.multiply if a.shape[1] == 1 else np.ndarray.dot
