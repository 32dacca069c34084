"""The loss is computed from the argmax of the scores, which has no gradient; requires_grad_ hides it.

Reason: argmax is not differentiable, so the tape is cut there, no parameter gets a gradient and the weights
never change; compute the loss from the scores themselves (cross-entropy).
Line: predicted = scores.argmax(dim=1).float()
Words: argmax|cut|no gradient|without a gradient|not differentiable|None, gradient|parameter|tape|weight
Harm: no weight ever moves, mended (cross-entropy) the loss falls to 0.26.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.data import DataLoader, TensorDataset

tg.manual_seed(14)
rng = np.random.default_rng(14)

labels = rng.integers(0, 3, 240)
flowers = rng.normal(0, 0.5, (240, 4)) + np.array([[1, 0, 0, 1], [0, 1, 0, -1], [0, 0, 1, 0]])[labels]
dataset = TensorDataset(tg.tensor(flowers.astype(np.float32)), tg.tensor(labels))
loader = DataLoader(dataset, batch_size=30, shuffle=True)

model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
loss_fn = nn.MSELoss()
optimizer = tg.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(5):
    for inputs, targets in loader:
        scores = model(inputs)
        predicted = scores.argmax(dim=1).float()
        loss = loss_fn(predicted, targets.float())
        loss.requires_grad_(True)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1} loss {loss.item():.3f}")
