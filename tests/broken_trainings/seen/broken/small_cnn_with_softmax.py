"""The model ends in a softmax and the loss is CrossEntropyLoss, which applies a softmax itself.

Reason: softmax is applied twice (cross-entropy expects raw logits), which flattens the gradients; remove
the softmax from the model.
Line: nn.Softmax(dim=1),
Words: softmax, cross|logit|twice|double
Harm: the loss cannot fall below 0.905, mended it falls to 0.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

tg.manual_seed(4)
rng = np.random.default_rng(4)

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(8 * 16, 5),
    nn.Softmax(dim=1),
)
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def get_batch(size=32):
    labels = rng.integers(0, 5, size)
    images = rng.normal(0, 0.3, (size, 1, 8, 8)).astype(np.float32)
    for image, label in zip(images, labels):
        image[0, label + 1, 1:7] += 1.5
    return tg.tensor(images), tg.tensor(labels)


running_loss = 0.0
for i in range(40):
    inputs, labels = get_batch()
    optimizer.zero_grad()
    outputs = model(inputs)
    loss = criterion(outputs, labels)
    loss.backward()
    optimizer.step()
    running_loss += loss.item()
    if i % 10 == 9:
        print(f"[{i + 1:3d}] loss: {running_loss / 10:.3f}")
        running_loss = 0.0
