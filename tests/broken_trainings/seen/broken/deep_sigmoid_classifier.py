"""The gradient vanishes on its way through ten sigmoid layers, so the first layers do not learn.

Reason: the gradients of the early layers are many orders smaller than the last one's (vanishing gradient
through stacked sigmoids); use ReLU, a better initialisation, normalisation or residual connections.
Line:
Words: vanish|tiny|small, gradient
Harm: the loss stays at log 2 = 0.693 for 50 steps, mended (ReLU) it falls to 0.06.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

tg.manual_seed(0)


def make_moons(count):
    angle = tg.rand(count) * 3.14159
    upper = tg.stack([tg.cos(angle), tg.sin(angle)], dim=1)
    lower = tg.stack([1 - tg.cos(angle), 0.5 - tg.sin(angle)], dim=1)
    points = tg.cat([upper, lower]) + 0.1 * tg.randn(2 * count, 2)
    labels = tg.cat([tg.zeros(count), tg.ones(count)]).long()
    order = tg.randperm(2 * count)
    return points[order], labels[order]


def build_model(hidden=16, depth=10):
    layers = [nn.Linear(2, hidden), nn.Sigmoid()]
    for _ in range(depth - 1):
        layers += [nn.Linear(hidden, hidden), nn.Sigmoid()]
    layers.append(nn.Linear(hidden, 2))
    return nn.Sequential(*layers)


x, y = make_moons(100)
model = build_model()
optimizer = optim.Adam(model.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()

for step in range(50):
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        print(f"step {step + 1}: loss {loss.item():.4f}")
