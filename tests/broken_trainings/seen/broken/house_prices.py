"""The columns of the table are not normalised: square metres, years and incomes side by side.

Reason: the inputs are not normalised (values in the thousands, columns of very different scale);
standardise them to mean 0 and spread 1.
Line:
Words: normal|standardi|scale, input|data|batch|column|feature
Harm: the loss is 56,000 after 50 epochs, mended (standardised columns) 0.004.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def load_houses(count=200, seed=11):
    rng = np.random.default_rng(seed)
    area = rng.uniform(30, 250, count)
    year = rng.integers(1920, 2020, count)
    income = rng.normal(45_000, 9_000, count)
    rooms = rng.integers(1, 8, count)
    price = 0.01 * area + 0.02 * (year - 1970) + (income - 45_000) / 20_000 + 0.1 * rooms - 1.5
    table = np.stack([area, year, income, rooms], axis=1)
    return table.astype(np.float32), price.astype(np.float32)[:, None]


table, prices = load_houses()
features = tg.from_numpy(table)
targets = tg.from_numpy(prices)

tg.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
loss_function = nn.MSELoss()
optimizer = optim.Adam(model.parameters(), lr=0.01)

for epoch in range(50):
    prediction = model(features)
    loss = loss_function(prediction, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
