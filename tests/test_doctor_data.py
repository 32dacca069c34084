"""What the doctor says of data: inputs, labels, their order, and the memory they are in."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, LOOP, POINTS, assert_alarmed, examined

pytestmark = pytest.mark.exhaustive

REGRESSION = """
x = tg.randn(96, 8)
y = x[:, :1] * 2 - x[:, 1:2]
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = optim.Adam(net.parameters(), lr=1e-3)
"""
MSE = LOOP.replace("cross_entropy", "mse_loss")

FAULTS = {
    "not_normalised": POINTS.replace("tg.randn(96, 8)", "tg.rand(96, 8) * 255") + LOOP,
    "uneven_features": REGRESSION + "x = x * tg.tensor([1, 1, 1, 1, 1, 1, 1e-4, 5.0])\n" + MSE,
    "large_offset": REGRESSION + "x = x * 0.1 + 10\n" + MSE,
    "constant_input": POINTS + "x = tg.zeros(96, 8)\n" + LOOP,
    "data_not_finite": POINTS + "x.data[5, 3] = np.nan\n" + LOOP,
    "large_targets": REGRESSION + "y = y * 1000 + 5000\n" + MSE,
    "sorted_targets": REGRESSION + "order = y.data[:, 0].argsort()\nx, y = x[order], y[order]\n" + MSE,
    "sorted_labels": POINTS + "order = tg.argsort(y)\nx, y = x[order], y[order]\n" + LOOP,
    "one_label": POINTS + "y = y * 0\n" + LOOP,
    "labels_off_by_one": POINTS
    + "y = y + 1\nnet[2] = nn.Linear(16, 4)\noptimizer = optim.SGD(net.parameters(), lr=0.1)\n"
    + LOOP,
    "labels_outside": POINTS + "y = y + 1\n" + LOOP,
    "reused_buffer": POINTS
    + """
def loader():
    buffer = np.empty((24, 8), np.float32)
    for start in range(0, 96, 24):
        buffer[...] = x.data[start : start + 24]
        yield tg.Tensor(buffer), y[start : start + 24]
batches = list(loader())
for epoch in range(4):
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(inputs), labels)
        loss.backward()
        optimizer.step()
""",
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", FAULTS)
def test_faults_of_data(kind, tmp_path):
    doctor = examined(HEAD + FAULTS[kind], tmp_path)
    assert_alarmed(doctor, kind)
    assert len([finding for finding in doctor.findings if finding.is_alarm]) <= 2, str(doctor)


def test_a_loader_that_does_not_shuffle_is_named(tmp_path):
    loop = """
order = tg.argsort(y)
loader = DataLoader(TensorDataset(x[order], y[order]), batch_size=12)
for epoch in range(2):
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(inputs), labels)
        loss.backward()
        optimizer.step()
"""
    doctor = examined(HEAD + POINTS + loop, tmp_path)
    assert doctor.findings[0].kind == "sorted_labels"
    assert doctor.findings[0].cause.source.startswith("loader = DataLoader(")


def test_targets_and_labels_that_are_the_same_each_time_are_no_fault(tmp_path):
    whole = LOOP.replace("range(0, 96, 24)", "range(2)").replace("x[part]", "x").replace("y[part]", "y")
    assert examined(HEAD + POINTS + whole, tmp_path).is_healthy
