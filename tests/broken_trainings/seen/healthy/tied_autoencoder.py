"""Healthy: the decoder uses the encoder's weight, transposed: tied on purpose, with a bias of its own.

One parameter takes part twice in the forward pass and gets the sum of two gradients.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn import functional as F


class TiedAutoencoder(nn.Module):
    def __init__(self, inputs, code):
        super().__init__()
        self.encoder = nn.Linear(inputs, code)
        self.bias = nn.Parameter(tg.zeros(inputs))

    def forward(self, x):
        code = tg.tanh(self.encoder(x))
        return F.linear(code, self.encoder.weight.T, self.bias)


def low_rank_data(count):
    basis = tg.randn(3, 20) / 3**0.5
    return tg.randn(count, 3) @ basis + 0.02 * tg.randn(count, 20)


def train():
    tg.manual_seed(3)
    data = low_rank_data(256)
    model = TiedAutoencoder(20, 6)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
    for epoch in range(10):
        for start in range(0, 256, 64):
            batch = data[start : start + 64]
            loss = F.mse_loss(model(batch), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    print("loss", loss.item())


train()
