"""The scheduler, meant for once an epoch, is stepped in every batch: the learning rate is soon nothing.

Reason: scheduler.step() is called after each batch, so the learning rate shrinks by half each step to
practically zero and the weights stop moving; call it once per epoch.
Line: scheduler.step()
Words: schedul|learning rate|lr, decay|zero|small|tiny|shrink|drop|fell|falls|batch
Harm: the loss stops at 0.655, mended (once per epoch) it falls to 0.31 and further.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.data import DataLoader, TensorDataset
from tinygrad_conv.optim.lr_scheduler import StepLR


def rings(count, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    radius = 0.5 + labels + rng.normal(0, 0.1, count)
    angle = rng.uniform(0, 2 * np.pi, count)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return tg.tensor(points.astype(np.float32)), tg.tensor(labels)


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.loss_fn = nn.CrossEntropyLoss()
        self.optimizer = optim.Adam(model.parameters(), lr=lr)

    def fit(self, loader, epochs):
        scheduler = StepLR(self.optimizer, step_size=1, gamma=0.5)
        for epoch in range(epochs):
            total = 0.0
            for points, labels in loader:
                self.optimizer.zero_grad()
                loss = self.loss_fn(self.model(points), labels)
                loss.backward()
                self.optimizer.step()
                scheduler.step()
                total += loss.item()
            print(f"epoch {epoch + 1}: {total / len(loader):.4f}")


if __name__ == "__main__":
    tg.manual_seed(13)
    loader = DataLoader(TensorDataset(*rings(320, 13)), batch_size=32, shuffle=True)
    net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
    Trainer(net, lr=0.02).fit(loader, epochs=4)
