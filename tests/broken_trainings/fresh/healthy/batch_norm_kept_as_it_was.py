"""Healthy: the batch norms stay in eval mode while the net is fine-tuned on batches of two images.

Their statistics are those of the large first training; so few images would give bad ones.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

rng = np.random.default_rng(33)
tg.manual_seed(33)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.fc = nn.Linear(8 * 9, 3)

    def forward(self, x):
        return self.fc(self.stem(x).flatten(1))

    def train(self, mode=True):
        """As usual, but batch norm goes on with the statistics that it has."""
        super().train(mode)
        if getattr(self, "fine_tuning", False):
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self


def images_of(vertical, count):
    labels = rng.integers(0, 3, count)
    images = rng.normal(0, 0.3, (count, 1, 8, 8)).astype(np.float32)
    for image, label in zip(images[:, 0], labels):
        lines = image.T if vertical else image
        lines[2 * label + 1 : 2 * label + 3] += 1.5
    return tg.tensor(images), tg.tensor(labels)


def run(net, steps, batch, vertical, rate):
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=rate, momentum=0.9)
    net.train()
    losses = []
    for _ in range(steps):
        images, labels = images_of(vertical, batch)
        loss = criterion(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"first {np.mean(losses[:5]):.3f}, last {np.mean(losses[-10:]):.3f}")


net = Net()
run(net, steps=40, batch=32, vertical=False, rate=0.05)
net.fine_tuning = True
run(net, steps=80, batch=2, vertical=True, rate=0.01)
