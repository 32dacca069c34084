"""Healthy: a siamese net with shared weights learns whether two images show the same shape.

A siamese net with shared weights learns whether two images show the same shape (contrastive loss,
written by hand).
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim


class Embedder(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.norm1 = nn.GroupNorm(2, 8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.out = nn.Linear(16 * 16, dim)

    def forward(self, x):
        x = tg.max_pool2d(tg.relu(self.norm1(self.conv1(x))), 2)
        x = tg.max_pool2d(tg.relu(self.conv2(x)), 2)
        return self.out(x.flatten(1))


def contrastive(a, b, same, margin=1.0):
    squared = ((a - b) ** 2).sum(1)
    distance = (squared + 1e-6).sqrt()
    apart = (margin - distance).clamp(min=0) ** 2
    return (same * squared + (1 - same) * apart).mean()


def pairs(rng, labels, n):
    """Places of n pairs, half of them of the same kind."""
    first = rng.integers(0, len(labels), n)
    second = rng.integers(0, len(labels), n)
    for i in range(0, n, 2):
        second[i] = rng.choice(np.flatnonzero(labels == labels[first[i]]))
    return first, second, (labels[first] == labels[second]).astype(np.float32)


tg.manual_seed(0)
rng = np.random.default_rng(0)
images, labels = data.shapes(900, seed=0)
kinds = labels.numpy()
net = Embedder()
optimizer = optim.Adam(net.parameters(), lr=2e-3)

for step in range(220):
    i, j, same = pairs(rng, kinds[:700], 32)
    loss = contrastive(net(images[i]), net(images[j]), tg.from_numpy(same))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 44 == 43:
        net.eval()
        i, j, same = pairs(rng, kinds[700:], 200)
        with tg.no_grad():
            d = (net(images[700 + i]) - net(images[700 + j])).norm(dim=1).numpy()
        net.train()
        print(f"step {step + 1}: loss {loss.item():.3f}, right {((d < 0.5) == (same > 0.5)).mean():.3f}")
