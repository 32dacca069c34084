"""The distance is a square root whose argument is exactly zero for some rows: its gradient is inf, then NaN.

Reason: the gradient of the square root at zero is infinite (0 * inf = NaN), so parameters become NaN at the
first step; add a small epsilon under the root.
Line: return tg.sqrt((embedding**2).sum(dim=1))
Words: nan|inf, sqrt|root|pow
Harm: all weights are NaN after one step, mended (1e-8 under the root) the loss falls to 0.33.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class Embedder(nn.Module):
    """Normal samples shall be near the origin, odd ones at a distance of at least 2."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 16, bias=False)
        self.second = nn.Linear(16, 3, bias=False)

    def forward(self, rows):
        return self.second(nn.functional.relu(self.first(rows)))


def distance(embedding):
    return tg.sqrt((embedding**2).sum(dim=1))


def objective(distances, odd):
    pull = distances**2 * (1 - odd)
    push = nn.functional.relu(2 - distances) ** 2 * odd
    return (pull + push).mean()


rng = np.random.default_rng(12)
rows = rng.normal(0, 1, (80, 6)).astype(np.float32)
odd = (rng.random(80) < 0.3).astype(np.float32)
rows[odd == 1] += 1.5
rows[::16] = 0.0  # sensors that were switched off

tg.manual_seed(12)
model = Embedder()
optimizer = optim.Adam(model.parameters(), lr=0.02)
for epoch in range(30):
    loss = objective(distance(model(tg.tensor(rows))), tg.tensor(odd))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
