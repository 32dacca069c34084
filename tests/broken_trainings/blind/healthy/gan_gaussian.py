"""Healthy: a GAN: its losses do not fall, fake is detached, each optimiser has a part of the parameters.

D and G are trained against each other: at the balance D's loss is 2 ln 2 = 1.386 and G's ln 2 = 0.693.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

tg.manual_seed(0)
BATCH, NOISE = 128, 4


def real(n):
    return 3.0 + 0.5 * tg.randn(n, 1)


G = nn.Sequential(nn.Linear(NOISE, 32), nn.ReLU(), nn.Linear(32, 1))
D = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
g_optimizer = optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_optimizer = optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
ones, zeros = tg.ones(BATCH, 1), tg.zeros(BATCH, 1)

for step in range(1, 1001):
    fake = G(tg.randn(BATCH, NOISE))
    d_loss = criterion(D(real(BATCH)), ones) + criterion(D(fake.detach()), zeros)
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    g_loss = criterion(D(fake), ones)
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()

    if step == 1 or step % 250 == 0:
        with tg.no_grad():
            sample = G(tg.randn(2000, NOISE)).data
        print(
            f"step {step}: D {d_loss.item():.3f}, G {g_loss.item():.3f}, "
            f"mean {sample.mean():.3f}, spread {sample.std():.3f}"
        )
