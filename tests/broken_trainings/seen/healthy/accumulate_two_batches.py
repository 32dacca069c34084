"""Healthy: the gradients of two half batches are added up before each step, and zeroed after it.

Two backward passes come between two zero_grad(), each of a loss divided by two.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.data import DataLoader, TensorDataset

ACCUMULATE = 2

rng = np.random.default_rng(5)
centres = rng.normal(0, 1.5, (3, 8))
labels = rng.integers(0, 3, 480)
rows = (centres[labels] + rng.normal(0, 1, (480, 8))).astype(np.float32)

tg.manual_seed(5)
loader = DataLoader(TensorDataset(tg.tensor(rows), tg.tensor(labels)), batch_size=16, shuffle=True)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
optimizer = tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.CrossEntropyLoss()

optimizer.zero_grad()
for number, (inputs, targets) in enumerate(loader, 1):
    loss = criterion(model(inputs), targets) / ACCUMULATE
    loss.backward()
    if number % ACCUMULATE == 0:
        optimizer.step()
        optimizer.zero_grad()
print("loss", ACCUMULATE * loss.item())
