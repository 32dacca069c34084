"""Trainings with nothing wrong: published architectures as toys, and usual ways to write a loop. No alarm."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, LOOP, POINTS, examined, kinds

pytestmark = pytest.mark.exhaustive

IMAGES = """
x = tg.randn(48, 1, 16, 16) * 0.5
y = tg.tensor(rng.integers(0, 4, 48))
x = x + tg.tensor(y.data[:, None, None, None].astype(np.float32) * 0.5)
"""

TRAIN = """
net = Net() if "Net" in globals() else net
optimizer = optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(3):
    for batch, labels in DataLoader(TensorDataset(x, y), batch_size=12, shuffle=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(batch), labels)
        loss.backward()
        optimizer.step()
net.eval()
with tg.no_grad():
    right = (net(x).argmax(dim=1) == y).float().mean()
"""

NETS = {
    "lenet": """
net = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 3), nn.Sigmoid(),
    nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16 * 3 * 3, 60), nn.Sigmoid(), nn.Linear(60, 42), nn.Sigmoid(),
    nn.Linear(42, 4))
for layer in net.modules():
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(layer.weight)
""",
    "network_in_network": """
def block(into, out, size, padding):
    return nn.Sequential(nn.Conv2d(into, out, size, padding=padding), nn.ReLU(), nn.Conv2d(out, out, 1),
                         nn.ReLU(), nn.Conv2d(out, out, 1), nn.ReLU())
net = nn.Sequential(block(1, 12, 5, 2), nn.MaxPool2d(2), block(12, 16, 3, 1), nn.MaxPool2d(2),
                    nn.Dropout(0.5), block(16, 4, 3, 1), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())
""",
    "resnet": """
class Block(nn.Module):
    def __init__(self, into, out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.down = nn.Conv2d(into, out, 1, stride) if into != out else nn.Identity()
        nn.init.zeros_(self.bn2.weight)
    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.down(x))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(1, 8), Block(8, 16, 2), Block(16, 16))
        self.fc = nn.Linear(16, 4)
    def forward(self, x):
        return self.fc(self.blocks(x).mean((2, 3)))
""",
    "densenet": """
class Dense(nn.Module):
    def __init__(self, into, growth):
        super().__init__()
        self.bn, self.conv = nn.BatchNorm2d(into), nn.Conv2d(into, growth, 3, padding=1, bias=False)
    def forward(self, x):
        return tg.cat([x, self.conv(F.relu(self.bn(x)))], 1)
net = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), Dense(6, 4), Dense(10, 4), nn.BatchNorm2d(14), nn.ReLU(),
                    nn.Conv2d(14, 7, 1), nn.AvgPool2d(2), Dense(7, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                    nn.Linear(11, 4))
""",
    "vgg": """
layers, into = [], 1
for width in (8, 8, "M", 16, 16, "M", 24, "M"):
    if width == "M":
        layers.append(nn.MaxPool2d(2))
    else:
        layers += [nn.Conv2d(into, width, 3, padding=1), nn.ReLU(inplace=True)]
        into = width
net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(24 * 4, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 4))
""",
    "mobilenet": """
def inverted(into, out, factor):
    wide = into * factor
    return nn.Sequential(nn.Conv2d(into, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
                         nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False), nn.BatchNorm2d(wide),
                         nn.ReLU6(), nn.Conv2d(wide, out, 1, bias=False), nn.BatchNorm2d(out))
net = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU6(), inverted(8, 8, 3), inverted(8, 12, 3),
                    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 4))
""",
    "mlp_with_dropout": """
net = nn.Sequential(nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 32),
                    nn.Tanh(), nn.Linear(32, 4))
""",
    "transformer": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(16, 24)
        self.place = nn.Parameter(tg.randn(16, 24) * 0.02)
        self.q, self.k, self.v, self.o = (nn.Linear(24, 24) for _ in range(4))
        self.norm1, self.norm2 = nn.LayerNorm(24), nn.LayerNorm(24)
        self.up, self.down = nn.Linear(24, 48), nn.Linear(48, 24)
        self.head = nn.Linear(24, 4)
    def forward(self, x):
        x = self.embed(x.reshape(-1, 16, 16)) + self.place
        z = self.norm1(x)
        attention = F.softmax(self.q(z) @ self.k(z).transpose(1, 2) / 24**0.5, dim=-1)
        x = x + self.o(attention @ self.v(z))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.head(x.mean(1))
""",
    "mixer": """
class Mixer(nn.Module):
    def __init__(self, places, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens = nn.Sequential(nn.Linear(places, 16), nn.GELU(), nn.Linear(16, places))
        self.channels = nn.Sequential(nn.Linear(width, 32), nn.GELU(), nn.Linear(32, width))
    def forward(self, x):
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(1, 12, 4, 4)
        self.mixers = nn.Sequential(Mixer(16, 12), Mixer(16, 12))
        self.head = nn.Linear(12, 4)
    def forward(self, x):
        return self.head(self.mixers(self.patches(x).flatten(2).transpose(1, 2)).mean(1))
""",
    "squeezenet": """
class Fire(nn.Module):
    def __init__(self, into, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(into, squeeze, 1)
        self.near, self.far = nn.Conv2d(squeeze, expand, 1), nn.Conv2d(squeeze, expand, 3, padding=1)
    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return tg.cat([F.relu(self.near(x)), F.relu(self.far(x))], 1)
net = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), Fire(8, 4, 8), Fire(16, 4, 8), nn.Dropout(0.5),
                    nn.Conv2d(16, 4, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
""",
}

LOOPS = {
    "plain": HEAD + POINTS + LOOP,
    "autoencoder": HEAD
    + """
x = tg.rand(64, 36)
net = nn.Sequential(nn.Linear(36, 20), nn.ReLU(), nn.Linear(20, 4), nn.Linear(4, 20), nn.ReLU(),
                    nn.Linear(20, 36), nn.Sigmoid())
optimizer = optim.Adam(net.parameters(), lr=1e-3)
for step in range(40):
    part = x[step % 4 * 16 : step % 4 * 16 + 16]
    loss = F.mse_loss(net(part), part)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "dcgan": HEAD
    + """
def small(layer):
    if "Conv" in type(layer).__name__:
        nn.init.normal_(layer.weight, 0.0, 0.02)
G = nn.Sequential(nn.ConvTranspose2d(8, 16, 4, 1, 0, bias=False), nn.BatchNorm2d(16), nn.ReLU(True),
                  nn.ConvTranspose2d(16, 1, 4, 2, 1, bias=False), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
                  nn.Conv2d(16, 1, 4, 1, 0), nn.Sigmoid(), nn.Flatten(0))
G.apply(small), D.apply(small)
optD = optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
optG = optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
criterion = nn.BCELoss()
for step in range(20):
    real = tg.tanh(tg.randn(16, 1, 8, 8))
    D.zero_grad()
    criterion(D(real), tg.ones(16)).backward()
    fake = G(tg.randn(16, 8, 1, 1))
    criterion(D(fake.detach()), tg.zeros(16)).backward()
    optD.step()
    G.zero_grad()
    criterion(D(fake), tg.ones(16)).backward()
    optG.step()
""",
    "unet": HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU())
        self.middle = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU())
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.out = nn.Sequential(nn.Conv2d(16, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1))
    def forward(self, x):
        fine = self.down(x)
        return self.out(tg.cat([fine, self.up(self.middle(fine))], 1))
net = Net()
optimizer = optim.Adam(net.parameters(), lr=1e-3)
for step in range(12):
    image = tg.randn(4, 1, 16, 16)
    loss = F.binary_cross_entropy_with_logits(net(image), (image > 0).float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "accumulated_gradients": HEAD
    + POINTS
    + """
optimizer.zero_grad()
for step in range(40):
    part = slice(step % 4 * 24, step % 4 * 24 + 24)
    (F.cross_entropy(net(x[part]), y[part]) / 4).backward()
    if step % 4 == 3:
        optimizer.step()
        optimizer.zero_grad()
""",
    "by_hand": HEAD
    + """
x = tg.randn(64, 1)
y = 3 * x + 2 + 0.1 * tg.randn(64, 1)
w, b = tg.zeros(1, 1, requires_grad=True), tg.zeros(1, requires_grad=True)
for step in range(30):
    loss = ((x @ w + b - y) ** 2).mean()
    loss.backward()
    with tg.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad = b.grad = None
""",
    "rnn": HEAD
    + """
cell, out = nn.Linear(3, 2), nn.Linear(2, 1)
optimizer = optim.Adam([*cell.parameters(), *out.parameters()], lr=1e-2)
hidden = tg.zeros(16, 2)
for step in range(20):
    hidden, loss = hidden.detach(), 0.0
    for tick in range(4):
        given = tg.randn(16, 1)
        hidden = tg.tanh(cell(tg.cat([given, hidden], 1)))
        loss = loss + F.mse_loss(out(hidden), given)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([*cell.parameters(), *out.parameters()], 1.0)
    optimizer.step()
""",
    "cosine_to_zero": HEAD
    + POINTS
    + """
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=24)
for step in range(24):
    part = slice(step % 4 * 24, step % 4 * 24 + 24)
    optimizer.zero_grad()
    F.cross_entropy(net(x[part]), y[part]).backward()
    optimizer.step()
    schedule.step()
""",
    "frozen_backbone": HEAD
    + POINTS
    + """
for step in range(10):
    optimizer.zero_grad()
    F.cross_entropy(net(x), y).backward()
    optimizer.step()
net[0].requires_grad_(False)
net[2] = nn.Linear(16, 3)
optimizer = optim.SGD(net[2].parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
"""
    + LOOP,
    "pairs_of_a_batch": HEAD
    + POINTS
    + """
for step in range(10):
    scores = net(x)
    z = F.normalize(scores, dim=1)
    same = (y.unsqueeze(1) == y).float()
    first = scores[:, 0]
    ranks = (first.unsqueeze(1) - first).relu().mean()
    loss = ((z @ z.T - same) ** 2).mean() + 0.01 * ranks
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "policy_gradient": HEAD
    + POINTS
    + """
for step in range(20):
    log = F.log_softmax(net(tg.randn(32, 8)), dim=1)
    taken = tg.randint(0, 3, (32,))
    advantage = tg.tensor((taken.data == 1).astype(np.float32) - 0.3)
    loss = -(log[tg.arange(32), taken] * advantage).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "picture_that_is_optimised": HEAD
    + """
net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
goal = net(tg.randn(1, 1, 10, 10)).detach()
picture = tg.randn(1, 1, 10, 10, requires_grad=True)
optimizer = optim.Adam([picture], lr=0.05)
for step in range(12):
    optimizer.zero_grad()
    F.mse_loss(net(picture), goal).backward()
    optimizer.step()
""",
    "fixed_positions": HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 12)
        self.places = nn.Parameter(tg.randn(6, 12), requires_grad=False)
        self.head = nn.Linear(12, 2)
    def forward(self, x):
        return self.head(F.relu(self.embed(x) + self.places).mean(1))
net = Net()
optimizer = optim.Adam(net.parameters(), lr=1e-3)
for step in range(10):
    x = tg.randn(16, 6, 4)
    loss = F.cross_entropy(net(x), (x[:, 0, 0] > 0).long())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "tied_weights": HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 12)
        self.hidden = nn.Linear(12, 12)
        self.out = nn.Linear(12, 20, bias=False)
        self.out.weight = self.embed.weight
    def forward(self, words):
        return self.out(tg.tanh(self.hidden(self.embed(words))))
net = Net()
optimizer = optim.AdamW(net.parameters(), lr=1e-3)
for step in range(20):
    words = tg.randint(0, 20, (32,))
    optimizer.zero_grad()
    F.cross_entropy(net(words), (words + 1) % 20).backward()
    optimizer.step()
""",
}


@pytest.mark.parametrize("name", NETS)
def test_published_architectures_are_healthy(name, tmp_path):
    doctor = examined(HEAD + IMAGES + NETS[name] + TRAIN, tmp_path)
    assert doctor.history.error is None, doctor.history.error
    assert kinds(doctor) == [], str(doctor)


@pytest.mark.parametrize("name", LOOPS)
def test_usual_loops_are_healthy(name, tmp_path):
    doctor = examined(LOOPS[name], tmp_path)
    assert doctor.history.error is None, doctor.history.error
    assert doctor.history.sweeps
    assert kinds(doctor) == [], str(doctor)
