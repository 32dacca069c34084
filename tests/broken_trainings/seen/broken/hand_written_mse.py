"""The prediction has shape [N, 1] and the target [N]: their difference broadcasts to [N, N].

Reason: in the hand-written loss the shapes (64, 1) and (64,) broadcast to (64, 64), so each prediction is
compared with every target; squeeze the prediction or unsqueeze the target.
Line: return ((prediction - target) ** 2).mean()
Words: broadcast|shape, target|predict|loss
Harm: the net learns the mean of the targets, with an error of 0.53; mended 0.04.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn


def mse(prediction, target):
    return ((prediction - target) ** 2).mean()


def fit(model, x, y, steps, rate):
    optimizer = tg.optim.Adam(model.parameters(), lr=rate)
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = mse(model(x), y)
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return history


if __name__ == "__main__":
    tg.manual_seed(7)
    x = tg.rand(64, 2) * 2 - 1
    y = x[:, 0] * x[:, 1] + x[:, 0]
    model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
    losses = fit(model, x, y, steps=50, rate=0.02)
    error = (model(x)[:, 0] - y).abs().mean().item()
    print(f"first {losses[0]:.3f}, last {losses[-1]:.3f}, mean error {error:.3f}")
