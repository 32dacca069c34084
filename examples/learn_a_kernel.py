"""A 3×3 convolution learns the Sobel kernel, from nothing but inputs and outputs.

python examples/learn_a_kernel.py
python examples/learn_a_kernel.py --html film.html    (a page on which it does so before your eyes)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

SOBEL = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float32)  # finds vertical edges

SQUARE = np.zeros((1, 1, 16, 16), np.float32)
SQUARE[..., 4:12, 4:12] = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--html", type=Path, help="write the training as a page with a slider over time")
    page: Path | None = parser.parse_args().html

    tg.manual_seed(0)
    images = tg.randn(32, 1, 16, 16)
    edges = tg.conv2d(images, SOBEL[None, None])

    layer = nn.Conv2d(1, 1, kernel_size=3, bias=False)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)

    def train() -> None:
        for step in range(1, 51):
            optimizer.zero_grad()
            loss = tg.mse_loss(layer(images), edges)
            loss.backward()
            optimizer.step()
            if step % 10 == 0:
                print(f"step {step:2d}   loss {loss.item():.2e}")

    if page is None:
        train()
    else:
        with tg.debug.film(layer, every=1, sample=SQUARE) as film:
            train()
        film.to_html(page, title="A kernel learns to be Sobel's")

    learned = layer.weight.data[0, 0]
    print("\n learned kernel            Sobel kernel")
    for learned_row, true_row in zip(learned, SOBEL):
        left = "  ".join(f"{value:6.3f}" for value in learned_row)
        right = "  ".join(f"{value:4.0f}" for value in true_row)
        print(f"{left}     {right}")
    print(f"\nlargest difference: {np.abs(learned - SOBEL).max():.1e}")


if __name__ == "__main__":
    main()
