"""Each op is among PyTorch's functions or has a reason not to be, and they all take PyTorch's arguments."""

from __future__ import annotations

import inspect
import pydoc

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import functional
from tinygrad_conv.engine.op import Op
from tinygrad_conv.engine.registry import OPS

PRIVATE = {  # ops without a function of PyTorch's, and where they are met instead
    "conv2d_input_grad": "a gradient; conv_transpose2d is its layer",
    "conv2d_weight_grad": "a gradient",
    "deviation_dot": "a part of the gradients of norms",
    "deviation_removed": "a part of the gradients of norms",
    "expand": "x.expand(…)",
    "flatten_input_grad": "a gradient",
    "gather_taps": "a part of max_pool2d's gradients",
    "getitem": "x[…]",
    "setitem": "x[…] = …",
    "label_vectors": "a part of the losses of classes",
    "label_weights": "a part of the losses of classes",
    "masked": "masked_fill(x, ~mask, 0)",
    "max_pool2d_with_indices": "max_pool2d(…, return_indices=True)",
    "mix": "what interpolate, pad and adaptive_avg_pool2d compute",
    "normal_cdf": "a part of gelu",
    "repeat": "x.repeat(…)",
    "running_argmax": "cummax",
    "running_argmin": "cummin",
    "scatter_extreme": "scatter_reduce",
    "scatter_taps": "a part of max_pool2d's gradients",
    "spread_windows": "a part of avg_pool2d's gradients",
    "sum_to": "a part of the gradients of broadcasting",
    "sum_windows": "a part of avg_pool2d's gradients",
    "to": "x.to(dtype)",
    "transposed_matmul": "a part of the gradients of products",
    "trunc_divide": "div(…, rounding_mode='trunc')",
    "vector_norm": "norm",
}

GEOMETRY = "input weight bias stride padding dilation groups"
TRANSPOSED = "input weight bias stride padding output_padding groups dilation"
MAX_POOL = "input kernel_size stride padding dilation ceil_mode return_indices"
AVG_POOL = "input kernel_size stride padding ceil_mode count_include_pad"

ARGUMENTS = {  # PyTorch's, in PyTorch's order, without those that have no meaning here
    **dict.fromkeys("abs clone cos exp log logsigmoid neg sigmoid sign sin sqrt tanh".split(), "input"),
    **dict.fromkeys("absolute acos asin atan ceil cosh erf erfc exp2 expm1 floor frac".split(), "input"),
    **dict.fromkeys("isfinite isinf isnan log10 log1p log2 logical_not negative rsqrt".split(), "input"),
    **dict.fromkeys("argwhere fliplr flipud is_floating_point numel ravel reciprocal".split(), "input"),
    **dict.fromkeys("sinh softsign square t tan tanhshrink trace trunc".split(), "input"),
    **dict.fromkeys("acosh asinh atanh bitwise_not signbit".split(), "input"),
    **dict.fromkeys("bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift".split(), "input other"),
    **dict.fromkeys("bitwise_xor copysign logaddexp xlogy".split(), "input other"),
    **dict.fromkeys("cummax cummin logcumsumexp".split(), "input dim"),
    **dict.fromkeys("nanquantile quantile".split(), "input q dim keepdim interpolation"),
    **dict.fromkeys("equal floor_divide fmod greater greater_equal less less_equal".split(), "input other"),
    **dict.fromkeys("logical_and logical_or logical_xor multiply not_equal remainder".split(), "input other"),
    **dict.fromkeys("div divide true_divide".split(), "input other rounding_mode"),
    **dict.fromkeys("allclose isclose".split(), "input other rtol atol equal_nan"),
    **dict.fromkeys("addcdiv addcmul".split(), "input tensor1 tensor2 value"),
    **dict.fromkeys(
        "atleast_1d atleast_2d atleast_3d block_diag broadcast_tensors cartesian_prod".split(), "tensors"
    ),
    **dict.fromkeys("column_stack dstack hstack vstack".split(), "tensors"),
    **dict.fromkeys("argsort sort".split(), "input dim descending stable"),
    **dict.fromkeys("diag tril triu".split(), "input diagonal"),
    **dict.fromkeys("diag_embed diagonal".split(), "input offset dim1 dim2"),
    **dict.fromkeys("hardshrink softshrink".split(), "input lambd"),
    **dict.fromkeys("hardsigmoid hardswish mish".split(), "input inplace"),
    **dict.fromkeys("index_select select".split(), "input dim index"),
    **dict.fromkeys("moveaxis movedim".split(), "input source destination"),
    **dict.fromkeys("eq ge gt le lt matmul maximum minimum mul ne".split(), "input other"),
    **dict.fromkeys("relu relu6 selu silu".split(), "input inplace"),
    **dict.fromkeys("relu_ selu_".split(), "input"),
    **dict.fromkeys("cumprod softmax softmin log_softmax".split(), "input dim dtype"),
    **dict.fromkeys("all amax amin any argmax argmin logsumexp max median min".split(), "input dim keepdim"),
    **dict.fromkeys("mean prod sum".split(), "input dim keepdim dtype"),
    **dict.fromkeys("std std_mean var var_mean".split(), "input dim unbiased keepdim correction"),
    **dict.fromkeys("add sub subtract".split(), "input other alpha"),
    **dict.fromkeys("cat concat concatenate stack".split(), "tensors dim"),
    **dict.fromkeys("conv1d conv2d".split(), GEOMETRY),
    **dict.fromkeys("conv_transpose1d conv_transpose2d".split(), TRANSPOSED),
    **dict.fromkeys("max_pool1d max_pool2d".split(), MAX_POOL),
    **dict.fromkeys(
        "alpha_dropout dropout dropout1d dropout2d dropout3d".split(), "input p training inplace"
    ),
    **dict.fromkeys("l1_loss mse_loss".split(), "input target reduction"),
    **dict.fromkeys("adaptive_avg_pool1d adaptive_avg_pool2d".split(), "input output_size"),
    **dict.fromkeys("adaptive_max_pool1d adaptive_max_pool2d".split(), "input output_size return_indices"),
    "addmm": "input mat1 mat2 beta alpha",
    "addmv": "input mat vec beta alpha",
    "avg_pool1d": AVG_POOL,
    "avg_pool2d": f"{AVG_POOL} divisor_override",
    "baddbmm": "input batch1 batch2 beta alpha",
    "bincount": "input weights minlength",
    "broadcast_to": "input size",
    "bucketize": "input boundaries out_int32 right",
    "combinations": "input r with_replacement",
    "searchsorted": "sorted_sequence input out_int32 right side sorter",
    "celu": "input alpha inplace",
    "clip": "input min max",
    "cosine_similarity": "x1 x2 dim eps",
    "count_nonzero": "input dim",
    "diff": "input n dim prepend append",
    "dot": "input tensor",
    "embedding": "input weight padding_idx",
    "glu": "input dim",
    "index_add": "input dim index source alpha",
    "index_fill": "input dim index value",
    "isin": "elements test_elements assume_unique invert",
    "kl_div": "input target reduction log_target",
    "margin_ranking_loss": "input1 input2 target margin reduction",
    "hinge_embedding_loss": "input target margin reduction",
    "cosine_embedding_loss": "input1 input2 target margin reduction",
    "triplet_margin_loss": "anchor positive negative margin p eps swap reduction",
    "soft_margin_loss": "input target reduction",
    "gaussian_nll_loss": "input target var full eps reduction",
    "poisson_nll_loss": "input target log_input full eps reduction",
    "scaled_dot_product_attention": "query key value attn_mask dropout_p is_causal scale enable_gqa",
    "max_unpool1d": "input indices kernel_size stride padding output_size",
    "max_unpool2d": "input indices kernel_size stride padding output_size",
    "kthvalue": "input k dim keepdim",
    "lerp": "input end weight",
    "local_response_norm": "input size alpha beta k",
    "masked_select": "input mask",
    "meshgrid": "tensors indexing",
    "mm": "input mat2",
    "mv": "input vec",
    "nan_to_num": "input nan posinf neginf",
    "narrow": "input dim start length",
    "nonzero": "input as_tuple",
    "normalize": "input p dim eps",
    "outer": "input vec2",
    "pairwise_distance": "x1 x2 p eps keepdim",
    "repeat_interleave": "input repeats dim output_size",
    "rot90": "input k dims",
    "round": "input decimals",
    "scatter": "input dim index src value reduce",
    "scatter_reduce": "input dim index src reduce include_self",
    "swapaxes": "input axis0 axis1",
    "swapdims": "input dim0 dim1",
    "take": "input index",
    "take_along_dim": "input indices dim",
    "tensor_split": "input indices_or_sections dim",
    "threshold": "input threshold value inplace",
    "tile": "input dims",
    "topk": "input k dim largest sorted",
    "unbind": "input dim",
    "unflatten": "input dim sizes",
    "unique": "input sorted return_inverse return_counts dim",
    "batch_norm": "input running_mean running_var weight bias training momentum eps",
    "binary_cross_entropy": "input target weight reduction",
    "binary_cross_entropy_with_logits": "input target weight reduction pos_weight",
    "bmm": "input mat2",
    "chunk": "input chunks dim",
    "clamp": "input min max",
    "clamp_max": "input max",
    "clamp_min": "input min",
    "cross_entropy": "input target weight reduction ignore_index label_smoothing",
    "cumsum": "input dim dtype",
    "einsum": "equation operands",
    "elu": "input alpha inplace",
    "elu_": "input alpha",
    "flatten": "input start_dim end_dim",
    "flip": "input dims",
    "fold": "input output_size kernel_size dilation padding stride",
    "gather": "input dim index",
    "gelu": "input approximate",
    "group_norm": "input num_groups weight bias eps",
    "hardtanh": "input min_val max_val inplace",
    "hardtanh_": "input min_val max_val",
    "huber_loss": "input target reduction delta",
    "instance_norm": "input running_mean running_var weight bias use_input_stats momentum eps",
    "affine_grid": "theta size align_corners",
    "grid_sample": "input grid mode padding_mode align_corners",
    "interpolate": "input size scale_factor mode align_corners recompute_scale_factor",
    "layer_norm": "input normalized_shape weight bias eps",
    "leaky_relu": "input negative_slope inplace",
    "leaky_relu_": "input negative_slope",
    "linear": "input weight bias",
    "masked_fill": "input mask value",
    "nll_loss": "input target weight reduction ignore_index",
    "norm": "input p dim keepdim dtype",
    "one_hot": "input num_classes",
    "pad": "input pad mode value",
    "permute": "input dims",
    "pixel_shuffle": "input upscale_factor",
    "pixel_unshuffle": "input downscale_factor",
    "pow": "input exponent",
    "prelu": "input weight",
    "put_add": "input index shape",
    "reshape": "input shape",
    "roll": "input shifts dims",
    "scatter_add": "input dim index src",
    "smooth_l1_loss": "input target reduction beta",
    "softplus": "input beta threshold",
    "split": "tensor split_size_or_sections dim",
    "squeeze": "input dim",
    "transpose": "input dim0 dim1",
    "unfold": "input kernel_size dilation padding stride",
    "unsqueeze": "input dim",
    "where": "condition input other",
}

OTHER_NAMES = {("one_hot", "input"), ("einsum", "equation"), ("einsum", "operands")}
"""Arguments that PyTorch calls otherwise, or does not show."""

OTHER_ORDERS = {
    "cross_entropy": "reduction stands where PyTorch has size_average, so that False there is refused",
    "nll_loss": "reduction stands where PyTorch has size_average, so that False there is refused",
}


def arguments_of(function):
    """The names of a function's arguments, of an op the ones that it shares with PyTorch."""
    if not isinstance(function, Op):
        return list(inspect.signature(function).parameters)
    others = {own: other for other, own in function.aliases.items()}
    return [others.get(name, name) for name in (*function.inputs, *function.params)]


def test_every_op_is_among_the_functions():
    ours = {name for name, op in OPS.items() if op.__module__.startswith("tinygrad_conv.ops.")}
    forgotten = ours - {*functional.__all__} - {*PRIVATE}
    assert not forgotten, (
        f"{', '.join(sorted(forgotten))}: import the op in functional/plain_ops.py, and name it in its "
        "__all__, or say in PRIVATE, in this file, why it has no function of PyTorch's"
    )
    assert PRIVATE.keys() <= ours - {*functional.__all__}


def test_every_function_is_a_name_of_the_package_and_of_nn_functional():
    for name in functional.__all__:
        assert getattr(tg, name) is getattr(tg.nn.functional, name) is getattr(functional, name)


def test_a_function_that_says_no_more_than_the_op_is_the_op():
    assert tg.exp is tg.ops.exp
    assert tg.conv2d is tg.ops.conv2d
    assert tg.relu is not tg.ops.relu  # for inplace


def test_every_function_takes_pytorchs_arguments():
    taken = {name: " ".join(arguments_of(getattr(tg, name))) for name in functional.__all__}
    unknown = ", ".join(sorted(taken.keys() - ARGUMENTS.keys()))
    assert not unknown, f"{unknown}: say in ARGUMENTS, in this file, which arguments PyTorch's has"
    assert taken == ARGUMENTS


def test_arguments_come_by_position_and_under_either_name():
    x, w, b = np.arange(18.0).reshape(1, 2, 3, 3), np.ones((4, 2, 2, 2)), np.arange(4.0)
    expected = tg.conv2d(x, w, b, stride=2, padding=1)
    for y in (
        tg.conv2d(x, w, b, 2, 1),
        tg.conv2d(input=x, weight=w, bias=b, stride=2, padding=1),
        tg.conv2d(x=x, w=w, b=b, stride=2, padding=1),
        tg.conv2d(x, bias=b, weight=w, padding=1, stride=2),
    ):
        np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(tg.exp(input=b), tg.exp(b))
    np.testing.assert_array_equal(tg.sub(input=x, other=1.0), tg.sub(x, 1.0))
    np.testing.assert_array_equal(tg.clamp_min(x, min=3.0), np.maximum(x, 3))
    np.testing.assert_array_equal(tg.reshape(x, [-1, 9]), x.reshape(2, 9))
    np.testing.assert_array_equal(tg.permute(x, dims=[0, 2, 3, 1]), x.transpose(0, 2, 3, 1))
    assert tg.pixel_shuffle(w.reshape(4, 4, 1, 2), upscale_factor=2).shape == (4, 1, 2, 4)
    assert [part.shape for part in tg.split(x, split_size_or_sections=2, dim=2)] == [
        (1, 2, 2, 3),
        (1, 2, 1, 3),
    ]


@pytest.mark.parametrize("loss", ["nll_loss", "cross_entropy", "mse_loss", "l1_loss", "smooth_l1_loss"])
def test_size_average_by_position_is_refused(loss):
    """PyTorch's deprecated argument must not be taken for what stands in its place here."""
    labels = loss in ("nll_loss", "cross_entropy")
    given = (np.zeros((2, 3)), np.zeros(2, np.int64), None) if labels else (np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match=f"{loss}: reduction must be 'none', 'sum' or 'mean', not False"):
        getattr(tg, loss)(*given, False)


@pytest.mark.parametrize("name", sorted(functional.__all__))
def test_help_tells_what_it_does_and_how_it_is_called(name):
    function = getattr(tg, name)
    assert inspect.getdoc(function)
    assert inspect.signature(function).parameters


def test_an_ops_signature_and_help_have_pytorchs_names():
    own = inspect.signature(tg.conv2d.forward)
    shown = "(input, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1)"
    assert str(inspect.signature(tg.conv2d)) == shown
    assert f"conv2d{shown}" in pydoc.plain(pydoc.render_doc(tg.conv2d))
    assert str(own) == shown.replace("input, weight, bias", "x, w, b")  # as the rules call them
    assert str(inspect.signature(tg.eq)) == "(input, other)"
    for name in functional.__all__:
        function = getattr(tg, name)
        if isinstance(function, Op):
            assert {*inspect.signature(function).parameters} == {*arguments_of(function)}


@pytest.mark.torch
def test_the_arguments_are_pytorchs():
    """Of all functions whose signature PyTorch tells; the others are built in."""
    torch = pytest.importorskip("torch")
    told = 0
    for name, arguments in ARGUMENTS.items():
        theirs = inspected(getattr(torch.nn.functional, name, None) or getattr(torch, name, None))
        if theirs:
            ours = [argument for argument in arguments.split() if (name, argument) not in OTHER_NAMES]
            assert {*ours} <= {*theirs}, name
            assert name in OTHER_ORDERS or ours == [argument for argument in theirs if argument in ours], name
            told += 1
    assert told > 20


def inspected(function):
    """The names in the signature of a function of PyTorch's; none where it has no signature."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [parameter.name for parameter in parameters if parameter.name not in ("args", "kwargs")]
