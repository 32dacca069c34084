"""Healthy: half of the model is frozen and not in the optimiser: only a new head is trained.

Transfer learning: the backbone was trained on the first task and is frozen with requires_grad_(False),
and the optimiser is given the head's parameters only.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim


def features():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
    )


def fit(model, parameters, x, y, epochs, lr):
    optimizer = optim.Adam(parameters, lr=lr)
    for epoch in range(epochs):
        losses = []
        for xb, yb in data.DataLoader(data.TensorDataset(x, y), batch_size=40, shuffle=True):
            loss = tg.cross_entropy(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"  epoch {epoch + 1}: loss {np.mean(losses):.4f}")


tg.manual_seed(1)
images, labels = data.bars(600, seed=1)
backbone = features()
print("first task")
fit_model = nn.Sequential(backbone, nn.Linear(32, 2))
fit(fit_model, fit_model.parameters(), images, labels, epochs=6, lr=0.005)

for parameter in backbone.parameters():
    parameter.requires_grad_(False)
bright = (images.data > 0.5).sum(axis=(1, 3))
low = (bright * np.arange(8)).sum(1) / bright.sum(1) > 3.5
answers = tg.from_numpy(low.astype(np.int64))
head = nn.Linear(32, 2)
model = nn.Sequential(backbone, head)
print("second task")
fit(model, head.parameters(), images[:500], answers[:500], epochs=15, lr=0.02)

with tg.no_grad():
    hits = (model(images[500:]).argmax(1) == answers[500:]).float().mean().item()
print(f"second task, new images: {hits:.3f} (most frequent answer {max(low.mean(), 1 - low.mean()):.3f})")
