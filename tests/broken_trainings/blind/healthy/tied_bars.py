"""Healthy: a weight is used twice, and a layer has two names: an autoencoder with tied weights.

The decoder is the encoder's weight transposed, and the layer in the middle is applied twice, both as
meant.
"""

import numpy as np

import tinygrad_conv as tg
import tinygrad_conv.nn.functional as F
from tinygrad_conv import data, nn, optim


class TiedAutoencoder(nn.Module):
    def __init__(self, pixels, code):
        super().__init__()
        self.encode = nn.Linear(pixels, code)
        self.decode = nn.Linear(code, code)
        self.code_to_code = self.decode
        self.output_bias = nn.Parameter(tg.zeros(pixels))

    def forward(self, x):
        h = F.relu(self.encode(x))
        h = self.code_to_code(F.relu(self.decode(h)))
        return h @ self.encode.weight + self.output_bias


tg.manual_seed(4)
images, _ = data.bars(700, noise=0.05, seed=4)
x = images.flatten(1)
train, test = x[:600], x[600:]
model = TiedAutoencoder(64, 24)
optimizer = optim.Adam(model.parameters(), lr=0.003)
print("error of the mean picture:", round(((test.data - train.data.mean(0)) ** 2).mean().item(), 4))
for epoch in range(1, 61):
    order = np.random.default_rng(epoch).permutation(600)
    for start in range(0, 600, 50):
        batch = train[order[start : start + 50]]
        loss = F.mse_loss(model(batch), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch == 1 or epoch % 15 == 0:
        with tg.no_grad():
            error = F.mse_loss(model(test), test).item()
        print(f"epoch {epoch}: training {loss.item():.4f}, new pictures {error:.4f}")
