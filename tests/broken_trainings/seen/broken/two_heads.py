"""The two heads are made by multiplying a list: both are the same layer and predict the same number.

Reason: one module (the same Linear, the same weights) is used for both heads, so its parameters are shared
and the heads give the same output; make a new layer for each with a list comprehension.
Line: self.heads = nn.ModuleList([nn.Linear(width, 1)] * 2)
Words: share|same|reused|twice|times|more than once, layer|module|parameter|weight|head
Harm: the errors stop at 0.14 and 0.17, mended they fall to 0.007 and 0.005.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x):
        return tg.relu(self.norm(self.linear(x)))


class TwoTasks(nn.Module):
    """Predicts the product and the sum of two numbers."""

    def __init__(self, width=24):
        super().__init__()
        self.trunk = nn.Sequential(Block(2, width), Block(width, width))
        self.heads = nn.ModuleList([nn.Linear(width, 1)] * 2)

    def forward(self, x):
        x = self.trunk(x)
        return [head(x) for head in self.heads]


tg.manual_seed(0)
net = TwoTasks()
optimizer = tg.optim.AdamW(net.parameters(), lr=0.01)
loss_fn = nn.MSELoss()
for step in range(50):
    pairs = 2 * tg.rand(64, 2) - 1
    product, total = net(pairs)
    first = loss_fn(product, pairs[:, :1] * pairs[:, 1:])
    second = loss_fn(total, pairs.sum(dim=1, keepdim=True))
    loss = first + second
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("product", round(first.item(), 4), "sum", round(second.item(), 4))
