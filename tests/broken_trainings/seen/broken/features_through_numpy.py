"""The features are taken out with .detach().numpy() and wrapped anew, which cuts the encoder from the loss.

Reason: the encoder's parameters never get a gradient, because the tape is cut where its features are
detached and made a new tensor; normalise them with the framework's own functions.
Line: values = features.detach().numpy()
Words: detach|cut|new tensor|numpy, gradient
Harm: the loss stays near 0.93, mended it falls to 0.35.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(4, 8, 3, stride=2, padding=1)

    def forward(self, x):
        x = tg.relu(self.conv1(x))
        return tg.relu(self.conv2(x)).flatten(1)


def standardize(features):
    values = features.detach().numpy()
    values = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-5)
    return tg.tensor(values)


def blobs(rng, count=32):
    labels = rng.integers(0, 4, count)
    images = rng.normal(0, 0.6, (count, 1, 8, 8)).astype(np.float32)
    for image, label in zip(images, labels):
        row, column = divmod(int(label), 2)
        image[0, 4 * row + 1 : 4 * row + 3, 4 * column + 1 : 4 * column + 3] += 1.0
    return tg.from_numpy(images), tg.from_numpy(labels)


def train(steps=50):
    rng = np.random.default_rng(5)
    tg.manual_seed(5)
    encoder, head = Encoder(), nn.Linear(32, 4)
    optimizer = optim.SGD(list(encoder.parameters()) + list(head.parameters()), lr=0.1)
    losses = []
    for step in range(steps):
        images, labels = blobs(rng)
        logits = head(standardize(encoder(images)))
        loss = nn.functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step % 5 == 0:
            print(step, loss.item())
    print("mean of the last ten:", sum(losses[-10:]) / 10)


train()
