"""The reader fills the same two arrays for each batch, and the list of batches holds the last one many times.

Reason: each batch shares the memory of one reused buffer, which the next batch overwrites, so all batches
in the list are the same as the last one; copy the arrays (tg.tensor instead of tg.from_numpy).
Line: yield tg.from_numpy(frames), tg.from_numpy(digits) || batches = list(read_batches(
Words: buffer|share|reuse|overwrit|overwritten|same memory|alias|in place|in-place|copy|same data|
same batch|same array|same values|identical, batch|data|array|memory|input|loader
Harm: the loss falls to 0 but 0.73 of new frames are right, mended all.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

SIZE = 6


def photograph(frames, digits, rng):
    """Fill the camera's buffers: a bright stroke on the left, on the right, above or below."""
    digits[:] = rng.integers(0, 4, len(digits))
    frames[:] = rng.normal(0, 0.6, frames.shape)
    for frame, digit in zip(frames[:, 0], digits):
        np.rot90(frame, digit)[1:-1, 0] += 1.5


def read_batches(rng, count, batch_size):
    frames = np.empty((batch_size, 1, SIZE, SIZE), dtype=np.float32)
    digits = np.empty(batch_size, dtype=np.int64)
    for _ in range(count):
        photograph(frames, digits, rng)
        yield tg.from_numpy(frames), tg.from_numpy(digits)


def main():
    rng = np.random.default_rng(6)
    tg.manual_seed(6)
    batches = list(read_batches(rng, count=20, batch_size=8))
    test_frames, test_digits = next(read_batches(rng, count=1, batch_size=200))

    net = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 32), nn.ReLU(), nn.Linear(32, 4))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(net.parameters(), lr=0.005)
    for epoch in range(4):
        for frames, digits in batches:
            optimizer.zero_grad()
            loss = criterion(net(frames), digits)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: loss {loss.item():.4f}")
    hits = (net(test_frames).argmax(dim=1) == test_digits).float().mean().item()
    print(f"new frames: {hits:.2f}")


if __name__ == "__main__":
    main()
