"""The learning rate is far too large: Adam moves every weight by 2 in each step.

Reason: the steps are as large as the weights themselves or larger (update-to-weight ratio), the loss jumps;
reduce the learning rate from 2.0 to about 0.001-0.01.
Line: lr=2.0
Words: learning rate|lr|step, large|high|big
Harm: the loss jumps between 3 and 2000 and ends above 8, mended (lr 0.005) it falls below 0.1.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn import functional as F


class LeNetish(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 12, 3)
        self.fc1 = nn.Linear(12 * 4, 32)
        self.fc2 = nn.Linear(32, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = tg.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))


def batch(rng, size=24):
    labels = rng.integers(0, 3, size)
    images = rng.normal(0, 0.5, (size, 1, 12, 12))
    for i, label in enumerate(labels):
        if label == 0:
            images[i, 0, 3:9, 3:9] += 1
        elif label == 1:
            images[i, 0, :, 5:7] += 1
        else:
            np.fill_diagonal(images[i, 0], 2)
    return tg.tensor(images.astype("float32")), tg.tensor(labels)


def main():
    rng = np.random.default_rng(0)
    tg.manual_seed(0)
    model = LeNetish()
    optimizer = tg.optim.Adam(model.parameters(), lr=2.0)
    model.train()
    for i in range(30):
        data, target = batch(rng)
        optimizer.zero_grad()
        output = model(data)
        loss = F.cross_entropy(output, target)
        loss.backward()
        optimizer.step()
        print(f"[{i:2d}] loss: {loss.item():.3f}")


if __name__ == "__main__":
    main()
