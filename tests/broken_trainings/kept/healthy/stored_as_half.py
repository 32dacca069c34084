"""Healthy: the data are stored as float16 to save memory, and made float32 batch by batch.

Half precision appears in the program, but nothing is computed in it.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.data import DataLoader, Dataset


class Spectrograms(Dataset):
    def __init__(self, count=200):
        rng = np.random.default_rng(21)
        self.labels = rng.integers(0, 4, count)
        pictures = rng.normal(0, 0.7, (count, 1, 8, 8))
        for picture, label in zip(pictures, self.labels):
            picture[0, 2 * label : 2 * label + 2] += 1
        self.pictures = pictures.astype(np.float16)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.pictures[index], self.labels[index]


def main():
    tg.manual_seed(21)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 4),
    )
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(4):
        for pictures, labels in DataLoader(Spectrograms(), batch_size=25, shuffle=True):
            loss = criterion(net(pictures.float()), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print("epoch", epoch, "loss", loss.item())


if __name__ == "__main__":
    main()
