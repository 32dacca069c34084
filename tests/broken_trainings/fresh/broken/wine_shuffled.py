"""The wines and their labels are shuffled by two different permutations.

Reason: inputs and labels are shuffled apart, each with a permutation of its own, so the labels do not
belong to the inputs any more; use the same permutation for both.
Line: wines = wines[tg.randperm(len(wines))] || classes = classes[tg.randperm(len(classes))]
Words: shuffl|permut|align|pair|mismatch|unrelated|independent|belong|correspond|match|together|apart|
same order, label|target|class
Harm: the loss stays near 1.06, mended it falls to 0.16.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.utils.data import DataLoader, TensorDataset


def load_wines():
    """Measurements of three sorts of wine, as from a file that lists one sort after the other."""
    rng = np.random.default_rng(2)
    classes = np.repeat([0, 1, 2], 40)
    centres = rng.normal(0, 1.5, (3, 6))
    wines = centres[classes] + rng.normal(0, 0.7, (120, 6))
    wines = (wines - wines.mean(axis=0)) / wines.std(axis=0)
    return tg.tensor(wines.astype(np.float32)), tg.tensor(classes)


tg.manual_seed(2)
wines, classes = load_wines()

# the file is sorted by class: mix it
wines = wines[tg.randperm(len(wines))]
classes = classes[tg.randperm(len(classes))]

loader = DataLoader(TensorDataset(wines, classes), batch_size=24, shuffle=True)
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.1)

for epoch in range(16):
    total = 0.0
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 0:
        print(f"epoch {epoch}: {total / len(loader):.3f}")

print("accuracy:", (model(wines).argmax(dim=1) == classes).float().mean().item())
