"""Healthy: zero_grad is not called in each step, on purpose: four small batches are accumulated into one.

Gradient accumulation: each loss is divided by STEPS_TOGETHER, and step and zero_grad come together each
fourth batch.
"""

import tinygrad_conv as tg
import tinygrad_conv.nn.functional as F
from tinygrad_conv import data, nn, optim

MICRO_BATCH = 10
STEPS_TOGETHER = 4


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc = nn.Linear(16 * 4 * 4, len(data.SHAPES))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


tg.manual_seed(5)
images, labels = data.shapes(800, seed=5)
loader = data.DataLoader(data.TensorDataset(images[:640], labels[:640]), batch_size=MICRO_BATCH, shuffle=True)
net = Net()
optimizer = optim.Adam(net.parameters(), lr=0.004)
optimizer.zero_grad()
for epoch in range(15):
    total = 0.0
    for i, (x, y) in enumerate(loader):
        loss = F.cross_entropy(net(x), y) / STEPS_TOGETHER
        loss.backward()
        total += loss.item() * STEPS_TOGETHER
        if (i + 1) % STEPS_TOGETHER == 0:
            optimizer.step()
            optimizer.zero_grad()
    with tg.no_grad():
        hits = (net(images[640:]).argmax(1) == labels[640:]).float().mean().item()
    print(f"epoch {epoch + 1}: loss {total / len(loader):.4f}, test accuracy {hits:.3f}")
