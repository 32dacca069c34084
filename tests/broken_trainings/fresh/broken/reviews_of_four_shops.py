"""The small nets of the four shops stand in a plain dict, so the module does not know their parameters.

Reason: the heads are kept in a Python dict, where the module cannot find their parameters:
model.parameters() leaves them out and the optimizer never gets them; use nn.ModuleDict.
Line: self.heads = {
Words: dict|regist|submodule|not in model.parameters|not among|does not know|missing from|not given|
never given|never gets|no optimi, head|parameter
Harm: 0.74 of the reviews are right at the end, mended all.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

SHOPS = ["books", "kitchen", "music", "garden"]
VOCABULARY = 24


class ReviewNet(nn.Module):
    """A word is good in one shop and bad in another, so each shop has a small net of its own."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, 4)
        self.heads = {shop: nn.Sequential(nn.Linear(4, 24), nn.Tanh(), nn.Linear(24, 2)) for shop in SHOPS}

    def forward(self, tokens, shop):
        return self.heads[shop](self.words(tokens).mean(dim=1))


tg.manual_seed(3)
rng = np.random.default_rng(3)
mood = {shop: rng.choice([-1, 1], VOCABULARY) for shop in SHOPS}


def reviews(shop, count=64):
    tokens = rng.integers(0, VOCABULARY, (count, 3))
    return tg.tensor(tokens), tg.tensor((mood[shop][tokens].sum(axis=1) > 0).astype(np.int64))


data = {shop: reviews(shop) for shop in SHOPS}
model = ReviewNet()
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.03)

for epoch in range(30):
    epoch_loss = 0.0
    for shop, (tokens, liked) in data.items():
        optimizer.zero_grad()
        loss = criterion(model(tokens, shop), liked)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}: loss {epoch_loss / len(SHOPS):.3f}")

right = np.mean([(model(x, shop).argmax(dim=1) == y).float().mean().item() for shop, (x, y) in data.items()])
print(f"accuracy {right:.2f}")
