"""Cases of convolution, pooling, padding, resizing, normalisation and losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cases import apart, case, integers, mask, normal, positive, sizes, uniform

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
