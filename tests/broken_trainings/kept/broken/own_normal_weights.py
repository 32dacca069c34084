"""The weights are drawn with a spread of 3, so every sigmoid is at 0 or 1 and lets no gradient through.

Reason: the sigmoid activations are saturated (nearly all 0 or 1) because the initial weights are far too
large, so the gradients through them are about zero; scale the initialisation by 1/sqrt(fan in).
Line: h = tg.sigmoid(x @ self.w1 + self.b1) || h = tg.sigmoid(h @ self.w2 + self.b2)
Words: saturat, sigmoid|activation|weight|unit
Harm: the loss stops at 0.32, mended (weights scaled by the fan in) at 0.12 and falling.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn


class MLP(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.w1 = nn.Parameter(3 * tg.randn(inputs, hidden))
        self.b1 = nn.Parameter(tg.zeros(hidden))
        self.w2 = nn.Parameter(3 * tg.randn(hidden, hidden))
        self.b2 = nn.Parameter(tg.zeros(hidden))
        self.w3 = nn.Parameter(0.1 * tg.randn(hidden, outputs))
        self.b3 = nn.Parameter(tg.zeros(outputs))

    def forward(self, x):
        h = tg.sigmoid(x @ self.w1 + self.b1)
        h = tg.sigmoid(h @ self.w2 + self.b2)
        return h @ self.w3 + self.b3


def regression_data(count=256, features=16, seed=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (count, features)).astype(np.float32)
    direction = rng.normal(0, 1, (features, 1)).astype(np.float32) / 4
    return tg.tensor(x), tg.tensor(np.tanh(x @ direction))


if __name__ == "__main__":
    tg.manual_seed(2)
    x, y = regression_data()
    model = MLP(16, 64, 1)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(10):
        for i in range(0, 256, 64):
            loss = nn.functional.mse_loss(model(x[i : i + 64]), y[i : i + 64])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    print("loss", nn.functional.mse_loss(model(x), y).item())
