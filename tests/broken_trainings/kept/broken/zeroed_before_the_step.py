"""zero_grad() stands between backward() and step(), so each step sees gradients of zero and nothing moves.

Reason: the gradients are cleared after backward and before optimizer.step(), so the step does nothing and
the weights never change; call zero_grad() before backward().
Line: self.optimizer.zero_grad() || self.optimizer.step()
Words: zero_grad|cleared|zeroed, after backward|between|never change|not change|unchanged|nothing|no effect
Harm: the loss stays at 0.70 to the last digit, mended it falls to 0.008.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.data import DataLoader, TensorDataset


class Experiment:
    def __init__(self):
        self.model = nn.Sequential(
            nn.Conv1d(1, 8, 5, padding=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(4),
            nn.Flatten(),
            nn.Linear(32, 2),
        )
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = tg.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)

    def training_step(self, signals, labels):
        loss = self.criterion(self.model(signals), labels)
        loss.backward()
        self.optimizer.zero_grad()
        self.optimizer.step()
        return loss.item()

    def run(self, loader, epochs):
        for epoch in range(epochs):
            losses = [self.training_step(signals, labels) for signals, labels in loader]
            print(f"epoch {epoch}: {np.mean(losses):.4f}")


def waves(count=160):
    """Slow (0) and fast (1) sines with noise."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, count)
    time = np.linspace(0, 2 * np.pi, 32)
    phase = rng.uniform(0, 2 * np.pi, (count, 1))
    signals = np.sin(time * (1 + 4 * labels[:, None]) + phase) + rng.normal(0, 0.1, (count, 32))
    return tg.tensor(signals[:, None].astype(np.float32)), tg.tensor(labels)


tg.manual_seed(3)
loader = DataLoader(TensorDataset(*waves()), batch_size=16, shuffle=True)
Experiment().run(loader, epochs=4)
