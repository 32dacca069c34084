"""The loss subtracts prices [N] from predictions [N, 1], which broadcasts to [N, N].

Reason: prediction is [32, 1] and price [32]: the difference is a [32, 32] matrix of every prediction
against every price, whose best answer is the mean price; squeeze the prediction (or unsqueeze the price).
Line: return ((prediction - price) ** 2).mean()
Words: broadcast|every prediction against every, [32, 32]|[32,32]|every price|each target
Harm: the loss stays at 3.34 (the prices' variance) and explained variance on new houses is 0.035; with
prediction[:, 0] 0.006 and 0.992.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.utils.data import DataLoader, Dataset


class Houses(Dataset):
    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.features = rng.standard_normal((n, 6)).astype(np.float32)
        size, rooms, age = self.features[:, 0], self.features[:, 1], self.features[:, 2]
        self.prices = (1.5 * size + 0.8 * rooms - 0.7 * age + 0.5 * size * rooms).astype(np.float32)

    def __len__(self):
        return len(self.prices)

    def __getitem__(self, i):
        return self.features[i], self.prices[i]


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 32)
        self.fc2 = nn.Linear(32, 32)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        x = tg.relu(self.fc1(x))
        x = tg.relu(self.fc2(x))
        return self.out(x)


def squared_error(prediction, price):
    return ((prediction - price) ** 2).mean()


tg.manual_seed(2)
loader = DataLoader(Houses(640, 0), batch_size=32, shuffle=True)
test = Houses(200, 1)
model = Regressor()
optimizer = optim.Adam(model.parameters(), lr=0.003)
for epoch in range(30):
    total = 0.0
    for features, price in loader:
        optimizer.zero_grad()
        loss = squared_error(model(features), price)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}, loss {total / len(loader):.4f}")

with tg.no_grad():
    guess = model(tg.from_numpy(test.features)).data[:, 0]
explained = 1 - np.mean((guess - test.prices) ** 2) / np.var(test.prices)
print(f"explained variance on new houses {explained:.3f}")
