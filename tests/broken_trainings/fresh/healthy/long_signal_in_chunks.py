"""Healthy: a long signal is learnt chunk by chunk, and the state is detached between the chunks.

This is truncated backpropagation through time; within a chunk the gradient flows through all steps.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

CHUNK = 8


class Cell(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.update = nn.Linear(1 + size, size)
        self.read = nn.Linear(size, 1)

    def forward(self, x, state):
        state = tg.tanh(self.update(tg.cat([x, state], dim=1)))
        return self.read(state), state


def signals(count, length):
    phase = np.random.default_rng(40).uniform(0, 2 * np.pi, (count, 1))
    return np.sin(phase + 0.5 * np.arange(length)).astype(np.float32)


tg.manual_seed(40)
cell = Cell(16)
optimizer = optim.RMSprop(cell.parameters(), lr=3e-3)
criterion = nn.MSELoss()
signal = tg.tensor(signals(count=16, length=10 * CHUNK + 1)).unsqueeze(2)

for epoch in range(6):
    state = tg.zeros(16, 16)
    for start in range(0, signal.shape[1] - 1, CHUNK):
        state = state.detach()
        loss = 0
        for t in range(start, start + CHUNK):
            prediction, state = cell(signal[:, t], state)
            loss = loss + criterion(prediction, signal[:, t + 1]) / CHUNK
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(cell.parameters(), 1.0)
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.4f}")
