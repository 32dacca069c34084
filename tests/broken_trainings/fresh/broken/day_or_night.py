"""The trained net is asked for one picture at a time and is still in training mode.

Reason: model.eval() is missing before the evaluation, so batch norm normalises each single picture with its
own mean and variance, instead of the running ones, and takes its brightness away.
Line: guess = model(picture.unsqueeze(0)).argmax(dim=1).item()
Words: eval()|eval mode|evaluation mode|training mode|train mode|train(), batch norm|batchnorm|batch_norm|
normali|running|statistic|single|one sample|one picture|one image|batch of 1|batch of one
Harm: half of the test pictures are right though the loss falls to 0.001, mended all.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def pictures(rng, count):
    """By day the sky is bright, by night it is dark; there are a few stars or birds in it."""
    day = rng.integers(0, 2, count)
    sky = np.where(day, 0.8, 0.2)[:, None, None, None]
    noise = rng.normal(0, 0.1, (count, 1, 8, 8))
    return tg.tensor((sky + noise).astype(np.float32)), tg.tensor(day)


class SkyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        x = tg.relu(self.bn1(self.conv1(x)))
        x = tg.relu(self.bn2(self.conv2(x)))
        return self.fc(x.mean(dim=(2, 3)))


def train(model, images, labels, epochs=8, batch=16):
    model.train()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(epochs):
        for start in range(0, len(images), batch):
            optimizer.zero_grad()
            loss = criterion(model(images[start : start + batch]), labels[start : start + batch])
            loss.backward()
            optimizer.step()
        print("epoch", epoch, "loss", round(loss.item(), 4))


def test(model, images, labels):
    correct = 0
    with tg.no_grad():
        for picture, label in zip(images, labels):
            guess = model(picture.unsqueeze(0)).argmax(dim=1).item()
            correct += guess == label.item()
    print(f"test accuracy: {correct / len(images):.2f}")


if __name__ == "__main__":
    rng = np.random.default_rng(16)
    tg.manual_seed(16)
    model = SkyNet()
    train(model, *pictures(rng, 96))
    test(model, *pictures(rng, 40))
