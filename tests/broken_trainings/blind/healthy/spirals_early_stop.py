"""Healthy: An MLP with layer norm and dropout tells three spirals apart, and stops early.

An MLP with layer norm and dropout tells three spirals apart; it stops when the validation loss has not
improved for a while and takes the best weights back.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

tg.manual_seed(7)
rng = np.random.default_rng(7)


def spirals(n_each, arms=3):
    points, labels = [], []
    for arm in range(arms):
        r = np.linspace(0.1, 1.0, n_each)
        angle = 4.0 * r + 2 * np.pi * arm / arms + rng.normal(0, 0.3, n_each)
        points.append(np.stack([r * np.cos(angle), r * np.sin(angle)], 1))
        labels.append(np.full(n_each, arm))
    order = rng.permutation(arms * n_each)
    return np.concatenate(points)[order].astype(np.float32), np.concatenate(labels)[order]


x, y = spirals(300)
x = (x - x.mean(0)) / x.std(0)
x_train, y_train = tg.from_numpy(x[:600]), tg.from_numpy(y[:600])
x_val, y_val = tg.from_numpy(x[600:]), tg.from_numpy(y[600:])

layers = []
width = 2
for hidden in (48, 48):
    layers += [nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(0.1)]
    width = hidden
net = nn.Sequential(*layers, nn.Linear(width, 3))
optimizer = optim.RMSprop(net.parameters(), lr=1e-3)

best, best_state, waited, patience = float("inf"), None, 0, 12
for epoch in range(150):
    net.train()
    for pick in np.array_split(rng.permutation(600), 12):
        loss = tg.cross_entropy(net(x_train[pick]), y_train[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with tg.no_grad():
        val = tg.cross_entropy(net(x_val), y_val).item()
    if val < best - 1e-4:
        best, waited = val, 0
        best_state = {k: v.clone() for k, v in net.state_dict().items()}
    else:
        waited += 1
    if epoch % 10 == 0:
        print(f"epoch {epoch}: train {loss.item():.3f} val {val:.3f}")
    if waited >= patience:
        print("stopped in epoch", epoch)
        break

net.load_state_dict(best_state)
net.eval()
with tg.no_grad():
    print("accuracy:", (net(x_val).argmax(1) == y_val).data.mean())
