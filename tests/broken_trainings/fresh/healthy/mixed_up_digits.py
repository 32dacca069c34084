"""Healthy: two images and their labels are mixed (mixup), so the targets are no classes but shares of two.

The cross-entropy on soft labels cannot come near 0, and no image of the training is a whole digit.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.nn import functional as F

CLASSES = 4


def strokes(rng, count):
    images = rng.normal(0, 0.2, (count, 1, 6, 6)).astype(np.float32)
    labels = rng.integers(0, CLASSES, count)
    for image, label in zip(images[:, 0], labels):
        image[1 + label] += 1.0
    return images, np.eye(CLASSES, dtype=np.float32)[labels]


def mixup(images, targets, rng):
    share = np.float32(rng.beta(0.4, 0.4))
    other = rng.permutation(len(images))
    mixed_images = share * images + (1 - share) * images[other]
    mixed_targets = share * targets + (1 - share) * targets[other]
    return tg.tensor(mixed_images), tg.tensor(mixed_targets)


rng = np.random.default_rng(32)
tg.manual_seed(32)
net = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, CLASSES)
)
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
images, targets = strokes(rng, 128)
for epoch in range(8):
    net.train()
    order = rng.permutation(len(images))
    for part in np.split(order, 4):
        x, y = mixup(images[part], targets[part], rng)
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss of the mixtures", loss.item())

net.eval()
test_images, test_targets = strokes(rng, 100)
with tg.no_grad():
    guesses = net(tg.tensor(test_images)).argmax(dim=1).numpy()
print("accuracy", (guesses == test_targets.argmax(axis=1)).mean())
