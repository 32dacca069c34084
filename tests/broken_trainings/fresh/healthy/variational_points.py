"""Healthy: a variational autoencoder, which samples in its forward, so the loss of the same input varies.

The loss is a sum over features and dimensions; it has two parts, of which the divergence grows at first.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn


class VAE(nn.Module):
    def __init__(self, features=6, latent=2):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(features, 24), nn.Tanh())
        self.mean = nn.Linear(24, latent)
        self.log_variance = nn.Linear(24, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, 24), nn.Tanh(), nn.Linear(24, features))

    def forward(self, x):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + tg.exp(0.5 * log_variance) * tg.randn_like(mean)
        return self.decoder(z), mean, log_variance


def negative_elbo(x, decoded, mean, log_variance):
    reconstruction = ((x - decoded) ** 2).sum(dim=1).mean()
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1).mean()
    return reconstruction + 0.1 * divergence, divergence


tg.manual_seed(36)
rng = np.random.default_rng(36)
angle = rng.uniform(0, 2 * np.pi, (200, 1))
data = np.cos(angle + np.arange(6)) + rng.normal(0, 0.05, (200, 6))
x = tg.tensor(data.astype(np.float32))

vae = VAE()
optimizer = tg.optim.Adam(vae.parameters(), lr=0.01)
for epoch in range(100):
    loss, divergence = negative_elbo(x, *vae(x))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1}: {loss.item():.3f}, of it 0.1 x {divergence.item():.3f}")
