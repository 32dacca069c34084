"""What PyTorch has as `torch.utils.data`; its home is `tinygrad_conv.data`, which has toy data beside it."""

from __future__ import annotations

from ...absent.missing import public_names
from ...data import DataLoader, datasets, default_collate, default_convert, get_worker_info, samplers
from ...data.datasets import *  # noqa: F403
from ...data.samplers import *  # noqa: F403
from . import dataloader, dataset, sampler

__all__ = [  # noqa: PLE0604
    *datasets.__all__,
    *samplers.__all__,
    "DataLoader",
    "default_collate",
    "default_convert",
    "get_worker_info",
]

__getattr__, __dir__ = public_names(__name__)
