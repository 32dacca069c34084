"""The weight decay is so strong that it pulls all weights to 0.

Reason: weight_decay=0.3 outweighs the loss's gradients: the weights shrink to 0 and the output is the same
for every input; use something like 1e-4.
Line: opt = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.3)
Words: weight_decay|weight decay, shrink|nothing|to 0
Harm: the validation loss stays at 0.693 to 0.695, accuracy 0.487 to 0.513; with weight_decay=1e-4 0.0088
and 1.000 after 300 steps.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def moons(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    t = rng.uniform(0, np.pi, n)
    x = np.where(y == 0, np.cos(t), 1 - np.cos(t))
    h = np.where(y == 0, np.sin(t), 0.5 - np.sin(t))
    points = np.stack([x - 0.5, h - 0.25], 1) + 0.1 * rng.standard_normal((n, 2))
    return points.astype(np.float32), y.astype(np.float32)[:, None]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(2, 30)
        self.l2 = nn.Linear(30, 30)
        self.l3 = nn.Linear(30, 1)

    def forward(self, x):
        return self.l3(tg.relu(self.l2(tg.relu(self.l1(x)))))


tg.manual_seed(21)
x, y = (tg.from_numpy(a) for a in moons(500, 0))
vx, vy = (tg.from_numpy(a) for a in moons(300, 1))
net = Net()
loss_fn = nn.BCEWithLogitsLoss()
opt = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.3)
for step in range(1, 301):
    rows = np.random.default_rng(step).integers(0, len(x), 64)
    opt.zero_grad()
    loss = loss_fn(net(x[rows]), y[rows])
    loss.backward()
    opt.step()
    if step % 50 == 0:
        with tg.no_grad():
            out = net(vx)
        hits = ((out.data > 0) == (vy.data > 0.5)).mean()
        print(
            f"step {step:3d}  loss {loss.item():.4f}  "
            f"validation {loss_fn(out, vy).item():.4f}  accuracy {hits:.3f}"
        )
