"""Healthy: actor and critic walk down a corridor to its right end.

Actor and critic walk down a corridor to its right end (the loss does not fall and its first part is
often below zero: it is a policy gradient, and what rises is the reward).
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

LENGTH, STEPS, GAMMA, WALKERS = 7, 20, 0.95, 16
tg.manual_seed(1)
rng = np.random.default_rng(1)
eye = np.eye(LENGTH, dtype=np.float32)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(LENGTH, 32), nn.Tanh())
        self.policy = nn.Linear(32, 2)
        self.value = nn.Linear(32, 1)

    def forward(self, x):
        h = self.body(x)
        return self.policy(h), self.value(h).squeeze(1)


def walk(net):
    """All walkers at once, each from the left end; gives what was seen, done and earned."""
    place = np.zeros(WALKERS, dtype=int)
    seen, done, earned = [], [], []
    for _ in range(STEPS):
        with tg.no_grad():
            p_right = net(tg.from_numpy(eye[place]))[0].softmax(1).numpy()[:, 1]
        action = (rng.random(WALKERS) < p_right).astype(int)
        seen.append(place)
        done.append(action)
        place = np.clip(place + 2 * action - 1, 0, LENGTH - 1)
        earned.append((place == LENGTH - 1).astype(np.float32))
    return np.array(seen), np.array(done), 0.1 * np.array(earned)


net = ActorCritic()
optimizer = optim.Adam(net.parameters(), lr=5e-3)
for episode in range(150):
    seen, done, earned = walk(net)
    returns = np.zeros_like(earned)
    future = np.zeros(WALKERS, dtype=np.float32)
    for t in reversed(range(STEPS)):
        future = earned[t] + GAMMA * future
        returns[t] = future
    logits, values = net(tg.from_numpy(eye[seen.ravel()]))
    target = tg.from_numpy(returns.ravel())
    advantage = (target - values).detach()
    log_p = logits.log_softmax(1)
    taken = log_p.gather(1, tg.from_numpy(done.ravel()[:, None])).squeeze(1)
    entropy = -(log_p.exp() * log_p).sum(1).mean()
    loss = -(advantage * taken).mean() + 0.5 * tg.mse_loss(values, target) - 0.003 * entropy
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    if episode % 15 == 14:
        print(
            f"episode {episode + 1}: loss {loss.item():+.3f}, "
            f"reward {earned.sum(0).mean():.2f} of {(STEPS - LENGTH + 2) / 10}"
        )
