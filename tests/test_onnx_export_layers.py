"""Every layer as an ONNX file, run by ONNX's runtime for batches of several sizes."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn.loss import Loss

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from .onnx_runs import assert_exports  # noqa: E402

pytestmark = pytest.mark.onnx

ROWS, LINES, IMAGES = (2, 6), (2, 6, 10), (2, 6, 8, 10)
PLAIN = (
    *("ReLU", "ReLU6", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "Hardtanh"),
    *("Hardshrink", "Softshrink", "Tanhshrink", "LeakyReLU", "LogSigmoid", "Sigmoid", "Softplus", "Softsign"),
    *("Tanh", "Softmax2d", "Identity"),
)
"""Layers without options that matter here."""

LAYERS = [
    *((getattr(nn, name)(), IMAGES) for name in PLAIN),
    *(
        (layer, ROWS)
        for layer in (nn.Linear(6, 3, bias=False), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.PReLU())
    ),
    *(
        (layer, LINES)
        for layer in (
            *(nn.Conv1d(6, 4, 3, padding="same"), nn.ConvTranspose1d(6, 4, 3, stride=2, padding=1)),
            *(nn.BatchNorm1d(6), nn.InstanceNorm1d(6), nn.Dropout1d(0.5)),
            *(nn.MaxPool1d(3, 2, 1), nn.AvgPool1d(3, 2, 1), nn.AdaptiveAvgPool1d(4), nn.AdaptiveMaxPool1d(5)),
            *(nn.Upsample(scale_factor=1.5, mode="linear"), nn.Softmax(1), nn.Softmin(1), nn.LogSoftmax(-1)),
        )
    ),
    *(
        (layer, IMAGES)
        for layer in (
            nn.Conv2d(6, 4, 3, padding=1, padding_mode="reflect"),
            nn.Conv2d(6, 6, 3, padding=2, groups=3, padding_mode="circular"),
            nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1),
            *(nn.BatchNorm2d(6, affine=False), nn.BatchNorm2d(6, track_running_stats=False)),
            *(nn.InstanceNorm2d(6, affine=True), nn.InstanceNorm2d(6, track_running_stats=True)),
            *(nn.GroupNorm(3, 6), nn.LayerNorm(10), nn.LocalResponseNorm(3), nn.PReLU(6), nn.Dropout2d(0.5)),
            *(nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.MaxPool2d(2, return_indices=True)),
            nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
            *(nn.AdaptiveAvgPool2d((3, 5)), nn.AdaptiveMaxPool2d((2, 5), return_indices=True)),
            *(nn.Flatten(), nn.Flatten(2), nn.Unflatten(1, (2, 3)), nn.Unfold(3, padding=1), nn.GLU(1)),
            *(nn.Upsample(scale_factor=2), nn.Upsample(size=(5, 7), mode="bilinear")),
            *(nn.ZeroPad2d(2), nn.ReflectionPad2d((1, 2, 0, 1)), nn.ReplicationPad2d(2), nn.CircularPad2d(1)),
            *(nn.ConstantPad2d((1, -1, 2, 0), 3.5), nn.Threshold(0.1, 2.0), nn.Linear(10, 3)),
        )
    ),
    (nn.PixelShuffle(2), (2, 8, 3, 4)),
    (nn.Fold((8, 10), 3, padding=1), (2, 54, 80)),
]
ELSEWHERE = {"Embedding", "Sequential"} | {
    "ModuleDict",
    "ModuleList",
    "ParameterDict",
    "ParameterList",
    "Module",
}
"""In whole nets; and what has no forward."""
OF_TWO = {"CosineSimilarity", "PairwiseDistance"}
REFUSED = {"MaxUnpool1d", "MaxUnpool2d"}
"""Python looks at the places that they are given."""


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: repr(value).partition("\n")[0])
def test_layers(layer, shape, tmp_path):
    rng = np.random.default_rng(0)
    for buffer in layer.buffers():
        if buffer.dtype.kind == "f":
            buffer.data[...] = rng.uniform(0.5, 2, buffer.shape)
    example = rng.standard_normal(shape).astype(np.float32)
    assert_exports(layer.eval(), (example,), tmp_path, opset_version=18)


@pytest.mark.parametrize("name", sorted(OF_TWO))
def test_layers_of_two_inputs(name, tmp_path):
    rng = np.random.default_rng(0)
    pair = [rng.standard_normal((2, 5)).astype(np.float32) for _ in range(2)]
    assert_exports(getattr(nn, name)(), tuple(pair), tmp_path)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_layers_that_are_refused(name, tmp_path):
    x = tg.ones(2, 3, 2) if name.endswith("1d") else tg.ones(2, 3, 2, 2)
    with pytest.raises(ValueError, match="Python reads numbers that depend on the input"):
        tg.onnx.export(getattr(nn, name)(2), (x, x.to(int)), tmp_path / "layer.onnx")


def test_no_layer_is_left_out():
    public = {name for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    layers = {name for name in public if issubclass(getattr(nn, name), nn.Module)}
    layers -= {name for name in layers if issubclass(getattr(nn, name), Loss) or name.startswith("Lazy")}
    assert layers - {type(layer).__name__ for layer, _ in LAYERS} - ELSEWHERE - OF_TWO - REFUSED == set()
