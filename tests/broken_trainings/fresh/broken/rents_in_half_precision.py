"""The net computes in float16, where the square of an error of some hundreds is no number any more.

Reason: the squared errors overflow float16, whose largest number is 65504: the loss is inf and its root's
gradient 0; compute in float32, or scale the targets.
Line: model = make_model().half() || return ((predicted - rent) ** 2).mean().sqrt()
Words: float16|half, overflow|inf|65504|65, 504|65 504|range|too large|largest
Harm: the loss is inf and the weights never change, mended it falls from 500 to 20.
"""

import warnings

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn

warnings.filterwarnings("ignore")  # they fill the screen


def make_model():
    tg.manual_seed(10)
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))


def rmse(predicted, rent):
    return ((predicted - rent) ** 2).mean().sqrt()


gen = np.random.default_rng(10)
rooms = gen.integers(1, 5, (64, 1))
distance = gen.uniform(0, 1, (64, 1))  # to the centre, in units of 10 km
rents = 200 + 150 * rooms - 120 * distance + gen.normal(0, 20, (64, 1))

model = make_model().half()  # half the memory
dtype = next(model.parameters()).dtype
x = tg.tensor(np.concatenate([rooms - 2.5, distance - 0.5], axis=1)).to(dtype)
y = tg.tensor(rents).to(dtype)

optimizer = tg.optim.Adam(model.parameters(), lr=1.0, eps=1e-4)
for epoch in range(60):
    loss = rmse(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch:3d}  loss {loss.item():.1f}")

print("loss", loss.item(), "prediction for the first flat:", model(x[:1]).item(), "rent:", rents[0, 0])
