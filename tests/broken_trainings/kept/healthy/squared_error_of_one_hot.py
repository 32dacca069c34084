"""Healthy: a CNN is trained with the mean squared error of one-hot targets; not the usual loss, but it works.

The outputs are of the targets' shape and reach their range.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn import functional as F


class SmallCNN(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.fc = nn.Linear(8 * 9, classes)

    def forward(self, x):
        x = F.max_pool2d(tg.relu(self.conv(x)), 2)
        return self.fc(x.reshape(x.shape[0], -1))


def shapes(rng, count=32):
    labels = rng.integers(0, 3, count)
    images = rng.normal(0, 0.3, (count, 1, 8, 8)).astype(np.float32)
    images[labels == 0, :, 2:6, 2:6] += 1
    images[labels == 1, :, 3:5] += 1
    images[labels == 2, :, :, 3:5] += 1
    return tg.tensor(images), tg.tensor(labels)


tg.manual_seed(25)
rng = np.random.default_rng(25)
model = SmallCNN()
optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
for step in range(40):
    images, labels = shapes(rng)
    loss = F.mse_loss(model(images), F.one_hot(labels, 3).float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
