"""Healthy: REINFORCE with a baseline; its loss goes up and down around 0 and says nothing about progress.

What grows is the reward. The advantage is a plain number, so no gradient flows through it, on purpose.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

rng = np.random.default_rng(34)
tg.manual_seed(34)

policy = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
optimizer = optim.Adam(policy.parameters(), lr=0.03)
secret = rng.normal(size=(4, 3)).astype(np.float32)  # which arm pays in which situation

baseline = 0.0
for episode in range(80):
    situations = rng.normal(size=(64, 4)).astype(np.float32)
    log_probabilities = nn.functional.log_softmax(policy(tg.tensor(situations)), dim=1)
    with tg.no_grad():
        actions = tg.multinomial(log_probabilities.exp(), 1)
    chosen = actions.numpy()[:, 0]
    best = (situations @ secret).argmax(axis=1)
    rewards = (chosen == best).astype(np.float32) + rng.normal(0, 0.1, 64).astype(np.float32)

    advantage = tg.tensor(rewards - np.float32(baseline)).unsqueeze(1)
    loss = -(log_probabilities.gather(1, actions) * advantage).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    baseline = 0.9 * baseline + 0.1 * rewards.mean()
    if episode % 20 == 19:
        print(f"episode {episode + 1}: reward {rewards.mean():.2f}, loss {loss.item():.3f}")
