"""Healthy: the learning rate begins at 1e-7, and the schedule is stepped in every step: a warm-up.

LambdaLR's factor counts steps, rises over 100 of them from 1e-5 to 1 and then falls as a cosine to 0.
"""

import math

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

WARM_UP, STEPS = 100, 900


def factor(step):
    if step < WARM_UP:
        return 1e-5 ** (1 - step / WARM_UP)
    return 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / (STEPS - WARM_UP)))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, x):
        return x + self.inner(self.norm(x))


def wave(n, rng):
    x = rng.uniform(-2, 2, (n, 1)).astype(np.float32)
    return tg.from_numpy(x), tg.from_numpy(np.sin(4 * x) * np.exp(-(x**2) / 4))


tg.manual_seed(14)
rng = np.random.default_rng(14)
model = nn.Sequential(nn.Linear(1, 32), Block(32), Block(32), nn.Linear(32, 1))
optimizer = optim.AdamW(model.parameters(), lr=0.01, weight_decay=1e-4)
scheduler = optim.lr_scheduler.LambdaLR(optimizer, factor)
for step in range(1, STEPS + 1):
    x, y = wave(64, rng)
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step in (1, 20, 50) or step % 100 == 0:
        print(f"step {step}: rate {optimizer.param_groups[0]['lr']:.2e}, loss {loss.item():.5f}")
