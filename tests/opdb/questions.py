"""Questions, orders and counts on PyTorch's sample inputs."""

from __future__ import annotations

import tinygrad_conv as tg

from .arithmetic import EITHER
from .entry import Entry

TABLE = {
    "all": Entry(tg.all),
    "allclose": Entry(tg.allclose),
    "any": Entry(tg.any),
    "argsort": Entry(tg.argsort),
    "argwhere": Entry(tg.argwhere),
    "bincount": Entry(tg.bincount),
    "bucketize": Entry(tg.bucketize),
    "bitwise_and": Entry(tg.bitwise_and, left_out=EITHER),
    "bitwise_left_shift": Entry(tg.bitwise_left_shift, left_out=EITHER),
    "bitwise_not": Entry(tg.bitwise_not),
    "bitwise_or": Entry(tg.bitwise_or, left_out=EITHER),
    "bitwise_right_shift": Entry(tg.bitwise_right_shift, left_out=EITHER),
    "bitwise_xor": Entry(tg.bitwise_xor, left_out=EITHER),
    "count_nonzero": Entry(tg.count_nonzero),
    "cummax": Entry(tg.cummax),
    "cummin": Entry(tg.cummin),
    "equal": Entry(tg.equal),
    "isclose": Entry(tg.isclose, left_out=EITHER),
    "isfinite": Entry(tg.isfinite),
    "isin": Entry(tg.isin),
    "isinf": Entry(tg.isinf),
    "isnan": Entry(tg.isnan),
    "kthvalue": Entry(tg.kthvalue),
    "logical_and": Entry(tg.logical_and, left_out=EITHER),
    "logical_not": Entry(tg.logical_not),
    "logical_or": Entry(tg.logical_or, left_out=EITHER),
    "logical_xor": Entry(tg.logical_xor, left_out=EITHER),
    "median": Entry(tg.median),
    "nanquantile": Entry(tg.nanquantile),
    "nonzero": Entry(tg.nonzero),
    "quantile": Entry(tg.quantile),
    "searchsorted": Entry(tg.searchsorted),
    "signbit": Entry(tg.signbit),
    "sort": Entry(tg.sort),
    "topk": Entry(tg.topk),
    "unique": Entry(tg.unique),
}
