"""Activations and softmax on PyTorch's sample inputs."""

from __future__ import annotations

import tinygrad_conv as tg

from .entry import Entry

TABLE = {
    "log_softmax": Entry(tg.log_softmax),
    "log_softmax.with_dtype": Entry(tg.log_softmax),
    "nn.functional.elu": Entry(tg.elu),
    "nn.functional.gelu": Entry(tg.gelu),
    "nn.functional.hardtanh": Entry(tg.hardtanh),
    "nn.functional.leaky_relu": Entry(tg.leaky_relu),
    "nn.functional.logsigmoid": Entry(tg.logsigmoid),
    "nn.functional.prelu": Entry(tg.prelu),
    "nn.functional.relu": Entry(tg.relu),
    "nn.functional.relu6": Entry(tg.relu6),
    "nn.functional.selu": Entry(tg.selu),
    "nn.functional.silu": Entry(tg.silu),
    "nn.functional.softplus": Entry(tg.softplus),
    "sigmoid": Entry(tg.sigmoid),
    "softmax": Entry(tg.softmax),
    "softmax.with_dtype": Entry(tg.softmax),
    "tanh": Entry(tg.tanh),
}

LEFT_OUT = {
    "nn.functional.silu.complex": "complex numbers",
}
