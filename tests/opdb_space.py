"""Convolutions, poolings and everything else in space, on PyTorch's sample inputs."""

from __future__ import annotations

from typing import Any

import tinygrad_conv as tg

from .opdb import Entry


def is_complex(sample: Any) -> bool:
    return any(getattr(one, "is_complex", bool)() for one in sample.args)


def has_no_channels(sample: Any) -> bool:
    return tuple(sample.input.shape) == (0, 10)


COMPLEX = {"complex numbers": is_complex}
TABLE = {
    "nn.functional.avg_pool1d": Entry(tg.avg_pool1d),
    "nn.functional.avg_pool2d": Entry(tg.avg_pool2d),
    "nn.functional.conv1d": Entry(tg.conv1d, left_out=COMPLEX),
    "nn.functional.conv2d": Entry(tg.conv2d, left_out=COMPLEX),
    "nn.functional.conv_transpose1d": Entry(tg.conv_transpose1d),
    "nn.functional.conv_transpose2d": Entry(tg.conv_transpose2d),
    "nn.functional.max_pool1d": Entry(tg.max_pool1d, left_out={"no channels are no mistake: the result is empty": has_no_channels}),
    "nn.functional.max_pool2d": Entry(tg.max_pool2d),
}
