"""All parameters are frozen after the new head was put in, so the head that should learn is frozen too.

Reason: the parameters of the new head have requires_grad=False too although the optimizer has them, so
almost nothing of the model learns; freeze first and replace the head after it, or set requires_grad on it.
Line: parameter.requires_grad = False
Words: frozen|freez|requires_grad=False
Harm: the loss stays at log 3 = 1.1, mended (the head learns) it falls to 0.5.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn import functional as F


class Backbone(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.body = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.scale = nn.Parameter(tg.ones(1))
        self.fc = nn.Linear(16, classes)

    def forward(self, x):
        x = F.relu(self.stem(x))
        x = F.relu(self.body(x)).mean(dim=(2, 3))
        return self.fc(x) * self.scale


def pretrained():
    tg.manual_seed(0)
    return Backbone(classes=10)


def tinted(rng, count=32):
    labels = rng.integers(0, 3, count)
    images = rng.normal(0, 0.5, (count, 3, 6, 6))
    images[np.arange(count), labels] += 1.5
    return tg.tensor(images, dtype=tg.float32), tg.tensor(labels)


model = pretrained()
model.fc = nn.Linear(16, 3)
for name, parameter in model.named_parameters():
    if name != "scale":
        parameter.requires_grad = False

optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
rng = np.random.default_rng(1)
for step in range(40):
    images, labels = tinted(rng)
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print("step", step, "loss", loss.item())
print("last loss", loss.item())
