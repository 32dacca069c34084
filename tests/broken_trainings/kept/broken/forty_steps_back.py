"""A recurrent net multiplies by too large a matrix at each of 40 times: activations and gradients explode.

Reason: the gradient explodes on its way back through the 40 time steps (the recurrent weights are
initialised too large and nothing bounds the state), the loss becomes huge, inf or NaN; initialise the
recurrence near the identity or orthogonally, use tanh, clip the gradients.
Line: self.recurrent = nn.Parameter(0.5 * tg.randn(hidden, hidden)) || state = tg.relu(
Words: explod|huge|overflow|inf|grow, gradient|activation|weight|state
Harm: the loss is NaN after a few steps, mended (smaller weights) it falls to 0.5.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class Recurrent(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.hidden = hidden
        self.enter = nn.Linear(1, hidden)
        self.recurrent = nn.Parameter(0.5 * tg.randn(hidden, hidden))
        self.leave = nn.Linear(hidden, 1)

    def forward(self, sequence):
        state = tg.zeros(sequence.shape[0], self.hidden)
        for t in range(sequence.shape[1]):
            state = tg.relu(self.enter(sequence[:, t]) + state @ self.recurrent)
        return self.leave(state)


def averages(rng, count=16, length=40):
    sequence = rng.normal(0, 1, (count, length, 1)) + rng.normal(0, 1, (count, 1, 1))
    return tg.tensor(sequence, dtype=tg.float32), tg.tensor(sequence.mean(axis=1), dtype=tg.float32)


tg.manual_seed(10)
rng = np.random.default_rng(10)
model = Recurrent()
optimizer = optim.SGD(model.parameters(), lr=0.003)
for step in range(20):
    sequence, mean = averages(rng)
    loss = nn.functional.mse_loss(model(sequence), mean)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print("step", step, "loss", loss.item())
