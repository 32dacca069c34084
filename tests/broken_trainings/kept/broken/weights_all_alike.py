"""All weights start at the same number, so all hidden units stay copies of each other.

Reason: the weights of each layer are initialised to one constant, so the units are identical (symmetric)
and get identical gradients: the layer acts like a single unit; initialise at random.
Line: module.weight.fill_(0.1) || model.apply(init_weights)
Words: identical|symmetr|same|copies|equal, unit|row|neuron|weight|channel
Harm: the loss stops at 0.15, mended (the default initialisation) it falls to 0.05.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn


def init_weights(module):
    if isinstance(module, nn.Linear):
        with tg.no_grad():
            module.weight.fill_(0.1)
            module.bias.fill_(0.0)


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, 20),
            nn.Tanh(),
            nn.Linear(20, 20),
            nn.Tanh(),
            nn.Linear(20, 1),
        )

    def forward(self, x):
        return self.net(x)


def surface(points):
    return tg.sin(3 * points[:, :1]) * tg.cos(2 * points[:, 1:])


def run():
    tg.manual_seed(0)
    model = Regression()
    model.apply(init_weights)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(50):
        points = 2 * tg.rand(128, 2) - 1
        error = model(points) - surface(points)
        loss = (error * error).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"loss {loss.item():.4f}")


run()
