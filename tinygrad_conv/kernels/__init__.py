"""The arithmetic of convolution and pooling: plain NumPy arrays in and out; no Tensor, no tape.

A map of the folder, in reading order. The arithmetic:

    window.py        the geometry: where the tap of a window meets the input
    reference.py     what each function below means, as literal sums; the oracle for all the rest
    conv/            correlation and its two gradients, in several ways: see the map in its `__init__`
    pooling.py       maximum and sum of windows
    prepared_pooling.py    the maximum for many calls on arrays of the same shapes
    norm.py          how far numbers lie from the mean of their group
    batch_norm.py    batch norm of a large batch, each channel in one go
    pointwise.py     a bias, its sums, max(x, 0), choosing by a mask, looking for an Inf
    gemm.py          matrix products, in pieces that BLAS is quick at
    sums.py          sums of many numbers, over axes and in halves, so that the rounding stays small
    once.py          sums that are asked for twice

and what leads to it:

    dispatch.py      which of the ways serves which shape; `use_kernels`
    memory_order.py  the memory order H, C, W, N of the fast kernels, and the types they compute in
    threads.py       sharing the rows of a large kernel
    workers.py       the threads that take part, and how a part is handed over
    processors.py    how one of them leaves the processor of who has woken it
    aside.py         work that one of them does while its caller goes on
    blas.py          the BLAS library that NumPy multiplies with, held at one thread meanwhile

All arrays are [N, C, H, W] on the side of the input and [N, O, P, Q] on the side of the output, in any memory
order. Results are fresh memory, in whatever order was fastest to compute. float16 is computed in float32 and
rounded once. Arguments are not checked here: `ops` does that, where errors can name them.
"""

from __future__ import annotations

from .aside import Aside
from .batch_norm import batch_norm_sent_back, batch_normalized
from .dispatch import KERNELS, correlation, kernels_in_use, pools, served, settled, use_kernels
from .gemm import matmul
from .memory_order import aligned_empty, ask_for_huge_pages, flattened, keep_freed_memory, unflattened
from .norm import deviation, deviation_dot, deviation_removed, rescaled, stretched
from .pointwise import add_bias, choose, masked, rectify, shared_elementwise, sum_by_channel
from .prepared_pooling import may_name_none, settled_max_pool, settled_scatter_taps, taps_of_positive
from .sums import settled_sum, settled_sum_of_squares, sum_of_squares, sum_over
from .threads import WORTH_HOLDING_BLAS, get_num_threads, set_num_threads
from .window import Array, Window, make_window

__all__ = [
    "KERNELS",
    "WORTH_HOLDING_BLAS",
    "Aside",
    "Window",
    "add_bias",
    "aligned_empty",
    "batch_norm_sent_back",
    "batch_normalized",
    "choose",
    "correlate",
    "correlate_input_grad",
    "correlate_weight_grad",
    "deviation",
    "deviation_dot",
    "deviation_removed",
    "flattened",
    "gather_taps",
    "get_num_threads",
    "kernels_in_use",
    "make_window",
    "masked",
    "matmul",
    "max_pool",
    "may_name_none",
    "rectify",
    "rescaled",
    "scatter_taps",
    "served",
    "settled",
    "settled_max_pool",
    "settled_scatter_taps",
    "settled_sum",
    "settled_sum_of_squares",
    "set_num_threads",
    "shared_elementwise",
    "spread_windows",
    "stretched",
    "sum_by_channel",
    "sum_of_squares",
    "sum_over",
    "sum_windows",
    "taps_of_positive",
    "unflattened",
    "use_kernels",
]

keep_freed_memory()
behind_huge_pages = ask_for_huge_pages()  # to be held, for what lies in front of it


def correlate(x: Array, w: Array, window: Window, groups: int = 1) -> Array:
    """y [N, O, P, Q] = X ⋆ W: cross-correlation of x [N, C, H, W] with w [O, C/groups, kh, kw].

    The kernel is not flipped. Padding is made of zeros that are multiplied like any other number: an infinite
    weight meeting it gives NaN.
    """
    return correlation("correlate", x, w, window, groups)


def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int = 1) -> Array:
    """dw [O, C/groups, kh, kw]: cross-correlation of x [N, C, H, W] with the output error dy [N, O, P, Q].

    As in `correlate`, padding is made of zeros that are multiplied like any other number.
    """
    return correlation("correlate_weight_grad", x, dy, window, groups)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int = 1) -> Array:
    """dx [N, C, H, W]: full correlation of the stride-dilated dy [N, O, P, Q] with the flipped w.

    Sums only what windows send back: exactly 0 where no window touched, and dy is never padded with zeros
    that an infinite weight could turn into NaN.
    """
    return correlation("correlate_input_grad", dy, w, window, groups)


def max_pool(x: Array, window: Window) -> tuple[Array, Array]:
    """(y, tap), both [N, C, P, Q]: each window's maximum of x [N, C, H, W], and the tap a * kw + b that won.

    The first tap in row-major order wins a tie; a NaN beats every number, and the last NaN wins, as in
    PyTorch. Padding never wins, not even against -inf. A window wholly in the padding has the dtype's lowest
    value and tap 0.
    """
    y, tap = pools().max_pool(x, window)
    return y, tap


def gather_taps(x: Array, tap: Array, window: Window) -> Array:
    """y [N, C, P, Q]: x [N, C, H, W] at the named tap of each window; a tap in the padding reads 0."""
    result: Array = pools().gather_taps(x, tap, window)
    return result


def scatter_taps(dy: Array, tap: Array, window: Window) -> Array:
    """dx [N, C, H, W], the adjoint of `gather_taps`: dy [N, C, P, Q] at the taps, added up."""
    result: Array = pools().scatter_taps(dy, tap, window)
    return result


def sum_windows(x: Array, window: Window) -> Array:
    """y [N, C, P, Q]: the sum over each window of x [N, C, H, W]; padding counts as 0."""
    result: Array = pools().sum_windows(x, window)
    return result


def spread_windows(dy: Array, window: Window) -> Array:
    """dx [N, C, H, W], the adjoint of `sum_windows`: dy [N, C, P, Q] added wherever its window reaches."""
    result: Array = pools().spread_windows(dy, window)
    return result
