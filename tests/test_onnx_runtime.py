"""Operators as older opsets have them, attributes in the place of inputs: as ONNX's runtime computes them."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

from .onnx_models import model_of, node  # noqa: E402

pytestmark = pytest.mark.onnx

SHAPE = [2, 3, 6, 8]
TENSORS = {
    "scales": np.array([1, 1, 1.5, 2], "f"),
    "k": np.array([2]),
    "slope": np.array([[[0.1]], [[0.2]], [[0.3]]], "f"),
    "c": np.array([0.5, 1, 1.5], "f"),
    "positive": np.array([0.5, 1, 1.5], "f"),
    "groups": np.array([2], "f"),
    "group": np.array([1], "f"),
    "matrix": np.arange(24, dtype="f").reshape(8, 3) / 24,
    "row": np.array([1, 2, 3], "f"),
    "starts": np.array([1, -3]),
    "ends": np.array([9, -1]),
    "axes": np.array([2, -1]),
    "steps": np.array([2, 1]),
    "places": np.array([[[[0, 1, 2, 0, 1, 2, 0, 1]]]]),
    "updates": np.full((1, 1, 1, 8), 7, "f"),
    "half": np.array(0.5, "f"),
    "sizes": np.array([2, 3, 6, 8]),
    "pads": np.array([0, 0, 1, 2, 0, 0, 0, 1]),
    "number": np.array(3, "f"),
}

OLD = [
    (9, node("Slice", starts=[1, -3], ends=[9, -1], axes=[2, 3])),
    (9, node("Slice", starts=[0, 1], ends=[1, 3])),
    (10, node("Slice", "x starts ends axes steps")),
    (10, node("Clip", min=-0.5, max=0.25)),
    (10, node("Clip", max=0.25)),
    (11, node("Clip", "x half")),
    (11, node("Unsqueeze", axes=[0, 3])),
    (12, node("Squeeze", "y0", "y", axes=[0])),
    (12, node("Split", "x", "y z", axis=3, split=[3, 5])),
    (7, node("Split", "x", "y z", axis=2)),
    (10, node("Pad", mode="reflect", pads=[0, 0, 1, 2, 0, 0, 2, 1])),
    (8, node("Pad", mode="edge", pads=[0, 0, 1, 2, 0, 0, 2, 1])),
    (9, node("Pad", pads=[0, 1, 0, 0, 0, 0, 0, 2], value=1.5)),
    (11, node("Pad", "x pads number")),
    (9, node("TopK", "x", "y z", axis=3, k=2)),
    (10, node("TopK", "x k", "y z", axis=2)),
    (12, node("ReduceSum", axes=[1, -1], keepdims=0)),
    (11, node("ReduceMean", axes=[2])),
    (12, node("ReduceMax", axes=[0, 3])),
    (17, node("ReduceL2", keepdims=0)),
    (13, node("ReduceLogSumExp", axes=[-1])),
    (12, node("Softmax")),
    (7, node("Softmax", axis=2)),
    (12, node("LogSoftmax", axis=3)),
    (11, node("Hardmax", axis=1)),
    (8, node("Upsample", mode="nearest", scales=[1.0, 1.0, 2.0, 1.5])),
    (9, node("Upsample", "x scales", mode="linear")),
    (10, node("Resize", "x scales", mode="nearest")),
    (10, node("Resize", "x scales", mode="linear")),
    (11, node("Resize", "x empty scales", mode="cubic")),
    (13, node("Resize", "x _ _ twice", mode="linear", coordinate_transformation_mode="align_corners")),
    (18, node("Resize", "x _ _ twice", mode="linear", antialias=1)),
    (7, node("AveragePool", kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 2])),
    (10, node("AveragePool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, count_include_pad=1)),
    (8, node("MaxPool", "x", "y z", kernel_shape=[2, 3], strides=[2, 1], pads=[0, 1, 1, 1])),
    (10, node("MaxPool", "x", "y", kernel_shape=[2, 2], dilations=[2, 3], ceil_mode=1, strides=[2, 2])),
    (11, node("LpPool", kernel_shape=[2, 2], p=3, strides=[2, 2])),
    (7, node("BatchNormalization", "x c c c positive")),
    (9, node("BatchNormalization", "x c c c positive", epsilon=0.1)),
    (15, node("BatchNormalization", "x c c c positive")),
    (7, node("PRelu", "x slope")),
    (9, node("PRelu", "x c3")),
    (7, node("Gemm", "rows matrix row", alpha=0.5, beta=2.0)),
    (11, node("Gemm", "rows matrix", transA=0)),
    (9, node("Flatten", axis=2)),
    (11, node("Flatten", axis=-3)),
    (11, node("ArgMax", axis=-1, keepdims=0)),
    (12, node("ArgMin", axis=2, select_last_index=1)),
    (9, node("Scatter", "x places updates", axis=1)),
    (8, node("Expand", "x wide")),
    (7, node("Dropout")),
    (10, node("Dropout", ratio=0.7)),
    (7, node("LRN", size=3, alpha=0.3, beta=0.7, bias=1.5)),
    (7, node("InstanceNormalization", "x c c")),
    (9, node("MeanVarianceNormalization")),
    (7, node("LpNormalization", axis=1, p=1)),
    (9, node("Shrink", lambd=0.3, bias=0.1)),
    (7, node("HardSigmoid", alpha=0.3, beta=0.4)),
    (7, node("Selu", alpha=1.2, gamma=0.9)),
    (10, node("ThresholdedRelu", alpha=0.4)),
    (7, node("DepthToSpace", "blocks", "y", blocksize=2)),
    (11, node("DepthToSpace", "blocks", "y", blocksize=2, mode="CRD")),
    (7, node("SpaceToDepth", blocksize=2)),
    (11, node("CumSum", "x axis", exclusive=1, reverse=1)),
    (7, node("Sum", "x x x")),
    (8, node("Mean", "x c3 x")),
    (7, node("GlobalLpPool", p=3)),
    (11, node("ScatterElements", "x places updates", axis=1)),
    (12, node("Pow", "x k")),
]
MORE = {
    "empty": np.zeros(0, "f"),
    "twice": np.array([2, 3, 11, 5]),
    "c3": np.array([0.1, 0.2, 0.3], "f").reshape(3, 1, 1),
    "wide": np.array([2, 2, 3, 6, 8]),
    "axis": np.array(2),
}


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(
    "opset, given",
    OLD,
    ids=[f"{given.op_type}-{opset}-{number}" for number, (opset, given) in enumerate(OLD)],
)
def test_as_in_the_runtime(opset, given):
    tensors = {name: array for name, array in (TENSORS | MORE).items() if name in given.input}
    others = {"rows": normal(4, 8), "blocks": normal(1, 8, 2, 3), "y0": normal(1, 3, 1)}
    inputs = {name: others.get(name, normal(*SHAPE)) for name in given.input if name and name not in tensors}
    shapes = {name: list(array.shape) for name, array in inputs.items()}
    names = [name for name in given.output if name]
    model = model_of([given], shapes, tensors, outputs=names, opset=opset, ir_version=8)
    for output, made in zip(model.graph.output, expected_types(given)):
        output.type.tensor_type.elem_type = made
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    expected = runtime.InferenceSession(model.SerializeToString(), options).run(names, inputs)
    ours = tg.onnx.load(model).eval()(*inputs.values())
    for y, reference in zip(ours if isinstance(ours, tuple) else (ours,), expected):
        assert y.shape == reference.shape and y.dtype == reference.dtype
        np.testing.assert_allclose(y.data, reference, rtol=2e-5, atol=1e-5)


def expected_types(given):
    """The element types of a node's outputs: float32, and int64 for places."""
    places = {"TopK": (1, 7), "MaxPool": (1, 7), "ArgMax": (7,), "ArgMin": (7,)}
    return places.get(given.op_type, (1, 1))
