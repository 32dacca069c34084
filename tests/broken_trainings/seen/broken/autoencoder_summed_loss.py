"""The loss is the sum over all pixels of the batch, but the learning rate is one for a mean.

Reason: reduction='sum' makes loss and gradients thousands of times larger than the mean, so the steps are
too large and the training diverges; use the mean or a smaller learning rate.
Line: criterion = nn.MSELoss(reduction="sum")
Words: sum|reduction|learning rate|too large, mean|gradient|step|diverg
Harm: the loss becomes inf and then NaN, mended (the mean) it falls to 0.11.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.data import DataLoader


class AutoEncoder(nn.Module):
    def __init__(self, pixels=64, code=6):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, 32), nn.ReLU(), nn.Linear(32, code))
        self.decoder = nn.Sequential(nn.Linear(code, 32), nn.ReLU(), nn.Linear(32, pixels))

    def forward(self, images):
        return self.decoder(self.encoder(images.flatten(1)))


def bars(count, seed):
    rng = np.random.default_rng(seed)
    images = np.zeros((count, 8, 8), np.float32)
    images[np.arange(count), rng.integers(0, 8, count)] = 1
    return tg.tensor(images)


tg.manual_seed(8)
model = AutoEncoder()
criterion = nn.MSELoss(reduction="sum")
optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

for epoch in range(4):
    for images in DataLoader(bars(320, seed=8), batch_size=32, shuffle=True):
        reconstruction = model(images)
        loss = criterion(reconstruction, images.flatten(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}  loss {loss.item():.4f}")
