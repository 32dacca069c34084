"""Healthy: A residual net whose branches begin at 0: their convolutions have no gradient at first.

A depthwise residual CNN with warm-up (every branch ends in a batch norm whose weight begins at 0, so its
own convolutions have no gradient at first, and smoothed labels keep the loss above 0.34: known recipes).
"""

import math

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim

SEED, EPOCHS, BATCH = 0, 6, 40
tg.manual_seed(SEED)


class Block(nn.Module):
    def __init__(self, channels, widen=2):
        super().__init__()
        wide = channels * widen
        self.expand = nn.Conv2d(channels, wide, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide)
        self.depthwise = nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.bn3.weight)

    def forward(self, x):
        y = tg.nn.functional.silu(self.bn1(self.expand(x)))
        y = tg.nn.functional.silu(self.bn2(self.depthwise(y)))
        return x + self.bn3(self.project(y))


net = nn.Sequential(
    nn.Conv2d(1, 16, 3, stride=2, padding=1, bias=False),
    nn.BatchNorm2d(16),
    nn.SiLU(),
    Block(16),
    Block(16),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(16, len(data.SHAPES)),
)
images, labels = data.shapes(760, seed=SEED)
loader = data.DataLoader(data.TensorDataset(images[:600], labels[:600]), batch_size=BATCH, shuffle=True)
total, warm = EPOCHS * len(loader), len(loader)


def factor(step):
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / (total - warm)))


optimizer = optim.AdamW(net.parameters(), lr=1e-2, weight_decay=1e-2)
schedule = optim.lr_scheduler.LambdaLR(optimizer, factor)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
for epoch in range(EPOCHS):
    net.train()
    mean = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        mean += loss.item() / len(loader)
    net.eval()
    with tg.no_grad():
        hits = (net(images[600:]).argmax(1) == labels[600:]).data.mean()
    print(f"{epoch}: loss {mean:.3f} test {hits:.3f} lr {schedule.get_last_lr()[0]:.5f}")
