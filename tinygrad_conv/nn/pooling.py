"""Pooling layers. stride: kernel_size unless given."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..engine.tensor import Tensor
from ..functional.arguments import Size
from ..ops import pool
from ..options import is_sequence
from .module import Module, shown


class MaxPool(Module):
    """What max pools share: their arguments. return_indices: also where each maximum lies, as int64."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def extra_repr(self) -> str:
        return shown(self, "kernel_size", "stride", "padding", "dilation", "ceil_mode")


class MaxPool1d(MaxPool):
    """The maximum of each window: x [N, C, L] → [N, C, P]."""

    def forward(self, x: Any) -> Any:
        return F.max_pool1d(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class MaxPool2d(MaxPool):
    """The maximum of each window: x [N, C, H, W] → [N, C, P, Q]."""

    def forward(self, x: Any) -> Any:
        op = pool.max_pool2d_with_indices if self.return_indices else pool.max_pool2d
        return op(
            x,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            ceil_mode=self.ceil_mode,
        )


class MaxUnpool(Module):
    """What the ways back from max pools share: the window, for the size of the output."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding = padding

    def extra_repr(self) -> str:
        return shown(self, "kernel_size", "stride", "padding")


class MaxUnpool1d(MaxUnpool):
    """Each number of x [N, C, P] at the place of its maximum in zeros [N, C, L]."""

    def forward(self, x: Any, indices: Any, output_size: Any = None) -> Tensor:
        return F.max_unpool1d(x, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(MaxUnpool):
    """Each number of x [N, C, P, Q] at the place of its maximum in zeros [N, C, H, W]."""

    def forward(self, x: Any, indices: Any, output_size: Any = None) -> Tensor:
        return F.max_unpool2d(x, indices, self.kernel_size, self.stride, self.padding, output_size)


class AvgPool1d(Module):
    """The mean of each window: x [N, C, L] → [N, C, P].

    count_include_pad: whether padding counts as zeros, or not at all.
    """

    def __init__(
        self,
        kernel_size: int,
        stride: int | None = None,
        padding: int = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        stride = kernel_size if stride is None else stride
        self.kernel_size, self.stride, self.padding = map(single, (kernel_size, stride, padding))
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, x: Any) -> Tensor:
        return F.avg_pool1d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )

    def extra_repr(self) -> str:
        return f"kernel_size=({self.kernel_size},), stride=({self.stride},), padding=({self.padding},)"


class AvgPool2d(Module):
    """The mean of each window: x [N, C, H, W] → [N, C, P, Q].

    count_include_pad: whether padding counts as zeros, or not at all. divisor_override: what to divide the
    sums by instead.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, x: Any) -> Tensor:
        return F.avg_pool2d(
            x,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            ceil_mode=self.ceil_mode,
            count_include_pad=self.count_include_pad,
            divisor_override=self.divisor_override,
        )

    def extra_repr(self) -> str:
        return shown(self, "kernel_size", "stride", "padding")


class AdaptivePool(Module):
    """What adaptive pools share: output_size, of two dimensions an int or a pair; None keeps a size."""

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return shown(self, "output_size")


class AdaptiveMaxPool(AdaptivePool):
    """What adaptive max pools share. return_indices: also where the maxima lie."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveAvgPool1d(AdaptivePool):
    """Means over as many windows of x [N, C, L] as give output_size."""

    def forward(self, x: Any) -> Tensor:
        return F.adaptive_avg_pool1d(x, self.output_size)


class AdaptiveAvgPool2d(AdaptivePool):
    """Means over as many windows of x [N, C, H, W] as give output_size.

    It is an int or a pair; None keeps a size.
    """

    def forward(self, x: Any) -> Tensor:
        return F.adaptive_avg_pool2d(x, output_size=self.output_size)


class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """Maxima over as many windows of x [N, C, L] as give output_size. return_indices: also where they lie."""

    def forward(self, x: Any) -> Any:
        return F.adaptive_max_pool1d(x, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """Maxima over as many windows of x [N, C, H, W] as give output_size.

    It is an int or a pair; None keeps a size. return_indices: also where they lie.
    """

    def forward(self, x: Any) -> Any:
        return F.adaptive_max_pool2d(x, self.output_size, self.return_indices)


def single(value: Any) -> int:
    """An int, or the one in a tuple of one."""
    return int(value[0] if is_sequence(value) else value)
