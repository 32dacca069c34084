"""Healthy: a small GAN learns points around.

A small GAN learns points around (2, -1) (neither loss falls, both stay near where a coin is: that is the
balance the two play for).
"""

import numpy as np

import tinygrad_conv as tg
import tinygrad_conv.nn.functional as F
from tinygrad_conv import nn, optim

tg.manual_seed(0)
rng = np.random.default_rng(0)
CENTRE = np.array([2.0, -1.0])


def real_points(n):
    return tg.from_numpy((CENTRE + 0.5 * rng.normal(size=(n, 2))).astype(np.float32))


generator = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
critic = nn.Sequential(
    nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)
)
opt_g = optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.999))
BATCH = 64
ones, zeros = tg.ones(BATCH, 1), tg.zeros(BATCH, 1)


def distance():
    with tg.no_grad():
        fake = generator(tg.randn(500, 4)).numpy()
    return np.linalg.norm(fake.mean(0) - CENTRE)


print(f"before: mean is off by {distance():.2f}")
for step in range(1000):
    # the critic
    fake = generator(tg.randn(BATCH, 4)).detach()
    loss_d = F.binary_cross_entropy_with_logits(critic(real_points(BATCH)), ones)
    loss_d = loss_d + F.binary_cross_entropy_with_logits(critic(fake), zeros)
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    # the generator
    loss_g = F.binary_cross_entropy_with_logits(critic(generator(tg.randn(BATCH, 4))), ones)
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 250 == 249:
        print(f"{step + 1}: D {loss_d.item():.3f}  G {loss_g.item():.3f}  mean off by {distance():.2f}")
