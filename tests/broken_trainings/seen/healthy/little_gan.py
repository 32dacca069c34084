"""Healthy: a generator and a discriminator, each with its optimizer, one detached from the other in its turn.

While the generator learns, the discriminator collects gradients that are thrown away, and the losses do not
fall.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

tg.manual_seed(4)

generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
discriminator = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
optimizer_g = optim.Adam(generator.parameters(), lr=0.005, betas=(0.5, 0.999))
optimizer_d = optim.Adam(discriminator.parameters(), lr=0.005, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
real_label, fake_label = tg.ones(64, 1), tg.zeros(64, 1)


def real_samples(count):
    angle = 6.28318 * tg.rand(count)
    return tg.stack([tg.cos(angle), tg.sin(angle)], dim=1) + 0.05 * tg.randn(count, 2)


for step in range(40):
    fake = generator(tg.randn(64, 4))

    optimizer_d.zero_grad()
    loss_d = criterion(discriminator(real_samples(64)), real_label)
    loss_d = loss_d + criterion(discriminator(fake.detach()), fake_label)
    loss_d.backward()
    optimizer_d.step()

    optimizer_g.zero_grad()
    loss_g = criterion(discriminator(fake), real_label)
    loss_g.backward()
    optimizer_g.step()

print("discriminator", loss_d.item(), "generator", loss_g.item())
