"""Healthy: a contrastive loss, whose label for each row of the batch is its own number.

The labels are 0, 1, 2 ... in order, both views go through the same net, and the scores are divided by 0.1.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.nn import functional as F

TEMPERATURE = 0.1


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 8))

    def forward(self, x):
        return F.normalize(self.body(x), dim=1)


def info_nce(a, b):
    """Each row of a has to find its partner in b, and the other way round."""
    scores = a @ b.T / TEMPERATURE
    partner = tg.arange(len(a))
    return (F.cross_entropy(scores, partner) + F.cross_entropy(scores.T, partner)) / 2


if __name__ == "__main__":
    tg.manual_seed(35)
    encoder = Encoder()
    optimizer = optim.Adam(encoder.parameters(), lr=0.01)
    for step in range(50):
        things = tg.randn(32, 16)
        one_view = things + 0.5 * tg.randn(32, 16)
        other_view = things + 0.5 * tg.randn(32, 16)
        loss = info_nce(encoder(one_view), encoder(other_view))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 9:
            print(f"step {step + 1}  loss {loss.item():.3f}")
