"""Healthy: users and films as embeddings, with one head for ratings.

Users and films as embeddings, with one head for ratings (MSE) and one for clicks (BCE), two groups of
parameters and a one-cycle schedule.
"""

import numpy as np

import tinygrad_conv as tg
import tinygrad_conv.nn.functional as F
from tinygrad_conv import data, nn, optim

USERS, FILMS, DIM = 60, 40, 8


def make(rng, n=6000):
    u, f = rng.normal(size=(USERS, 3)), rng.normal(size=(FILMS, 3))
    user, film = rng.integers(0, USERS, n), rng.integers(0, FILMS, n)
    taste = (u[user] * f[film]).sum(1)
    rating = np.clip(3 + 0.8 * taste + rng.normal(0, 0.2, n), 1, 5).astype(np.float32)
    click = (rng.random(n) < 1 / (1 + np.exp(-3 * taste))).astype(np.float32)
    return user, film, rating, click


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(USERS, DIM)
        self.film = nn.Embedding(FILMS, DIM)
        self.body = nn.Sequential(nn.Linear(3 * DIM, 32), nn.ReLU())
        self.rating = nn.Linear(32, 1)
        self.click = nn.Linear(32, 1)

    def forward(self, user, film):
        u, f = self.user(user), self.film(film)
        h = self.body(tg.cat([u, f, u * f], dim=1))
        return 3 + self.rating(h).squeeze(1), self.click(h).squeeze(1)


def main():
    tg.manual_seed(0)
    everything = data.TensorDataset(*(tg.from_numpy(column) for column in make(np.random.default_rng(0))))
    train, test = data.random_split(everything, [5500, 500])
    loader = data.DataLoader(train, batch_size=100, shuffle=True)
    user, film, rating, click = next(iter(data.DataLoader(test, batch_size=500)))
    net = TwoHeads()
    tables = [net.user.weight, net.film.weight]
    rest = [*net.body.parameters(), *net.rating.parameters(), *net.click.parameters()]
    optimizer = optim.AdamW(
        [{"params": tables, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.01}], lr=1e-2
    )
    epochs = 12
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=epochs * len(loader))
    for epoch in range(epochs):
        net.train()
        for u, f, r, c in loader:
            guess, logit = net(u, f)
            loss = F.mse_loss(guess, r) + 0.5 * F.binary_cross_entropy_with_logits(logit, c)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        net.eval()
        with tg.no_grad():
            guess, logit = net(user, film)
            mse = F.mse_loss(guess, rating).item()
            hits = ((logit > 0).float() == click).data.mean()
        print(
            f"epoch {epoch}: loss {loss.item():.3f}, "
            f"ratings' mse {mse:.3f} of {rating.data.var():.3f}, clicks {hits:.3f}"
        )


if __name__ == "__main__":
    main()
