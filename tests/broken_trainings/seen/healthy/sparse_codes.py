"""Healthy: most of the ReLUs are zero at any time, as an L1 penalty and a low bias make them on purpose.

Every unit of the code is active for some of the patches, and the reconstruction gets better.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn


class SparseCoder(nn.Module):
    def __init__(self, pixels=16, codes=24):
        super().__init__()
        self.encode = nn.Linear(pixels, codes)
        self.decode = nn.Linear(codes, pixels)
        nn.init.constant_(self.encode.bias, -0.7)

    def forward(self, patches):
        code = tg.relu(self.encode(patches))
        return self.decode(code), code


def patches(count=128, seed=0):
    rng = np.random.default_rng(seed)
    dictionary = rng.normal(0, 1, (12, 16))
    choice = rng.random((count, 12)) < 0.2
    strength = rng.uniform(0.5, 1.5, (count, 12)) * choice
    return tg.tensor((strength @ dictionary).astype(np.float32))


tg.manual_seed(0)
data = patches()
model = SparseCoder()
optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
for step in range(50):
    reconstruction, code = model(data)
    loss = ((reconstruction - data) ** 2).mean() + 0.02 * code.abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item(), "active", (code > 0).float().mean().item())
