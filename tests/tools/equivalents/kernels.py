"""Mutants of the kernels that change no result, each with the reason why no test can notice it."""

from __future__ import annotations

ANY_DILATION = (
    "With one tap the dilation means nothing, and any is right; the stride in its place leaves out rows, for "
    "speed."
)
UNREAD = "The padding at the bottom, which nothing reads: `out` says how many windows there are."
WRITTEN_OVER = "What is cleared beyond the remainder is written over afterwards."
NOTHING_LEFT = "Where there is no remainder, there is nothing to clear."
WHOLE = "Where the windows cover everything, the slice is the whole."
LONGER = "A padded row that is longer than need be, by zeros that no tap sees."
SINGLE = "The axis has a single place, which is the first and the last."
SYMMETRIC = "The type of two arrays does not depend on their order."
TILES = "Any tiles whose sizes divide the product's make the same product; which ones decides how fast."
BELOW = "Rows below are multiplied too, and their products not used."
PLAIN = "The line of NumPy says the same, or one group in one row is a row of one group."
OTHER_SUM = "Either of two sums is used, which are as exact; which one decides how fast."
TIMES_ONE = "Times 1 nothing changes."
QUIET = "Sums of squares of NaN warn of nothing here; on which machine they do is NumPy's to say."
UNWRITTEN = "Nothing writes to it."
NEVER_READ = "Rows that no window reads."
ELSEWHERE = "For systems that cannot say which processors a process may use; it is not asked where they can."

EQUIVALENT: dict[str, dict[str, str]] = {
    "kernels/conv/identities.py each_group": {
        "groups == 1 → groups == 0": "A single group is then cut out and copied like one of many.",
        "zip(np.split(first, groups, axes[0]), np.split(second, groups, axes[1]), strict=True) → "
        "zip(np.split(first, groups, axes[0]), np.split(second, groups, axes[1]))": (
            "Both have as many parts."
        ),
        "zip(np.split(first, groups, axes[0]), np.split(second, groups, axes[1]), strict=True) → "
        "zip(np.split(first, groups, axes[0]), np.split(second, groups, axes[1]), strict=False)": (
            "Both have as many parts."
        ),
    },
    "kernels/conv/bands.py several_rows": {
        "together - 1 → together": BELOW,
        "together - 1 → together + 1": BELOW,
        "together - 1 → together - 0": BELOW,
        "as_strided(values, shape, (group, together * down, apart, along, item), writeable=False) → "
        "as_strided(values, shape, (group, together * down, apart, along, item))": UNWRITTEN,
        "as_strided(values, shape, (group, together * down, apart, along, item), writeable=False) → "
        "as_strided(values, shape, (group, together * down, apart, along, item), writeable=True)": UNWRITTEN,
    },
    "kernels/conv/bands.py banded_dot_products": {
        "together - 1 → together": BELOW,
        "together - 1 → together + 1": BELOW,
        "together - 1 → 1": "There are never more than two rows together; of one, see above.",
        "(1, count - count % ROWS_BACK) → (0, count - count % ROWS_BACK)": BELOW,
        "together - 1 → together - 0": BELOW,
        "errors[:, first:first + blocks * together].reshape(channels, blocks, 1, together, columns) → "
        "errors[:, first:first + blocks * together].reshape(channels, blocks, 0, together, columns)": BELOW,
        "products[:, :, row * step:row * step + kh, row].swapaxes(1, 2) → products[:, :, row * step:row "
        "* step + kh, row].swapaxes(0, 2)": BELOW,
        "(together - 1) * step → step": "There are one or two rows together; of one, see above.",
    },
    "kernels/conv/depthwise_bands.py height_read": {
        "window.out[0] - 1 → window.out[0]": NEVER_READ,
        "window.out[0] - 1 → window.out[0] + 1": NEVER_READ,
        "window.out[0] - 1 → window.out[0] - 0": NEVER_READ,
    },
    "kernels/conv/bands.py on_band": {
        "-2 → 2": "shape[-2:] of four axes.",
    },
    "kernels/conv/dynamic_range.py even_windows": {
        "0.0 → -1.0": "It is what the energies of tiles are compared with, which are 0 or more.",
    },
    "kernels/conv/dynamic_range.py even_weights": {
        "np.errstate(over='ignore', invalid='ignore') → np.errstate(over='ignore')": QUIET,
    },
    "kernels/conv/dynamic_range.py place_energies": {
        "np.errstate(over='ignore', invalid='ignore') → np.errstate(over='ignore')": QUIET,
    },
    "kernels/conv/dynamic_range.py channel_energies": {
        "np.errstate(over='ignore', invalid='ignore') → np.errstate(over='ignore')": QUIET,
        "np.matmul(lines[:, :, None], lines[..., None])[..., 0, 0] → np.matmul(lines[:, :, None], "
        "lines[..., None])[..., -1, 0]": SINGLE,
    },
    "kernels/sums.py sum_over": {
        "x.size <= SHORT → x.size < SHORT": OTHER_SUM,
        "x.size <= FEW → x.size < FEW": OTHER_SUM,
        "max(x.shape) <= SHORT → max(x.shape) < SHORT": OTHER_SUM,
        "x.size <= MANY → x.size < MANY": OTHER_SUM,
        "x.itemsize > 2 → x.itemsize > 3": "No float has 3 bytes.",
    },
    "kernels/sums.py sum_of_many": {
        "times > 1 → times >= 1": TIMES_ONE,
        "times > 1 → times > 0": TIMES_ONE,
    },
    "kernels/sums.py sum_along": {
        "width <= 1 → width < 1": OTHER_SUM,
        "width <= 1 → width <= 0": OTHER_SUM,
        "rows <= BLOCK → rows < BLOCK": OTHER_SUM,
        "width <= NARROW // 2 → width < NARROW // 2": OTHER_SUM,
        "NARROW // 2 → NARROW": OTHER_SUM,
        "NARROW // 2 → NARROW // 3": OTHER_SUM,
        "NARROW // 2 → NARROW // 1": OTHER_SUM,
    },
    "kernels/sums.py sum_in_blocks": {
        "values.shape[axis] > BLOCK → values.shape[axis] >= BLOCK": OTHER_SUM,
    },
    "kernels/pointwise.py add_bias": {
        "rows.shape[1:] → rows.shape[0:]": (
            "The row is then as high as the whole picture: the same numbers are added, more of them copied."
        ),
        "order.axes[0] → order.axes[-1]": (
            "bias[0]: where the channels are not the outermost axis, its length there is 1."
        ),
        "bias[0] → bias[-1]": (
            "bias[0]: where the channels are not the outermost axis, its length there is 1."
        ),
    },
    "kernels/dispatch.py choose": {
        "forced[0] → forced[-1]": "A name stands in one line of a table, so the first is the last.",
    },
    "kernels/conv/depthwise.py correlate_weight_grad": {
        "compute_type(x.dtype, dy.dtype) → compute_type(dy.dtype, x.dtype)": SYMMETRIC,
    },
    "kernels/conv/depthwise.py dot_products": {
        "dot_in_halves(seen, errors[:, :, None, None, None])[..., 0, 0] → dot_in_halves(seen, errors[:, "
        ":, None, None, None])[..., -1, 0]": SINGLE,
        "dot_in_halves(seen, errors[:, :, None, None, None])[..., 0, 0] → dot_in_halves(seen, errors[:, "
        ":, None, None, None])[..., 0, -1]": SINGLE,
    },
    "kernels/norm.py _blocks": {
        "rows == 1 → rows == 0": PLAIN,
        "max(1, CACHE_BYTES_OF_PIECE // (item * count * neighbours)) → max(0, CACHE_BYTES_OF_PIECE // "
        "(item * count * neighbours))": PLAIN,
        "zip(groups, shape, strict=True) → zip(groups, shape, strict=False)": "Both have an axis each.",
        "zip(groups, shape, strict=True) → zip(groups, shape)": "Both have an axis each.",
    },
    "kernels/norm.py deviation": {
        "dots(piece, piece, out=sums) → dots(piece, piece, out=sums)": "The same.",
        "blocks_of(x, center) → blocks_of(center, x)": PLAIN,
    },
    "kernels/norm.py deviation_dot": {
        "alike(dy, x) → alike(x, dy)": SYMMETRIC,
    },
    "kernels/norm.py deviation_removed": {
        "alike(dy, x) → alike(x, dy)": SYMMETRIC,
    },
    "kernels/conv/identities.py interleaved": {
        "window.dilation[0] if window.kernel[0] > 1 else stride → window.dilation[0]": ANY_DILATION,
        "window.kernel[0] > 1 → window.kernel[0] >= 1": ANY_DILATION,
        "window.kernel[0] > 1 → window.kernel[0] > 0": (
            "With one tap any dilation is right; and one class is worked out like many."
        ),
        "dilation == 1 → dilation == 0": (
            "With one tap any dilation is right; and one class is worked out like many."
        ),
    },
    "kernels/conv/identities.py _class_of": {
        "window.stride[0] → window.stride[1]": UNREAD,
        "(-skipped, 0) → (-skipped, 1)": UNREAD,
        "window.stride[0] → window.stride[-1]": UNREAD,
        "(-skipped, 0) → (-skipped, -1)": UNREAD,
    },
    "kernels/conv/grouped.py correlate": {
        "compute_type(x.dtype, w.dtype) → compute_type(w.dtype, x.dtype)": SYMMETRIC,
    },
    "kernels/conv/grouped.py guessed_time": {
        "NARROW / outputs → NARROW": "A guess of the time it takes, for sharing it out.",
    },
    "kernels/conv/lowering.py patches": {
        "first + rows < end → first + rows <= end": "Rows are kept that nobody comes for.",
    },
    "kernels/conv/mec.py correlate_weight_grad": {
        "compute_type(x.dtype, dy.dtype) → compute_type(dy.dtype, x.dtype)": SYMMETRIC,
    },
    "kernels/gemm.py tile_shape": {
        "most // height → most * height": TILES,
        "rows >= TALL → rows > TALL": TILES,
    },
    "kernels/pooling.py _challenge": {
        "better.view(np.uint8) if tap.itemsize == 1 else better.astype(tap.dtype) → "
        "better.astype(tap.dtype)": "The view is the same bytes without a copy.",
        "tap.itemsize == 1 → tap.itemsize == 0": "Always the copy, which is the same as the view.",
    },
    "kernels/pooling.py _first_taps": {
        "np.full(window.out[axis], -1) → np.full(window.out[axis], -2)": (
            "The 1 of -1, of which only the sign is asked for."
        ),
        "rows < 0 → rows < 1": (
            "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case."
        ),
        "columns < 0 → columns < 1": (
            "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case."
        ),
        "np.where((rows < 0) | (columns < 0), 0, rows * window.kernel[1] + columns) → np.where((rows < "
        "0) | (columns < 0), 1, rows * window.kernel[1] + columns)": (
            "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case."
        ),
        "np.maximum(columns, 0) → np.maximum(columns, 1)": (
            "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case."
        ),
        "rows < 0 → rows < -1": (
            "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case."
        ),
        "columns < 0 → columns < -1": (
            "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case."
        ),
        "np.where((rows < 0) | (columns < 0), 0, rows * window.kernel[1] + columns) → np.where((rows < "
        "0) | (columns < 0), -1, rows * window.kernel[1] + columns)": (
            "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case."
        ),
        "np.maximum(columns, 0) → np.maximum(columns, -1)": (
            "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case."
        ),
    },
    "kernels/pooling.py _scatter_taps_side_by_side": {
        "2 * window.out[1] → 2": WRITTEN_OVER,
        "2 * window.out[1] → 2 / window.out[1]": WRITTEN_OVER,
        "window.size[0] > 2 * window.out[0] → window.size[0] >= 2 * window.out[0]": NOTHING_LEFT,
        "window.size[1] > 2 * window.out[1] → window.size[1] >= 2 * window.out[1]": NOTHING_LEFT,
    },
    "kernels/pooling.py in_windows": {
        "2 * width → width": WHOLE,
        "2 * width → 3 * width": WHOLE,
    },
    "kernels/threads.py share": {
        "min(get_num_threads(), count) if microseconds >= WORTH_SHARING else 1 → min(get_num_threads(), "
        "count) if microseconds >= WORTH_SHARING else 0": (
            "No part and one part are both done by the caller itself."
        ),
        "parts <= 1 → parts <= 0": "No part and one part are both done by the caller itself.",
    },
    "kernels/blas.py blas_multiplies_unpacked": {
        "return any((library.architecture in UNPACKING_ARCHITECTURES for library in libraries())) "
        "→ return 2 * any((library.architecture in UNPACKING_ARCHITECTURES for library in "
        "libraries()))": "2 is as true as True.",
    },
    "kernels/threads.py _default_threads": {
        "os.sched_getaffinity(0) → os.sched_getaffinity(1)": (
            "Process 1 may use the same processors where the tests run."
        ),
        "1 → 2": ELSEWHERE,
        "os.cpu_count() or 1 → os.cpu_count() or 2": ELSEWHERE,
    },
    "kernels/conv/winograd.py transformed_tiles": {
        "kw - 1 → kw": LONGER,
        "kw - 1 → kw + 1": LONGER,
    },
    "kernels/conv/winograd.py room_for_frequencies": {
        "return aligned_empty((together, kw, channels, columns * samples), dtype) → return "
        "-aligned_empty((together, kw, channels, columns * samples), dtype)": (
            "What an empty array holds is never read."
        ),
        "SEEN * channels * window.size[1] * samples → SEEN * channels * window.size[1]": (
            "How many frequencies at once."
        ),
    },
}
