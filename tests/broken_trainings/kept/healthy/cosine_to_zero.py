"""Healthy: the learning rate follows a cosine down to zero, and the gradients are clipped to a norm of 1.

The last steps hardly move the weights, after the training is done.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

STEPS = 40


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU())

    def forward(self, x):
        return x + self.inner(x)


def circles(rng, count=64):
    points = rng.uniform(-2, 2, (count, 2)).astype(np.float32)
    inside = (np.hypot(points[:, 0], points[:, 1]) < 1.4).astype(np.float32)
    return tg.from_numpy(points), tg.from_numpy(inside[:, None])


def main():
    tg.manual_seed(24)
    rng = np.random.default_rng(24)
    model = nn.Sequential(nn.Linear(2, 24), Residual(24), Residual(24), nn.Linear(24, 1))
    optimizer = optim.AdamW(model.parameters(), lr=0.02)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS)
    loss_fn = nn.BCEWithLogitsLoss()
    for _ in range(STEPS):
        points, inside = circles(rng)
        optimizer.zero_grad()
        loss = loss_fn(model(points), inside)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    print("loss", loss.item(), "last rate", schedule.get_last_lr()[0])


main()
