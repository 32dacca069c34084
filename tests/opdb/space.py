"""Convolutions, poolings and everything else in space, on PyTorch's sample inputs."""

from __future__ import annotations

from typing import Any

import tinygrad_conv as tg

from .entry import COMPLEX, Entry


def has_no_channels(sample: Any) -> bool:
    return tuple(sample.input.shape) == (0, 10)


NO_CHANNELS = {"no channels are no mistake: the result is empty": has_no_channels}
TABLE = {
    "nn.functional.adaptive_avg_pool2d": Entry(tg.adaptive_avg_pool2d),
    "nn.functional.adaptive_max_pool2d": Entry(tg.adaptive_max_pool2d),
    "nn.functional.avg_pool1d": Entry(tg.avg_pool1d),
    "nn.functional.avg_pool2d": Entry(tg.avg_pool2d),
    "nn.functional.conv1d": Entry(tg.conv1d, left_out=COMPLEX),
    "nn.functional.conv2d": Entry(tg.conv2d, left_out=COMPLEX),
    "nn.functional.conv_transpose1d": Entry(tg.conv_transpose1d),
    "nn.functional.conv_transpose2d": Entry(tg.conv_transpose2d),
    "nn.functional.max_pool1d": Entry(tg.max_pool1d, left_out=NO_CHANNELS),
    "nn.functional.max_pool2d": Entry(tg.max_pool2d),
    "nn.functional.interpolate.bilinear": Entry(tg.interpolate),
    "nn.functional.interpolate.linear": Entry(tg.interpolate),
    "nn.functional.interpolate.nearest": Entry(tg.interpolate),
    "nn.functional.interpolate.nearest-exact": Entry(tg.interpolate),
    "nn.functional.interpolate.trilinear": Entry(tg.interpolate),
    "nn.functional.pad.circular": Entry(tg.pad),
    "nn.functional.pad.constant": Entry(tg.pad),
    "nn.functional.pad.reflect": Entry(tg.pad),
    "nn.functional.pad.replicate": Entry(tg.pad),
    "nn.functional.pad.replicate_negative": Entry(tg.pad),
    "nn.functional.pixel_shuffle": Entry(tg.pixel_shuffle),
    "nn.functional.pixel_unshuffle": Entry(tg.pixel_unshuffle),
    "nn.functional.unfold": Entry(tg.unfold),
}
LEFT_OUT = {
    "nn.functional.grid_sample": "tests/test_warping.py compares it with PyTorch's",
    "nn.functional.max_unpool1d": "tests/test_unpooling.py compares it with PyTorch's",
    "nn.functional.max_unpool1d.grad": "the same",
    "nn.functional.max_unpool2d": "the same",
    "nn.functional.max_unpool2d.grad": "the same",
    "nn.functional.scaled_dot_product_attention": "tests/test_attention.py compares it with PyTorch's",
    "nn.functional.interpolate.area": "adaptive_avg_pool2d under another name",
    "nn.functional.interpolate.bicubic": "photographs' interpolation, which toy CNNs have no use for",
}
