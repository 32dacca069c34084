"""Layers that rearrange, resize or pad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import functional as F
from ..engine.tensor import Tensor
from ..functional.arguments import Size
from ..options import is_sequence
from .module import Module, shown


class Identity(Module):
    """x itself, whatever the arguments: a place in a net where nothing happens."""

    def __init__(self, *ignored: Any, **options: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        return x


class Flatten(Module):
    """The dimensions from start_dim to end_dim, both included, as one: [N, C, H, W] → [N, C·H·W]."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Tensor:
        return F.flatten(x, start_dim=self.start_dim, end_dim=self.end_dim)

    def extra_repr(self) -> str:
        return shown(self, "start_dim", "end_dim")


class Unflatten(Module):
    """The dimension `dim` as several, of unflattened_size, one of which may be -1: Flatten's inverse."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, x: Any) -> Tensor:
        return F.unflatten(x, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return shown(self, "dim", "unflattened_size")


class Upsample(Module):
    """x [N, C, H, W] in another size, or scaled by a factor: `interpolate`, which has the modes."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        if (size is None) == (scale_factor is None):
            raise ValueError("Upsample: pass one of size and scale_factor")
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor
        if isinstance(scale_factor, (tuple, list)):
            self.scale_factor: Any = tuple(map(float, scale_factor))
        else:
            self.scale_factor = scale_factor if scale_factor is None else float(scale_factor)

    def forward(self, x: Any) -> Tensor:
        return F.interpolate(
            x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        return shown(self, "size" if self.scale_factor is None else "scale_factor", "mode")


class PixelShuffle(Module):
    """[N, C·r², H, W] → [N, C, H·r, W·r], with r = upscale_factor (Shi et al. 2016)."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, x: Any) -> Tensor:
        return F.pixel_shuffle(x, upscale_factor=self.upscale_factor)

    def extra_repr(self) -> str:
        return shown(self, "upscale_factor")


class Unfold(Module):
    """The windows of x [N, C, H, W] as columns [N, C·kh·kw, P·Q]: im2col, as `unfold`."""

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, x: Any) -> Tensor:
        return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return shown(self, "kernel_size", "dilation", "padding", "stride")


class Fold(Module):
    """Unfold's adjoint: columns [N, C·kh·kw, P·Q] added up where their windows lie → [N, C, *output_size]."""

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, x: Any) -> Tensor:
        return F.fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return shown(self, "output_size", "kernel_size", "dilation", "padding", "stride")


class Pad2d(Module):
    """What the padding layers share: one int for all four sides, or (left, right, top, bottom)."""

    mode: str

    def __init__(self, padding: int | tuple[int, int, int, int]) -> None:
        super().__init__()
        self.padding: tuple[Any, ...] = tuple(padding) if is_sequence(padding) else (padding,) * 4

    def forward(self, x: Any) -> Tensor:
        return F.pad(x, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(Pad2d):
    """Zeros around x [N, C, H, W]."""

    mode = "constant"


class ConstantPad2d(Pad2d):
    """A value around x [N, C, H, W]."""

    mode = "constant"

    def __init__(self, padding: int | tuple[int, int, int, int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, x: Any) -> Tensor:
        return F.pad(x, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ReflectionPad2d(Pad2d):
    """x [N, C, H, W] mirrored at its edges, which are not repeated."""

    mode = "reflect"


class ReplicationPad2d(Pad2d):
    """The edges of x [N, C, H, W] repeated outwards."""

    mode = "replicate"


class CircularPad2d(Pad2d):
    """x [N, C, H, W] as if it went on from the opposite edge."""

    mode = "circular"
