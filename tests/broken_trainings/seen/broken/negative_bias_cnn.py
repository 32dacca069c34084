"""Every unit of the convolution is dead: its bias is initialised so low that the ReLU never opens.

Reason: the first ReLU gives zero for every input (dead ReLU units), so nothing before it gets a gradient;
the bias of the convolution starts at -5, initialise it near zero.
Line: self.conv = nn.Conv2d(1, 8, 3, padding=1) || F.relu(self.conv(x)) || constant_(self.conv.bias
Words: dead|always zero|all zero|never active|only zeros|100%, relu|unit
Harm: the loss stays at log 2 = 0.69, mended (bias 0) it falls to 0.01.
"""

import numpy as np

import tinygrad_conv as tg
import tinygrad_conv.nn as nn
import tinygrad_conv.nn.functional as F


class StripeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(8 * 4 * 4, 2)
        nn.init.constant_(self.conv.bias, -5.0)

    def forward(self, x):
        x = self.pool(F.relu(self.conv(x)))
        return self.fc(x.flatten(1))


def stripes(count, rng):
    """Images of 8x8 with a horizontal (0) or a vertical (1) stripe."""
    images = rng.normal(0, 0.1, (count, 1, 8, 8)).astype(np.float32)
    labels = rng.integers(0, 2, count)
    for image, label in zip(images, labels):
        place = rng.integers(0, 8)
        if label:
            image[0, :, place] += 1
        else:
            image[0, place, :] += 1
    return tg.tensor(images), tg.tensor(labels)


def main():
    tg.manual_seed(1)
    rng = np.random.default_rng(1)
    net = StripeNet()
    optimizer = tg.optim.Adam(net.parameters(), lr=0.01)
    for step in range(40):
        images, labels = stripes(32, rng)
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("loss", round(loss.item(), 4))


if __name__ == "__main__":
    main()
