"""The pretrained weights are loaded with strict=False, and not one of the names is known to the new net.

Reason: the keys of the state dict ("0.weight") do not match those of the classifier ("features.0.weight"),
and with strict=False load_state_dict skips them silently: the frozen features stay random.
Line: classifier.load_state_dict(encoder.state_dict(), strict=False)
Words: load_state_dict|state_dict|state dict|strict, match|missing|unexpected|not loaded|nothing|ignor|skip|
no key|no name|none of|differ|prefix|random|not copied
Harm: the loss goes to 0.47 and 0.75 are right, mended to 0.1 and 0.96.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.optim import Adam

tg.manual_seed(15)
rng = np.random.default_rng(15)
mixing = rng.normal(0, 1, (3, 40))


def signals(count):
    """Three causes seen through forty noisy sensors; the label hangs on the first two causes."""
    causes = rng.normal(0, 1, (count, 3))
    labels = (causes[:, 0] * causes[:, 1] > 0).astype(np.int64)
    sensors = causes @ mixing + rng.normal(0, 0.5, (count, 40))
    return tg.tensor((sensors / 2).astype(np.float32)), tg.tensor(labels)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(40, 3), nn.Identity())
        self.head = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 2))

    def forward(self, x):
        return self.head(self.features(x))


# first: an autoencoder on signals without labels
encoder = nn.Sequential(nn.Linear(40, 3), nn.Identity())
decoder = nn.Linear(3, 40)
optimizer = Adam([*encoder.parameters(), *decoder.parameters()], lr=0.02)
unlabelled, _ = signals(256)
for epoch in range(60):
    loss = nn.functional.mse_loss(decoder(encoder(unlabelled)), unlabelled)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("reconstruction", loss.item())

# then: a classifier on its features, with few labels
classifier = Classifier()
classifier.load_state_dict(encoder.state_dict(), strict=False)
for parameter in classifier.features.parameters():
    parameter.requires_grad = False
optimizer = Adam(classifier.head.parameters(), lr=0.02)
x, y = signals(200)
for epoch in range(120):
    loss = nn.functional.cross_entropy(classifier(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("classification", loss.item(), "accuracy", (classifier(x).argmax(1) == y).float().mean().item())
