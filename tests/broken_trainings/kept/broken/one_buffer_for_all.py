"""The reader fills the same buffer for each batch, and the batches are collected: all are the last one.

Reason: the batches share one buffer (the same memory is overwritten and reused), so every batch of the
epoch has the same inputs while the labels differ; copy the buffer for each batch.
Line: yield tg.from_numpy(buffer), tg.tensor(labels[start : start + size]) || batches = list(read_batches
Words: memory|same|identical|overwritten|reuse|share, batch|input|data
Harm: the loss stays near 0.66, mended (a copy for each batch) it falls to 0.17.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def make_files(count=256, seed=8):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    rows = rng.normal(0, 1, (count, 6))
    rows[:, 0] += 3 * labels
    rows[:, 1] -= 2 * labels
    return rows.astype(np.float32), labels


def read_batches(rows, labels, size=32):
    buffer = np.empty((size, rows.shape[1]), np.float32)
    for start in range(0, len(rows), size):
        buffer[:] = rows[start : start + size]
        yield tg.from_numpy(buffer), tg.tensor(labels[start : start + size])


tg.manual_seed(8)
rows, labels = make_files()
batches = list(read_batches(rows, labels))

model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = optim.Adam(model.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
for epoch in range(5):
    total = 0.0
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(epoch, total / len(batches))
