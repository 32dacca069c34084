"""The loss of all steps so far is summed up and backpropagated again in each step, over the old graphs.

Reason: the gradients flow through the graphs of all earlier steps again (the running total is never
detached, the old graph is retained), so old gradients pile up and memory and time grow; use loss.backward()
and total += loss.item().
Line: total.backward(retain_graph=True) || total = total + loss
Words: graph|retain|detach|history|earlier, old|previous|earlier|grow|again|accumul|pile
Harm: the loss swings and grows, up to 24, mended it falls to 0.002.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn

rng = np.random.default_rng(5)
tg.manual_seed(5)

true_slope, true_offset = np.array([[1.5], [-2.0], [0.7]], np.float32), 0.3


def sample(count):
    x = rng.normal(0, 1, (count, 3)).astype(np.float32)
    y = x @ true_slope + true_offset + 0.05 * rng.normal(0, 1, (count, 1)).astype(np.float32)
    return tg.from_numpy(x), tg.from_numpy(y.astype(np.float32))


model = nn.Linear(3, 1)
optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
total = 0
for step in range(1, 41):
    x, y = sample(16)
    loss = ((model(x) - y) ** 2).mean()
    total = total + loss
    optimizer.zero_grad()
    total.backward(retain_graph=True)
    optimizer.step()
    if step % 10 == 0:
        print("average loss", total.item() / step, "this batch", loss.item())
