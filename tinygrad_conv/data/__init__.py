"""Datasets, batches of them, real data and toy data. The first two are in `tinygrad_conv.utils.data` too.

datasets.py     datasets and parts of them; labelled.py, what those of images with labels share
samplers.py     in which order a loader takes examples; collate.py, how these become a batch
loader.py       `DataLoader`; epoch.py, one loop through it, prefetch.py, batches made ahead by a thread,
                loader_state.py, where it is
shapes.py       generated images; digits.py, real ones that come with packages
image_sets.py   MNIST and CIFAR, image_folder.py, folders by class; files/  what is read of the disk
transforms/     changes of images
options.py      what the arguments of all these may be
"""

from __future__ import annotations

from ..absent.missing import public_names
from . import datasets, samplers, transforms
from .collate import default_collate, default_convert
from .datasets import *  # noqa: F403
from .digits import digits, mnist_5k, stratified_split
from .files.cifar import read_cifar
from .files.idx import read_idx
from .files.npz import read_npz
from .image_folder import ImageFolder
from .image_sets import CIFAR10, CIFAR100, KMNIST, MNIST, FashionMNIST, ImageSet
from .loader import DataLoader, get_worker_info
from .samplers import *  # noqa: F403
from .shapes import BARS, SHAPES, bars, shapes

__all__ = [  # noqa: PLE0604
    *datasets.__all__,
    *samplers.__all__,
    "BARS",
    "SHAPES",
    "CIFAR10",
    "CIFAR100",
    "DataLoader",
    "FashionMNIST",
    "ImageFolder",
    "ImageSet",
    "KMNIST",
    "MNIST",
    "bars",
    "default_collate",
    "default_convert",
    "digits",
    "get_worker_info",
    "mnist_5k",
    "read_cifar",
    "read_idx",
    "read_npz",
    "shapes",
    "stratified_split",
    "transforms",
]

__getattr__, __dir__ = public_names(__name__)
