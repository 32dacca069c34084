"""The gradients are clipped to a norm of 0.0001, so a step of plain gradient descent moves nothing.

Reason: clip_grad_norm_ scales each gradient down to a norm of 1e-4, thousands of times smaller than it was,
so the updates are far too small; clip at about 1.
Line: clip_grad_norm_(model.parameters(), max_norm=1e-4)
Words: clip, small|tiny|shrink|scaled down|scales down|cut down|reduc|thousand|vanish|away|nothing|hardly|
barely|too low|too strict|almost
Harm: the loss stays at 1.55, mended it falls to 0.04.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.nn.utils import clip_grad_norm_

tg.manual_seed(12)
rng = np.random.default_rng(12)


def floor_plans(count=32):
    """How many bright rooms has the plan, none to four?"""
    plans = rng.normal(0, 0.1, (count, 1, 8, 8)).astype(np.float32)
    lit = rng.integers(0, 2, (count, 4))
    for plan, rooms in zip(plans[:, 0], lit):
        for room in np.flatnonzero(rooms):
            top, left = 4 * (room // 2), 4 * (room % 2)
            plan[top + 1 : top + 3, left + 1 : left + 3] += 1
    return tg.tensor(plans), tg.tensor(lit.sum(axis=1))


model = nn.Sequential(
    nn.Conv2d(1, 8, 3),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(8 * 36, 5),
)
loss_fn = nn.CrossEntropyLoss()
sgd = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

for step in range(70):
    plans, number = floor_plans()
    loss = loss_fn(model(plans), number)
    sgd.zero_grad()
    loss.backward()
    clip_grad_norm_(model.parameters(), max_norm=1e-4)  # against exploding gradients
    sgd.step()
    if step % 10 == 9:
        print(f"step {step + 1}, loss {loss.item():.3f}")
