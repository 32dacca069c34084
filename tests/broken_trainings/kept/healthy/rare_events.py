"""Healthy: one sample in ten is an event, some batches have none; the loss gives the rare class more weight.

The labels are far from balanced, and a batch of a single class comes about by chance.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.data import DataLoader, TensorDataset


def transactions(count=400):
    rng = np.random.default_rng(27)
    fraud = rng.random(count) < 0.1
    rows = rng.normal(0, 1, (count, 6))
    rows[fraud] += [1.5, -1, 0, 0, 1, 0]
    return tg.tensor(rows.astype(np.float32)), tg.tensor(fraud.astype(np.int64))


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.1)
        self.fc1 = nn.Linear(6, 24)
        self.fc2 = nn.Linear(24, 2)

    def forward(self, x):
        return self.fc2(self.dropout(nn.functional.elu(self.fc1(x))))


def main():
    tg.manual_seed(27)
    rows, fraud = transactions()
    loader = DataLoader(TensorDataset(rows, fraud), batch_size=16, shuffle=True)
    detector = Detector()
    criterion = nn.CrossEntropyLoss(weight=tg.tensor([0.55, 5.0]))
    optimizer = tg.optim.Adam(detector.parameters(), lr=0.005)
    for epoch in range(2):
        total = 0.0
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(detector(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print("epoch", epoch, "loss", total / len(loader))


if __name__ == "__main__":
    main()
