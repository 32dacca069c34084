"""Of the functions that are made of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from .inputs import IMAGE, LABELS, ROW, floats

SIGN, SIGNS = np.float32(1.0).reshape(()), np.array([1.0, -1.0], np.float32)

FURTHER_FUNCTIONS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("square", "rsqrt", "frac", "erfc", "nan_to_num", "softsign"), {"input": floats(2, 3)}),
    **dict.fromkeys(("mish", "hardswish", "hardsigmoid"), {"input": floats(2, 3), "inplace": False}),
    **dict.fromkeys(("hardshrink", "softshrink"), {"input": floats(2, 3), "lambd": 0.5}),
    "celu": {"input": floats(2, 3), "alpha": 1.0, "inplace": False},
    "threshold": {"input": floats(2, 3), "threshold": 0.5, "value": 2.0, "inplace": False},
    "glu": {"input": floats(2, 4), "dim": 1},
    "div": {"input": floats(2, 3), "other": floats(3), "rounding_mode": "floor"},
    "lerp": {"input": floats(2, 3), "end": floats(3), "weight": 0.5},
    **dict.fromkeys(
        ("addcmul", "addcdiv"),
        {"input": floats(2, 3), "tensor1": floats(3), "tensor2": floats(3), "value": 0.5},
    ),
    **dict.fromkeys(("allclose", "equal"), {"input": floats(2, 3), "other": floats(3)}),
    **dict.fromkeys(("all", "any", "median"), {"input": floats(2, 3), "dim": 1, "keepdim": False}),
    "sort": {"input": floats(2, 3), "dim": 1, "descending": False, "stable": False},
    "topk": {"input": floats(2, 3), "k": 2, "dim": 1, "largest": True, "sorted": True},
    "kthvalue": {"input": floats(2, 3), "k": 2, "dim": 1, "keepdim": False},
    "unique": {"input": floats(2, 3), "return_inverse": False, "return_counts": False, "dim": None},
    "isin": {"elements": floats(2, 3), "test_elements": floats(2), "invert": False},
    "nonzero": {"input": floats(2, 3), "as_tuple": False},
    "searchsorted": {"sorted_sequence": floats(3), "input": floats(2, 3), "right": True, "side": "right"},
    "bucketize": {"input": floats(2, 3), "boundaries": floats(3), "out_int32": True},
    **dict.fromkeys(
        ("quantile", "nanquantile"), {"input": floats(2, 3), "q": 0.5, "dim": 1, "interpolation": "nearest"}
    ),
    "xlogy": {"input": floats(2, 3), "other": floats(3)},
    "combinations": {"input": floats(3), "r": 2, "with_replacement": True},
    "mm": {"input": floats(2, 3), "mat2": floats(3, 2)},
    "mv": {"input": floats(2, 3), "vec": floats(3)},
    "dot": {"input": floats(3), "tensor": floats(3)},
    "outer": {"input": floats(3), "vec2": floats(2)},
    "addmm": {"input": floats(2), "mat1": floats(2, 3), "mat2": floats(3, 2), "beta": 0.5, "alpha": 2},
    "addmv": {"input": floats(2), "mat": floats(2, 3), "vec": floats(3), "beta": 0.5, "alpha": 2},
    "baddbmm": {"input": floats(2), "batch1": floats(1, 2, 3), "batch2": floats(1, 3, 2), "beta": 0.5},
    **dict.fromkeys(("tril", "triu", "diag"), {"input": floats(2, 3), "diagonal": 1}),
    **dict.fromkeys(("diagonal", "diag_embed"), {"input": floats(2, 3), "offset": 1, "dim1": 0, "dim2": 1}),
    "trace": {"input": floats(2, 3)},
    "cumprod": {"input": floats(2, 3), "dim": 1, "dtype": None},
    **dict.fromkeys(("cummax", "cummin", "logcumsumexp"), {"input": floats(2, 3), "dim": 1}),
    **dict.fromkeys(("asinh", "atanh", "signbit"), {"input": floats(2, 3)}),
    **dict.fromkeys(("copysign", "logaddexp"), {"input": floats(2, 3), "other": floats(3)}),
    **dict.fromkeys(("bitwise_xor", "bitwise_left_shift"), {"input": LABELS, "other": LABELS}),
    "scatter_reduce": {
        "input": floats(2, 3),
        "dim": 1,
        "index": LABELS[:, None],
        "src": floats(2, 1),
        "reduce": "amax",
        "include_self": False,
    },
    "diff": {"input": floats(2, 3), "n": 1, "dim": 1},
    "swapaxes": {"input": floats(2, 3), "axis0": 0, "axis1": 1},
    "movedim": {"input": floats(2, 3), "source": 0, "destination": (1,)},
    "unflatten": {"input": floats(2, 3), "dim": 1, "sizes": (3, 1)},
    "select": {"input": floats(2, 3), "dim": 1, "index": 0},
    "narrow": {"input": floats(2, 3), "dim": 1, "start": 0, "length": 2},
    "tensor_split": {"input": floats(2, 3), "indices_or_sections": 2, "dim": 1},
    "index_select": {"input": floats(2, 3), "dim": 1, "index": LABELS},
    "index_add": {"input": floats(2, 3), "dim": 1, "index": LABELS, "source": floats(2, 2), "alpha": 2},
    "index_fill": {"input": floats(2, 3), "dim": 1, "index": LABELS, "value": 2.0},
    "scatter": {"input": floats(2, 3), "dim": 1, "index": LABELS[:, None], "src": floats(2, 1)},
    "take": {"input": floats(2, 3), "index": LABELS},
    "take_along_dim": {"input": floats(2, 3), "indices": LABELS[:, None], "dim": 1},
    "masked_select": {"input": floats(2, 3), "mask": np.ones((2, 3), bool)},
    "repeat_interleave": {"input": floats(2, 3), "repeats": 2, "dim": 1},
    "broadcast_to": {"input": floats(3), "size": (2, 3)},
    "tile": {"input": floats(2, 3), "dims": (2, 1)},
    "rot90": {"input": floats(2, 3), "k": 1, "dims": (0, 1)},
    "meshgrid": {"tensors": [floats(2), floats(3)], "indexing": "ij"},
    **dict.fromkeys(("hstack", "vstack", "dstack"), {"tensors": [floats(2, 3), floats(2, 3)]}),
    "normalize": {"input": floats(2, 3), "p": 2.0, "dim": 1, "eps": 1e-12},
    "cosine_similarity": {"x1": floats(2, 3), "x2": floats(2, 3), "dim": 1, "eps": 1e-8},
    "pairwise_distance": {"x1": floats(2, 3), "x2": floats(2, 3), "p": 2.0, "eps": 1e-6, "keepdim": False},
    "embedding": {"input": LABELS, "weight": floats(3, 2), "padding_idx": 1},
    "kl_div": {"input": floats(2, 3), "target": floats(2, 3), "reduction": "mean", "log_target": False},
    **dict.fromkeys(
        ("margin_ranking_loss", "cosine_embedding_loss"),
        {"input1": floats(2, 3), "input2": floats(2, 3), "target": SIGN, "margin": 0.5, "reduction": "mean"},
    ),
    "hinge_embedding_loss": {"input": floats(2), "target": SIGNS, "margin": 0.5, "reduction": "mean"},
    "soft_margin_loss": {"input": floats(2), "target": SIGNS, "reduction": "mean"},
    "triplet_margin_loss": {
        **dict.fromkeys(("anchor", "positive", "negative"), floats(2, 3)),
        **{"margin": 1.0, "p": 2.0, "eps": 1e-6, "swap": True, "reduction": "mean"},
    },
    "gaussian_nll_loss": {
        **{"input": floats(2, 3), "target": floats(2, 3), "var": np.ones((2, 3), np.float32)},
        **{"full": True, "eps": 1e-6, "reduction": "mean"},
    },
    "poisson_nll_loss": {
        **{"input": floats(2, 3), "target": np.ones((2, 3), np.float32)},
        **{"log_input": True, "full": True, "eps": 1e-8, "reduction": "mean"},
    },
    "scaled_dot_product_attention": {
        **dict.fromkeys(("query", "key", "value"), floats(2, 3)),
        **{"attn_mask": np.ones((2, 2), bool), "dropout_p": 0.5, "is_causal": False, "scale": 0.5},
    },
    "max_unpool1d": {
        **{"input": floats(1, 2, 2), "indices": np.array([[[0, 3], [1, 2]]])},
        **{"kernel_size": 2, "stride": 2, "padding": 0, "output_size": (5,)},
    },
    "max_unpool2d": {
        **{"input": floats(1, 1, 1, 2), "indices": np.array([[[[0, 3]]]])},
        **{"kernel_size": 2, "stride": 2, "padding": 0, "output_size": (2, 5)},
    },
    "local_response_norm": {"input": floats(*IMAGE), "size": 2, "alpha": 1e-4, "beta": 0.75, "k": 1.0},
    "dropout1d": {"input": floats(*ROW), "p": 0.5, "training": True},
    "alpha_dropout": {"input": floats(*ROW), "p": 0.5, "training": True},
    "adaptive_avg_pool1d": {"input": floats(*ROW), "output_size": 2},
    "adaptive_max_pool1d": {"input": floats(*ROW), "output_size": 2, "return_indices": False},
}
"""A good call of each, by the names of its arguments."""
