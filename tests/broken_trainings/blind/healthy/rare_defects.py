"""Healthy: one of 15 examples is of class 1, there is a dropout, and the classes' weights are unequal.

The rare class has a weight of (1 - share) / share in the loss, and dropout is switched off while testing
and on again afterwards.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.utils.data import DataLoader, TensorDataset


def parts(n, rng, share=0.06):
    """Pictures of parts; a few have a scratch."""
    defect = (rng.random(n) < share).astype(np.int64)
    pictures = 0.3 * rng.standard_normal((n, 1, 10, 10))
    for picture, bad in zip(pictures, defect):
        if bad:
            r, c = rng.integers(0, 6, 2)
            for k in range(5):
                picture[0, r + k, c + k] += 1.5
    return pictures.astype(np.float32), defect


def report(net, x, y):
    net.eval()
    with tg.no_grad():
        guess = net(tg.from_numpy(x)).data.argmax(1)
    net.train()
    return (guess[y == 1] == 1).mean(), (guess[y == 0] == 0).mean()


rng = np.random.default_rng(12)
tg.manual_seed(12)
x, y = parts(1500, rng)
x_test, y_test = parts(800, rng)
print("defects:", y.mean())
net = nn.Sequential(
    nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(5), nn.Flatten(), nn.Dropout(0.2), nn.Linear(32, 2)
)
weight = tg.tensor([1.0, float((1 - y.mean()) / y.mean())])
criterion = nn.CrossEntropyLoss(weight=weight)
optimizer = optim.Adam(net.parameters(), lr=0.005)
for epoch in range(1, 16):
    total = 0.0
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 3 == 0:
        found, passed = report(net, x_test, y_test)
        print(
            f"epoch {epoch}: loss {total / 30:.4f}, defects found {found:.3f}, good parts passed {passed:.3f}"
        )
