"""Some readings are missing, NaN in the table: the loss and then all weights become NaN.

Reason: the inputs contain NaN (missing values in the data), which makes the loss and all parameters NaN in
the first epoch; fill them in or leave the rows out.
Line:
Words: nan, input|data|batch|column|feature
Harm: all weights are NaN within the first epoch, mended (0 for missing) the loss falls to 0.3.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.data import DataLoader, Dataset
from tinygrad_conv.optim import RMSprop


class Stations(Dataset):
    """Seven measurements at a weather station; a few were not taken."""

    def __init__(self, count=256):
        rng = np.random.default_rng(19)
        self.measured = rng.normal(0, 1, (count, 7)).astype(np.float32)
        self.rain = (np.abs(self.measured[:, :1]) + 0.5 * self.measured[:, 2:3]).astype(np.float32)
        self.measured[rng.random((count, 7)) < 0.01] = np.nan

    def __len__(self):
        return len(self.rain)

    def __getitem__(self, index):
        return self.measured[index], self.rain[index]


class Forecast(nn.Module):
    def __init__(self):
        super().__init__()
        self.stack = nn.Sequential(nn.Linear(7, 32), nn.LeakyReLU(), nn.Linear(32, 1))

    def forward(self, measured):
        return self.stack(measured)


if __name__ == "__main__":
    tg.manual_seed(19)
    forecast = Forecast()
    optimizer = RMSprop(forecast.parameters(), lr=0.003)
    criterion = nn.L1Loss()
    for epoch in range(4):
        for measured, rain in DataLoader(Stations(), batch_size=32, shuffle=True):
            loss = criterion(forecast(measured), rain)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print("epoch", epoch, "loss", loss.item())
