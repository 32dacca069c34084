"""Changes of images, with torchvision's names and arguments: `transforms.Compose([RandomCrop(28, 2), …])`.

Each takes an image [C, H, W] or a batch [N, C, H, W], an ndarray or a Tensor, and gives a new one of the same
kind and dtype. In a batch each image gets its own draw, and the batch the same numbers as its images one by
one. A gradient goes through Normalize alone; others refuse a Tensor that requires one.

What draws takes `generator` or `seed` beside torchvision's arguments; without one it draws from the generator
that `tg.manual_seed` resets. `state_dict()` says where a generator of its own is, for a checkpoint.

base.py       what they share: images and batches, draws, state
pixels.py     ToTensor, Normalize, Lambda, RandomErasing: values, and not where they are
cutting.py    Pad, crops and flips: whole pixels, elsewhere
warping.py    RandomRotation, RandomAffine: pixels between pixels
resizing.py   Resize
options.py    what their arguments may be
"""

from __future__ import annotations

from ...absent.missing import public_names
from .base import Compose, RandomTransform, Transform
from .cutting import CenterCrop, Pad, RandomCrop, RandomHorizontalFlip, RandomVerticalFlip
from .pixels import Lambda, Normalize, RandomErasing, ToTensor
from .resizing import Resize
from .warping import InterpolationMode, RandomAffine, RandomRotation

__all__ = [
    "CenterCrop",
    "Compose",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "Pad",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomTransform",
    "RandomVerticalFlip",
    "Resize",
    "ToTensor",
    "Transform",
]

__getattr__, __dir__ = public_names(__name__)
