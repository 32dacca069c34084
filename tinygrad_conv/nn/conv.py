"""Convolution layers. Weights and biases begin as PyTorch's: uniform on ±1/√fan_in."""

from __future__ import annotations

import math
import operator
from typing import Any

from numpy.typing import DTypeLike

from .. import functional as F
from ..engine.tensor import Tensor
from ..errors import show_shape
from ..functional.arguments import Padding, Size
from ..ops.arguments.windows import padding_pairs
from ..options import checked
from ..randomness.seeds import SEED, Random
from ..size import size_of
from . import init
from .module import Module
from .options import is_plain
from .parameter import Parameter, check_dtype, full_parameter

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Convolution(Module):
    """What all convolution layers share: their arguments, checked; their weights; how they look in print."""

    dims: int
    transposed = False
    kernel_size: Any  # an int for each axis, as those that follow
    stride: Any
    dilation: Any
    output_padding: Any
    padding: Any
    weight: Parameter
    bias: Parameter | None

    def set_geometry(
        self,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        output_padding: Any,
        padding_mode: str,
    ) -> None:
        """Keep where the windows lie, with a number for each axis. Raises ValueError for what cannot be."""
        layer, dims = type(self).__name__, self.dims
        modes = ("zeros",) if self.transposed else PADDING_MODES
        if padding_mode not in modes:
            raise ValueError(f"{layer}: padding_mode must be one of {', '.join(modes)}, not {padding_mode!r}")
        self.kernel_size = sizes(layer, "kernel_size", kernel_size, dims, 1)
        self.stride = sizes(layer, "stride", stride, dims, 1)
        self.dilation = sizes(layer, "dilation", dilation, dims, 1)
        self.output_padding = sizes(layer, "output_padding", output_padding, dims, 0)
        self.padding = padding_of(layer, padding, dims, words=not self.transposed)
        self.padding_mode = padding_mode

    def make_parameters(
        self,
        in_channels: int,
        out_channels: int,
        groups: int,
        bias: bool,
        dtype: DTypeLike | None,
        rng: Random,
    ) -> None:
        """Make weight and bias. Raises ValueError for channels that groups do not divide."""
        if min(in_channels, out_channels) < 0 or groups < 1 or in_channels % groups or out_channels % groups:
            channels = f"in_channels={in_channels} and out_channels={out_channels}"
            raise ValueError(f"{type(self).__name__}: {channels} must be multiples of groups={groups}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        outer, inner = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (outer, inner // groups, *self.kernel_size)
        self.weight = full_parameter(self, "weight", shape, 0, dtype)
        self.bias = full_parameter(self, "bias", (out_channels,), 0, dtype) if bias else None
        self.reset_parameters(rng)

    @checked(rng=SEED)
    def reset_parameters(self, rng: Random = None) -> None:
        """Draw weight and bias anew, as at the beginning."""
        init.uniform_by_fan_in(self.weight, self.bias, rng)

    def multiply_adds(self, x: tuple[int, ...], y: tuple[int, ...]) -> int:
        """The products summed for these shapes: each output's window, or each input's where transposed."""
        ends = x if self.transposed else y
        return math.prod(ends) * math.prod(self.weight.shape[1:])

    def extra_repr(self) -> str:
        ones, zeros = (1,) * self.dims, (0,) * self.dims
        usual = {"padding": zeros, "dilation": ones, "output_padding": zeros, "groups": 1}
        unusual = [name for name, value in usual.items() if getattr(self, name) != value]
        options = [f"{name}={getattr(self, name)}" for name in ("kernel_size", "stride", *unusual)]
        options += ["bias=False"] if self.bias is None else []
        options += [f"padding_mode={self.padding_mode}"] if self.padding_mode != "zeros" else []
        return ", ".join([f"{self.in_channels}, {self.out_channels}", *options])


class Conv(Convolution):
    """What Conv1d and Conv2d share."""

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
        rng: Random = None,
    ) -> None:
        super().__init__()
        self.set_geometry(kernel_size, stride, padding, dilation, 0, padding_mode)
        self.make_parameters(in_channels, out_channels, groups, bias, dtype, rng)

    def padded(self, x: Any) -> Tensor:
        """x with its padding around it, where that is not made of zeros."""
        ones, zeros = (1,) * (2 - self.dims), (0,) * (2 - self.dims)  # a height where there is but a length
        pads = padding_pairs(
            type(self).__name__,
            self.padding if isinstance(self.padding, str) else zeros + self.padding,
            ones + tuple(x.shape[-self.dims :]),
            ones + self.kernel_size,
            ones + self.stride,
            ones + self.dilation,
        )
        sides = [side for axis in reversed(pads[-self.dims :]) for side in axis]
        return F.pad(x, sides, self.padding_mode)

    def forward(self, x: Any) -> Tensor:
        check_dtype(self, x, self.weight)
        x, padding = (x, self.padding) if self.padding_mode == "zeros" else (self.padded(x), 0)
        conv = F.conv1d if self.dims == 1 else F.conv2d
        return conv(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=padding,
            dilation=self.dilation,
            groups=self.groups,
        )


class Conv1d(Conv):
    """Cross-correlation along one axis: x [N, in_channels, L] (or without N) → [N, out_channels, P].

    As Conv2d.
    """

    dims = 1


class Conv2d(Conv):
    """Cross-correlation: x [N, in_channels, H, W] (or without N) → [N, out_channels, P, Q].

    The kernel is not flipped. padding: an int, a pair, ((top, bottom), (left, right)), 'valid', or 'same' (P
    = ⌈H / stride⌉). padding_mode: 'zeros', 'reflect', 'replicate' or 'circular'. rng: a numpy Generator or a
    seed for the initial weight [out_channels, in_channels/groups, kh, kw] and bias [out_channels]; by default
    the generator that `tg.manual_seed` resets.

    Raises ValueError for arguments that cannot be.
    """

    dims = 2


class ConvTranspose(Convolution):
    """What ConvTranspose1d and ConvTranspose2d share."""

    transposed = True

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
        rng: Random = None,
    ) -> None:
        super().__init__()
        self.set_geometry(kernel_size, stride, padding, dilation, output_padding, padding_mode)
        self.make_parameters(in_channels, out_channels, groups, bias, dtype, rng)

    def forward(self, x: Any, output_size: Any = None) -> Tensor:
        """output_size: P (and Q), or the output's whole shape, where stride leaves several to choose from."""
        check_dtype(self, x, self.weight)
        conv_transpose = F.conv_transpose1d if self.dims == 1 else F.conv_transpose2d
        more = self.output_padding if output_size is None else self.padding_for(x, output_size)
        return conv_transpose(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            output_padding=more,
            groups=self.groups,
            dilation=self.dilation,
        )

    def padding_for(self, x: Any, output_size: Any) -> Any:
        """The output_padding that makes an output of this size. Raises ValueError where none does."""
        whole = is_plain(output_size) and len(output_size) == x.ndim
        asked = output_size[-self.dims :] if whole else output_size
        wanted = sizes(type(self).__name__, "output_size", asked, self.dims, 1)
        taken = [sum(pad) if is_plain(pad) else 2 * pad for pad in self.padding]
        least = [
            (size - 1) * step - pads + gap * (width - 1) + 1
            for size, step, pads, gap, width in zip(
                x.shape[-self.dims :], self.stride, taken, self.dilation, self.kernel_size
            )
        ]
        more = tuple(size - smallest for size, smallest in zip(wanted, least))
        if any(not 0 <= extra < step for extra, step in zip(more, self.stride)):
            most = [smallest + step - 1 for smallest, step in zip(least, self.stride)]
            raise ValueError(
                f"{type(self).__name__}: of {show_shape(x.shape)} it makes sizes from {least} to {most}; "
                f"output_size {output_size!r} is none of them"
            )
        return more


class ConvTranspose1d(ConvTranspose):
    """The input gradient of a Conv1d as a layer: x [N, in_channels, L] → [N, out_channels, P].

    As ConvTranspose2d.
    """

    dims = 1


class ConvTranspose2d(ConvTranspose):
    """The input gradient of a convolution as a layer: x [N, in_channels, H, W] → [N, out_channels, P, Q].

    P = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1, and Q likewise; a call with
    output_size=(P, Q) chooses the output_padding. The weight is [in_channels, out_channels/groups, kh, kw];
    rng as for Conv2d.

    Raises ValueError for arguments that cannot be.
    """

    dims = 2


def sizes(layer: str, name: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """An int, bare or alone in a list, or one for each of `count` axes, as a Size: an op has not to look at
    each of the numbers again.

    Raises ValueError for others, or below `least`.
    """
    try:
        values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
        numbers = size_of(map(operator.index, values * count if len(values) == 1 else values))
    except TypeError:
        numbers = size_of(())
    if len(numbers) != count or min(numbers) < least:
        wanted = "an int" if count == 1 else "an int or a pair of ints"
        raise ValueError(f"{layer}: {name} must be {wanted}, at least {least}, not {value!r}")
    return numbers


def padding_of(layer: str, padding: Any, dims: int, words: bool) -> Any:
    """'same' and 'valid' as they are, ((top, bottom), (left, right)) as pairs, others as one int an axis."""
    if words and padding in ("same", "valid"):
        return padding
    given = padding if isinstance(padding, (tuple, list)) else ()
    if dims == 2 and any(isinstance(sides, (tuple, list)) for sides in given):
        if len(padding) != 2:
            raise ValueError(f"{layer}: padding must be ((top, bottom), (left, right)), not {padding!r}")
        return tuple(sizes(layer, "padding", sides, 2, 0) for sides in padding)
    return sizes(layer, "padding", padding, dims, 0)
