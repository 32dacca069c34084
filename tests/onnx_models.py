"""Small models in ONNX's format, made by hand. Needs onnx."""

from __future__ import annotations

import numpy as np
from onnx import helper, numpy_helper

FLOAT = 1


def model_of(nodes, inputs, initializers=None, outputs=("y",), opset=17, **options):
    """A model of these nodes. inputs: name → shape, of float32, or (element type, shape)."""
    typed = {
        name: shape if isinstance(shape, tuple) and isinstance(shape[-1], list) else (FLOAT, shape)
        for name, shape in inputs.items()
    }
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, number, shape) for name, (number, shape) in typed.items()],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (initializers or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], **options)


def node(op_type, inputs="x", outputs="y", name="", **attributes):
    """A node whose inputs and outputs are words of a text; `_` is one that is left out."""
    names = [["" if word == "_" else word for word in text.split()] for text in (inputs, outputs)]
    return helper.make_node(op_type, *names, name=name, **attributes)


def small_net():
    """A convolution, a batch norm and a linear layer, for any batch of images [1, 6, 6]."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    initializers = {
        "conv.weight": normal(3, 1, 3, 3),
        "conv.bias": normal(3),
        "norm.weight": normal(3),
        "norm.bias": normal(3),
        "norm.running_mean": normal(3),
        "norm.running_var": normal(3) ** 2 + 1,
        "fc.weight": normal(2, 12),
        "fc.bias": normal(2),
        "shape": np.array([0, -1]),
    }
    nodes = [
        node("Conv", "x conv.weight conv.bias", "a", "conv", kernel_shape=[3, 3]),
        node("BatchNormalization", "a norm.weight norm.bias norm.running_mean norm.running_var", "b", "norm"),
        node("Relu", "b", "c", "relu"),
        node("MaxPool", "c", "d", "pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", "d shape", "e", "flat"),
        node("Gemm", "e fc.weight fc.bias", "y", "fc", transB=1),
    ]
    return model_of(nodes, {"x": ["n", 1, 6, 6]}, initializers)
