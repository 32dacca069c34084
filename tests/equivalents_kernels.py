"""Mutants of the kernels that change no result, each with the reason why no test can notice it."""

from __future__ import annotations

ANY_DILATION = "With one tap the dilation means nothing, and any is right; the stride in its place leaves out rows, for speed."
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
UNWRITTEN = "Nothing writes to it."
ELSEWHERE = "For systems that cannot say which processors a process may use; it is not asked where they can."

EQUIVALENT: dict[str, str] = {
    "identities.py each_group: 1 → 0": "A single group is then cut out and copied like one of many.",
    "identities.py each_group: zip(np.split(first, groups, axes[0]), np.split(second, groups, axes[1]), strict=True) → "
    "zip(np.split(first, groups, axes[0]), np.split(second, groups, axes[1]))": "Both have as many parts.",
    "identities.py each_group: True → False": "Both have as many parts.",
    "bands.py banded: 0 → -1": SINGLE,
    "bands.py several_rows: together - 1 → together": BELOW,
    "bands.py several_rows: together - 1 → together + 1": BELOW,
    "bands.py several_rows: 1 → 0": BELOW,
    "bands.py several_rows: as_strided(values, shape, (group, together * down, apart, along, item), writeable=False) → "
    "as_strided(values, shape, (group, together * down, apart, along, item))": UNWRITTEN,
    "bands.py several_rows: False → True": UNWRITTEN,
    "bands.py banded_dot_products: together - 1 → together": BELOW,
    "bands.py banded_dot_products: together - 1 → together + 1": BELOW,
    "bands.py banded_dot_products: together - 1 → 1": "There are never more than two rows together; of one, see above.",
    "bands.py banded_dot_products: 1 → 0": BELOW,
    "bands.py banded_dot_products: (together - 1) * step → step": "There are one or two rows together; of one, see above.",
    "bands.py multiply_banded: 0 → -1": SINGLE,
    "bands.py on_band: -2 → 2": "shape[-2:] of four axes.",
    "pointwise.py add_bias: 1 → 0": "The row is then as high as the whole picture: the same numbers are added, more of them copied.",
    "pointwise.py add_bias: 0 → -1": "bias[0]: where the channels are not the outermost axis, its length there is 1.",
    "dispatch.py choose: 0 → -1": "A name stands in one line of a table, so the first is the last.",
    "depthwise.py correlate_weight_grad: compute_type(x.dtype, dy.dtype) → compute_type(dy.dtype, x.dtype)": SYMMETRIC,
    "depthwise.py dot_products: 0 → -1": SINGLE,
    "norm.py _blocks: 1 → 0": PLAIN,
    "norm.py _blocks: True → False": "Both have an axis each.",
    "norm.py _blocks: zip(groups, shape, strict=True) → zip(groups, shape)": "Both have an axis each.",
    "norm.py squared_deviation: dots(distance, distance, out=sums) → dots(distance, distance, out=sums)": "The same.",
    "norm.py deviation_dot: alike(dy, x) → alike(x, dy)": SYMMETRIC,
    "norm.py deviation_removed: alike(dy, x) → alike(x, dy)": SYMMETRIC,
    "norm.py squared_deviation: blocks_of(x, center) → blocks_of(center, x)": PLAIN,
    "identities.py interleaved: window.dilation[0] if window.kernel[0] > 1 else stride → window.dilation[0]": ANY_DILATION,
    "identities.py interleaved: window.kernel[0] > 1 → window.kernel[0] >= 1": ANY_DILATION,
    "identities.py interleaved: 1 → 0": "With one tap any dilation is right; and one class is worked out like many.",
    "identities.py _class_of: 0 → 1": UNREAD,
    "identities.py _class_of: 0 → -1": UNREAD,
    "grouped.py correlate: compute_type(x.dtype, w.dtype) → compute_type(w.dtype, x.dtype)": SYMMETRIC,
    "grouped.py guessed_time: NARROW / outputs → NARROW": "A guess of the time it takes, for sharing it out.",
    "lowering.py patches: first + rows < end → first + rows <= end": "Rows are kept that nobody comes for.",
    "mec.py correlate_weight_grad: compute_type(x.dtype, dy.dtype) → compute_type(dy.dtype, x.dtype)": SYMMETRIC,
    "gemm.py tile_shape: most // height → most * height": TILES,
    "gemm.py tile_shape: HIGHEST_TILE if columns >= WIDE else HIGHEST_NARROW_TILE → HIGHEST_TILE": TILES,
    "gemm.py tile_shape: rows >= TALL → rows > TALL": TILES,
    "pooling.py scatter_taps: value * chosen if finite else np.where(chosen, value, dy.dtype.type(0)) → "
    "np.where(chosen, value, dy.dtype.type(0))": "Choosing gives what multiplying by 0 and 1 gives, more slowly.",
    "pooling.py _challenge: better.view(np.uint8) if tap.itemsize == 1 else better.astype(tap.dtype) → "
    "better.astype(tap.dtype)": "The view is the same bytes without a copy.",
    "pooling.py _challenge: 1 → 0": "Always the copy, which is the same as the view.",
    "pooling.py _first_taps: 1 → 2": "The 1 of -1, of which only the sign is asked for.",
    "pooling.py _first_taps: 0 → 1": "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case.",
    "pooling.py _first_taps: 0 → -1": "np.maximum(columns, 0): a window wholly in the padding begins with tap 0 in any case.",
    "pooling.py _scatter_taps_side_by_side: 2 * window.out[1] → 2": WRITTEN_OVER,
    "pooling.py _scatter_taps_side_by_side: 2 * window.out[1] → 2 / window.out[1]": WRITTEN_OVER,
    "pooling.py _scatter_taps_side_by_side: window.size[0] > 2 * window.out[0] → window.size[0] >= 2 * window.out[0]": NOTHING_LEFT,
    "pooling.py _scatter_taps_side_by_side: window.size[1] > 2 * window.out[1] → window.size[1] >= 2 * window.out[1]": NOTHING_LEFT,
    "pooling.py _places: 2 * width → width": WHOLE,
    "pooling.py _places: 2 → 3": WHOLE,
    "threads.py share: 1 → 0": "No part and one part are both done by the caller itself.",
    "threads.py blas_multiplies_unpacked: return any((library.architecture in UNPACKING_ARCHITECTURES for library in "
    "_blas_libraries())) → return 2 * any((library.architecture in UNPACKING_ARCHITECTURES for library in "
    "_blas_libraries()))": "2 is as true as True.",
    "threads.py _default_threads: 0 → 1": "Process 1 may use the same processors where the tests run.",
    "threads.py _default_threads: 1 → 2": ELSEWHERE,
    "winograd.py transformed_tiles: kw - 1 → kw": LONGER,
    "winograd.py transformed_tiles: kw - 1 → kw + 1": LONGER,
    "winograd.py room_for_frequencies: return np.empty((together, kw, channels, columns * samples), dtype) → return "
    "-np.empty((together, kw, channels, columns * samples), dtype)": "What an empty array holds is never read.",
    "winograd.py room_for_frequencies: SEEN * channels * window.size[1] * samples → SEEN * channels * window.size[1]": "How many frequencies at once.",
}
