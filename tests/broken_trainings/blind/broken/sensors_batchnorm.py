"""The net is trained in evaluation mode: accuracy() calls model.eval(), and nothing calls model.train().

Reason: In eval mode batch norm uses its running statistics, which are still 0 and 1 and are never updated,
so the raw readings are not normalised; call model.train() before each epoch's training (or at the end of
accuracy()).
Line: model.eval()
Words: eval mode, running statistics|batch norm|batchnorm
Harm: the loss ends at 0.83 and validation accuracy at 0.505 after 30 epochs; with model.train() in the loop
0.235 and 0.910 (other seeds: 0.47 to 0.55 against 0.90 to 0.91).
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim


class SensorNet(nn.Module):
    def __init__(self, sensors, classes):
        super().__init__()
        self.net = nn.Sequential(
            nn.BatchNorm1d(sensors),
            nn.Linear(sensors, 32),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Linear(32, classes),
        )

    def forward(self, x):
        return self.net(x)


def readings(n, seed):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 5)).astype(np.float32)
    state = (z[:, 0] * z[:, 1] > 0).astype(np.int64) + (z[:, 2] > 0.5)
    raw = z * np.float32([6, 3, 8, 1, 2]) + np.float32([40, 90, 60, 10, 25])
    return tg.from_numpy(raw), tg.from_numpy(state.astype(np.int64))


def accuracy(model, x, y):
    model.eval()
    with tg.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


tg.manual_seed(0)
x, y = readings(1000, 0)
x_val, y_val = readings(400, 1)
model = SensorNet(5, 3)
optimizer = optim.Adam(model.parameters(), lr=0.01)
print("before training:", accuracy(model, x_val, y_val))
for epoch in range(30):
    for xb, yb in data.DataLoader(data.TensorDataset(x, y), batch_size=50, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}, validation {accuracy(model, x_val, y_val):.3f}")
