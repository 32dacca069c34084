"""Healthy: a softmax in the middle of the net, over the positions of a sequence: an attention.

The cross-entropy gets raw logits; most of the attention weights go to zero as the net learns where to look.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn import functional as F

LENGTH, WORDS, WIDTH = 8, 12, 16


class Reader(nn.Module):
    """One head of attention, then the answer to: which letter stands behind the marker?"""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.position = nn.Parameter(0.1 * tg.randn(LENGTH, WIDTH))
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.query = nn.Parameter(tg.randn(WIDTH))
        self.answer = nn.Linear(WIDTH, WORDS)

    def forward(self, words):
        x = self.embedding(words) + self.position
        scores = self.key(x) @ self.query / WIDTH**0.5
        weights = tg.softmax(scores, dim=1)
        read = (weights.unsqueeze(-1) * self.value(x)).sum(dim=1)
        return self.answer(read)


def sentences(rng, count=48):
    words = rng.integers(0, WORDS - 1, (count, LENGTH))
    return tg.tensor(words), tg.tensor(words[:, 0])


tg.manual_seed(20)
rng = np.random.default_rng(20)
model = Reader()
optimizer = tg.optim.Adam(model.parameters(), lr=0.02)
for step in range(50):
    words, first = sentences(rng)
    loss = F.cross_entropy(model(words), first)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
