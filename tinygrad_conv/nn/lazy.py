"""Layers that take the number of their input channels, or features, from the first input.

Until then their parameters have no numbers (`UninitializedParameter`); with the first forward, of a batch or
of zeros of its shape, they become the plain layer, weights drawn as it draws them. What is said of all
weights, such as `net.apply(init)`, comes after that; an optimiser may be made before.
"""

from __future__ import annotations

import inspect
from threading import RLock
from typing import Any

from numpy.typing import DTypeLike

from ..engine.commit import Changes
from ..engine.observed import observable
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..functional.arguments import Padding, Size
from ..randomness.seeds import Random
from .conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .linear import Linear
from .module import Module
from .norm import BatchNorm1d, BatchNorm2d, InstanceNorm1d, InstanceNorm2d
from .uninitialized import UninitializedBuffer, UninitializedParameter, is_uninitialized

LOCK = RLock()  # two threads may call a net for the first time


class Lazy(Module):
    """What lazy layers share: they are their plain layer, of no channels, whose tensors wait for a shape."""

    becomes: type[Module]
    counted: str  # the option that the input tells
    ndims: tuple[int, ...] | None = None  # how many dimensions the input may have, with a batch first
    channel_at: int = 1  # the dimension of the input that has the channels
    _rng: Random

    def wait(self, rng: Random = None) -> None:
        """Have tensors without a shape in the place of those of no channels; rng draws the numbers."""
        self._rng = rng
        for name, parameter in self._own_parameters().items():
            setattr(self, name, UninitializedParameter(parameter.dtype))
        for name, buffer in self._own_buffers().items():
            if buffer.ndim:
                setattr(self, name, UninitializedBuffer(buffer.dtype))
        self._settle()

    def has_uninitialized_params(self) -> bool:
        """Whether tensors of this layer have no shape yet."""
        return any(map(is_uninitialized, self._own_state().values()))

    def forward(self, x: Any, *more: Any, **options: Any) -> Tensor:
        with LOCK:
            if isinstance(self, Lazy):
                self.initialize_parameters(x)
        y: Tensor = self.forward(x, *more, **options)  # the plain layer's, which it is by now
        return y

    @observable
    def initialize_parameters(self, x: Any) -> None:
        """Become the plain layer for inputs like x: all of it or, where anything is raised, nothing.

        Where a state dict has given the numbers already, their shapes must be those.
        """
        plain, changes = self.plain(self.count(x)), Changes()
        for name, tensor in plain._own_state().items():
            own = vars(self)[name]
            if is_uninitialized(own):
                own.materialize(tensor.data, changes)
            elif own.shape != tensor.shape:
                needed, loaded = show_shape(tensor.shape), show_shape(own.shape)
                raise ShapeError(
                    f"{type(self).__name__}: x {show_shape(x.shape)} needs a {name} {needed}, "
                    f"but {loaded} was loaded"
                )
        options = {name: value for name, value in vars(self).items() if name != "_rng"}
        changes.refill(vars(self), {**options, self.counted: getattr(plain, self.counted)})
        changes.commit()
        object.__setattr__(self, "__class__", self.becomes)

    def count(self, x: Any) -> int:
        """How many channels, or features, x has."""
        shape: tuple[int, ...] = x.shape
        if not shape or (self.ndims is not None and len(shape) not in self.ndims):
            wanted = "1 or more" if self.ndims is None else " or ".join(map(str, self.ndims))
            raise ShapeError(
                f"{type(self).__name__}: x must have {wanted} dimensions, not the shape {show_shape(shape)}"
            )
        return shape[self.channel_at]

    def plain(self, count: int) -> Module:
        """The plain layer with the same options, for so many channels."""
        dtypes = [tensor.dtype for tensor in self._own_state().values() if tensor.dtype.kind == "f"]
        known = {
            **vars(self),
            self.counted: count,
            "bias": vars(self).get("bias") is not None,
            "dtype": dtypes[0] if dtypes else None,
            "rng": self._rng if self.has_uninitialized_params() else 0,
        }
        names = inspect.signature(self.becomes).parameters
        return self.becomes(**{name: known[name] for name in names})


class LazyLinear(Lazy, Linear):
    """Linear whose in_features is the last size of the first input."""

    becomes = Linear
    counted = "in_features"
    channel_at = -1

    def __init__(
        self, out_features: int, bias: bool = True, *, dtype: DTypeLike | None = None, rng: Random = None
    ) -> None:
        super().__init__(0, out_features, bias, dtype=dtype, rng=0)
        self.wait(rng)


class LazyConv(Lazy):
    """What LazyConv1d and LazyConv2d share: the channels are those of the first input, batched or not."""

    counted = "in_channels"

    def __init__(
        self,
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
        windows: Any = (kernel_size, stride, padding, dilation)
        options: Any = (groups, bias, padding_mode)
        super().__init__(0, out_channels, *windows, *options, dtype=dtype, rng=0)  # type: ignore[call-arg]
        self.wait(rng)


class LazyConv1d(LazyConv, Conv1d):
    """Conv1d whose in_channels are those of the first input."""

    becomes = Conv1d
    ndims, channel_at = (3, 2), -2


class LazyConv2d(LazyConv, Conv2d):
    """Conv2d whose in_channels are those of the first input."""

    becomes = Conv2d
    ndims, channel_at = (4, 3), -3


class LazyConvTranspose(Lazy):
    """What LazyConvTranspose1d and LazyConvTranspose2d share, as LazyConv."""

    counted = "in_channels"

    def __init__(
        self,
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
        windows: Any = (kernel_size, stride, padding, output_padding)
        options: Any = (groups, bias, dilation, padding_mode)
        super().__init__(0, out_channels, *windows, *options, dtype=dtype, rng=0)  # type: ignore[call-arg]
        self.wait(rng)


class LazyConvTranspose1d(LazyConvTranspose, ConvTranspose1d):
    """ConvTranspose1d whose in_channels are those of the first input."""

    becomes = ConvTranspose1d
    ndims, channel_at = (3, 2), -2


class LazyConvTranspose2d(LazyConvTranspose, ConvTranspose2d):
    """ConvTranspose2d whose in_channels are those of the first input."""

    becomes = ConvTranspose2d
    ndims, channel_at = (4, 3), -3


class LazyNorm(Lazy):
    """What lazy batch and instance norms share: num_features are those of the first input; affine, and with
    running statistics, unless said otherwise.
    """

    counted = "num_features"

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        options: Any = (eps, momentum, affine, track_running_stats)
        super().__init__(0, *options, bias=bias, dtype=dtype)  # type: ignore[call-arg]
        self.wait()


class LazyBatchNorm1d(LazyNorm, BatchNorm1d):
    """BatchNorm1d whose num_features are those of the first input."""

    becomes = BatchNorm1d
    ndims = BatchNorm1d.ndims


class LazyBatchNorm2d(LazyNorm, BatchNorm2d):
    """BatchNorm2d whose num_features are those of the first input."""

    becomes = BatchNorm2d
    ndims = BatchNorm2d.ndims


class LazyInstanceNorm1d(LazyNorm, InstanceNorm1d):
    """InstanceNorm1d whose num_features are those of the first input."""

    becomes = InstanceNorm1d
    ndims, channel_at = InstanceNorm1d.ndims, -2


class LazyInstanceNorm2d(LazyNorm, InstanceNorm2d):
    """InstanceNorm2d whose num_features are those of the first input."""

    becomes = InstanceNorm2d
    ndims, channel_at = InstanceNorm2d.ndims, -3
