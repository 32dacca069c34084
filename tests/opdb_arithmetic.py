"""Arithmetic, functions of one number and comparisons on PyTorch's sample inputs."""

from __future__ import annotations

from opdb import Entry

import tinygrad_conv as tg

TABLE = {
    "abs": Entry(tg.abs),
    "add": Entry(tg.add),
    "clamp": Entry(tg.clamp),
    "clamp_max": Entry(tg.clamp_max),
    "clamp_min": Entry(tg.clamp_min),
    "cos": Entry(tg.cos),
    "div.no_rounding_mode": Entry(tg.div),
    "eq": Entry(tg.eq),
    "exp": Entry(tg.exp),
    "ge": Entry(tg.ge),
    "gt": Entry(tg.gt),
    "le": Entry(tg.le),
    "log": Entry(tg.log),
    "lt": Entry(tg.lt),
    "masked_fill": Entry(tg.masked_fill),
    "maximum": Entry(tg.maximum),
    "max.binary": Entry(tg.maximum),
    "minimum": Entry(tg.minimum),
    "min.binary": Entry(tg.minimum),
    "mul": Entry(tg.mul),
    "ne": Entry(tg.ne),
    "neg": Entry(tg.neg),
    "pow": Entry(tg.pow),
    "sign": Entry(tg.sign),
    "sin": Entry(tg.sin),
    "sqrt": Entry(tg.sqrt),
    "sub": Entry(tg.sub),
    "where": Entry(tg.where),
}
LEFT_OUT = {
    "div.floor_rounding": "rounding to integers is no part of toy CNNs",
    "div.trunc_rounding": "rounding to integers is no part of toy CNNs",
}
