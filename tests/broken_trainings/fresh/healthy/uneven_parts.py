"""Healthy: a large batch goes through in uneven parts, whose summed losses are divided by the whole number.

There are three backwards for one step, and none of the parts zeroes the gradients of those before.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

PARTS = [(0, 20), (20, 45), (45, 64)]

rng = np.random.default_rng(37)
tg.manual_seed(37)
model = nn.Sequential(nn.Linear(5, 32), nn.SiLU(), nn.Linear(32, 2))
criterion = nn.CrossEntropyLoss(reduction="sum")
optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.9)


def batch(count=64):
    x = rng.normal(size=(count, 5)).astype(np.float32)
    label = (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype(np.int64)
    return tg.tensor(x), tg.tensor(label)


for step in range(60):
    x, label = batch()
    total = 0.0
    for begin, end in PARTS:
        loss = criterion(model(x[begin:end]), label[begin:end]) / len(x)
        loss.backward()
        total += loss.item()
    optimizer.step()
    optimizer.zero_grad()
    if step % 15 == 14:
        print(f"{step + 1}: {total:.3f}")
