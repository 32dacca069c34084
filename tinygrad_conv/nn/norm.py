"""Normalisation layers: (x - mean) / √(variance + eps), times weight plus bias; over what, says the name."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import functional as F
from ..dtypes import get_default_dtype
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..functional.norms import counted_batch_norm
from ..options import is_sequence
from . import init
from .module import Module, shown
from .parameter import Parameter, check_dtype, full_parameter


class RunningNorm(Module):
    """What the norms by channel share: weight and bias [num_features], running mean and variance.

    The running statistics follow r ← (1 - momentum) r + momentum · (that of the batch, the variance
    unbiased); with momentum None they are the average over all batches so far.
    """

    ndims: tuple[int, ...]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight, self.bias = scale_and_shift(self, (num_features,), affine, affine and bias, dtype)
        dtype, tracked = dtype or get_default_dtype(), track_running_stats
        self.register_buffer("running_mean", Tensor(np.zeros(num_features, dtype)) if tracked else None)
        self.register_buffer("running_var", Tensor(np.ones(num_features, dtype)) if tracked else None)
        self.register_buffer("num_batches_tracked", Tensor(np.array(0, np.int64)) if tracked else None)

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1 and no batch, as at the beginning."""
        init.refill(self.first_statistics())

    def reset_parameters(self) -> None:
        """The running statistics, weight and bias as at the beginning."""
        init.refill([*self.first_statistics(), (self.weight, 1), (self.bias, 0)])

    def first_statistics(self) -> list[tuple[Tensor | None, float]]:
        """What the running statistics begin with."""
        return [(self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)]

    def check(self, x: Any, channel_at: int = 1) -> None:
        """Refuse an input of other dimensions, or with another number of channels."""
        if x.ndim not in self.ndims or x.shape[channel_at] != self.num_features:
            dims = " or ".join(map(str, self.ndims))
            wanted = f"{dims} dimensions and {self.num_features} channels (num_features)"
            raise ShapeError(
                f"{type(self).__name__}: x must have {wanted}, not the shape {show_shape(x.shape)}"
            )

    def extra_repr(self) -> str:
        bias, statistics = self.bias is not None, self.track_running_stats
        options = f"{shown(self, 'eps', 'momentum', 'affine')}, bias={bias}, track_running_stats={statistics}"
        return f"{self.num_features}, {options}"


class BatchNorm(RunningNorm):
    """In training the mean runs over the batch and all places; in evaluation the running statistics serve."""

    def forward(self, x: Any) -> Tensor:
        check_dtype(self, x, self.weight if self.bias is None else self.bias)
        self.check(x)
        count = self.num_batches_tracked
        if not self.training or count is None:
            return self.normalised(x, self.running_mean, self.running_var, self.momentum or 0.0)
        statistics, scale = (self.running_mean, self.running_var), (self.weight, self.bias)
        return counted_batch_norm(x, *statistics, *scale, True, self.momentum, self.eps, count)

    def normalised(self, x: Any, mean: Tensor | None, variance: Tensor | None, momentum: float) -> Tensor:
        """The output. In training mean and variance, where there are such, follow in place."""
        by_batch = self.training or mean is None
        return F.batch_norm(x, mean, variance, self.weight, self.bias, by_batch, momentum, self.eps)


class BatchNorm1d(BatchNorm):
    """Batch norm of x [N, C] or [N, C, L], for each channel (Ioffe and Szegedy 2015)."""

    ndims = (2, 3)


class BatchNorm2d(BatchNorm):
    """Batch norm of x [N, C, H, W], for each channel (Ioffe and Szegedy 2015)."""

    ndims = (4,)


class InstanceNorm(RunningNorm):
    """The mean runs over the places of one channel of one example (Ulyanov et al. 2016).

    With track_running_stats the running statistics serve in evaluation.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias=bias, dtype=dtype)

    def forward(self, x: Any) -> Tensor:
        check_dtype(self, x, self.weight if self.bias is None else self.bias)
        unbatched, batched = self.ndims
        self.check(x, channel_at=1 - batched)
        y = F.instance_norm(
            x if x.ndim == batched else x[None],
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            self.momentum or 0.0,
            self.eps,
        )
        return y[0] if x.ndim == unbatched else y


class InstanceNorm1d(InstanceNorm):
    """Instance norm of x [N, C, L] or [C, L]."""

    ndims = (2, 3)


class InstanceNorm2d(InstanceNorm):
    """Instance norm of x [N, C, H, W] or [C, H, W]."""

    ndims = (3, 4)


class LocalResponseNorm(Module):
    """x / (k + alpha · the mean of x² over `size` channels around)^beta, for x [N, C, …].

    (Krizhevsky et al. 2012.)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Any) -> Tensor:
        return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, {shown(self, 'alpha', 'beta', 'k')}"


class LayerNorm(Module):
    """The mean runs over the last dimensions of each example, which are normalized_shape (Ba et al. 2016)."""

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        sizes = normalized_shape if is_sequence(normalized_shape) else (normalized_shape,)
        shape = tuple(map(operator.index, sizes))
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.weight, self.bias = scale_and_shift(
            self, shape, elementwise_affine, elementwise_affine and bias, dtype
        )

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0, as at the beginning."""
        init.refill([(self.weight, 1), (self.bias, 0)])

    def forward(self, x: Any) -> Tensor:
        check_dtype(self, x, self.weight)
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        options = shown(self, "eps", "elementwise_affine")
        return f"{self.normalized_shape}, {options}, bias={self.bias is not None}"


class GroupNorm(Module):
    """The mean runs over the places of num_groups groups of channels of one example: x [N, C, …].

    Wu and He 2018.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels={num_channels} must be a multiple of num_groups={num_groups}"
            )
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.weight, self.bias = scale_and_shift(self, (num_channels,), affine, affine and bias, dtype)

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0, as at the beginning."""
        init.refill([(self.weight, 1), (self.bias, 0)])

    def forward(self, x: Any) -> Tensor:
        check_dtype(self, x, self.weight)
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        options = f"{shown(self, 'eps', 'affine')}, bias={self.bias is not None}"
        return f"{self.num_groups}, {self.num_channels}, {options}"


def scale_and_shift(
    layer: Module, shape: tuple[int, ...], scale: bool, shift: bool, dtype: DTypeLike | None
) -> tuple[Parameter | None, Parameter | None]:
    """A weight of ones and a bias of zeros, as far as they are wanted."""
    weight = full_parameter(layer, "weight", shape, 1, dtype) if scale else None
    return weight, full_parameter(layer, "bias", shape, 0, dtype) if shift else None
