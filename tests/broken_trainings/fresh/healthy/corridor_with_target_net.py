"""Healthy: Q-learning with a target net, a copy that gets no gradients and is renewed now and then.

The targets are computed without gradients and move with the learner, so the loss does not simply fall.
"""

import copy

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

LENGTH, DISCOUNT = 8, 0.9
LEFT, RIGHT = 0, 1


def walk(place, action):
    """A corridor with a reward at its right end."""
    after = np.clip(place + np.where(action == RIGHT, 1, -1), 0, LENGTH - 1)
    done = after == LENGTH - 1
    return after, done.astype(np.float32), done


def one_hot(place):
    return tg.tensor(np.eye(LENGTH, dtype=np.float32)[place])


rng = np.random.default_rng(42)
tg.manual_seed(42)
q_net = nn.Sequential(nn.Linear(LENGTH, 24), nn.ReLU(), nn.Linear(24, 2))
target_net = copy.deepcopy(q_net)
for parameter in target_net.parameters():
    parameter.requires_grad_(False)
optimizer = optim.Adam(q_net.parameters(), lr=0.02)

for step in range(160):
    place = rng.integers(0, LENGTH - 1, 64)
    action = rng.integers(0, 2, 64)
    after, reward, done = walk(place, action)
    with tg.no_grad():
        best = target_net(one_hot(after)).max(dim=1).values
        target = tg.tensor(reward) + DISCOUNT * best * tg.tensor((~done).astype(np.float32))
    q = q_net(one_hot(place)).gather(1, tg.tensor(action).unsqueeze(1)).squeeze(1)
    loss = nn.functional.smooth_l1_loss(q, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        target_net.load_state_dict(q_net.state_dict())
    if step % 30 == 29:
        print(f"step {step + 1}: loss {loss.item():.4f}")
print(
    "goes right from",
    (q_net(one_hot(np.arange(LENGTH - 1))).argmax(dim=1) == RIGHT).sum().item(),
    "places of 7",
)
