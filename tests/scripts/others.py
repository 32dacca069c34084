"""Scripts that do something else: a U-Net, a GAN, a walk over the tape, a normalisation written by hand."""

from __future__ import annotations

SEGMENTATION = """
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

def twice(into, out, between=None):
    between = between or out
    return nn.Sequential(
        nn.Conv2d(into, between, kernel_size=3, padding=1, bias=False), nn.BatchNorm2d(between),
        nn.ReLU(inplace=True), nn.Conv2d(between, out, kernel_size=3, padding=1), nn.LeakyReLU(inplace=True))

class Shallow(nn.Module):
    def __init__(self, smooth):
        super().__init__()
        self.above = twice(3, 4)
        self.below = nn.Sequential(nn.MaxPool2d(2), twice(4, 4 if smooth else 8))
        if smooth:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        else:
            self.up = nn.ConvTranspose2d(8, 4, kernel_size=2, stride=2)
        self.join = twice(8, 4, 3)
        self.scores = nn.Conv2d(4, 2, kernel_size=1)

    def forward(self, x):
        fine = self.above(x)
        coarse = self.up(self.below(fine))
        rows, columns = fine.size()[2] - coarse.size()[2], fine.size()[3] - coarse.size()[3]
        coarse = F.pad(coarse, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return self.scores(self.join(torch.cat([fine, coarse], dim=1)))

def unlike(guess: Tensor, truth: Tensor, tiny: float = 1e-6):
    each = tuple(range(1, guess.dim()))
    common, size = (guess * truth).sum(dim=each), guess.sum(dim=each) + truth.sum(dim=each)
    size = torch.where(size == 0, 2 * common, size)
    return 1 - ((2 * common + tiny) / (size + tiny)).mean()

x, mask = torch.tensor(images(2, 3, 9)), torch.tensor(labels(2 * 9 * 9) % 2).view(2, 9, 9)
losses, rough, grads = [], [], []
for smooth, history in ((True, losses), (False, rough)):
    net = fill(Shallow(smooth))
    optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-2, weight_decay=1e-8, momentum=0.9, foreach=True)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max", patience=5)
    for step in range(4):
        y = net(x)
        loss = F.cross_entropy(y, mask)
        loss += unlike(F.softmax(y, dim=1).float(), F.one_hot(mask, 2).permute(0, 3, 1, 2).float())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(loss.item())
        grads += [p.grad for p in net.parameters()] if step == 0 else []
    schedule.step(history[-1])
results = dict(losses=losses, rough=rough, grads=grads, rate=optimizer.param_groups[0]["lr"])
"""

ADVERSARIES = """
import torch
import torch.nn as nn
import torch.backends.cudnn as cudnn
import torch.optim as optim

cudnn.benchmark = True
device = torch.device("cpu")

def small(layer):
    name = layer.__class__.__name__
    if "Conv" in name:
        torch.nn.init.normal_(layer.weight, 0.0, 0.02)
    elif name.startswith("BatchNorm"):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)

forger = nn.Sequential(
    nn.ConvTranspose2d(4, 6, 4, 1, 0, bias=False), nn.BatchNorm2d(6), nn.ReLU(True),
    nn.ConvTranspose2d(6, 1, 4, 2, 1, bias=False), nn.Tanh()).to(device)
expert = nn.Sequential(
    nn.Conv2d(1, 6, 4, 2, 1, bias=False), nn.BatchNorm2d(6), nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(6, 1, 4, 1, 0, bias=False), nn.Sigmoid())
for net in (forger, expert):
    net.apply(small)
    fill(net)
criterion = nn.BCELoss()
learning = {net: optim.Adam(net.parameters(), lr=0.01, betas=(0.5, 0.999)) for net in (forger, expert)}
genuine, losses, log = torch.tensor(images(4, 1, 8)), [], []
for step in range(3):
    count = genuine.size(0)
    verdict = torch.full((count,), 1, dtype=genuine.dtype, device=device)
    expert.zero_grad()
    believed = expert(genuine).view(-1, 1).squeeze(1)
    missed = criterion(believed, verdict)
    missed.backward()
    forged = forger(torch.tensor(noise(count, 4, 1, 1)))
    verdict.fill_(0)
    fooled = criterion(expert(forged.detach()).view(-1), verdict)
    fooled.backward()
    learning[expert].step()
    forger.zero_grad()
    verdict.fill_(1)
    caught = criterion(expert(forged).view(-1), verdict)
    caught.backward()
    learning[forger].step()
    losses.append((missed + fooled).item())
    log.append("%.3f %.3f" % (caught.item(), believed.mean().item()))
results = dict(losses=losses, log=log, forged=forged, verdict=verdict,
               grads=[p.grad for net in (forger, expert) for p in net.parameters()])
"""

AUTOGRAD = """
import torch

ones, aim = torch.ones(5), torch.zeros(3)
w = torch.tensor(noise(5, 3), requires_grad=True)
b = torch.tensor(noise(3), requires_grad=True)
z = torch.matmul(ones, w) + b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, aim)
loss.backward()
answers = [z.requires_grad, z.detach().requires_grad, z.is_leaf, w.is_leaf, z.grad_fn is None]
with torch.no_grad():
    answers += [(torch.matmul(ones, w) + b).requires_grad]

corner = torch.eye(4, 5, requires_grad=True)
squares = (corner + 1).pow(2).t()
sums = []
for _ in range(2):
    squares.backward(torch.ones_like(squares), retain_graph=True)
    sums.append(float(corner.grad.sum()))

p = torch.tensor([2.0, 3.0], requires_grad=True)
q = torch.tensor([6.0, 4.0], requires_grad=True)
cubes = 3 * p**3 - q**2
cubes.backward(gradient=torch.tensor([1.0, 0.5]))

v = torch.tensor(noise(3), requires_grad=True)
long, times = v * 2, 0
while long.norm() < 100:
    long = long * 2
    times += 1
long.backward(torch.tensor([0.1, 1.0, 0.0001]))
frozen = torch.nn.Linear(3, 2)
for parameter in frozen.parameters():
    parameter.requires_grad = False
results = dict(
    losses=[loss.item()], answers=answers, sums=sums, times=times, frozen=frozen(v).requires_grad,
    grads=[w.grad, b.grad, corner.grad, p.grad, q.grad, v.grad],
)
"""

NORM_BY_HAND = """
import torch
from torch import nn

class Whiten(nn.Module):
    def __init__(self, features, dims, keep=0.9, eps=1e-5):
        super().__init__()
        shape = [1, features] + [1] * (dims - 2)
        self.scale, self.shift = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))
        self.average, self.spread = torch.zeros(shape), torch.ones(shape)
        self.over = [0] if dims == 2 else [0, 2, 3]
        self.keep, self.eps = keep, eps

    def forward(self, x):
        if self.average.device != x.device:
            self.average, self.spread = self.average.to(x.device), self.spread.to(x.device)
        average, spread = self.average, self.spread
        if torch.is_grad_enabled():
            average = x.mean(dim=self.over, keepdim=True)
            spread = ((x - average) ** 2).mean(dim=self.over, keepdim=True)
            self.average = (self.keep * self.average + (1 - self.keep) * average).detach()
            self.spread = (self.keep * self.spread + (1 - self.keep) * spread).detach()
        return self.scale * ((x - average) / torch.sqrt(spread + self.eps)) + self.shift

net = fill(nn.Sequential(nn.Conv2d(1, 3, kernel_size=3), Whiten(3, dims=4), nn.Sigmoid(), nn.Flatten(),
                         nn.Linear(3 * 4 * 4, 5), Whiten(5, dims=2), nn.Linear(5, 10)))
groups = [{"params": net[0].parameters(), "lr": 1e-3}, {"params": net[1:].parameters()}]
optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9)
x, y, losses = torch.tensor(images(6, 1, 6)), torch.tensor(labels(6)), []
for epoch in range(4):
    each = nn.functional.cross_entropy(net(x), y, reduction="none")
    optimizer.zero_grad()
    each.mean().backward()
    optimizer.step()
    losses.append(float(each.detach().sum()))
with torch.no_grad():
    out = net(x)
results = dict(losses=losses, out=out, scale=net[1].scale.reshape((-1,)), spread=net[5].spread,
               grads=[p.grad for p in net.parameters()])
"""
