"""Healthy: a code of zeros and ones within the net; the gradient goes past the rounding by a detach.

This is the straight-through estimator: forward the rounded bits, backward as if they were not rounded.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

tg.manual_seed(44)
rng = np.random.default_rng(44)
patterns = rng.normal(size=(8, 10))


class BitCoder(nn.Module):
    def __init__(self, features, bits):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(features, 32), nn.ReLU(), nn.Linear(32, bits))
        self.decode = nn.Sequential(nn.Linear(bits, 32), nn.ReLU(), nn.Linear(32, features))

    def forward(self, x):
        soft = tg.sigmoid(self.encode(x))
        bits = soft + (soft.round() - soft).detach()
        return self.decode(bits)


def samples(count=64):
    chosen = rng.integers(0, len(patterns), count)
    return tg.tensor((patterns[chosen] + rng.normal(0, 0.1, (count, 10))).astype(np.float32))


coder = BitCoder(features=10, bits=4)
optimizer = optim.Adam(coder.parameters(), lr=0.02)
for step in range(100):
    x = samples()
    loss = (coder(x) - x).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 25 == 24:
        print(f"{step + 1:3d}  {loss.item():.4f}")
