"""Activations and softmax on PyTorch's sample inputs."""

from __future__ import annotations

from opdb import Entry

import tinygrad_conv as tg

TABLE = {
    "nn.functional.relu": Entry(tg.relu),
    "sigmoid": Entry(tg.sigmoid),
    "tanh": Entry(tg.tanh),
}
