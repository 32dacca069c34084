"""Healthy: [N, 1] - [N] broadcasts to [N, N], on purpose: every pair of documents is compared.

A ranking loss needs the matrix of all differences of scores, beside that of the relevances.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def documents(n, rng):
    x = rng.standard_normal((n, 8)).astype(np.float32)
    relevance = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.3 * np.abs(x[:, 3])
    return tg.from_numpy(x), tg.from_numpy(relevance.astype(np.float32))


class Scorer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
        )

    def forward(self, x):
        return self.layers(x)


def ranking_loss(scores, relevance):
    ahead = scores - scores.squeeze(1)
    better = (relevance.unsqueeze(1) > relevance).float()
    return (better * nn.functional.softplus(-ahead)).sum() / better.sum()


def in_order(scores, relevance):
    s, r = scores.data[:, 0], relevance.data
    truth = r[:, None] > r
    return ((s[:, None] > s) & truth).sum() / truth.sum()


tg.manual_seed(9)
rng = np.random.default_rng(9)
test_x, test_r = documents(300, rng)
model = Scorer()
optimizer = optim.Adam(model.parameters(), lr=0.003)
for step in range(1, 601):
    x, relevance = documents(48, rng)
    loss = ranking_loss(model(x), relevance)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        with tg.no_grad():
            share = in_order(model(test_x), test_r)
        print(f"step {step}: loss {loss.item():.4f}, pairs in order {share:.3f}")
