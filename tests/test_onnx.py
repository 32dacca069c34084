"""ONNX's own node cases, computed by our functions: convolutions, poolings, normalisations, activations,
losses, optimisers.

Each case is one node with its attributes, inputs and expected outputs. A function below says how a node of
its type is written with ours; what is left out stands in LEFT_OUT, with the reason.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import tinygrad_conv as tg

onnx = pytest.importorskip("onnx")

pytestmark = pytest.mark.onnx

THREE_DIMENSIONS = "three spatial dimensions"
TOO_MUCH_PADDING = "PyTorch, and so we, refuse padding of more than half a window"
LEFT_OUT = {
    "convtranspose_3d": THREE_DIMENSIONS,
    "maxpool_3d_default": THREE_DIMENSIONS,
    "maxpool_3d_dilations": THREE_DIMENSIONS,
    "maxpool_3d_dilations_use_ref_impl": THREE_DIMENSIONS,
    "maxpool_3d_dilations_use_ref_impl_large": THREE_DIMENSIONS,
    "averagepool_3d_default": THREE_DIMENSIONS,
    "averagepool_3d_dilations_small": THREE_DIMENSIONS,
    "averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True": THREE_DIMENSIONS,
    "averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False": THREE_DIMENSIONS,
    "averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": THREE_DIMENSIONS,
    "averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False": THREE_DIMENSIONS,
    "averagepool_2d_dilations": "PyTorch's avg_pool2d has no dilation",
    "averagepool_2d_pads": TOO_MUCH_PADDING,
    "averagepool_2d_pads_count_include_pad": TOO_MUCH_PADDING,
    "maxpool_2d_pads": TOO_MUCH_PADDING,
}
"""Cases by name, with the reason; a name that ONNX has no more fails."""
ROUNDED = {"averagepool_2d_ceil_last_window_starts_on_pad"}
"""Cases whose expected output ONNX gives in four digits."""


def convolution(attributes, x, w, b=None):
    options = window_options(attributes, x, w.shape[2:])
    return tg.conv2d(x, w, b, groups=attributes.get("group", 1), **options)


def transposed_convolution(attributes, x, w, b=None):
    dims = x.ndim - 2
    strides, dilations = attributes.get("strides", [1] * dims), attributes.get("dilations", [1] * dims)
    extra, groups = attributes.get("output_padding", [0] * dims), attributes.get("group", 1)
    pads = attributes.get("pads", [0] * 2 * dims)
    wanted = attributes.get("output_shape")
    if attributes.get("auto_pad", "NOTSET").startswith("SAME"):
        wanted = [size * step for size, step in zip(x.shape[2:], strides)]
    if wanted:
        full = [
            step * (size - 1) + more + (kernel - 1) * spread + 1
            for size, step, more, kernel, spread in zip(x.shape[2:], strides, extra, w.shape[2:], dilations)
        ]
        over = [most - size for most, size in zip(full, wanted)]
        pads = divided([max(excess, 0) for excess in over], attributes.get("auto_pad") == "SAME_UPPER")
        extra = [
            more + max(-excess, 0) for more, excess in zip(extra, over)
        ]  # what is short is added at the end
    if dims == 1:
        assert not any(pads)
        return tg.conv_transpose1d(x, w, b, strides[0], 0, extra[0], groups, dilations[0])
    pads = tuple(zip(pads[:dims], pads[dims:]))
    return tg.conv_transpose2d(x, w, b, tuple(strides), pads, tuple(extra), groups, tuple(dilations))


def max_pooling(attributes, x):
    kernel = tuple(attributes["kernel_shape"])
    options = {**window_options(attributes, x, kernel), "ceil_mode": bool(attributes.get("ceil_mode", 0))}
    if len(kernel) == 1:
        return tg.max_pool1d(x, kernel[0], options["stride"][0])
    y, indices = tg.max_pool2d(x, kernel, **options, return_indices=True)
    rows, columns = np.divmod(indices.data, x.shape[3])
    by_columns = attributes.get("storage_order", 0)
    planes = np.arange(math.prod(x.shape[:2])).reshape(*x.shape[:2], 1, 1) * math.prod(x.shape[2:])
    return y, planes + (columns * x.shape[2] + rows if by_columns else indices.data)


def average_pooling(attributes, x):
    kernel = tuple(attributes["kernel_shape"])
    options = window_options(attributes, x, kernel)
    del options["dilation"]
    options["count_include_pad"] = bool(attributes.get("count_include_pad", 0))
    options["ceil_mode"] = bool(attributes.get("ceil_mode", 0))
    if len(kernel) == 1:
        return tg.avg_pool1d(x, kernel[0], options["stride"][0])
    return tg.avg_pool2d(x, kernel, **options)


def window_options(attributes, x, kernel):
    """stride, padding and dilation as ours; SAME_LOWER, which we have no word for, as the pads it means."""
    strides, dilations = (
        attributes.get("strides", [1] * len(kernel)),
        attributes.get("dilations", [1] * len(kernel)),
    )
    pads = attributes.get("pads", [0] * 2 * len(kernel))
    if attributes.get("auto_pad") == "SAME_LOWER":
        spans = [(size - 1) * spread + 1 for size, spread in zip(kernel, dilations)]
        needed = [
            (-(-size // step) - 1) * step + span for size, step, span in zip(x.shape[2:], strides, spans)
        ]
        totals = [max(span - size, 0) for span, size in zip(needed, x.shape[2:])]
        pads = divided(totals, upper=False)
    padding = tuple(zip(pads[: len(kernel)], pads[len(kernel) :]))
    if attributes.get("auto_pad") == "SAME_UPPER":
        padding = "same"
    return {"stride": tuple(strides), "padding": padding, "dilation": tuple(dilations)}


def divided(totals, upper):
    """Pads before each axis, then after each; the odd one after (upper) or before."""
    before = [total // 2 if upper else total - total // 2 for total in totals]
    return [*before, *(total - first for total, first in zip(totals, before))]


def batch_normalization(attributes, x, scale, bias, mean, variance):
    momentum, old = 1 - attributes.get("momentum", 0.9), variance.data.copy()
    training = bool(attributes.get("training_mode", 0))
    y = tg.batch_norm(x, mean, variance, scale, bias, training, momentum, attributes.get("epsilon", 1e-5))
    if not training:
        return y
    count = x.numel() / x.shape[1]
    kept = old * (1 - momentum)  # ONNX follows the biased variance, PyTorch the unbiased one
    return y, mean, kept + (variance.data - kept) * (count - 1) / count


def layer_normalization(attributes, x, scale, bias=None):
    axis = attributes.get("axis", -1) % x.ndim
    return tg.layer_norm(x, x.shape[axis:], scale, bias, attributes.get("epsilon", 1e-5))


def group_normalization(attributes, x, scale, bias):
    return tg.group_norm(x, attributes["num_groups"], scale, bias, attributes.get("epsilon", 1e-5))


def instance_normalization(attributes, x, scale, bias):
    return tg.instance_norm(x, None, None, scale, bias, eps=attributes.get("epsilon", 1e-5))


def parametric_relu(attributes, x, slope):
    slopes = np.broadcast_to(
        slope.data, x.shape
    )  # ONNX broadcasts the slope; here every element is a channel
    return tg.prelu(x.reshape(1, -1), slopes.reshape(-1)).reshape(x.shape)


def selu(attributes, x):
    if attributes:
        return tg.elu(x, attributes["alpha"]) * attributes["gamma"]
    return tg.selu(x)


def nll(attributes, x, target, weight=None):
    options = {"ignore_index": attributes.get("ignore_index", -100), "reduction": attributes["reduction"]}
    return tg.nll_loss(x, target, weight, **options)


def softmax_cross_entropy(attributes, scores, labels, weights=None):
    options = {"ignore_index": attributes.get("ignore_index", -100), "reduction": attributes["reduction"]}
    return tg.cross_entropy(scores, labels, weights, **options), tg.log_softmax(scores, 1)


def adam(attributes, rate, step, *tensors):
    """ONNX's step 0 corrects no bias, which for ours is a step so late that there is none left."""
    quarter = len(tensors) // 4
    weights, grads, means, squares = (tensors[at * quarter : (at + 1) * quarter] for at in range(4))
    assert step.item() == 0
    optimizer = tg.optim.Adam(
        leaves(weights, grads),
        rate.item(),
        (attributes["alpha"], attributes["beta"]),
        attributes["epsilon"],
        attributes["norm_coefficient"],
    )
    states = [{"step": 10**6, "exp_avg": m.data, "exp_avg_sq": v.data} for m, v in zip(means, squares)]
    params = stepped(optimizer, states)
    states = optimizer.state_dict()["state"].values()
    means, squares = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq"))
    return *params, *means, *squares


def momentum(attributes, rate, step, *tensors):
    third = len(tensors) // 3
    assert step.item() == 0
    optimizer = tg.optim.SGD(
        leaves(tensors[:third], tensors[third : 2 * third]),
        rate.item(),
        attributes["alpha"],
        0.0,
        attributes["norm_coefficient"],
        attributes["mode"] == "nesterov",
    )
    params = stepped(optimizer, [{"momentum_buffer": tensor.data} for tensor in tensors[2 * third :]])
    return *params, *(state["momentum_buffer"] for state in optimizer.state_dict()["state"].values())


def leaves(weights, grads):
    """Parameters with their gradients."""
    params = [tg.tensor(weight, requires_grad=True) for weight in weights]
    for param, grad in zip(params, grads):
        param.grad = grad.data
    return params


def stepped(optimizer, states):
    """The parameters of an optimiser after one step from given states."""
    optimizer.load_state_dict({**optimizer.state_dict(), "state": dict(enumerate(states))})
    optimizer.step()
    return optimizer.param_groups[0]["params"]


FUNCTIONS = {
    "Conv": convolution,
    "ConvTranspose": transposed_convolution,
    "MaxPool": max_pooling,
    "AveragePool": average_pooling,
    "GlobalAveragePool": lambda attributes, x: x.mean((2, 3), keepdim=True),
    "GlobalMaxPool": lambda attributes, x: x.amax((2, 3), keepdim=True),
    "BatchNormalization": batch_normalization,
    "InstanceNormalization": instance_normalization,
    "LayerNormalization": layer_normalization,
    "GroupNormalization": group_normalization,
    "Relu": lambda attributes, x: tg.relu(x),
    "LeakyRelu": lambda attributes, x: tg.leaky_relu(x, attributes.get("alpha", 0.01)),
    "PRelu": parametric_relu,
    "Elu": lambda attributes, x: tg.elu(x, attributes.get("alpha", 1.0)),
    "Selu": selu,
    "Gelu": lambda attributes, x: tg.gelu(x, attributes.get("approximate", "none")),
    "Sigmoid": lambda attributes, x: tg.sigmoid(x),
    "Tanh": lambda attributes, x: tg.tanh(x),
    "Softplus": lambda attributes, x: tg.softplus(x),
    "Softmax": lambda attributes, x: tg.softmax(x, attributes.get("axis", -1)),
    "LogSoftmax": lambda attributes, x: tg.log_softmax(x, attributes.get("axis", -1)),
    "NegativeLogLikelihoodLoss": nll,
    "SoftmaxCrossEntropyLoss": softmax_cross_entropy,
    "Adam": adam,
    "Momentum": momentum,
}


@pytest.fixture(scope="module")
def cases():
    """ONNX's node cases by op type: (name, attributes, inputs, expected outputs)."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = load_model_tests(kind="node")
    by_type = {}
    for case in loaded:
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in FUNCTIONS:
            inputs, outputs = case.data_sets[0]
            name = case.name.removeprefix("test_")
            entry = name, attributes_of(nodes[0]), inputs, outputs
            by_type.setdefault(nodes[0].op_type, []).append(entry)
    return by_type


def attributes_of(node):
    """A node's attributes by name."""
    values = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


@pytest.mark.parametrize("op_type", FUNCTIONS)
def test_cases(cases, op_type):
    compared = 0
    for name, attributes, inputs, expected in cases[op_type]:
        if name in LEFT_OUT:
            continue
        result = FUNCTIONS[op_type](attributes, *map(tg.tensor, inputs))
        result = result if isinstance(result, tuple) else (result,)
        for position, (ours, theirs) in enumerate(zip(result, expected)):
            array = ours.data if isinstance(ours, tg.Tensor) else ours
            assert array.shape == theirs.shape, (name, position)
            rtol = 1e-3 if name in ROUNDED else 1e-5
            np.testing.assert_allclose(
                array, theirs, rtol=rtol, atol=1e-6, err_msg=f"{name}, output {position}"
            )
        compared += 1
    assert compared


def test_what_is_left_out_exists(cases):
    assert LEFT_OUT.keys() <= {name for entries in cases.values() for name, *_ in entries}
