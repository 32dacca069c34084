"""Healthy: a U-Net whose loss is the sum over all pixels, with a learning rate made for a sum.

The gradients are thousands of times those of a mean, and the rate is as much smaller.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def double_conv(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = double_conv(1, 6)
        self.bottom = double_conv(6, 12)
        self.up = nn.ConvTranspose2d(12, 6, 2, stride=2)
        self.decode = double_conv(12, 6)
        self.out = nn.Conv2d(6, 1, 1)

    def forward(self, x):
        high = self.encode(x)
        low = self.bottom(nn.functional.max_pool2d(high, 2))
        return self.out(self.decode(tg.cat([self.up(low), high], dim=1)))


def discs(rng, count=8, size=12):
    grid = np.arange(size)
    centre = rng.integers(3, size - 3, (count, 2))
    distance = np.hypot(grid[:, None] - centre[:, 0, None, None], grid - centre[:, 1, None, None])
    masks = (distance < 3).astype(np.float32)[:, None]
    images = masks + rng.normal(0, 0.4, masks.shape).astype(np.float32)
    return tg.tensor(images), tg.tensor(masks)


tg.manual_seed(28)
rng = np.random.default_rng(28)
model = UNet()
criterion = nn.BCEWithLogitsLoss(reduction="sum")
optimizer = optim.SGD(model.parameters(), lr=2e-4, momentum=0.9)
for step in range(25):
    images, masks = discs(rng)
    loss = criterion(model(images), masks)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 5 == 4:
        print("step", step + 1, "loss per pixel", loss.item() / masks.numel())
