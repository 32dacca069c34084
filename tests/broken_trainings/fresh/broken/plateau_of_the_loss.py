"""The scheduler watches a loss and waits for it to rise: it lowers the rate whenever the loss falls.

Reason: ReduceLROnPlateau has mode="max" but gets a loss, which should fall (mode="min"): it takes each
improvement for a plateau, and the learning rate is soon so small that nothing changes.
Line: mode="max" || scheduler.step(loss.item())
Words: plateau|schedule, mode|max|improve|still fall|was falling|while the loss, learning rate|rate|lr
Harm: the rate falls to 1e-8 and the loss stays at 0.16, mended it falls to 0.02.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

tg.manual_seed(23)
time = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
signal = np.sin(2 * np.pi * time) + 0.3 * np.sin(6 * np.pi * time)
t, s = tg.tensor(2 * time - 1), tg.tensor(signal)

net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = optim.Adam(net.parameters(), lr=0.01)
scheduler = optim.lr_scheduler.ReduceLROnPlateau(
    optimizer,
    mode="max",
    factor=0.1,
    patience=8,
)
mse = nn.MSELoss()

for epoch in range(100):
    loss = mse(net(t), s)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step(loss.item())
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}, lr {optimizer.param_groups[0]['lr']:.1e}")
