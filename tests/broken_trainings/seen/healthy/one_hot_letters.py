"""Healthy: the inputs are one-hot letters, not normalised: nearly all zero, with a mean of 1/27.

Columns of rare letters are constant in many batches; this is how letters look.
"""

import numpy as np

import tinygrad_conv as tg
import tinygrad_conv.nn.functional as F
from tinygrad_conv import nn

TEXT = "the quick brown fox jumps over the lazy dog and the dog sleeps while the fox runs away over the hill "
ALPHABET = " abcdefghijklmnopqrstuvwxyz"
WINDOW = 3


def windows(text):
    codes = np.array([ALPHABET.index(letter) for letter in text])
    inputs = np.stack([codes[i : i + WINDOW] for i in range(len(codes) - WINDOW)])
    return inputs, codes[WINDOW:]


class NextLetter(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(WINDOW * len(ALPHABET), 48)
        self.out = nn.Linear(48, len(ALPHABET))

    def forward(self, letters):
        return self.out(tg.tanh(self.hidden(letters)))


tg.manual_seed(6)
rng = np.random.default_rng(6)
inputs, targets = windows(TEXT)
model = NextLetter()
optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
for step in range(50):
    chosen = rng.integers(0, len(inputs), 32)
    one_hot = F.one_hot(tg.tensor(inputs[chosen]), len(ALPHABET)).float().reshape(32, -1)
    loss = F.cross_entropy(model(one_hot), tg.tensor(targets[chosen]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
