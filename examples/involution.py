"""An op from the literature: involution, a kernel of its own for every pixel, made from the pixel itself.

    python examples/involution.py

Li, Hu, Wang, Li, She, Zhu, Zhang, Chen: "Involution: Inverting the Inherence of Convolution for Visual
Recognition", CVPR 2021. A convolution's kernel is the same at every place and differs from channel to
channel; involution's differs from place to place and is the same for the channels of a group.

The toy task needs just that. Each image has a picture and a plane of switches; wanted is the picture, with
every pixel taken from its left neighbour where the switch is +1, and from its right one where it is -1.
"""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


@tg.primitive
def involution(x, kernel):
    """Y[n,c,i,j] = Σ_a Σ_b  K[n,g,a,b,i,j] · X[n, c, i+a-r, j+b-r], for c in group g, and r = k // 2.

    x [N, C, H, W], kernel [N, G, k, k, H, W], k odd → [N, C, H, W]; X counts as 0 outside.
    """
    samples, channels, height, width = x.shape
    groups, size = kernel.shape[1:3]
    if kernel.shape != (samples, groups, size, size, height, width) or size % 2 == 0 or channels % groups:
        raise ValueError(
            f"involution: x {x.shape}, kernel {kernel.shape} are not [N,C,H,W], [N,G,k,k,H,W] with k odd"
        )
    y = np.zeros_like(x)
    for a, b in taps(size):
        y += ungrouped(grouped(shifted(x, a - size // 2, b - size // 2), groups) * kernel[:, :, a, b, None])
    return y


@involution.grad("x")
def involution_dx(dy, kernel):
    """Each output sends its error back to the pixels it read, with the weights it read them with."""
    groups, size = kernel.shape[1:3]
    dx = 0
    for a, b in taps(size):
        dx = dx + shifted(
            ungrouped(grouped(dy, groups) * kernel[:, :, a, b, None]), size // 2 - a, size // 2 - b
        )
    return dx


@involution.grad("kernel")
def involution_dkernel(dy, x, kernel_shape):
    """A weight's gradient is the error times the pixel it met, summed over the channels that share it."""
    groups, size = kernel_shape[1:3]
    products = [grouped(shifted(x, a - size // 2, b - size // 2) * dy, groups) for a, b in taps(size)]
    return tg.reshape(tg.stack([tg.sum(product, dim=2) for product in products], dim=2), kernel_shape)


def taps(size):
    """(row, column) of every weight of a kernel."""
    return [(a, b) for a in range(size) for b in range(size)]


def shifted(x, down, right):
    """x [N, C, H, W] with each pixel taken from so many rows below it and columns to its right; 0 outside."""
    rows, columns = x.shape[2] - abs(down), x.shape[3] - abs(right)
    if rows <= 0 or columns <= 0:
        return x * 0
    top, left = max(down, 0), max(right, 0)
    inside = x[:, :, top : top + rows, left : left + columns]
    top, left = max(-down, 0), max(-right, 0)
    index = (slice(None), slice(None), slice(top, top + rows), slice(left, left + columns))
    return tg.put_add(inside, index, x.shape)


def grouped(x, groups):
    """[N, C, H, W] as [N, G, C/G, H, W]."""
    return tg.reshape(x, (x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))


def ungrouped(x):
    """[N, G, C/G, H, W] as [N, C, H, W]."""
    return tg.reshape(x, (x.shape[0], x.shape[1] * x.shape[2], *x.shape[3:]))


class Involution2d(nn.Module):
    """Involution whose kernels a 1×1 convolution makes from the pixels.

    (The paper has two, and a relu between.)
    """

    def __init__(self, channels: int, kernel_size: int, groups: int = 1) -> None:
        super().__init__()
        self.kernel_size, self.groups = kernel_size, groups
        self.make_kernel = nn.Conv2d(channels, groups * kernel_size**2, kernel_size=1)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        samples, _, height, width = x.shape
        shape = (samples, self.groups, self.kernel_size, self.kernel_size, height, width)
        return involution(x, self.make_kernel(x).reshape(shape))


def neighbours(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images [count, 2, 8, 8] of picture and switches, and what is wanted [count, 1, 8, 8]."""
    picture = rng.standard_normal((count, 1, 8, 8)).astype(np.float32)
    switch = rng.choice(np.float32([-1, 1]), picture.shape)
    bordered = np.pad(picture, ((0, 0), (0, 0), (0, 0), (1, 1)))
    return np.concatenate([picture, switch], 1), np.where(switch > 0, bordered[..., :-2], bordered[..., 2:])


def final_loss(layer: nn.Module, images: np.ndarray, wanted: np.ndarray) -> float:
    """Train the layer, and say how far it still is from what is wanted."""
    optimizer = optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(300):
        optimizer.zero_grad()
        loss = tg.mse_loss(layer(images)[:, :1], wanted)
        loss.backward()
        optimizer.step()
    return loss.item()


def main() -> None:
    tg.manual_seed(0)
    x = tg.randn(2, 4, 3, 5, dtype=np.float64, requires_grad=True)
    kernel = tg.randn(2, 2, 3, 3, 3, 5, dtype=np.float64, requires_grad=True)
    tg.gradcheck(involution, x, kernel, order=2)
    print("gradcheck: the gradients of x and kernel are right, and so are their gradients\n")

    images, wanted = neighbours(np.random.default_rng(0), 64)
    print("mean squared error after 300 steps")
    print("(one kernel for all places can at best take the mean of the two neighbours)")
    print(
        f"    convolution 3×3   {final_loss(nn.Conv2d(2, 1, kernel_size=3, padding=1), images, wanted):.3f}"
    )
    print(f"    involution 3×3    {final_loss(Involution2d(2, kernel_size=3), images, wanted):.3f}")


if __name__ == "__main__":
    main()
