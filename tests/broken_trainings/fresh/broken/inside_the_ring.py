"""All weights of a layer start with the same number, so all of its units do the same for ever.

Reason: the constant initialisation makes the hidden units identical: they get the same gradient and stay
symmetric, so a layer is worth a single unit; initialise with random numbers.
Line: nn.init.constant_(module.weight, 0.1)
Words: symmetr|identical|same|equal|copies|constant, unit|neuron|row|channel|hidden|feature|column|node
Harm: 0.73 of the points are right, mended all.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.optim import Adam


def init_weights(module):
    if isinstance(module, nn.Linear):
        nn.init.constant_(module.weight, 0.1)
        nn.init.zeros_(module.bias)


def sample_points(n, seed):
    gen = np.random.default_rng(seed)
    radius = np.concatenate([gen.uniform(0, 0.8, n // 2), gen.uniform(1.2, 1.6, n // 2)])
    angle = gen.uniform(0, 2 * np.pi, n)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    outside = (radius > 1).astype(np.float32)
    return tg.tensor(points.astype(np.float32)), tg.tensor(outside).unsqueeze(1)


X, Y = sample_points(128, seed=1)
tg.manual_seed(1)
classifier = nn.Sequential(
    nn.Linear(2, 20),
    nn.Tanh(),
    nn.Linear(20, 10),
    nn.Tanh(),
    nn.Linear(10, 1),
    nn.Sigmoid(),
)
classifier.apply(init_weights)

bce = nn.BCELoss()
adam = Adam(classifier.parameters(), lr=0.02)
for epoch in range(100):
    adam.zero_grad()
    out = classifier(X)
    loss = bce(out, Y)
    loss.backward()
    adam.step()
    if (epoch + 1) % 25 == 0:
        correct = ((out > 0.5).float() == Y).float().mean().item()
        print(f"epoch {epoch + 1}: loss={loss.item():.3f}, correct={correct:.2f}")
