"""The labels are the stars of a rating, 1 to 5, but the five outputs are numbered 0 to 4.

Reason: the labels are off by one: label 5 is outside the 5 outputs (classes 0 to 4); subtract 1 from the
labels.
Line: loss = criterion(scores, stars)
Words: label|class|target, outside|off by one|range|0 to 4|0..4|subtract|out of
Harm: the training ends with an exception in the first step, mended it learns (loss 0.46 after 50 steps).
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

VOCABULARY = 40


class Reviews:
    """Sentences of eight words; the better the words, the more stars."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.mood = self.rng.normal(0, 1, VOCABULARY)

    def batch(self, size=32):
        words = self.rng.integers(0, VOCABULARY, (size, 8))
        mood = self.mood[words].mean(axis=1)
        stars = 1 + np.digitize(mood, [-0.4, -0.1, 0.1, 0.4])
        return tg.tensor(words), tg.tensor(stars)


class BagOfWords(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 16)
        self.out = nn.Linear(16, 5)

    def forward(self, words):
        return self.out(self.embedding(words).mean(dim=1))


tg.manual_seed(7)
reviews = Reviews(7)
model = BagOfWords()
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.05)
for step in range(50):
    words, stars = reviews.batch()
    scores = model(words)
    loss = criterion(scores, stars)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
