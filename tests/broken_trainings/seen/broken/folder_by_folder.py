"""The data set is sorted by class and the loader does not shuffle, so a batch holds one class alone.

Reason: the batches are sorted by class (each holds a single label), the net forgets one class while it sees
the next; shuffle the training data (shuffle=True).
Line: loader = DataLoader(PatternDataset(), batch_size=20)
Words: shuffl|sorted|order|single class|one class, class|label|batch
Harm: accuracy 0.71 after two epochs, swinging from class to class, mended 0.87.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.data import DataLoader, Dataset


class PatternDataset(Dataset):
    """One pattern after another, as they would lie in a folder for each class."""

    def __init__(self, per_class=100, classes=4):
        rng = np.random.default_rng(2)
        centres = rng.normal(0, 1, (classes, 10))
        self.labels = np.repeat(np.arange(classes), per_class)
        noise = rng.normal(0, 1, (len(self.labels), 10))
        self.rows = (centres[self.labels] + noise).astype(np.float32)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.rows[index], self.labels[index]


def accuracy(model, data):
    with tg.no_grad():
        predicted = model(tg.tensor(data.rows)).argmax(dim=1)
    return float((predicted.numpy() == data.labels).mean())


tg.manual_seed(2)
loader = DataLoader(PatternDataset(), batch_size=20)
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()

for epoch in range(2):
    for rows, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(rows), labels)
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "accuracy", accuracy(model, loader.dataset))
