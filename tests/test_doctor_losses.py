"""What the doctor says of losses: what goes in, over which axis, which shapes, and what comes out."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, LOOP, POINTS, assert_alarmed, examined

pytestmark = pytest.mark.exhaustive

STEP = """
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

FAULTS = {
    "softmax_before_cross_entropy": POINTS + LOOP.replace("net(x[part])", "F.softmax(net(x[part]), dim=1)"),
    "sigmoid_before_cross_entropy": POINTS + LOOP.replace("net(x[part])", "tg.sigmoid(net(x[part]))"),
    "not_log_probabilities": POINTS + LOOP.replace("cross_entropy", "nll_loss"),
    "softmax_over_batch": POINTS
    + LOOP.replace("F.cross_entropy(net(x[part])", "F.nll_loss(F.log_softmax(net(x[part]), dim=0)"),
    "sigmoid_twice": POINTS
    + """
labels = (y.float() > 0.5).float().reshape(-1, 1)
net[2] = nn.Linear(16, 1)
optimizer = optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = F.binary_cross_entropy_with_logits(tg.sigmoid(net(x)), labels)
"""
    + STEP,
    "targets_outside": POINTS
    + """
labels = (y.float() * 2 - 1).reshape(-1, 1)
net[2] = nn.Linear(16, 1)
optimizer = optim.SGD(net.parameters(), lr=0.01)
for step in range(10):
    loss = F.binary_cross_entropy_with_logits(net(x), labels)
"""
    + STEP,
    "dropout_before_loss": POINTS + "net.append(nn.Dropout(0.5))\n" + LOOP,
    "relu_before_loss": POINTS + "net.append(nn.ReLU())\n" + LOOP,
    "broadcast_target": POINTS
    + """
net[2] = nn.Linear(16, 1)
optimizer = optim.SGD(net.parameters(), lr=0.05)
for step in range(10):
    loss = ((net(x) - x[:, 0]) ** 2).mean()
"""
    + STEP,
    "unreachable_targets": POINTS
    + """
net[2] = nn.Sequential(nn.Linear(16, 8), nn.Sigmoid())
optimizer = optim.SGD(net.parameters(), lr=0.05)
for step in range(10):
    loss = F.mse_loss(net(x), x)
"""
    + STEP,
    "one_class": POINTS
    + """
net[2] = nn.Linear(16, 1)
optimizer = optim.SGD(net.parameters(), lr=0.05)
for step in range(10):
    loss = F.cross_entropy(net(x), y * 0)
"""
    + STEP,
    "summed_loss": POINTS.replace("lr=0.1", "lr=0.5").replace("optim.SGD(", "optim.SGD(momentum=0.9, params=")
    + LOOP.replace("y[part])", "y[part], reduction='sum')"),
    "wrong_sign": POINTS
    + """
for step in range(10):
    log = F.log_softmax(net(x), dim=1)
    loss = log[tg.arange(96), y].mean()
"""
    + STEP,
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_of_losses(kind, tmp_path):
    doctor = examined(HEAD + FAULTS[kind], tmp_path)
    assert_alarmed(doctor, kind)
    assert len(doctor.findings) <= 4, str(doctor)


def test_minus_a_loss_has_the_wrong_sign(tmp_path):
    doctor = examined(HEAD + POINTS + LOOP.replace("loss = F", "loss = -F"), tmp_path)
    assert doctor.findings[0].kind == "wrong_sign", str(doctor)


def test_what_is_no_fault_is_a_note(tmp_path):
    twice = LOOP.replace("net(x[part])", "F.log_softmax(net(x[part]), dim=1)")
    doctor = examined(HEAD + POINTS + twice, tmp_path)
    assert doctor.is_healthy
    assert "log_softmax_twice" in [finding.kind for finding in doctor.findings]
    squared = LOOP.replace("F.cross_entropy(net(x[part]), y[part])", "F.mse_loss(net(x[part]), hot[part])")
    doctor = examined(HEAD + POINTS + "hot = F.one_hot(y, 3).float()\n" + squared, tmp_path)
    assert doctor.is_healthy
    note = next(finding for finding in doctor.findings if finding.kind == "squared_error_of_classes")
    assert str(note).startswith("a note, no alarm: ")
