"""Losses and labels on PyTorch's sample inputs."""

from __future__ import annotations

import tinygrad_conv as tg

from .entry import Entry

TABLE = {
    "nn.functional.binary_cross_entropy": Entry(tg.binary_cross_entropy),
    "nn.functional.binary_cross_entropy_with_logits": Entry(tg.binary_cross_entropy_with_logits),
    "nn.functional.cross_entropy": Entry(tg.cross_entropy),
    "nn.functional.huber_loss": Entry(tg.huber_loss),
    "nn.functional.cosine_embedding_loss": Entry(tg.cosine_embedding_loss),
    "nn.functional.gaussian_nll_loss": Entry(tg.gaussian_nll_loss),
    "nn.functional.hinge_embedding_loss": Entry(tg.hinge_embedding_loss),
    "nn.functional.margin_ranking_loss": Entry(tg.margin_ranking_loss),
    "nn.functional.poisson_nll_loss": Entry(tg.poisson_nll_loss),
    "nn.functional.soft_margin_loss": Entry(tg.soft_margin_loss),
    "nn.functional.triplet_margin_loss": Entry(tg.triplet_margin_loss),
    "nn.functional.l1_loss": Entry(tg.l1_loss),
    "nn.functional.mse_loss": Entry(tg.mse_loss),
    "nn.functional.nll_loss": Entry(tg.nll_loss),
    "nn.functional.one_hot": Entry(tg.one_hot),
    "nn.functional.smooth_l1_loss": Entry(tg.smooth_l1_loss),
}
