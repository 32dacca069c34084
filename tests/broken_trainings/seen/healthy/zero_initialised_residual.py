"""Healthy: the last norm of each residual branch has a scale of zero: a block starts as the identity.

In the first step the branches add nothing and their convolutions get no gradient at all; the second step
wakes them.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn import functional as F


class BasicBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.bn2.weight)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + x)


class TinyResNet(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.layer1 = BasicBlock(8)
        self.layer2 = BasicBlock(8)
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        x = self.layer2(self.layer1(self.stem(x)))
        return self.fc(x.mean(dim=(2, 3)))


def textures(rng, count=24):
    labels = rng.integers(0, 3, count)
    images = rng.normal(0, 0.5, (count, 1, 8, 8)).astype(np.float32)
    images[labels == 1, :, ::2] += 1
    images[labels == 2, :, :, ::2] += 1
    return tg.tensor(images), tg.tensor(labels)


rng = np.random.default_rng(8)
tg.manual_seed(8)
model = TinyResNet()
optimizer = tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for step in range(30):
    images, labels = textures(rng)
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
