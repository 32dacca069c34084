"""Cases of the package's own ops, by family; importing this declares them all."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import further_samples  # noqa: F401 (importing it declares the other cases)
from .cases import apart, case, integers, mask, normal, positive, sizes, uniform

# Arithmetic, functions of one number, comparisons

for name in ("add", "sub"):
    case(name, normal("n m"), normal("n m"), linear=True)
    case(name, normal("n 1 k"), normal("m 1"), linear=True)
for name in ("mul", "div"):
    case(name, apart("n m"), apart("n m"))
    case(name, apart("n 1 k"), apart("m 1"))
case("pow", positive("n m"), normal("n m"))
case("pow", positive("n 1 k"), normal("m 1"))
case("pow", apart("n m"), np.array(3))
case("neg", normal("n m"), linear=True)
for name in ("exp", "sin", "cos", "tanh", "sigmoid"):
    case(name, normal("n m"))
for name in ("log", "sqrt"):
    case(name, positive("n m"))
for name in ("abs", "relu"):
    case(name, apart("n m"), linear=True)
case("maximum", normal("n m"), normal("n m"), linear=True)
case("maximum", normal("n 1 k"), normal("m 1"), linear=True)
for name in ("minimum", "clamp_min", "clamp_max"):
    case(name, normal("n m"), normal("n m"), linear=True)
    case(name, normal("n 1 k"), normal("m 1"), linear=True)
case("where", normal("n m"), normal("n m"), condition=mask("n m"), linear=True)
case("where", normal("n 1 k"), normal("m 1"), condition=mask("m k"), linear=True)
case("to", normal("n m"), dtype=np.dtype(np.float64), linear=True, casts=True)
case("sign", apart("n m"), linear=True)
for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    case(name, normal("n m"), normal("n m"))
    case(name, integers("n m", below=3), integers("m", below=3))
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    case(name, mask("n m"), mask("n m"))
    case(name, integers("n m", below=8), integers("m", below=8))
for name in ("bitwise_left_shift", "bitwise_right_shift"):
    case(name, integers("n m", below=8), integers("m", below=8))
case("bitwise_not", mask("n m"))
case("bitwise_not", integers("n m", below=8))
for name in ("isnan", "isinf", "isfinite", "logical_not", "signbit"):
    case(name, normal("n m"))
for name in ("logical_and", "logical_or", "logical_xor", "isclose"):
    case(name, normal("n m"), normal("n m"))
    case(name, normal("n 1 k"), normal("m 1"))


# Activations and softmax

case("leaky_relu", apart("n m"), negative_slope=0.2, linear=True)
case("prelu", apart("n m k"), normal("m"))
case("prelu", apart("n m k"), normal("1"))
case("prelu", apart("n"), normal(""))
case("elu", apart("n m"), alpha=1.5)
case("selu", apart("n m"))
for approximate in ("none", "tanh"):
    case("gelu", normal("n m"), approximate=approximate)
for name in ("normal_cdf", "silu", "logsigmoid", "hardswish", "mish"):
    case(name, normal("n m"))
case("softplus", uniform("n m", -2, 2), beta=2.0)
case("softplus", apart("n m"), beta=2.0, threshold=0.01)
case("hardtanh", apart("n m"), linear=True)
case("hardtanh", apart("n m"), min_val=-0.5, max_val=0.0, linear=True)
for name in ("softmax", "log_softmax"):
    case(name, normal("n m k"), dim=1)
    case(name, normal("n m"), dim=-1)


# Reductions, and what undoes them

for name in ("sum", "mean"):
    case(name, normal("n m"), linear=True)
    case(name, normal("n m k"), dim=1, linear=True)
    case(name, normal("n m k"), dim=(0, -1), keepdim=True, linear=True)
for name in ("var", "std"):
    case(name, normal("n+2 m+1"))
    case(name, normal("n m+2 k"), dim=1)
    case(name, normal("n+1 m k+2"), dim=(0, -1), correction=0, keepdim=True)
case("prod", normal("n+2 m"))
case("prod", normal("n m+2 k"), dim=1)
case("prod", normal("n m k+3"), dim=-1, keepdim=True)
case("cumsum", normal("n m k"), dim=1, linear=True)
case("cumsum", normal("n m"), dim=-1, linear=True)
case("logsumexp", normal("n+1 m+2"), dim=(0, 1))
case("logsumexp", normal("n m+2 k"), dim=1, keepdim=True)
case("vector_norm", normal("n+2 m+1"))
case("vector_norm", normal("n m+2 k"), dim=1, keepdim=True)
case("vector_norm", apart("n m+2"), p=3, dim=-1)
case("vector_norm", apart("n m+2"), p=1.5, dim=-1)
case("vector_norm", apart("n m+2"), p=-1, dim=-1)
case("vector_norm", apart("n m+2"), p=0, dim=-1, linear=True)
case("vector_norm", apart("n m"), p=1, dim=-1, linear=True)
case("vector_norm", apart("n m+2"), p=float("inf"), dim=-1, linear=True)
case("vector_norm", apart("n m+2"), p=-float("inf"), dim=-1, linear=True)
case("sum_to", normal("n m k"), shape=sizes("m k"), linear=True)
case("sum_to", normal("n m k"), shape=sizes("1 m 1"), linear=True)
case("expand", normal("1 m"), shape=sizes("n m"), linear=True)
case("expand", normal("m 1"), shape=sizes("n m k"), linear=True)
case("repeat", normal("n m"), repeats=(2, 3), linear=True)
case("repeat", normal("n"), repeats=(2, 1, 3), linear=True)


# The largest and the smallest

for name in ("amax", "amin"):
    case(name, apart("n+1 m+1"), linear=True)
    case(name, apart("n m+1 k"), dim=1, linear=True)
    case(name, apart("n+1 m k+1"), dim=(0, -1), keepdim=True, linear=True)
for name in ("max", "min"):
    case(name, apart("n m+1 k"), dim=1, linear=True)
    case(name, apart("n m+1"), dim=-1, keepdim=True, linear=True)
for name in ("argmax", "argmin"):
    case(name, apart("n+1 m+1"))
    case(name, apart("n m+1 k"), dim=1, keepdim=True)
    case(name, apart("n m+1"), dim=-1)


# Shapes, orders, parts and unions

case("reshape", normal("n 2m"), shape=sizes("2n m"), linear=True)
case("reshape", normal("2n m+1"), shape=(2, -1), linear=True)
case("flatten", normal("n m k"), start_dim=1, linear=True)
case("flatten", normal("n m k"), linear=True)
case("flatten_input_grad", normal("n 2m"), shape=sizes("n m 2"), linear=True)
case("flatten_input_grad", normal("n 2m"), shape=sizes("n m 1 2"), linear=True)
case("squeeze", normal("n 1 m 1"), linear=True)
case("squeeze", normal("n 1 m 1"), dim=1, linear=True)
case("unsqueeze", normal("n m"), dim=1, linear=True)
case("unsqueeze", normal("n m"), dim=-1, linear=True)
case("permute", normal("n m k"), dims=(2, 0, 1), linear=True)
case("permute", normal("n m k"), dims=(-1, 0, -2), linear=True)
case("transpose", normal("n m k"), dim0=0, dim1=-1, linear=True)
case("flip", normal("n m k"), dims=(0, -1), linear=True)
case("cat", normal("n m"), normal("k m"), normal("1 m"), linear=True)
case("cat", normal("n m"), normal("n k"), dim=-1, linear=True)
case("stack", normal("n m"), normal("n m"), linear=True)
case("stack", normal("n m"), normal("n m"), dim=-1, linear=True)
case("split", normal("2n+3 m"), split_size_or_sections=2, linear=True)
case("split", normal("n 5"), split_size_or_sections=[1, 0, 4], dim=-1, linear=True)
case("unbind", normal("n+1 m"), linear=True)
case("unbind", normal("n m+2 k"), dim=1, linear=True)
case("chunk", normal("n m+4"), chunks=3, dim=1, linear=True)
case("roll", normal("n m"), shifts=2, linear=True)
case("roll", normal("n m k"), shifts=(1, -2), dims=(0, -1), linear=True)
case("clone", normal("n m"), linear=True)


# Reading and adding at an index

REPEATED = np.array([0, 1, 0, 0])

case("getitem", normal("n+1 m"), index=(0, slice(None, None, 2)), linear=True)
case("getitem", normal("n m+2"), index=(Ellipsis, None, slice(-2, None)), linear=True)
case("getitem", normal("n+2 m"), index=REPEATED, linear=True)
case("getitem", normal("n+2 m k"), index=(REPEATED, slice(None), None), linear=True)
case("getitem", normal("n+1 m"), index=integers("k 2", below="n+1"), linear=True)
case("getitem", normal("3 m"), index=np.array([True, False, True]), linear=True)
case("setitem", normal("n+1 m"), normal("m"), index=(0, slice(None)), linear=True)
case("setitem", normal("n+2 m"), normal("4 1"), index=REPEATED, linear=True)
case("setitem", normal("3 m"), normal("1 2 m"), index=np.array([True, False, True]), linear=True)
case("put_add", normal("4 m"), index=REPEATED, shape=sizes("n+2 m"), linear=True)
case("put_add", normal("m"), index=1, shape=sizes("n+2 m"), linear=True)
case("put_add", normal("2 m"), index=np.array([True, False, True]), shape=sizes("3 m"), linear=True)
case("gather", normal("n m"), dim=1, index=integers("n k", below="m"), linear=True)
case("gather", normal("n+1 m+1 2"), dim=-3, index=integers("k m 1", below="n+1"), linear=True)
case("scatter_add", normal("n m"), normal("n k"), dim=1, index=integers("n k", below="m"), linear=True)
case(
    "scatter_add", normal("n+1 m"), normal("k+2 m+1"), dim=0, index=integers("k m", below="n+1"), linear=True
)
places = integers("n k", below="m")
case("scatter_extreme", normal("n m"), normal("n+1 k"), dim=1, index=places, linear=True)
for largest in (True, False):
    options: dict[str, Any] = {"largest": largest, "include_self": False}
    case("scatter_extreme", normal("n m"), normal("n k"), dim=1, index=places, linear=True, **options)


# Matrix products

case("matmul", normal("k"), normal("k"))
case("matmul", normal("n k"), normal("k"))
case("matmul", normal("k"), normal("k m"))
case("matmul", normal("n k"), normal("k m"))
case("matmul", normal("b n k"), normal("k m"))
case("matmul", normal("b n k"), normal("k"))
case("matmul", normal("k"), normal("b k m"))
case("matmul", normal("b 1 n k"), normal("c k m"))
case("linear", normal("n k"), normal("m k"), normal("m"))
case("linear", normal("k"), normal("m k"), normal("m"))
case("linear", normal("b n k"), normal("m k"))
case("transposed_matmul", normal("k n"), normal("k m"))
case("transposed_matmul", normal("n"), normal("m"))
case("transposed_matmul", normal("b k n"), normal("b k m"))


# einsum: products, batches, sums over one operand's own index, diagonals, broadcast sizes, dots

case("einsum", normal("n k"), normal("k m"), equation="ij,jk->ik")
case("einsum", normal("b n k"), normal("b k m"), normal("m"), equation="bij, bjk, k -> bi")
case("einsum", normal("n m"), normal("k"), equation="ij,k->i")
case("einsum", normal("n m n"), equation="iji->j", linear=True)
case("einsum", normal("n n"), normal("n"), equation="ii,i->i")
case("einsum", normal("1 m"), normal("n m"), equation="ij,ij->i")
case("einsum", normal("b 1 n k"), normal("c k m"), equation="...ij,...jk")


# The convolution triple: `H+3` is the least that a kernel of 3 fits; random sizes leave remainders

UNEVEN: dict[str, Any] = {"stride": (3, 2), "dilation": (2, 1), "padding": ((1, 0), (0, 1))}
GROUPS: dict[str, Any] = {"stride": 2, "groups": 2}
DILATED: dict[str, Any] = {"dilation": (2, 1), "padding": (0, 1)}

case("conv2d", normal("N C H+3 W+2"), normal("O C 3 2"), normal("O"))
case("conv2d", normal("N C H+3 W+2"), normal("O C 3 2"), None, stride=2)
case("conv2d", normal("N C H+1 W+1"), normal("O C 3 3"), normal("O"), stride=2, padding=1)
case("conv2d", normal("N C H+3 W+4"), normal("O C 2 3"), **UNEVEN)
case("conv2d", normal("N C H+1 W+1"), normal("O C 2 3"), stride=2, padding="same")
case("conv2d", normal("N 2C H+3 W+3"), normal("2O C 3 3"), None, groups=2)
case("conv2d", normal("N 3 H+3 W+2"), normal("6 1 3 2"), normal("6"), groups=3, stride=2)
case("conv2d", normal("N C H+1 W+1"), normal("O C 1 1"), normal("O"))
case("conv2d", normal("C H+2 W+2"), normal("O C 3 3"), normal("O"), padding=1)

case("conv2d_weight_grad", normal("N C P+2 Q+2"), normal("N O P+1 Q+1"), kernel_size=(2, 2))
case("conv2d_weight_grad", normal("N 2C 2P+4 2Q+3"), normal("N 2O P+1 Q+1"), kernel_size=(3, 3), **GROUPS)
case("conv2d_weight_grad", normal("N C P+3 Q+3"), normal("N O P+1 Q+3"), kernel_size=(2, 3), **DILATED)
case("conv2d_weight_grad", normal("C P+2 Q+2"), normal("O P+1 Q+1"), kernel_size=(2, 2))

case("conv2d_input_grad", normal("N O P+1 Q+1"), normal("O C 2 2"), input_size=sizes("P+2 Q+2"))
case("conv2d_input_grad", normal("N 2O P+1 Q+1"), normal("2O C 3 3"), input_size=sizes("2P+4 2Q+3"), **GROUPS)
case("conv2d_input_grad", normal("N O P+1 Q+3"), normal("O C 2 3"), input_size=sizes("P+3 Q+3"), **DILATED)
case("conv2d_input_grad", normal("O P+1 Q+1"), normal("O C 2 2"), input_size=sizes("P+2 Q+2"))

# dY with fewer rows and columns than the windows make: the missing ones are 0, and the rules cut them off
# again
case("conv2d_weight_grad", normal("N C P+4 Q+3"), normal("N O P+1 Q+1"), kernel_size=(2, 2))
case("conv2d_input_grad", normal("N O P+1 Q+1"), normal("O C 2 2"), input_size=sizes("P+4 Q+3"))


# Pooling, and the linear ops that it is made of

HALVED: dict[str, Any] = {"kernel_size": 3, "stride": 2, "padding": 1, "linear": True}
ROUNDED_UP: dict[str, Any] = {"stride": 2, "ceil_mode": True, "linear": True}
DILATED_POOL: dict[str, Any] = {"padding": 1, "dilation": 2, **ROUNDED_UP}
OVERLAPPING: dict[str, Any] = {"kernel_size": (2, 3), "stride": 1, "linear": True}

case("max_pool2d", apart("N C H+2 W+2"), kernel_size=2, linear=True)
case("max_pool2d", apart("N C H+2 W+3"), padding=1, **OVERLAPPING)
case("max_pool2d", apart("N C H+4 W+4"), kernel_size=3, **DILATED_POOL)
case("max_pool2d", apart("C H+3 W+2"), kernel_size=(3, 2), stride=2, linear=True)
case("max_pool2d_with_indices", apart("N C H+2 W+3"), padding=1, **OVERLAPPING)
case("max_pool2d_with_indices", apart("C H+3 W+3"), kernel_size=2, dilation=2, ceil_mode=True, linear=True)

case("avg_pool2d", normal("N C H+2 W+2"), kernel_size=2, linear=True)
case("avg_pool2d", normal("N C H+2 W+3"), padding=1, **OVERLAPPING)
case("avg_pool2d", normal("N C H+2 W+3"), count_include_pad=False, **HALVED)
case("avg_pool2d", normal("N C H+3 W+3"), kernel_size=2, divisor_override=3, **ROUNDED_UP)
case("avg_pool2d", normal("C H+3 W+2"), kernel_size=(3, 2), stride=2, linear=True)

taps = integers("N C P+1 Q+1", below=6)
case("gather_taps", normal("N C P+2 Q+3"), tap=taps, **OVERLAPPING)
case("scatter_taps", normal("N C P+1 Q+1"), tap=taps, size=sizes("P+2 Q+3"), **OVERLAPPING)
taps = integers("N C P+2 Q+2", below=4)
case("gather_taps", normal("N C 2P+2 2Q+3"), tap=taps, kernel_size=2, **DILATED_POOL)
case("scatter_taps", normal("N C P+2 Q+2"), tap=taps, size=sizes("2P+2 2Q+3"), kernel_size=2, **DILATED_POOL)
taps = integers("C P+1 Q+1", below=4)
case("gather_taps", normal("C 2P+3 2Q+2"), tap=taps, kernel_size=2, linear=True)
case("scatter_taps", normal("C P+1 Q+1"), tap=taps, size=sizes("2P+3 2Q+2"), kernel_size=2, linear=True)

case("sum_windows", normal("N C H+2 W+3"), **HALVED)
case("sum_windows", normal("C H+2 W+2"), kernel_size=2, linear=True)
case("sum_windows", normal("N C 2H+4 2W+4"), kernel_size=3, **ROUNDED_UP)
case("spread_windows", normal("N C P+1 Q+1"), size=sizes("2P+2 2Q+1"), **HALVED)
case("spread_windows", normal("C P+1 Q+1"), size=sizes("2P+3 2Q+2"), kernel_size=2, linear=True)
case("spread_windows", normal("N C P+2 Q+2"), size=sizes("2P+4 2Q+4"), kernel_size=3, **ROUNDED_UP)


# Pooling into a given number of cells: fewer than pixels, as label_table, more

case("adaptive_avg_pool2d", normal("N C H+1 W+1"), output_size=1, linear=True)
case("adaptive_avg_pool2d", normal("N C H+3 W+2"), output_size=(2, 3), linear=True)
case("adaptive_avg_pool2d", normal("C H+1 W+4"), output_size=(None, 3), linear=True)
case("adaptive_max_pool2d", apart("N C H+1 W+1"), output_size=1, linear=True)
case("adaptive_max_pool2d", apart("N C H+3 W+2"), output_size=(2, 3), linear=True)
case("adaptive_max_pool2d", apart("C H+1 W+4"), output_size=(None, 3), linear=True)


# Padding, resizing, patches and pixels

case("pad", normal("n m"), sides=(1, 2), linear=True)
case("pad", normal("n m+2 k+1"), sides=(0, 1, -1, 2), value=3.0, linear=True)
case("pad", normal("n m+2 k+3"), sides=(2, 1, 0, 1), mode="reflect", linear=True)
case("pad", normal("N C H+1 W+1"), sides=(2, 1, 0, 3), mode="replicate", linear=True)
case("pad", normal("C L+2"), sides=(2, 1), mode="circular", linear=True)

TWICE: dict[str, Any] = {"target": np.array([3, 0, 3, 1]), "source": np.array([0, 1, 1, 1])}
case("mix", normal("n+2 m"), dim=0, size=4, **TWICE, linear=True)
case("mix", normal("n m+2 k"), dim=1, size=4, weight=np.array([0.5, -1.0, 2.0, 0.25]), **TWICE, linear=True)

case("interpolate", normal("N C L+1"), size=(3,), linear=True)
case("interpolate", normal("N C H+1 W+2"), size=(5, 3), scale=(1.7, 1.6), linear=True)
case("interpolate", normal("N C H+1 W+2"), size=(5, 3), mode="linear", linear=True)
case("interpolate", normal("N C H+2 W+1"), size=(4, 1), mode="linear", align_corners=True, linear=True)

case("unfold", normal("N C H+2 W+3"), kernel_size=(2, 3), padding=(0, 1), linear=True)
case("unfold", normal("C H+3 W+3"), kernel_size=2, dilation=2, stride=2, linear=True)
case(
    "fold",
    normal("N 6C 4"),
    output_size=(3, 4),
    kernel_size=(2, 3),
    padding=(0, 1),
    stride=(1, 2),
    linear=True,
)
case("fold", normal("4C 4"), output_size=(3, 3), kernel_size=2, linear=True)

case("pixel_shuffle", normal("N 4C H W"), upscale_factor=2, linear=True)
case("pixel_unshuffle", normal("N C 3H 3W"), downscale_factor=3, linear=True)


# Normalisations, what their gradients are made of, and dropout

case("batch_norm", normal("N+2 C H W"), normal("C"), normal("C"), training=True, eps=0.1)
case("batch_norm", normal("N+2 C"), training=True)
case(
    "batch_norm",
    normal("N C H"),
    normal("C"),
    normal("C"),
    running_mean=normal("C"),
    running_var=positive("C"),
)
case("layer_norm", normal("n m k"), normal("m k"), normal("m k"), normalized_shape=sizes("m k"), eps=0.1)
case("layer_norm", normal("n m+2"), None, normal("m+2"), normalized_shape=sizes("m+2"))
case("group_norm", normal("N 2C H+2"), normal("2C"), normal("2C"), num_groups=2, eps=0.1)
case("group_norm", normal("N 3 H+2 W"), None, None, num_groups=1)
case("deviation_dot", normal("N C H"), normal("N C H"), normal("1 C 1"))
case("deviation_dot", normal("n m"), normal("n m"), normal("n 1"))
case(
    "deviation_removed", *(normal(shape) for shape in ("N C H", "1 C 1", "N C H", "1 C 1", "1 C 1", "1 C 1"))
)
case("deviation_removed", *(normal(shape) for shape in ("n m", "1 m", "n 1", "1", "n m", "m")))
case("masked", normal("n m k"), mask=mask("n m k"), linear=True)
case("masked", normal("n m k"), mask=mask("m 1"), linear=True)
case("dropout", normal("n m"), kept=mask("n m"), p=0.3, linear=True)
case("dropout", normal("n m k"), kept=mask("n m 1"), p=0.3, linear=True)


# Losses of numbers

for reduction in ("none", "sum", "mean"):
    case("mse_loss", normal("n m"), normal("n m"), reduction=reduction)
    case("l1_loss", apart("n m"), uniform("n m", -0.01, 0.01), reduction=reduction, linear=True)
    case("huber_loss", normal("n m"), normal("n m"), reduction=reduction, delta=0.7)
    case("smooth_l1_loss", normal("n m"), normal("n m"), reduction=reduction, beta=0.7)
    case("binary_cross_entropy", uniform("n m", 0.1, 0.9), uniform("n m", 0.0, 1.0), reduction=reduction)
    case("binary_cross_entropy_with_logits", normal("n m"), uniform("n m", 0.0, 1.0), reduction=reduction)
shares = uniform("n m", 0.0, 1.0)
case("binary_cross_entropy", uniform("n m", 0.1, 0.9), shares, weight=positive("m"))
case(
    "binary_cross_entropy_with_logits",
    normal("n m"),
    shares,
    weight=positive("n m"),
    pos_weight=positive("m"),
)


# Losses of classes, and labels

FLOAT64 = np.dtype(np.float64)
labels, label_table = integers("n", below=5), integers("n m", below=5)
case("one_hot", label_table, num_classes=5)
case("label_weights", label_table, dtype=FLOAT64, weight=positive("5"), ignore_index=2, casts=True)
case("label_vectors", label_table, classes=5, dtype=FLOAT64, weight=positive("5"), ignore_index=2, casts=True)
case("label_vectors", labels, classes=5, dtype=FLOAT64, label_smoothing=0.3, casts=True)
for reduction in ("none", "sum", "mean"):
    case("nll_loss", normal("n 5 k"), integers("n k", below=5), reduction=reduction, linear=True)
    case("cross_entropy", normal("n 5 k"), integers("n k", below=5), reduction=reduction)
    case("cross_entropy", normal("n 5"), uniform("n 5", 0.0, 1.0), reduction=reduction)
case("nll_loss", normal("5"), integers("", below=5), linear=True)
case("nll_loss", normal("n 5"), labels, weight=positive("5"), ignore_index=2, linear=True)
case("cross_entropy", normal("n 5"), labels, weight=positive("5"), ignore_index=2, label_smoothing=0.3)
case("cross_entropy", normal("n 5 k"), uniform("n 5 k", 0.0, 1.0), weight=positive("5"), label_smoothing=0.3)
case("cross_entropy", normal("5"), uniform("5", 0.0, 1.0))
