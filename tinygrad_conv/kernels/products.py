"""Ordinary matrix products, as linear layers need them, under the same roof as the correlations.

Left alone, a large product would wake the threads of BLAS, which go on spinning for a tenth of a second
afterwards, in the way of the threads that share the next convolution. So large products hold BLAS too, and
share their rows.
"""

from __future__ import annotations

import numpy as np

from .layout import Array
from .threads import WORTH_HOLDING_BLAS, WORTH_SHARING, blas_held, product_time, share


def matmul(a: Array, b: Array) -> Array:
    """a @ b, by the rules of np.matmul."""
    multiplications = a.size * (b.shape[-1] if b.ndim > 1 else 1)
    if multiplications < WORTH_HOLDING_BLAS:
        if a.ndim == b.ndim == 2 and a.dtype == b.dtype:
            return a.dot(b)  # the same in half the time that np.matmul takes to be called
        return np.asarray(np.matmul(a, b))
    with blas_held():
        time = product_time(multiplications)
        if a.ndim != 2 or b.ndim != 2 or time < WORTH_SHARING:
            return np.asarray(np.matmul(a, b))
        product = np.empty((a.shape[0], b.shape[1]), np.result_type(a, b))

        def multiply(first: int, last: int) -> None:
            np.matmul(a[first:last], b, out=product[first:last])

        share(multiply, len(a), time)
        return product
