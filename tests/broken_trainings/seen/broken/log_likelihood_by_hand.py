"""The hand-written likelihood has its sign the wrong way round, so the training makes it as bad as possible.

Reason: the loss falls without bound below zero: the log-likelihood is minimised instead of maximised (the
minus is missing), the net learns the opposite; negate it.
Line: return picked.mean()
Words: sign|negative|minus|unbounded|without bound|-inf|below zero|maximi
Harm: the accuracy falls to 0, mended it rises to 1.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn


def likelihood_loss(logits, labels):
    log_probabilities = nn.functional.log_softmax(logits, dim=1)
    picked = log_probabilities.gather(1, labels.reshape(-1, 1))
    return picked.mean()


def three_clouds(count):
    labels = tg.randint(0, 3, (count,))
    centres = tg.tensor([[0.0, 1.5], [1.5, -1.0], [-1.5, -1.0]])
    return centres[labels] + 0.6 * tg.randn(count, 2), labels


def main():
    tg.manual_seed(9)
    model = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 3))
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
    for step in range(50):
        points, labels = three_clouds(64)
        logits = model(points)
        loss = likelihood_loss(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    hits = (logits.argmax(1) == labels).float().mean().item()
    print("loss", round(loss.item(), 3), "accuracy", hits)


main()
