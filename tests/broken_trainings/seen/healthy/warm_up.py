"""Healthy: the learning rate starts at 1e-6 and is warmed up to its full size within the first steps.

The first updates are as good as nothing; by the tenth step they are of the usual size.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.nn import functional as F

WARM_UP_STEPS = 8


def rate(step):
    return min(1.0, max(1e-4, step / WARM_UP_STEPS))


def crosses(rng, count=32):
    """Plus signs (0) and multiplication signs (1) in noise."""
    images = rng.normal(0, 0.3, (count, 1, 9, 9)).astype(np.float32)
    labels = rng.integers(0, 2, count)
    for image, label in zip(images[:, 0], labels):
        if label:
            image[np.arange(9), np.arange(9)] += 1
            image[np.arange(9), 8 - np.arange(9)] += 1
        else:
            image[4] += 1
            image[:, 4] += 1
    return tg.tensor(images), tg.tensor(labels)


def main():
    tg.manual_seed(1)
    rng = np.random.default_rng(1)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2),
        nn.GELU(),
        nn.Conv2d(8, 8, 3),
        nn.GELU(),
        nn.Flatten(),
        nn.Linear(32, 2),
    )
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, rate)
    for _ in range(40):
        images, labels = crosses(rng)
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    print("loss", loss.item())


if __name__ == "__main__":
    main()
