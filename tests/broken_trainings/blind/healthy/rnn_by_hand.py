"""Healthy: a recurrent net of bare tensors forecasts a beat of two sines, with an update by hand.

A recurrent net of bare tensors forecasts a beat of two sines, with an update by hand (the state is
detached between pieces: backpropagation through time, truncated).
"""

import numpy as np

import tinygrad_conv as tg

tg.manual_seed(0)
rng = np.random.default_rng(0)

HIDDEN, PIECE, STREAMS, LR, CLIP = 24, 20, 16, 0.1, 1.0
t = np.arange(401)
phase = rng.uniform(0, 2 * np.pi, (STREAMS, 2))
waves = 0.6 * np.sin(0.3 * t + phase[:, :1]) + 0.4 * np.sin(0.47 * t + phase[:, 1:])
waves = waves.astype(np.float32)


def matrix(rows, columns):
    return tg.tensor(rng.normal(0, 1 / np.sqrt(rows), (rows, columns)).astype(np.float32), requires_grad=True)


w_in, w_rec, w_out = matrix(1, HIDDEN), matrix(HIDDEN, HIDDEN), matrix(HIDDEN, 1)
b_h = tg.zeros(HIDDEN, requires_grad=True)
b_o = tg.zeros(1, requires_grad=True)
parameters = [w_in, w_rec, w_out, b_h, b_o]


def run(h, piece):
    outputs = []
    for k in range(piece.shape[1]):
        h = tg.tanh(piece[:, k : k + 1] @ w_in + h @ w_rec + b_h)
        outputs.append(h @ w_out + b_o)
    return h, tg.cat(outputs, dim=1)


for epoch in range(18):
    h = tg.zeros(STREAMS, HIDDEN)
    losses = []
    for start in range(0, 400, PIECE):
        x = tg.from_numpy(waves[:, start : start + PIECE])
        y = tg.from_numpy(waves[:, start + 1 : start + PIECE + 1])
        h, forecast = run(h.detach(), x)
        loss = ((forecast - y) ** 2).mean()
        for p in parameters:
            p.grad = None
        loss.backward()
        norm = np.sqrt(sum((p.grad**2).sum() for p in parameters))
        rate = LR * min(1.0, CLIP / (norm + 1e-8))
        with tg.no_grad():
            for p in parameters:
                p -= rate * p.grad
        losses.append(loss.item())
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1}: mse {np.mean(losses):.4f} (variance {waves.var():.3f})")
