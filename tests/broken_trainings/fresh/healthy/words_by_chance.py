"""Healthy: each next word is drawn by chance from four, so the loss stops at log 4 = 1.386.

It falls from 3 to about 1.4 and then no further, which is the entropy of the language itself.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

VOCABULARY = 20
rng = np.random.default_rng(31)
followers = np.array([rng.choice(VOCABULARY, 4, replace=False) for _ in range(VOCABULARY)])


def text(sentences, length):
    words = np.empty((sentences, length), dtype=np.int64)
    words[:, 0] = rng.integers(0, VOCABULARY, sentences)
    for place in range(1, length):
        words[:, place] = followers[words[:, place - 1], rng.integers(0, 4, sentences)]
    return tg.tensor(words)


tg.manual_seed(31)
model = nn.Sequential(nn.Embedding(VOCABULARY, 16), nn.Linear(16, VOCABULARY))
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.05)

for step in range(60):
    words = text(32, 12)
    scores = model(words[:, :-1])
    loss = criterion(scores.reshape(-1, VOCABULARY), words[:, 1:].reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 15 == 14:
        print(f"step {step + 1}: loss {loss.item():.3f}")
