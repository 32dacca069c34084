"""The model is put into eval mode before training and stays there, so batch norm and dropout do nothing.

Reason: the model is trained in eval mode: batch norm uses its running statistics, which are never updated,
and dropout is off; call model.train() before the training loop.
Line: model.eval() || logits = model(images)
Words: eval mode|evaluation|in eval|train(), mode|batch norm|batchnorm|dropout
Harm: the loss falls to 1.2, mended (train mode) to 0.03.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.nn import functional as F


def conv_block(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(conv_block(1, 8), conv_block(8, 16))
        self.dropout = nn.Dropout(0.25)
        self.head = nn.Linear(16 * 4, 4)

    def forward(self, x):
        return self.head(self.dropout(self.features(x).flatten(1)))


def quadrants(rng, count):
    labels = rng.integers(0, 4, count)
    images = 5 + rng.normal(0, 2, (count, 1, 8, 8))
    for image, label in zip(images, labels):
        image[0, 4 * (label // 2) :, 4 * (label % 2) :] += 3
    return tg.tensor(images.astype(np.float32)), tg.tensor(labels)


def main():
    rng = np.random.default_rng(6)
    tg.manual_seed(6)
    model = Classifier()
    test_images, test_labels = quadrants(rng, 50)
    model.eval()
    with tg.no_grad():
        before = F.cross_entropy(model(test_images), test_labels).item()
    print("loss before training", before)

    optimizer = tg.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for step in range(40):
        images, labels = quadrants(rng, 32)
        optimizer.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
    print("loss after training", loss.item())


main()
