"""Each day is standardised over its own three readings, instead of each reading over all days.

Reason: mean and standard deviation are taken over the features of a row, where the pressure of about 1000
outweighs the rest, so all inputs become nearly the same; normalise each column, with axis=0.
Line: mean = readings.mean(axis=1, keepdims=True) || return (readings - mean) / readings.std(
Words: axis=0|axis 0|axis 1|wrong axis|each row|per row|of a row|per sample|each sample|per feature|
each feature|per column|each column|nearly constant|almost constant|nearly the same|almost the same|
nearly equal|almost equal|nearly identical|almost identical|hardly vary|hardly differ|barely vary|
barely differ|little variation, normal|standard|mean|std|scal|input
Harm: the loss stays at 0.69, mended it falls to 0.03.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn


def standardise(readings):
    mean = readings.mean(axis=1, keepdims=True)
    return (readings - mean) / readings.std(axis=1, keepdims=True)


def weather(days, seed):
    """Temperature (C), pressure (hPa), humidity (0..1), and whether it rains."""
    rng = np.random.default_rng(seed)
    temperature = rng.normal(15, 8, days)
    pressure = rng.normal(1013, 9, days)
    humidity = rng.uniform(0.2, 1.0, days)
    wet = (1013 - pressure) / 9 + (humidity - 0.6) * 5 + (15 - temperature) / 16
    return np.stack([temperature, pressure, humidity], axis=1), (wet > 0).astype(np.float32)


class RainNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(3, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.hidden(x).relu()).squeeze(1)


readings, rain = weather(days=120, seed=14)
x = tg.tensor(standardise(readings).astype(np.float32))
y = tg.tensor(rain)
tg.manual_seed(14)
net = RainNet()
optimizer = tg.optim.Adam(net.parameters(), lr=0.02)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(80):
    optimizer.zero_grad()
    loss = loss_fn(net(x), y)
    loss.backward()
    optimizer.step()
    if epoch % 20 == 19:
        hits = ((net(x) > 0).float() == y).float().mean().item()
        print(f"epoch {epoch + 1}  loss {loss.item():.3f}  days right {hits:.2f}")
