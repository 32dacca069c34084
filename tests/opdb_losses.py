"""Losses on PyTorch's sample inputs."""

from __future__ import annotations

from opdb import Entry

import tinygrad_conv as tg

TABLE = {
    "nn.functional.mse_loss": Entry(tg.mse_loss),
}
