"""What the doctor says of modes, of numbers that are none, and of state dicts."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, LOOP, POINTS, assert_alarmed, examined

pytestmark = pytest.mark.exhaustive

NORMED = """
x = tg.randn(96, 8)
y = tg.tensor((x.data[:, 0] > 0).astype(np.int64))
net = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
optimizer = optim.SGD(net.parameters(), lr=0.1)
"""

JUDGE = """
with tg.no_grad():
    right = (net(x).argmax(1) == y).float().mean()
"""

FAULTS = {
    "trained_in_eval_mode": NORMED + "net.eval()\n" + LOOP,
    "evaluated_in_training_mode": NORMED + LOOP + JUDGE,
    "drops_nearly_all": NORMED.replace("Dropout(0.3)", "Dropout(0.95)") + LOOP,
    "batch_of_one": """
net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
optimizer = optim.SGD(net.parameters(), lr=0.01)
for step in range(8):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(tg.randn(1, 1, 6, 6)), tg.tensor([step % 2]))
    loss.backward()
    optimizer.step()
""",
    "not_finite": POINTS
    + LOOP.replace("F.cross_entropy(net(x[part]), y[part])", "tg.log(net(x[part]) * 0).mean()"),
    "gradient_not_finite": POINTS
    + LOOP.replace("F.cross_entropy(net(x[part]), y[part])", "tg.sqrt(F.relu(net(x[part]))).mean()"),
    "loaded_in_part": NORMED
    + "state = {f'module.{key}': value for key, value in net.state_dict().items()}\n"
    + "net.load_state_dict(state, strict=False)\n"
    + LOOP,
    "loaded_elsewhere": """
def make():
    return nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3))
x, y = tg.randn(96, 8), tg.randint(0, 3, (96,))
old, net = make(), make()
state = old.state_dict()
state["0.weight"], state["2.weight"] = state["2.weight"], state["0.weight"]
net.load_state_dict(state)
optimizer = optim.SGD(net.parameters(), lr=0.1)
"""
    + LOOP,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", FAULTS)
def test_faults_of_modes(kind, tmp_path):
    doctor = examined(HEAD + FAULTS[kind], tmp_path)
    assert_alarmed(doctor, kind)
    assert len([finding for finding in doctor.findings if finding.is_alarm]) <= 2, str(doctor)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_first_op_that_is_not_finite_is_named_with_its_reason(tmp_path):
    doctor = examined(HEAD + FAULTS["not_finite"], tmp_path)
    assert "log makes" in doctor.findings[0].what and "the logarithm of 0" in doctor.findings[0].what
    doctor = examined(HEAD + FAULTS["gradient_not_finite"], tmp_path)
    assert "sqrt" in doctor.findings[0].what and "infinite at 0" in doctor.findings[0].what


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_float16_that_overflows(tmp_path):
    half = """
net = nn.Linear(8, 3, dtype=tg.float16)
optimizer = optim.SGD(net.parameters(), lr=0.01)
x, y = tg.randn(96, 8).half() * 300, tg.randint(0, 3, (96,))
for step in range(4):
    loss = (net(x) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
    doctor = examined(HEAD + half, tmp_path)
    (finding,) = [finding for finding in doctor.findings if finding.kind == "not_finite"]
    assert "float16 overflows" in finding.what


def test_evaluation_in_eval_mode_is_no_fault(tmp_path):
    assert examined(HEAD + NORMED + LOOP + "net.eval()" + JUDGE, tmp_path).is_healthy
    generated = """
with tg.no_grad():
    fake = net(x)
loss = F.cross_entropy(net[4](fake[:, :1] * tg.ones(1, 16)), y)
loss.backward()
"""
    assert examined(HEAD + NORMED + LOOP + generated, tmp_path).is_healthy  # what is trained on is not judged
