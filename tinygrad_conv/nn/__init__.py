"""Layers, under PyTorch's names."""

from __future__ import annotations

from .. import functional
from . import init
from .activation import ReLU, Sigmoid, Tanh
from .container import ModuleDict, ModuleList, Sequential
from .conv import Conv2d, ConvTranspose2d
from .linear import Linear
from .loss import MSELoss
from .module import Module, Parameter
from .pooling import AvgPool2d, MaxPool2d
from .shape import Flatten

__all__ = [
    "AvgPool2d",
    "Conv2d",
    "ConvTranspose2d",
    "Flatten",
    "Linear",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "functional",
    "init",
]
