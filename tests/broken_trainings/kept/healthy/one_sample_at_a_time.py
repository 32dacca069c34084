"""Healthy: batches of a single sample, with layer norm instead of batch norm.

Each batch has one label alone and a noisy gradient; the order is shuffled and the rate is small.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.data import DataLoader, TensorDataset

rng = np.random.default_rng(22)
labels = rng.integers(0, 3, 60)
centres = np.array([[2, 0, 0, 1], [0, 2, 0, -1], [0, 0, 2, 0]], np.float32)
rows = centres[labels] + 0.5 * rng.normal(0, 1, (60, 4)).astype(np.float32)

tg.manual_seed(22)
dataset = TensorDataset(tg.tensor(rows.astype(np.float32)), tg.tensor(labels))
model = nn.Sequential(nn.Linear(4, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 3))
optimizer = tg.optim.SGD(model.parameters(), lr=0.02)
criterion = nn.CrossEntropyLoss()
for epoch in range(2):
    total = 0.0
    for row, label in DataLoader(dataset, batch_size=1, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(row), label)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print("epoch", epoch, "loss", total / len(dataset))
