"""Everything is float16, and the squares of the errors go beyond 65504, its largest number: the loss is inf.

Reason: float16 overflows (numbers above 65504 become inf) in the squared error, so the loss is inf and the
parameters become NaN; compute the loss in float32 or scale the targets.
Line: return (error**2).mean()
Words: float16|half, overflow|inf|65504|range
Harm: the loss is inf and then NaN, mended (targets / 100) it falls to 1.5.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn


def squared_error(prediction, target):
    error = prediction - target
    return (error**2).mean()


class Consumption(nn.Module):
    """Watts of a house from temperature, hour and persons, all standardised."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x):
        return self.body(x)


def houses(count=64):
    rng = np.random.default_rng(11)
    x = rng.normal(0, 1, (count, 3))
    watts = 600 + 120 * x[:, :1] - 80 * x[:, 1:2] + 10 * rng.normal(0, 1, (count, 1))
    return tg.tensor(x.astype(np.float16)), tg.tensor(watts.astype(np.float16))


tg.manual_seed(11)
model = Consumption().half()
optimizer = tg.optim.SGD(model.parameters(), lr=1e-2)
x, watts = houses()
for epoch in range(20):
    loss = squared_error(model(x), watts)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
