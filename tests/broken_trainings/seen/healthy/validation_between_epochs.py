"""Healthy: eval mode for the validation after each epoch, and train mode again for the next.

Batch norm and dropout change their behaviour several times, each time at the right place.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.data import DataLoader, TensorDataset, random_split


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(8 * 9, 2)

    def forward(self, x):
        x = tg.relu(self.norm(self.conv(x)))
        x = nn.functional.max_pool2d(x, 2)
        return self.fc(self.dropout(x.flatten(1)))


def edges(count=240, seed=7):
    rng = np.random.default_rng(seed)
    images = rng.normal(0, 0.4, (count, 1, 6, 6)).astype(np.float32)
    labels = rng.integers(0, 2, count)
    images[labels == 0, :, :, 3:] += 1
    images[labels == 1, :, 3:, :] += 1
    return TensorDataset(tg.tensor(images - 0.5), tg.tensor(labels))


def train_epoch(model, loader, optimizer, criterion):
    model.train()
    for images, labels in loader:
        optimizer.zero_grad()
        criterion(model(images), labels).backward()
        optimizer.step()


def validate(model, loader):
    model.eval()
    right = 0
    with tg.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(1) == labels).sum().item()
    return right / len(loader.dataset)


def main():
    tg.manual_seed(7)
    train_set, validation_set = random_split(edges(), [200, 40])
    train_loader = DataLoader(train_set, batch_size=20, shuffle=True)
    validation_loader = DataLoader(validation_set, batch_size=20)
    model = Net()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(4):
        train_epoch(model, train_loader, optimizer, nn.CrossEntropyLoss())
        print(epoch, validate(model, validation_loader))


if __name__ == "__main__":
    main()
