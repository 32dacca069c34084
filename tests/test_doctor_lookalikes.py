"""Healthy trainings that look like a fault: stopped gradients, samples, shifted rows, a second training."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, POINTS, examined, kinds
from .test_doctor_command import consult

pytestmark = [pytest.mark.exhaustive, pytest.mark.filterwarnings("ignore")]

STEP = """
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

PROGRAMS = {
    "large targets, to which the net scales its outputs itself": """
x = tg.randn(200, 5)
prices = 3e5 + 1e5 * (x[:, 0] + x[:, 1].abs()) + 2e3 * tg.randn(200)
mean, spread = prices.mean().item(), prices.std().item()
net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = optim.Adam(net.parameters(), lr=0.01)
for step in range(16):
    loss = tg.mse_loss(net(x)[:, 0] * spread + mean, prices)
""",
    "two views of which each is a target of the other": """
encoder = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 6))
predictor = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 6))
optimizer = optim.SGD([*encoder.parameters(), *predictor.parameters()], lr=0.05)
def distance(p, z):
    return -F.cosine_similarity(p, z.detach(), dim=1).mean()
for step in range(16):
    points = tg.randn(32, 8)
    z1, z2 = encoder(points + 0.1 * tg.randn(32, 8)), encoder(points + 0.1 * tg.randn(32, 8))
    loss = (distance(predictor(z1), z2) + distance(predictor(z2), z1)) / 2
""",
    "a state that is sampled": """
weight = nn.Parameter(0.1 * tg.randn(6, 10))
optimizer = optim.SGD([weight], lr=0.05)
data = tg.tensor((rng.random((40, 10)) < 0.3).astype(np.float32))
def energy(v):
    return -F.softplus(v @ weight.T).sum(dim=1).mean()
for step in range(12):
    v = data
    for _ in range(3):
        h = (tg.sigmoid(v @ weight.T).detach() > tg.rand(40, 6)).float()
        v = (tg.sigmoid(h @ weight).detach() > tg.rand(40, 10)).float()
    loss = energy(data) - energy(v)
""",
    "relative positions that are shifted by a view": """
net = nn.Linear(8, 6)
optimizer = optim.Adam(net.parameters(), lr=1e-2)
for step in range(8):
    scores = net(tg.randn(5, 4, 8))
    shifted = tg.cat([tg.zeros(5, 4, 1), scores], 2).view(5, 7, 4)[:, 1:].reshape(5, 4, 6)
    loss = F.cross_entropy(shifted.mean(dim=1), tg.arange(5))
""",
    "channels that are shuffled": """
a, b = nn.Conv2d(1, 8, 3, padding=1), nn.Linear(8, 3)
optimizer = optim.Adam([*a.parameters(), *b.parameters()], lr=1e-2)
for step in range(8):
    z = tg.relu(a(tg.randn(12, 1, 6, 6))).view(12, 2, 4, 6, 6).transpose(1, 2).reshape(12, 8, 6, 6)
    loss = F.cross_entropy(b(z.mean((2, 3))), tg.arange(12) % 3)
""",
    "a copy that is made of a parameter before a step": """
net = nn.Linear(8, 3)
optimizer = optim.SGD(net.parameters(), lr=0.1)
for step in range(8):
    before = [p - 0.0 * tg.tensor(p.data) for p in net.parameters()]
    points = tg.randn(24, 8)
    loss = F.cross_entropy(net(points), (points[:, 0] > 0).long())
""",
    "the variance of a projection that is to become large": """
direction = nn.Parameter(tg.randn(8, 1))
optimizer = optim.SGD([direction], lr=0.05)
cloud = tg.randn(200, 8) * tg.linspace(0.2, 1.5, 8)
for step in range(16):
    loss = -((cloud @ (direction / tg.norm(direction))) ** 2).mean()
""",
}

TWICE = """
first, head = nn.Sequential(nn.Linear(8, 16), nn.ReLU()), nn.Linear(16, 8)
optimizer = optim.Adam([*first.parameters(), *head.parameters()], lr=1e-2)
for step in range(14):
    part = x[tg.randperm(96)[:24]]
    loss = F.mse_loss(head(first(part)), part)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
second = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
second.load_state_dict({NAME: value for key, value in first.state_dict().items()}, strict=False)
optimizer = optim.Adam(second.parameters(), lr=1e-2)
for step in range(30):
    part = tg.randperm(96)[:24]
    loss = F.cross_entropy(second(x[part]), y[part])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("to the end")
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_only_looks_like_a_fault(name, tmp_path):
    doctor = examined(HEAD + PROGRAMS[name] + STEP, tmp_path)
    assert kinds(doctor) == [] and doctor.history.error is None, str(doctor)


@pytest.mark.parametrize("name, status", [("'encoder.' + key", 1), ("key", 0)])
def test_a_second_training_after_the_watched_steps(name, status, tmp_path):
    source = HEAD + POINTS + TWICE.replace("NAME", name)
    done = consult(tmp_path, source, options=("--steps", "10"))
    assert done.returncode == status, done.stdout + done.stderr
    assert "doctor: 20 steps, 20 backwards" in done.stdout
    assert ("it loaded nothing" in " ".join(done.stdout.split())) == bool(status)
