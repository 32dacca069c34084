"""The model ends in a ReLU, but half of the targets are negative: it can never predict them.

Reason: the output layer's ReLU cannot give negative numbers, while the targets go below zero (range of the
output does not reach the targets); remove the last activation.
Line: return F.relu(self.output(x)) || target = weather[:, 3:]
Words: output|last|final|predict, negative|below|range|reach, target|relu
Harm: the loss stops at 0.40, mended it falls to 0.005.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn import functional as F


class WeatherNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(3, 24)
        self.output = nn.Linear(24, 1)

    def forward(self, x):
        x = F.relu(self.hidden(x))
        return F.relu(self.output(x))


def make_weather(days=300, seed=14):
    """Three measurements of a day and the standardised temperature of the next one."""
    rng = np.random.default_rng(seed)
    measured = rng.normal(0, 1, (days, 3))
    tomorrow = 0.8 * measured[:, :1] - 0.5 * measured[:, 1:2] + 0.05 * rng.normal(0, 1, (days, 1))
    return tg.tensor(np.hstack([measured, tomorrow]).astype(np.float32))


tg.manual_seed(14)
weather = make_weather()
features = weather[:, :3]
target = weather[:, 3:]
model = WeatherNet()
optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(50):
    loss = F.mse_loss(model(features), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 10 == 9:
        print(epoch + 1, loss.item())
