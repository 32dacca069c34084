"""Further functions of one number and of several, and products, on PyTorch's sample inputs."""

from __future__ import annotations

import tinygrad_conv as tg

from .arithmetic import FIRST
from .entry import Entry

TABLE = {
    "acos": Entry(tg.acos),
    "addcdiv": Entry(tg.addcdiv),
    "addcmul": Entry(tg.addcmul),
    "addmm": Entry(tg.addmm),
    "addmm.decomposed": Entry(tg.addmm),
    "addmv": Entry(tg.addmv),
    "asin": Entry(tg.asin),
    "atan": Entry(tg.atan),
    "baddbmm": Entry(tg.baddbmm),
    "ceil": Entry(tg.ceil),
    "cosh": Entry(tg.cosh),
    "cumprod": Entry(tg.cumprod),
    "dot": Entry(tg.dot),
    "erf": Entry(tg.erf),
    "erfc": Entry(tg.erfc),
    "exp2": Entry(tg.exp2),
    "expm1": Entry(tg.expm1),
    "floor": Entry(tg.floor),
    "floor_divide": Entry(tg.floor_divide),
    "fmod": Entry(tg.fmod, left_out=FIRST),
    "frac": Entry(tg.frac),
    "lerp": Entry(tg.lerp),
    "log10": Entry(tg.log10),
    "log1p": Entry(tg.log1p),
    "log2": Entry(tg.log2),
    "mm": Entry(tg.mm),
    "mv": Entry(tg.mv),
    "nan_to_num": Entry(tg.nan_to_num),
    "outer": Entry(tg.outer),
    "reciprocal": Entry(tg.reciprocal),
    "remainder": Entry(tg.remainder, left_out=FIRST),
    "round": Entry(tg.round),
    "round.decimals_0": Entry(tg.round),
    "round.decimals_3": Entry(tg.round),
    "round.decimals_neg_3": Entry(tg.round),
    "rsqrt": Entry(tg.rsqrt),
    "sinh": Entry(tg.sinh),
    "square": Entry(tg.square),
    "std_mean": Entry(tg.std_mean),
    "std_mean.unbiased": Entry(tg.std_mean),
    "tan": Entry(tg.tan),
    "true_divide": Entry(tg.true_divide),
    "trunc": Entry(tg.trunc),
    "var_mean": Entry(tg.var_mean),
    "var_mean.unbiased": Entry(tg.var_mean),
}
