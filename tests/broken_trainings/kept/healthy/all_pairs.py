"""Healthy: each embedding is compared with each other by broadcasting [N, 1, D] with [1, N, D], on purpose.

A contrastive loss: pairs of one class shall be near, others at a distance of at least 1.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn


class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, x):
        return self.layers(x)


def pairwise(embedded):
    difference = embedded[:, None, :] - embedded[None, :, :]
    return ((difference**2).sum(dim=-1) + 1e-6).sqrt()


def contrastive(distance, labels):
    same = (labels[:, None] == labels[None, :]).float()
    return (same * distance**2 + (1 - same) * tg.relu(1 - distance) ** 2).mean()


rng = np.random.default_rng(29)
centres = rng.normal(0, 1, (5, 8))
tg.manual_seed(29)
model = Embedding()
optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
for step in range(40):
    labels = rng.integers(0, 5, 32)
    rows = centres[labels] + 0.3 * rng.normal(0, 1, (32, 8))
    loss = contrastive(pairwise(model(tg.tensor(rows.astype(np.float32)))), tg.tensor(labels))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
