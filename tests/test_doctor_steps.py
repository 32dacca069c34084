"""What the doctor says of steps: too large, too small, uphill, never, with old gradients."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, LOOP, POINTS, assert_alarmed, examined

pytestmark = pytest.mark.exhaustive

ZERO = "        optimizer.zero_grad()\n"
BY_HAND = """
w = tg.zeros(8, 1, requires_grad=True)
goal = x[:, :1] * 2
for step in range(10):
    loss = ((x @ w - goal) ** 2).mean()
    loss.backward()
    with tg.no_grad():
        w += 0.1 * w.grad
    w.grad = None
"""

FAULTS = {
    "stale_gradients": POINTS + LOOP.replace(ZERO, ""),
    "no_step": POINTS + LOOP.replace("optimizer.step()", "optimizer.step"),
    "no_backward": POINTS + LOOP.replace("loss.backward()", "loss.item()"),
    "gradients_cleared": POINTS
    + LOOP.replace(ZERO, "").replace(
        "        optimizer.step()", "        optimizer.zero_grad()\n        optimizer.step()"
    ),
    "rate_is_zero": POINTS.replace("lr=0.1", "lr=0.0") + LOOP,
    "step_too_small": POINTS.replace("lr=0.1", "lr=1e-8") + LOOP,
    "step_too_large": POINTS.replace("lr=0.1", "lr=500.0") + LOOP,
    "rate_has_ended": POINTS
    + "schedule = optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1)\n"
    + LOOP
    + "        schedule.step()\n",
    "clipped_away": POINTS
    + LOOP.replace(
        "        optimizer.step()",
        "        nn.utils.clip_grad_norm_(net.parameters(), 1e-6)\n        optimizer.step()",
    ),
    "decayed": POINTS.replace("lr=0.1", "lr=0.1, weight_decay=1.0") + LOOP,
    "wrong_sign": POINTS + BY_HAND,
    "growing_graph": POINTS
    + """
total = 0.0
for step in range(10):
    optimizer.zero_grad()
    total = total + F.cross_entropy(net(x), y)
    total.backward(retain_graph=True)
"""
    + "",
    "cut_tape": POINTS
    + LOOP.replace("loss.backward()", "tg.tensor(loss.item(), requires_grad=True).backward()"),
    "two_optimizers": POINTS
    + "other = optim.Adam(net.parameters(), lr=1e-3)\n"
    + LOOP
    + "        other.step()\n",
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", FAULTS)
def test_faults_of_steps(kind, tmp_path):
    doctor = examined(HEAD + FAULTS[kind], tmp_path)
    assert_alarmed(doctor, kind)
    assert len(doctor.findings) <= 3, str(doctor)


def test_zero_grad_that_fills_with_zeros_is_no_forgotten_one(tmp_path):
    filled = LOOP.replace("zero_grad()", "zero_grad(set_to_none=False)")
    assert examined(HEAD + POINTS + filled, tmp_path).is_healthy


def test_maximize_that_makes_the_loss_rise(tmp_path):
    doctor = examined(HEAD + POINTS.replace("lr=0.1", "lr=0.1, maximize=True") + LOOP, tmp_path)
    assert doctor.findings[0].kind == "wrong_sign" and "maximize" in doctor.findings[0].what


def test_an_optimizer_that_never_steps_beside_one_that_does(tmp_path):
    two = """
head = nn.Linear(3, 3)
other = optim.SGD(head.parameters(), lr=0.1)
""" + LOOP.replace("net(x[part])", "head(F.relu(net(x[part])))")
    doctor = examined(HEAD + POINTS + two, tmp_path)
    assert doctor.findings[0].kind == "no_step", str(doctor)
    assert doctor.findings[0].place.source.startswith("other = ")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_momentum_is_named_where_it_makes_steps_large(tmp_path):
    doctor = examined(HEAD + POINTS.replace("lr=0.1", "lr=50.0, momentum=0.99") + LOOP, tmp_path)
    (finding,) = [finding for finding in doctor.findings if finding.kind == "step_too_large"]
    assert "momentum 0.99, which multiplies it by 100" in finding.evidence
