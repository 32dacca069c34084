"""A good call of each layer's constructor, and inputs for the layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_conv import nn

from .inputs import IMAGE, LABELS, ROW

WINDOWS = {"kernel_size": 2, "stride": 1}
PLACES = np.array([[0, 3, 5], [1, 2, 4]])
CHANNELS = {"in_channels": 2, "out_channels": 4, "kernel_size": 2}

LAYERS: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    **dict.fromkeys(("ReLU", "ReLU6", "LeakyReLU", "PReLU", "ELU", "SELU", "GELU", "SiLU"), ({}, IMAGE)),
    **dict.fromkeys(("Softplus", "Hardtanh", "Sigmoid", "LogSigmoid", "Tanh", "Identity"), ({}, IMAGE)),
    **dict.fromkeys(("Dropout", "Dropout2d", "Flatten"), ({}, IMAGE)),
    **dict.fromkeys(("Softmax", "LogSoftmax"), ({"dim": 1}, IMAGE)),
    **dict.fromkeys(("Mish", "Hardswish", "Hardsigmoid", "CELU", "Softsign", "Tanhshrink"), ({}, IMAGE)),
    **dict.fromkeys(("Hardshrink", "Softshrink", "GLU", "LazyInstanceNorm1d"), ({}, (2, 2, 2))),
    "Softmin": ({"dim": 1}, IMAGE),
    "Softmax2d": ({}, IMAGE),
    "LocalResponseNorm": ({"size": 2}, IMAGE),
    "Threshold": ({"threshold": 0.1, "value": 2.0}, IMAGE),
    "Unflatten": ({"dim": 1, "unflattened_size": (2, 1)}, IMAGE),
    "ConstantPad2d": ({"padding": 1, "value": 2.0}, IMAGE),
    "Dropout1d": ({}, ROW),
    "InstanceNorm1d": ({"num_features": 2}, ROW),
    **dict.fromkeys(("AdaptiveAvgPool1d", "AdaptiveMaxPool1d"), ({"output_size": 2}, ROW)),
    **dict.fromkeys(("CosineSimilarity", "PairwiseDistance", "KLDivLoss"), ({}, (2, 3), (2, 3))),
    **dict.fromkeys(("CosineEmbeddingLoss", "MarginRankingLoss", "TripletMarginLoss"), ({}, *[(2, 3)] * 3)),
    **dict.fromkeys(("HingeEmbeddingLoss", "SoftMarginLoss", "PoissonNLLLoss"), ({}, (2, 3), (2, 3))),
    "GaussianNLLLoss": ({"eps": 10.0}, (2, 3), (2, 3), (2, 3)),
    "MaxUnpool1d": ({"kernel_size": 2}, (2, 3), PLACES),
    "MaxUnpool2d": ({"kernel_size": 2}, (1, 2, 3), PLACES[None]),
    "Embedding": ({"num_embeddings": 4, "embedding_dim": 2}, LABELS),
    **dict.fromkeys(("Conv1d", "ConvTranspose1d"), (CHANNELS, ROW)),
    **dict.fromkeys(("Conv2d", "ConvTranspose2d"), (CHANNELS, IMAGE)),
    **dict.fromkeys(("LazyConv1d", "LazyConvTranspose1d"), ({"out_channels": 3, "kernel_size": 2}, ROW)),
    **dict.fromkeys(("LazyConv2d", "LazyConvTranspose2d"), ({"out_channels": 3, "kernel_size": 2}, IMAGE)),
    **dict.fromkeys(("LazyBatchNorm2d", "LazyInstanceNorm2d"), ({}, IMAGE)),
    "LazyBatchNorm1d": ({}, ROW),
    "LazyLinear": ({"out_features": 2}, (2, 3)),
    "Linear": ({"in_features": 3, "out_features": 2}, (2, 3)),
    "BatchNorm1d": ({"num_features": 2}, ROW),
    **dict.fromkeys(("BatchNorm2d", "InstanceNorm2d"), ({"num_features": 2}, IMAGE)),
    "LayerNorm": ({"normalized_shape": 3}, (2, 3)),
    "GroupNorm": ({"num_groups": 1, "num_channels": 2}, IMAGE),
    **dict.fromkeys(("MaxPool1d", "AvgPool1d"), (WINDOWS, ROW)),
    **dict.fromkeys(("MaxPool2d", "AvgPool2d", "Unfold"), (WINDOWS, IMAGE)),
    **dict.fromkeys(("AdaptiveAvgPool2d", "AdaptiveMaxPool2d"), ({"output_size": 2}, IMAGE)),
    "Fold": ({"output_size": 3, **WINDOWS}, (1, 4, 4)),
    "Upsample": ({"size": 3}, IMAGE),
    "PixelShuffle": ({"upscale_factor": 1}, IMAGE),
    **dict.fromkeys(
        ("ZeroPad2d", "ReflectionPad2d", "ReplicationPad2d", "CircularPad2d"), ({"padding": 1}, IMAGE)
    ),
    **dict.fromkeys(("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"), ({}, (2, 3), (2, 3))),
    **dict.fromkeys(("BCELoss", "BCEWithLogitsLoss"), ({}, (2, 3), (2, 3))),
    **dict.fromkeys(("NLLLoss", "CrossEntropyLoss"), ({}, (2, 3), LABELS)),
    "Sequential": ({"modules": nn.ReLU()}, IMAGE),
    "ModuleList": ({"modules": [nn.ReLU()]},),
    "ParameterList": ({"values": [nn.Parameter(np.ones(2))]},),
    "ParameterDict": ({"parameters": {"first": nn.Parameter(np.ones(2))}},),
    "ModuleDict": ({"modules": {"first": nn.ReLU()}},),
}
"""What each layer needs to be made, and inputs to call it with, arrays or their shapes."""
