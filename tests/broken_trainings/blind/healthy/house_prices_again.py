"""Healthy: prices of houses in euros, float64.

Prices of houses in euros, float64 (losses of ten thousand millions and gradients to match: the error is
in euros squared, the net scales its output itself and Adam does not mind).
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

rng = np.random.default_rng(0)
tg.manual_seed(0)

n = 800
area = rng.uniform(40, 250, n)
rooms = np.round(area / 30 + rng.normal(0, 0.7, n)).clip(1)
year = rng.integers(1900, 2024, n)
centre = rng.exponential(6, n)
price = (
    2500 * area * np.exp(-centre / 12) * (1 + 0.004 * (year - 1960)) + 9000 * rooms + rng.normal(0, 8000, n)
)

table = np.stack([area, rooms, year, centre], 1)
train, test = np.arange(n) < 600, np.arange(n) >= 600


class PriceNet(nn.Module):
    def __init__(self, x, y):
        super().__init__()
        self.register_buffer("x_mean", tg.from_numpy(x.mean(0)))
        self.register_buffer("x_std", tg.from_numpy(x.std(0)))
        self.register_buffer("y_mean", tg.tensor(np.array(y.mean())))
        self.register_buffer("y_std", tg.tensor(np.array(y.std())))
        self.mlp = nn.Sequential(
            nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        ).double()

    def forward(self, x):
        z = self.mlp((x - self.x_mean) / self.x_std)
        return z.squeeze(1) * self.y_std + self.y_mean


net = PriceNet(table[train], price[train])
x, y = tg.from_numpy(table[train]), tg.from_numpy(price[train])
x_test, y_test = tg.from_numpy(table[test]), tg.from_numpy(price[test])
optimizer = optim.Adam(net.parameters(), lr=0.01)
schedule = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=15)

for epoch in range(150):
    order = tg.randperm(len(x))
    losses = []
    for k in range(0, len(x), 100):
        pick = order[k : k + 100]
        loss = tg.mse_loss(net(x[pick]), y[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    schedule.step(np.mean(losses))
    if epoch % 25 == 24:
        with tg.no_grad():
            error = (net(x_test) - y_test).abs().mean().item()
        print(
            f"epoch {epoch + 1}: MSE {np.mean(losses):.3e}, "
            f"off by {error:,.0f} euros (prices spread by {price.std():,.0f})"
        )
