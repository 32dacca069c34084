"""Healthy: a CNN on shapes with micro-batches of 16 and an average of its weights.

A CNN on shapes with micro-batches of 16 and an average of its weights (gradients are cleared only after
every fourth backward: the losses are divided by four, so it is one step on 64).
"""

import copy

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim

tg.manual_seed(0)
images, labels = data.shapes(1200, seed=1)
train = data.TensorDataset(images[:960], labels[:960])
test_images, test_labels = images[960:], labels[960:]
loader = data.DataLoader(train, batch_size=16, shuffle=True)
augment = data.transforms.RandomHorizontalFlip()

net = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(24 * 16, len(data.SHAPES)),
)
averaged = copy.deepcopy(net)
optimizer = optim.Adam(net.parameters(), lr=6e-3)
ACCUMULATE, DECAY = 4, 0.9


def accuracy(model):
    model.eval()
    with tg.no_grad():
        right = model(test_images).argmax(1) == test_labels
    model.train()
    return float(np.mean(right.data))


optimizer.zero_grad()
for epoch in range(8):
    running = 0.0
    for i, (x, y) in enumerate(loader):
        loss = tg.cross_entropy(net(augment(x)), y) / ACCUMULATE
        loss.backward()
        running += loss.item() * ACCUMULATE
        if (i + 1) % ACCUMULATE == 0:
            optimizer.step()
            optimizer.zero_grad()
            with tg.no_grad():
                for slow, fast in zip(averaged.parameters(), net.parameters()):
                    slow.mul_(DECAY).add_(fast, alpha=1 - DECAY)
    print(
        f"epoch {epoch}: loss {running / len(loader):.3f}, "
        f"test {accuracy(net):.3f}, averaged {accuracy(averaged):.3f}"
    )
