"""Healthy: a second net gives the targets, without gradients and not in the optimizer.

The target net never gets a gradient, and its outputs are detached: that is what it is for.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn import functional as F

PLACES, GAMMA = 6, 0.9


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(PLACES, 32)
        self.fc2 = nn.Linear(32, 2)

    def forward(self, state):
        return self.fc2(F.relu(self.fc1(state)))


class Corridor:
    """Six places in a row; the reward is at the right end."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def transitions(self, count):
        place = self.rng.integers(0, PLACES, count)
        action = self.rng.integers(0, 2, count)
        after = np.clip(place + 2 * action - 1, 0, PLACES - 1)
        reward = (after == PLACES - 1).astype(np.float32)
        eye = np.eye(PLACES, dtype=np.float32)
        return tg.tensor(eye[place]), tg.tensor(action), tg.tensor(reward), tg.tensor(eye[after])


tg.manual_seed(23)
corridor = Corridor(23)
policy, target = QNet(), QNet()
target.load_state_dict(policy.state_dict())
optimizer = tg.optim.Adam(policy.parameters(), lr=0.01)

for step in range(50):
    state, action, reward, after = corridor.transitions(64)
    value = policy(state).gather(1, action.reshape(-1, 1)).squeeze(1)
    best = target(after).max(dim=1)[0].detach()
    loss = F.smooth_l1_loss(value, reward + GAMMA * best)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 9:
        target.load_state_dict(policy.state_dict())
print("loss", loss.item())
