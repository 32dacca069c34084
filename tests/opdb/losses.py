"""Losses and labels on PyTorch's sample inputs."""

from __future__ import annotations

import tinygrad_conv as tg

from .entry import Entry

TABLE = {
    "nn.functional.binary_cross_entropy": Entry(tg.binary_cross_entropy),
    "nn.functional.binary_cross_entropy_with_logits": Entry(tg.binary_cross_entropy_with_logits),
    "nn.functional.cross_entropy": Entry(tg.cross_entropy),
    "nn.functional.huber_loss": Entry(tg.huber_loss),
    "nn.functional.l1_loss": Entry(tg.l1_loss),
    "nn.functional.mse_loss": Entry(tg.mse_loss),
    "nn.functional.nll_loss": Entry(tg.nll_loss),
    "nn.functional.one_hot": Entry(tg.one_hot),
    "nn.functional.smooth_l1_loss": Entry(tg.smooth_l1_loss),
}

OF_PAIRS = (
    "cosine_embedding",
    "gaussian_nll",
    "hinge_embedding",
    "margin_ranking",
    "poisson_nll",
    "soft_margin",
)
LEFT_OUT = {
    f"nn.functional.{name}_loss": "tests/test_losses_of_pairs.py compares it with PyTorch's"
    for name in (*OF_PAIRS, "triplet_margin")
}
