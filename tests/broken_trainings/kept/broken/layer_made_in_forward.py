"""A layer is made inside forward(), anew at each call, with new random weights each time.

Reason: the Linear layer is created in forward, so its weights are random and new in every step, not
registered in the module and never trained by the optimizer; make it in __init__.
Line: projection = nn.Linear(x.shape[1], 32)
Words: created|made|new|every|each|forward, layer|parameter|weight|regist|module
Harm: the loss stays near log 4 = 1.38, mended it falls to 0.000005.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 12, 3)
        self.out = nn.Linear(32, 4)

    def forward(self, x):
        x = tg.relu(self.conv1(x))
        x = tg.relu(self.conv2(x))
        x = tg.flatten(x, 1)
        projection = nn.Linear(x.shape[1], 32)
        return self.out(tg.relu(projection(x)))


def arrows(rng, count=32):
    labels = rng.integers(0, 4, count)
    images = rng.normal(0, 0.2, (count, 1, 8, 8)).astype(np.float32)
    triangle = np.tril(np.ones((8, 8), np.float32))
    for image, label in zip(images, labels):
        image[0] += np.rot90(triangle, label) - 0.5
    return tg.from_numpy(images), tg.from_numpy(labels)


def main():
    tg.manual_seed(13)
    rng = np.random.default_rng(13)
    net = Net()
    optimizer = optim.Adam(net.parameters(), lr=0.005)
    criterion = nn.CrossEntropyLoss()
    running = []
    for _ in range(40):
        images, labels = arrows(rng)
        optimizer.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        optimizer.step()
        running.append(loss.item())
    print("mean of the last ten", np.mean(running[-10:]))


if __name__ == "__main__":
    main()
