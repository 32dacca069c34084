"""Layers that keep images [N, C, S, S] as large as they are, so that any of them may follow any other.

C, the channels, is a multiple of 4, and S, the side, is even.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinygrad_conv as tg
from tinygrad_conv import nn


class Applied(nn.Module):
    """A function of x as a layer."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(x)


class Around(nn.Module):
    """x + body(x), in place or not."""

    def __init__(self, body: nn.Module, in_place: bool = False) -> None:
        super().__init__()
        self.body, self.in_place = body, in_place

    def forward(self, x: Any) -> Any:
        y = self.body(x)
        if self.in_place:
            y += x
            return y
        return x + y


class Twice(nn.Module):
    """One layer, applied twice: its gradients add up."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Any) -> Any:
        return self.body(self.body(x))


class Standardised(nn.Module):
    """A convolution with its weight standardised in every call."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(tg.randn(channels, channels, 3, 3))

    def forward(self, x: Any) -> Any:
        w = self.weight
        mean, std = w.mean(dim=(1, 2, 3), keepdim=True), w.std(dim=(1, 2, 3), keepdim=True)
        return tg.conv2d(x, (w - mean) / (std + 1e-3), padding=1)


class Counted(nn.Module):
    """Noise in training, by a buffer that counts the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", tg.zeros(1))

    def forward(self, x: Any) -> Any:
        if self.training:
            self.seen += 1
            return x + 0.1 * tg.randn_like(x) * (self.seen / (self.seen + 1)).to(x.dtype)
        return x


def attention(x: Any) -> Any:
    """Channels look at channels."""
    tokens = x.flatten(2)
    return tg.nn.functional.scaled_dot_product_attention(tokens, tokens, tokens).reshape(x.shape)


def mixed(x: Any) -> Any:
    """Parts cut out, changed, and put together again."""
    first, *others = x.split([1, 2, x.shape[1] - 3], dim=1)
    return tg.cat([others[1], others[0].flip(3), first * 2], dim=1)


def masked(x: Any) -> Any:
    """In place, where a mask holds."""
    y = x * 1
    y[x > 1] = 0.5
    y.clamp_(-2)
    return y


def quartered(x: Any) -> Any:
    """Space to channels, and back."""
    return tg.nn.functional.pixel_shuffle(tg.nn.functional.pixel_unshuffle(x, 2).tanh(), 2)


def enlarged(x: Any) -> Any:
    """Twice as large, and means of that."""
    return tg.avg_pool2d(tg.nn.functional.interpolate(x, scale_factor=2, mode="bilinear"), 2)


LAYERS: dict[str, Callable[[int, int], nn.Module]] = {
    "conv": lambda c, s: nn.Conv2d(c, c, 3, padding=1),
    "conv without bias": lambda c, s: nn.Conv2d(c, c, 3, padding=1, bias=False),
    "conv 5×1, 1×5": lambda c, s: nn.Sequential(
        nn.Conv2d(c, 6, (5, 1), padding=(2, 0)), nn.Conv2d(6, c, (1, 5), padding=(0, 2))
    ),
    "1×1": lambda c, s: nn.Conv2d(c, c, 1),
    "depthwise": lambda c, s: nn.Conv2d(c, c, 3, padding=1, groups=c),
    "grouped": lambda c, s: nn.Conv2d(c, c, 3, padding=1, groups=2),
    "dilated": lambda c, s: nn.Conv2d(c, c, 3, padding=2, dilation=2),
    "reflecting": lambda c, s: nn.Conv2d(c, c, 3, padding=1, padding_mode="reflect"),
    "stride and back": lambda c, s: nn.Sequential(
        nn.Conv2d(c, 8, 2, 2), nn.ReLU(), nn.ConvTranspose2d(8, c, 2, 2)
    ),
    "standardised": lambda c, s: Standardised(c),
    "batch norm": lambda c, s: nn.BatchNorm2d(c),
    "batch norm, all means": lambda c, s: nn.BatchNorm2d(c, momentum=None),
    "batch norm, bare": lambda c, s: nn.BatchNorm2d(c, affine=False, track_running_stats=False),
    "group norm": lambda c, s: nn.GroupNorm(2, c),
    "instance norm": lambda c, s: nn.InstanceNorm2d(c, affine=True, track_running_stats=True),
    "layer norm": lambda c, s: nn.LayerNorm([c, s, s]),
    "response norm": lambda c, s: nn.LocalResponseNorm(2),
    "conv, norm, relu": lambda c, s: nn.Sequential(
        nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU()
    ),
    "relu": lambda c, s: nn.ReLU(),
    "relu in place": lambda c, s: nn.ReLU(inplace=True),
    "tanh": lambda c, s: nn.Tanh(),
    "sigmoid": lambda c, s: nn.Sigmoid(),
    "gelu": lambda c, s: nn.GELU(),
    "silu": lambda c, s: nn.SiLU(),
    "elu in place": lambda c, s: nn.ELU(inplace=True),
    "leaky relu": lambda c, s: nn.LeakyReLU(0.1),
    "prelu": lambda c, s: nn.PReLU(c),
    "softmax": lambda c, s: nn.Softmax(1),
    "hardswish": lambda c, s: nn.Hardswish(),
    "softplus": lambda c, s: nn.Softplus(),
    "max pool": lambda c, s: nn.MaxPool2d(3, 1, 1),
    "avg pool": lambda c, s: nn.AvgPool2d(3, 1, 1),
    "pool and enlarge": lambda c, s: nn.Sequential(nn.MaxPool2d(2), nn.Upsample(scale_factor=2)),
    "relu and pool": lambda c, s: nn.Sequential(nn.ReLU(), nn.MaxPool2d(2), nn.Upsample(scale_factor=2)),
    "dropout": lambda c, s: nn.Dropout(0.3),
    "dropout of channels": lambda c, s: nn.Dropout2d(0.3),
    "around": lambda c, s: Around(nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.ReLU())),
    "around in place": lambda c, s: Around(nn.Conv2d(c, c, 1), in_place=True),
    "around norm, relu": lambda c, s: nn.Sequential(Around(nn.BatchNorm2d(c)), nn.ReLU()),
    "twice": lambda c, s: Twice(nn.Conv2d(c, c, 3, padding=1)),
    "counted": lambda c, s: Counted(),
    "attention": lambda c, s: Applied(attention),
    "mixed": lambda c, s: Applied(mixed),
    "masked": lambda c, s: Applied(masked),
    "quartered": lambda c, s: Applied(quartered),
    "enlarged": lambda c, s: Applied(enlarged),
    "indexed": lambda c, s: Applied(lambda x: x[:, [3, 1, 1, 0, *range(4, c)]]),
    "permuted": lambda c, s: Applied(
        lambda x: x.permute(0, 2, 3, 1).contiguous().exp().permute(0, 3, 1, 2) / 8
    ),
    "scaled by the largest": lambda c, s: Applied(lambda x: x / (x.abs().amax() + 1)),
    "centred": lambda c, s: Applied(lambda x: x - x.mean(dim=(2, 3), keepdim=True)),
    "sums": lambda c, s: Applied(lambda x: x.cumsum(3) / 6 + x.sum(1, keepdim=True) / 8),
    "sorted": lambda c, s: Applied(lambda x: x.sort(dim=3)[0]),
    "best": lambda c, s: Applied(lambda x: x + x.max(dim=1, keepdim=True)[0] - x.std(dim=2, keepdim=True)),
    "chosen": lambda c, s: Applied(lambda x: tg.where(x > x.detach().mean(), x, x * 0.1)),
    "matmul": lambda c, s: Applied(lambda x: tg.einsum("nchw,ncgw->nchg", x, x) / 8),
    "rolled": lambda c, s: Applied(lambda x: x.roll(1, 2) * x.new_ones(s)),
    "padded": lambda c, s: Applied(lambda x: tg.nn.functional.pad(x, (1, 1, 0, 0))[..., 1:-1]),
    "detached": lambda c, s: Applied(lambda x: x * x.detach().sigmoid()),
    "powers": lambda c, s: Applied(lambda x: (x**2 + 1).sqrt() - (x.abs() + 1).log()),
}
