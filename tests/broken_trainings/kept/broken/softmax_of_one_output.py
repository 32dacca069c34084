"""The net has a single output and a softmax over it: the result is 1 for every input.

Reason: softmax over one single value is always 1, so the output is constant and no gradient arrives; use a
sigmoid (or two outputs).
Line: return tg.softmax(self.fc3(x), dim=1)
Words: softmax|constant|always 1, one|single|sigmoid|constant|size 1|gradient
Harm: no weight moves and the accuracy stays at 0.46, mended (sigmoid) 0.98.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class Churn(nn.Module):
    """Whether a customer leaves: yes or no."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(5, 16)
        self.fc2 = nn.Linear(16, 16)
        self.fc3 = nn.Linear(16, 1)

    def forward(self, x):
        x = tg.relu(self.fc1(x))
        x = tg.relu(self.fc2(x))
        return tg.softmax(self.fc3(x), dim=1)


def customers(count=200, seed=18):
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 1, (count, 5)).astype(np.float32)
    leaves = (table[:, 0] - table[:, 3] + 0.2 * rng.normal(0, 1, count) > 0).astype(np.float32)
    return tg.from_numpy(table), tg.from_numpy(leaves[:, None])


table, leaves = customers()
tg.manual_seed(18)
model = Churn()
criterion = nn.MSELoss()
optimizer = optim.Adam(model.parameters(), lr=0.01)
for epoch in range(50):
    prediction = model(table)
    loss = criterion(prediction, leaves)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
accuracy = ((prediction > 0.5).float() == leaves).float().mean().item()
print("loss", loss.item(), "accuracy", accuracy)
