"""The loader hands out the same memory for every batch, and the batches are kept in a list.

Reason: tg.from_numpy shares the memory of self.block, which is filled anew for each batch: all batches in
the list show the last one's images, beside labels of their own; copy the block (or make a new array for
each batch).
Line: yield tg.from_numpy(self.block), tg.from_numpy(self.labels[rows])
Words: memory|buffer, batches, copy|copies
Harm: the loss stays at 0.682 and test accuracy 0.61 after 20 epochs; with self.block.copy() 0.002 and 1.0.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim


class FastBatches:
    """Batches of augmented images."""

    def __init__(self, images, labels, size, rng):
        self.images, self.labels, self.size, self.rng = images, labels, size, rng
        self.block = np.empty((size,) + images.shape[1:], dtype=np.float32)

    def __iter__(self):
        order = self.rng.permutation(len(self.images))
        for start in range(0, len(order) - self.size + 1, self.size):
            rows = order[start : start + self.size]
            np.take(self.images, rows, axis=0, out=self.block)
            self.block += 0.05 * self.rng.standard_normal(self.block.shape).astype(np.float32)
            yield tg.from_numpy(self.block), tg.from_numpy(self.labels[rows])


rng = np.random.default_rng(0)
tg.manual_seed(0)
images, labels = data.bars(700, seed=2)
images, labels = images.numpy(), labels.numpy()
batches = list(FastBatches(images[:500], labels[:500], 25, rng))

net = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(24, 2))
optimizer = optim.Adam(net.parameters(), lr=0.01)
for epoch in range(20):
    losses = []
    for xb, yb in batches:
        loss = tg.cross_entropy(net(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1:2d} loss {np.mean(losses):.3f}")

with tg.no_grad():
    guess = net(tg.from_numpy(images[500:])).data.argmax(1)
print("test accuracy", (guess == labels[500:]).mean())
