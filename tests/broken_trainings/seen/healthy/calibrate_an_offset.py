"""Healthy: the target is one and the same number for all samples, and a bias alone is fitted to it.

The targets are constant and the loss falls to the noise of the readings: a calibration, nothing more is to
be learnt.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn


class Sensor(nn.Module):
    """Adds an offset, the only thing that is unknown, to each reading."""

    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(tg.zeros(1))

    def forward(self, readings):
        return readings + self.offset


rng = np.random.default_rng(9)
sensor = Sensor()
optimizer = tg.optim.SGD(sensor.parameters(), lr=0.1)
reference = tg.full((16, 1), 1.0)  # a bath of known temperature
for step in range(50):
    readings = tg.tensor(rng.normal(0.25, 0.02, (16, 1)).astype(np.float32))
    loss = nn.functional.mse_loss(sensor(readings), reference)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("offset", sensor.offset.item(), "loss", loss.item())
