"""im2col, for small pictures: one copy of all their patches, and one matrix product.

Where everything fits into the cache, what counts is not what is copied but how many calls of NumPy there are.
So every tap of every window is put side by side in memory:

    V[c, i, j, p, q, n] = x[n, c, p * stride + i * dilation - top, q * stride + j * dilation - left]

    Y    = W V        W [O, K] as it lies in memory, K = (c, i, j), and V [K, P*Q*N]
    dW^T = V dY^T
    dX   = W^T U      U: the patches of dY, set apart by the stride, with the taps in reverse order

Whatever follows from the shapes alone is worked out once for all calls, as a `Plan`. Results have the memory
order in which the product leaves them, C, H, W, N. prepared.py does the same for many calls.
"""

from __future__ import annotations

import numpy as np

from ..gemm import dot, dot_in_halves, matmul
from ..pointwise import all_finite
from ..sums import LONGEST_DOT
from ..window import Array
from .plans import Plan


def correlate(plan: Plan, x: Array, w: Array) -> Array:
    """y [N, O, P, Q] of x [N, C, H, W] and w [O, C, kh, kw]."""
    products = product(w.reshape(len(w), -1), _patches(x, plan), plan)
    return products.reshape(plan.out).transpose(3, 0, 1, 2)


def correlate_weight_grad(plan: Plan, x: Array, dy: Array) -> Array:
    """dw [O, C, kh, kw] of x [N, C, H, W] and dy [N, O, P, Q]."""
    errors = dy.transpose(1, 2, 3, 0).reshape(plan.out[0], -1)
    values = _patches(x, plan)
    if values.shape[1] > LONGEST_DOT:
        return dot_in_halves(values, errors).astype(plan.result, copy=False).T.reshape(plan.out)
    return product(values, errors.T, plan).T.reshape(plan.out)


def correlate_input_grad(plan: Plan, dy: Array, w: Array) -> Array | None:
    """dx [N, C, H, W] of dy [N, O, P, Q] and w [O, C, kh, kw]; None if w is not finite."""
    if not all_finite(w):
        return None
    products = product(turned(w, plan), _patches(dy, plan), plan)
    return products.reshape(plan.out).transpose(3, 0, 1, 2)


def turned(w: Array, plan: Plan) -> Array:
    """W^T [C, O*kh*kw]: a view of w where the kernel is 1×1, which BLAS reads as it lies."""
    return w.swapaxes(0, 1).reshape(plan.out[0], -1)


def _patches(x: Array, plan: Plan) -> Array:
    """V [K, P*Q*N]."""
    picture = x.transpose(1, 2, 3, 0)
    if plan.target is None:
        padded = np.ascontiguousarray(picture, plan.dtype)
    else:
        padded = np.zeros(plan.padded, plan.dtype)
        padded[plan.target] = picture[plan.source]
    return np.ndarray(plan.patches, plan.dtype, padded, plan.start, plan.steps).reshape(plan.matrix)


def product(a: Array, b: Array, plan: Plan) -> Array:
    """a @ b, shared out among threads if it is worth it, and rounded to the dtype of the result."""
    numbers = matmul(a, b) if plan.large else dot(a, b)
    return numbers if numbers.dtype == plan.result else numbers.astype(plan.result)
