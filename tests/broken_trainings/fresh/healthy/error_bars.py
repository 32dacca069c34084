"""Healthy: the net predicts a mean and a spread, and its loss, a log-likelihood of densities, falls below 0.

A density may be larger than 1, so a negative loss is nothing wrong.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def gaussian_nll(mean, log_std, y):
    return (log_std + 0.5 * ((y - mean) / log_std.exp()) ** 2).mean()


gen = np.random.default_rng(43)
position = gen.uniform(-1, 1, (200, 1))
height = 0.4 * np.sin(3 * position) + gen.normal(size=(200, 1)) * (0.03 + 0.05 * (position > 0))
x, y = tg.tensor(position.astype(np.float32)), tg.tensor(height.astype(np.float32))

tg.manual_seed(43)
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 2))
opt = optim.Adam(net.parameters(), lr=0.02)
schedule = optim.lr_scheduler.CosineAnnealingLR(opt, T_max=120)
for epoch in range(120):
    mean, log_std = net(x).chunk(2, dim=1)
    loss = gaussian_nll(mean, log_std, y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    schedule.step()
    if epoch % 30 == 29:
        print(epoch + 1, round(loss.item(), 4))
