"""F.dropout is called without training=self.training, so it drops half of the features in evaluation too.

Reason: dropout is active although the model is in eval mode (F.dropout does not know the module's mode), so
predictions are random; pass training=self.training or use nn.Dropout.
Line: x = F.dropout(x, 0.5)
Words: dropout, eval|training=|mode
Harm: two evaluations of the same model differ (0.47, 0.465), mended they are both 0.395.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 24)
        self.fc2 = nn.Linear(24, 24)
        self.fc3 = nn.Linear(24, 2)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.dropout(x, 0.5)
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def patients(count, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (count, 10))
    ill = (values[:, 0] + values[:, 1] * values[:, 2] > 0.2).astype(np.int64)
    return tg.tensor(values.astype(np.float32)), tg.tensor(ill)


def evaluate(model, x, y):
    model.eval()
    with tg.no_grad():
        logits = model(x)
    return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


tg.manual_seed(15)
x, y = patients(256, seed=15)
x_test, y_test = patients(200, seed=16)
model = Net()
optimizer = optim.Adam(model.parameters(), lr=0.01)
for epoch in range(6):
    model.train()
    for i in range(0, 256, 32):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[i : i + 32]), y[i : i + 32])
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "test loss and accuracy", *evaluate(model, x_test, y_test))
first, second = (evaluate(model, x_test, y_test)[0] for _ in range(2))
print("evaluated twice:", first, second)
