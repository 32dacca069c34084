"""Healthy: two losses of the same features are swept one after the other, so the first keeps the graph.

Each loss has gradients of its own size, which are measured between the two; retain_graph is right here.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class TwoTasks(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Sequential(
            nn.Conv1d(1, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 12, 16), nn.Tanh()
        )
        self.kind = nn.Linear(16, 2)
        self.frequency = nn.Linear(16, 1)

    def forward(self, wave):
        features = self.shared(wave)
        return self.kind(features), self.frequency(features)


def waves(rng, count=48):
    """Sines and squares of different frequencies, 16 samples each."""
    square = rng.integers(0, 2, count)
    frequency = rng.uniform(0.5, 2.0, (count, 1))
    wave = np.sin(frequency * np.linspace(0, 2 * np.pi, 16))
    wave = np.where(square[:, None], np.sign(wave), wave) + rng.normal(0, 0.05, (count, 16))
    wave, frequency = wave[:, None].astype(np.float32), frequency.astype(np.float32)
    return tg.tensor(wave), tg.tensor(square), tg.tensor(frequency)


rng = np.random.default_rng(39)
tg.manual_seed(39)
model = TwoTasks()
optimizer = optim.Adam(model.parameters(), lr=0.01)
classify, measure = nn.CrossEntropyLoss(), nn.MSELoss()

for step in range(60):
    wave, square, frequency = waves(rng)
    kind, guess = model(wave)
    optimizer.zero_grad()
    first = classify(kind, square)
    first.backward(retain_graph=True)
    size = np.linalg.norm(model.shared[3].weight.grad)
    second = measure(guess, frequency)
    second.backward()
    optimizer.step()
    if step % 15 == 14:
        print(
            f"step {step + 1}: kind {first.item():.3f} (gradient {size:.3f}), frequency {second.item():.3f}"
        )
