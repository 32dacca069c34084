"""Healthy: the domain loss does not fall, and a detach stands in the forward: gradient reversal.

reverse_gradient has the value h and the gradient -strength, so that the features become useless for the
domain on purpose: its loss should stay near ln 2.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def reverse_gradient(h, strength):
    return (1 + strength) * h.detach() - strength * h


class DomainNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 8), nn.Tanh())
        self.label_head = nn.Linear(8, 2)
        self.domain_head = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x, strength):
        h = self.features(x)
        return self.label_head(h), self.domain_head(reverse_gradient(h, strength))


def sample(n, domain, rng):
    y = rng.integers(0, 2, n)
    x = rng.standard_normal((n, 4))
    x[:, 0] += 2.5 * (2 * y - 1)
    x[:, 3] += 2.0 * (2 * domain - 1)
    return tg.from_numpy(x.astype(np.float32)), tg.from_numpy(y)


tg.manual_seed(2)
rng = np.random.default_rng(2)
net = DomainNet()
optimizer = optim.Adam(net.parameters(), lr=3e-3)
ce = nn.CrossEntropyLoss()
domains = tg.from_numpy(np.repeat([0, 1], 64))
for step in range(1, 601):
    (xs, ys), (xt, _) = sample(64, 0, rng), sample(64, 1, rng)
    label_logits, domain_logits = net(tg.cat([xs, xt]), strength=min(1.0, step / 300))
    label_loss = ce(label_logits[:64], ys)
    domain_loss = ce(domain_logits, domains)
    optimizer.zero_grad()
    (label_loss + domain_loss).backward()
    optimizer.step()
    if step % 100 == 0:
        x, y = sample(500, 1, rng)
        with tg.no_grad():
            hits = (net(x, 1.0)[0].argmax(1) == y).float().mean().item()
        print(
            f"step {step}: label {label_loss.item():.3f}, domain {domain_loss.item():.3f}, "
            f"other domain {hits:.3f}"
        )
