"""Healthy: finds the rare defect.

Finds the rare defect (5 %) on a plate (the last bias starts at the log odds, so nearly all is called
sound at first, and the weighted loss starts high: both are for the imbalance).
"""

import math

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

rng = np.random.default_rng(5)
tg.manual_seed(5)


def plates(n, share):
    x = rng.normal(0, 0.3, (n, 1, 12, 12)).astype(np.float32)
    y = (rng.random(n) < share).astype(np.float32)
    for i in np.flatnonzero(y):
        r, c = rng.integers(0, 9, 2)
        x[i, 0, np.arange(r, r + 4), np.arange(c, c + 4)] += 1.5  # a scratch
    return tg.from_numpy(x), tg.from_numpy(y)


share = 0.05
x_train, y_train = plates(1600, share)
x_test, y_test = plates(800, share)
print("defects in training:", int(y_train.sum().item()))

net = nn.Sequential(
    nn.Conv2d(1, 8, 5, padding=2),
    nn.ReLU(),
    nn.MaxPool2d(3),
    nn.Dropout2d(0.1),
    nn.Flatten(),
    nn.Linear(8 * 16, 16),
    nn.ReLU(),
    nn.Linear(16, 1),
)
nn.init.constant_(net[-1].bias, math.log(share / (1 - share)))
criterion = nn.BCEWithLogitsLoss(pos_weight=tg.tensor([10.0]))
optimizer = optim.RMSprop(net.parameters(), lr=1e-3, weight_decay=1e-4)
schedule = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)


def report(epoch, loss):
    net.eval()
    with tg.no_grad():
        called = net(x_test).squeeze(1).numpy() > 0
    truth = y_test.numpy() > 0.5
    recall = (called & truth).sum() / truth.sum()
    precision = (called & truth).sum() / max(called.sum(), 1)
    print(f"epoch {epoch}: loss {loss:.3f}, recall {recall:.2f}, precision {precision:.2f}")
    net.train()


for epoch in range(12):
    total, order = 0.0, rng.permutation(len(x_train))
    for chunk in np.array_split(order, 25):
        out = net(x_train[chunk]).squeeze(1)
        loss = criterion(out, y_train[chunk])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 25
    schedule.step()
    report(epoch, total)
