"""Healthy: films and viewers learn in turn, each with an optimizer of its own that leaves the other alone.

In each turn half of the parameters stand still, and their gradients are thrown away.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

VIEWERS, FILMS, TASTES = 30, 20, 3

rng = np.random.default_rng(38)
tg.manual_seed(38)
truth = rng.normal(size=(VIEWERS, TASTES)) @ rng.normal(size=(TASTES, FILMS))
seen = np.argwhere(rng.random((VIEWERS, FILMS)) < 0.6)
who, what = tg.tensor(seen[:, 0]), tg.tensor(seen[:, 1])
stars = tg.tensor(truth[seen[:, 0], seen[:, 1]].astype(np.float32))

viewers, films = nn.Embedding(VIEWERS, TASTES), nn.Embedding(FILMS, TASTES)
of_viewers = optim.Adam(viewers.parameters(), lr=0.1)
of_films = optim.Adam(films.parameters(), lr=0.1)


def error():
    return ((viewers(who) * films(what)).sum(dim=1) - stars).square().mean()


for turn in range(20):
    for optimizer in (of_viewers, of_films):
        for _ in range(4):
            of_viewers.zero_grad()
            of_films.zero_grad()
            loss = error()
            loss.backward()
            optimizer.step()
    if turn % 5 == 4:
        print(f"turn {turn + 1}: error {loss.item():.4f}")
