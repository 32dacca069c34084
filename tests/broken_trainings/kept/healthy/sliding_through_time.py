"""Healthy: a recurrent net reads a series in order, its state carried on and detached between chunks.

The batches are not shuffled and the tape is cut on purpose (truncated backpropagation through time).
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

CHUNK = 10


class Cell(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.hidden = hidden
        self.from_input = nn.Linear(inputs, hidden)
        self.from_state = nn.Linear(hidden, hidden, bias=False)
        self.out = nn.Linear(hidden, inputs)

    def forward(self, x, state):
        state = tg.tanh(self.from_input(x) + self.from_state(state))
        return self.out(state), state


def series(tracks=8, length=301):
    rng = np.random.default_rng(26)
    time = 0.3 * np.arange(length)[:, None] + rng.uniform(0, 6, tracks)
    return tg.tensor(np.sin(time).astype(np.float32)[:, :, None])


def train():
    tg.manual_seed(26)
    data = series()
    cell = Cell(1, 16)
    optimizer = optim.Adam(cell.parameters(), lr=0.01)
    state = tg.zeros(8, 16)
    for start in range(0, 300, CHUNK):
        loss = 0
        state = state.detach()
        for t in range(start, start + CHUNK):
            prediction, state = cell(data[t], state)
            loss = loss + ((prediction - data[t + 1]) ** 2).mean() / CHUNK
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("loss", loss.item())


train()
