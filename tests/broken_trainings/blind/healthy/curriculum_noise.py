"""Healthy: bars from clear to noisy, in this order.

Bars from clear to noisy, in this order (nothing is shuffled between levels, and the loss jumps up each
time a harder level comes: a curriculum).
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim


class BarNet(nn.Module):
    def __init__(self, width=10):
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(width * 16, 32)
        self.fc2 = nn.Linear(32, 2)

    def forward(self, x):
        x = self.pool(tg.relu(self.conv(x)))
        return self.fc2(tg.relu(self.fc1(x.flatten(1))))


def main():
    tg.manual_seed(3)
    levels = [0.1, 0.3, 0.5, 0.7]
    net = BarNet()
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    criterion = nn.CrossEntropyLoss()
    exam_x, exam_y = data.bars(400, noise=0.7, seed=99)
    for level, noise in enumerate(levels):
        x, y = data.bars(1600, noise=noise, seed=level)
        for epoch in range(3):
            losses = []
            for start in range(0, len(x), 40):
                xb, yb = x[start : start + 40], y[start : start + 40]
                optimizer.zero_grad()
                loss = criterion(net(xb), yb)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        net.eval()
        with tg.no_grad():
            right = (net(exam_x).argmax(1) == exam_y).numpy().mean()
        net.train()
        print(
            f"noise {noise}: first {losses[0]:.3f}, "
            f"mean of the last epoch {np.mean(losses):.3f}, exam {right:.3f}"
        )


if __name__ == "__main__":
    main()
