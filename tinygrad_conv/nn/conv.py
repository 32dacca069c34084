"""Convolution layers. Weights and biases begin as PyTorch's: uniform on ±1/√fan_in."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import functional as F
from ..dtypes import get_default_dtype
from ..engine.tensor import Tensor
from ..ops.arguments.windows import padding_pairs
from . import init
from .module import Module, Parameter

Size = int | tuple[int, int]
Padding = Any  # an int, a pair, ((top, bottom), (left, right)), 'valid' or 'same'


class Convolution(Module):
    """What all convolution layers share: their arguments, checked; their weights; and how they look in
    print.
    """

    dims: int
    transposed = False
    kernel_size: Any
    stride: Any
    dilation: Any
    output_padding: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: DTypeLike | None,
        rng: init.Random,
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        modes = ("zeros",) if self.transposed else ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise ValueError(f"{kind}: padding_mode must be one of {', '.join(modes)}, not {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = sizes(kind, "kernel_size", kernel_size, self.dims, 1)
        self.stride = sizes(kind, "stride", stride, self.dims, 1)
        self.dilation = sizes(kind, "dilation", dilation, self.dims, 1)
        self.output_padding = sizes(kind, "output_padding", output_padding, self.dims, 0)
        self.padding = padding_of(kind, padding, self.dims, words=not self.transposed)
        self.padding_mode = padding_mode
        if min(in_channels, out_channels) < 0 or groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{kind}: in_channels={in_channels} and out_channels={out_channels} must be multiples of groups={groups}"
            )
        outer, inner = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(
            np.empty((outer, inner // groups, *self.kernel_size), dtype or get_default_dtype())
        )
        self.bias = Parameter(np.empty(out_channels, self.weight.dtype)) if bias else None
        self.reset_parameters(rng)

    def reset_parameters(self, rng: init.Random = None) -> None:
        """Draw weight and bias anew, as at the beginning."""
        init.uniform_by_fan_in(self.weight, self.bias, rng)

    def padded(self, x: Any) -> tuple[Any, Any]:
        """x, and how much padding is left to do: none where it is not made of zeros, for then it is done
        here.
        """
        if self.padding_mode == "zeros":
            return x, self.padding
        one, size = (
            (1,) * (2 - self.dims),
            tuple(x.shape[-self.dims :]),
        )  # a height of 1 where there is but a length
        padding = self.padding if isinstance(self.padding, str) else (0,) * (2 - self.dims) + self.padding
        pads = padding_pairs(
            type(self).__name__,
            padding,
            one + size,
            one + self.kernel_size,
            one + self.stride,
            one + self.dilation,
        )
        return F.pad(
            x, [side for pair in reversed(pads[-self.dims :]) for side in pair], self.padding_mode
        ), 0

    def multiply_adds(self, x: tuple[int, ...], y: tuple[int, ...]) -> int:
        """The products summed for these shapes: each output's window, or each input's where it is
        transposed.
        """
        ends = x if self.transposed else y
        return math.prod(ends) * math.prod(self.weight.shape[1:])

    def extra_repr(self) -> str:
        ones, zeros = (1,) * self.dims, (0,) * self.dims
        said = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        ]
        said += [f"padding={self.padding}"] if self.padding != zeros else []
        said += [f"dilation={self.dilation}"] if self.dilation != ones else []
        said += [f"output_padding={self.output_padding}"] if self.output_padding != zeros else []
        said += [f"groups={self.groups}"] if self.groups != 1 else []
        said += ["bias=False"] if self.bias is None else []
        said += [f"padding_mode={self.padding_mode}"] if self.padding_mode != "zeros" else []
        return ", ".join(said)


class Conv1d(Convolution):
    """Cross-correlation along one axis: x [N, in_channels, L] (or without N) → [N, out_channels, P]. See
    Conv2d.
    """

    dims = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | str = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
        rng: init.Random = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            0,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            rng,
        )

    def forward(self, x: Any) -> Tensor:
        x, padding = self.padded(x)
        return F.conv1d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(Convolution):
    """Cross-correlation: x [N, in_channels, H, W] (or without N) → [N, out_channels, P, Q]. The kernel is not
    flipped.

    padding: an int, a pair, ((top, bottom), (left, right)), 'valid', or 'same' (P = ⌈H / stride⌉).
    padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'. rng: a numpy Generator or a seed for the
    initial weight [out_channels, in_channels/groups, kh, kw] and bias [out_channels]; by default the
    generator that `tg.manual_seed` resets.

    Raises ValueError for arguments that cannot be.
    """

    dims = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
        rng: init.Random = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            0,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            rng,
        )

    def forward(self, x: Any) -> Tensor:
        x, padding = self.padded(x)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class ConvTranspose1d(Convolution):
    """The input gradient of a Conv1d as a layer: x [N, in_channels, L] → [N, out_channels, P]. As
    ConvTranspose2d.
    """

    dims, transposed = 1, True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        output_padding: int = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int = 1,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
        rng: init.Random = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            output_padding,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            rng,
        )

    def forward(self, x: Any) -> Tensor:
        return F.conv_transpose1d(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )


class ConvTranspose2d(Convolution):
    """The input gradient of a convolution as a layer: x [N, in_channels, H, W] → [N, out_channels, P, Q].

    P = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1, and Q likewise. The weight is
    [in_channels, out_channels/groups, kh, kw]; rng as for Conv2d.

    Raises ValueError for arguments that cannot be.
    """

    dims, transposed = 2, True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
        rng: init.Random = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            output_padding,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            rng,
        )

    def forward(self, x: Any) -> Tensor:
        return F.conv_transpose2d(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )


def sizes(kind: str, name: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """An int, or one for each of `count` axes, as a tuple. Raises ValueError for anything else, or below
    `least`.
    """
    try:
        found = (
            tuple(map(operator.index, value))
            if isinstance(value, (tuple, list))
            else (operator.index(value),) * count
        )
    except TypeError:
        found = ()
    if len(found) != count or min(found) < least:
        wanted = "an int" if count == 1 else "an int or a pair of ints"
        raise ValueError(f"{kind}: {name} must be {wanted}, at least {least}, not {value!r}")
    return found


def padding_of(kind: str, padding: Any, dims: int, words: bool) -> Any:
    """'same' and 'valid' as they are, ((top, bottom), (left, right)) as pairs, anything else as one int for
    each axis.
    """
    if words and padding in ("same", "valid"):
        return padding
    if (
        dims == 2
        and isinstance(padding, (tuple, list))
        and any(isinstance(one, (tuple, list)) for one in padding)
    ):
        if len(padding) != 2:
            raise ValueError(f"{kind}: padding must be ((top, bottom), (left, right)), not {padding!r}")
        return tuple(sizes(kind, "padding", one, 2, 0) for one in padding)
    return sizes(kind, "padding", padding, dims, 0)
