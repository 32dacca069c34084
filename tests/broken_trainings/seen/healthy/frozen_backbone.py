"""Healthy: the backbone is frozen on purpose and not in the optimizer; the head alone learns.

Most of the parameters have no gradient and do not move, as in any transfer learning.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class Features(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 24, 3, stride=2, padding=1)

    def forward(self, x):
        x = tg.relu(self.conv1(x))
        return tg.relu(self.conv2(x)).mean(dim=(2, 3))


class Transfer(nn.Module):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(24, classes)

    def forward(self, x):
        return self.head(self.backbone(x))


tg.manual_seed(2)
backbone = Features()
for parameter in backbone.parameters():
    parameter.requires_grad = False

model = Transfer(backbone, classes=3)
optimizer = optim.Adam(model.head.parameters(), lr=0.05)
criterion = nn.CrossEntropyLoss()

rng = np.random.default_rng(2)
for step in range(40):
    labels = rng.integers(0, 3, 48)
    images = rng.normal(0, 0.5, (48, 3, 8, 8)).astype(np.float32)
    images[np.arange(48), labels] += 1.5
    loss = criterion(model(tg.tensor(images)), tg.tensor(labels))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
