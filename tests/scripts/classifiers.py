"""Scripts that classify: a loop over batches, a model by hand, textbook blocks, a residual network."""

from __future__ import annotations

CLASSIFIER = """
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

class Digits(nn.Module):
    def __init__(self, classes=10):
        super(Digits, self).__init__()
        self.near = nn.Conv2d(1, 4, 3, 1)
        self.far = nn.Conv2d(4, 6, 3, 1)
        self.dropout = nn.Dropout(0.0)
        self.hidden = nn.Linear(6 * 2 * 2, 12)
        self.scores = nn.Linear(12, classes)

    def forward(self, image):
        seen = F.relu(self.near(image))
        seen = F.max_pool2d(F.relu(self.far(seen)), 2)
        seen = torch.flatten(self.dropout(seen), 1)
        return F.log_softmax(self.scores(F.relu(self.hidden(seen))), dim=1)

torch.manual_seed(1)
gpu = torch.cuda.is_available()
device = torch.device("cuda" if gpu else "cpu")
examples = TensorDataset(torch.from_numpy(images(12, 1, 8)), torch.tensor(labels(12)))
batches = DataLoader(examples, batch_size=4, num_workers=0, pin_memory=gpu)
digits = fill(Digits()).to(device)
optimizer = optim.Adadelta(digits.parameters(), lr=0.2)
schedule = StepLR(optimizer, step_size=1, gamma=0.7)
losses, log = [], []
for epoch in range(4):
    digits.train()
    for step, (image, digit) in enumerate(batches):
        image, digit = image.to(device), digit.to(device, non_blocking=True)
        loss = F.nll_loss(digits(image), digit)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        log.append(f"{epoch}: {step * len(image)} of {len(batches.dataset)} {loss:.3f} {loss.item():>7.3f}")
    schedule.step()
digits.eval()
total, right = 0.0, 0
with torch.no_grad():
    for image, digit in batches:
        scores = digits(image)
        total += F.nll_loss(scores, digit, reduction="sum").item()
        best = scores.argmax(dim=1, keepdim=True)
        right += best.eq(digit.view_as(best)).sum().item()
torch.save({"epoch": epoch, "net": digits.state_dict(), "optimizer": optimizer.state_dict()}, path)
saved = torch.load(path, map_location=device, weights_only=True)
again = Digits()
again.load_state_dict(saved["net"])
again.eval()
results = dict(
    losses=losses, log=log, total=total, right=right, rate=schedule.get_last_lr(), again=again(image),
    epoch=saved["epoch"], grads=[p.grad for p in digits.parameters()],
)
"""

BY_HAND = """
import math
import torch
import torch.nn.functional as F

points, classes = torch.as_tensor(noise(20, 6)), torch.as_tensor(labels(20), dtype=torch.long)
slope = torch.tensor(noise(6, 10)) / math.sqrt(6)
slope.requires_grad_()
shift = torch.zeros(10, requires_grad=True)

def scores(batch):
    raw = batch @ slope + shift
    return raw - raw.exp().sum(-1).log().unsqueeze(-1)

def surprise(batch, wanted):
    return -scores(batch)[range(wanted.shape[0]), wanted].mean()

losses, size = [], 8
for epoch in range(6):
    for start in range(0, points.shape[0], size):
        part = slice(start, start + size)
        loss = surprise(points[part], classes[part])
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for tensor in (slope, shift):
                tensor -= tensor.grad * 0.5
        slope.grad = shift.grad = None
whole = F.cross_entropy(points @ slope + shift, classes)
whole.backward()
share = (torch.argmax(scores(points), dim=1) == classes).float().mean()
results = dict(
    losses=losses, whole=whole.detach(), surprise=surprise(points, classes), share=share,
    grads=[slope.grad, shift.grad], slope=slope, shift=shift,
)
"""

TEXTBOOK = """
import torch
from torch import nn
from torch.nn import functional as F

def start_over(layer):
    if type(layer) == nn.Linear or type(layer) == nn.Conv2d:
        nn.init.xavier_uniform_(layer.weight)

def pixelwise(into, out, size, stride, padding):
    return nn.Sequential(
        nn.Conv2d(into, out, size, stride, padding), nn.ReLU(),
        nn.Conv2d(out, out, kernel_size=1), nn.Sigmoid())

class Growing(nn.Module):
    def __init__(self, into, growth, count):
        super().__init__()
        widths = range(into, into + growth * count, growth)
        self.steps = nn.Sequential(*[
            nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, growth, 3, padding=1))
            for width in widths])

    def forward(self, x):
        for step in self.steps:
            x = torch.cat((x, step(x)), dim=1)
        return x

class Paths(nn.Module):
    def __init__(self, *widths, **options):
        super(Paths, self).__init__(**options)
        self.straight = nn.LazyConv2d(widths[0], kernel_size=1)
        self.pooled = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), nn.LazyConv2d(widths[1], 1))

    def forward(self, x):
        return torch.cat([F.relu(path(x)) for path in (self.straight, self.pooled)], dim=1)

net = nn.Sequential(
    pixelwise(1, 4, size=5, stride=2, padding=2), nn.AvgPool2d(kernel_size=2, stride=1), Growing(4, 3, 2),
    nn.LazyBatchNorm2d(), Paths(3, 2), nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(), nn.LazyLinear(10))
net.eval()
shapes, x = [], torch.rand(size=(2, 1, 12, 12), dtype=torch.float32)
for layer in net:
    x = layer(x)
    shapes.append((layer.__class__.__name__, tuple(x.shape)))
net.apply(start_over)
fill(net)
device = next(iter(net.parameters())).device
x, y = torch.tensor(images(6, 1, 12)).to(device), torch.tensor(labels(6)).to(device)
optimizer, criterion = torch.optim.SGD(net.parameters(), lr=0.1), nn.CrossEntropyLoss()
losses, right = [], 0.0
for epoch in range(4):
    net.train()
    guess = net(x)
    loss = criterion(guess, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        losses.append(float(loss * x.shape[0]) / y.numel())
        right += float((guess.argmax(axis=1).type(y.dtype) == y).type(y.dtype).sum())
net.eval()
results = dict(
    losses=losses, right=right, shapes=shapes, device=str(device), out=net(x),
    grads=[p.grad for p in net.parameters()], buffers=list(net.buffers()),
)
"""

RESIDUAL = """
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.nn.init as init

def prepare(layer):
    if isinstance(layer, (nn.Linear, nn.Conv2d)):
        init.kaiming_normal_(layer.weight)

class Call(nn.Module):
    def __init__(self, function):
        super(Call, self).__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)

class Block(nn.Module):
    def __init__(self, into, out, stride=1):
        super(Block, self).__init__()
        self.conv = nn.Conv2d(into, out, kernel_size=3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.squeeze = nn.Conv2d(out, 2, kernel_size=1)
        self.excite = nn.Conv2d(2, out, kernel_size=1)
        self.around = nn.Sequential()
        if into != out:
            wider = (0, 0, 0, 0, (out - into) // 2, (out - into) // 2)
            self.around = Call(lambda x: F.pad(x[:, :, ::stride, ::stride], wider, "constant", 0))

    def forward(self, x):
        y = self.norm(self.conv(x))
        gate = self.excite(F.relu(self.squeeze(F.avg_pool2d(y, y.size(2)))))
        y = y * gate.sigmoid()
        y += self.around(x)
        return F.relu(y)

class Residual(nn.Module):
    widths = [4, 8]

    def __init__(self, depth, classes=10):
        super(Residual, self).__init__()
        into = self.widths[0]
        for number, width in enumerate(self.widths):
            blocks = [Block(into if first else width, width, 1 + number if first else 1)
                      for first in [True] + [False] * (depth - 1)]
            setattr(self, "stage%d" % number, nn.Sequential(*blocks))
            into = width
        self.depthwise = nn.Conv2d(into, into, 3, padding=1, groups=into)
        self.scores = nn.Linear(into, classes)
        self.apply(prepare)

    def forward(self, x):
        for number in range(len(self.widths)):
            x = self.__getattr__("stage%d" % number)(x)
        count, channels, height, width = x.size()
        mixed = x.view(count, 2, channels // 2, height, width).permute(0, 2, 1, 3, 4).reshape(x.shape)
        y = F.relu6(self.depthwise(mixed), inplace=True)
        return self.scores(y.view(y.size(0), y.size(1), -1).mean(-1))

net = fill(Residual(2))
x = torch.tensor(images(4, 4, 8), requires_grad=True)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)
losses = []
for epoch in range(5):
    loss = criterion(net(x), torch.tensor(labels(4)))
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
size = sum(p.numel() for p in net.parameters() if p.requires_grad)
_, guesses = torch.max(net.eval()(x), 1)
results = dict(losses=losses, size=size, guesses=guesses, dx=x.grad,
               grads=[p.grad for p in net.parameters()], state=list(net.state_dict()))
"""
