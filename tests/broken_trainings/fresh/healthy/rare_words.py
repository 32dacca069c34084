"""Healthy: a large vocabulary of which each batch meets a few words, so most rows have a gradient of zero.

Nine of ten rows of the embedding do not move in a step, and some words never come at all.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

WORDS = 1000
rng = np.random.default_rng(41)
frequency = 1 / np.arange(1, WORDS + 1)
frequency /= frequency.sum()
friendly = rng.integers(0, 2, WORDS)


class Sentiment(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 8)
        self.out = nn.Linear(8, 1)

    def forward(self, words):
        return self.out(self.embedding(words).mean(dim=1)).squeeze(1)


tg.manual_seed(41)
model = Sentiment()
criterion = nn.BCEWithLogitsLoss()
optimizer = optim.Adagrad(model.parameters(), lr=0.3)
losses = []
for step in range(80):
    words = rng.choice(WORDS, (32, 5), p=frequency)
    liked = (friendly[words].mean(axis=1) > 0.5).astype(np.float32)
    optimizer.zero_grad()
    loss = criterion(model(tg.tensor(words)), tg.tensor(liked))
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"first ten {np.mean(losses[:10]):.3f}, last ten {np.mean(losses[-10:]):.3f}")
