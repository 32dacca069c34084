"""Healthy: features learned on bars are frozen, and a new head learns shapes of four kinds.

Features learned on bars are frozen, and a new head learns shapes of four kinds (most weights get no
gradient and batch norm stays in eval while training: both are meant).
"""

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim

tg.manual_seed(0)

features = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1, bias=False),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1, bias=False),
    nn.BatchNorm2d(32),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(2),
    nn.Flatten(),
)


def fit(net, x, y, params, epochs, lr):
    loader = data.DataLoader(data.TensorDataset(x, y), batch_size=32, shuffle=True)
    optimizer = optim.Adam(params, lr=lr)
    for epoch in range(epochs):
        total = 0.0
        for xb, yb in loader:
            loss = tg.cross_entropy(net(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"  epoch {epoch}: {total / len(loader):.4f}")


def accuracy(net, x, y):
    net.eval()
    with tg.no_grad():
        return float((net(x).argmax(1) == y).data.mean())


print("pretraining on bars")
x, y = data.bars(500, size=16, seed=0)
first = nn.Sequential(features, nn.Linear(128, 2))
fit(first, x[:400], y[:400], first.parameters(), epochs=3, lr=2e-3)
print("bars:", accuracy(first, x[400:], y[400:]))

print("a new head for shapes")
x, y = data.shapes(600, seed=1)
for p in features.parameters():
    p.requires_grad_(False)
features.eval()
head = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, len(data.SHAPES)))
second = nn.Sequential(features, head)
fit(second, x[:480], y[:480], [p for p in second.parameters() if p.requires_grad], epochs=20, lr=5e-3)
print("shapes:", accuracy(second, x[480:], y[480:]), "by chance", 1 / len(data.SHAPES))
