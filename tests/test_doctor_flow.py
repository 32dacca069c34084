"""What the doctor says of the flow of values and gradients, and the table of it."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, LOOP, POINTS, assert_alarmed, examined

pytestmark = pytest.mark.exhaustive

DEEP = """
layers = [nn.Linear(8, 16)]
for _ in range(9):
    layers += [nn.Sigmoid(), nn.Linear(16, 16)]
net = nn.Sequential(*layers, nn.Sigmoid(), nn.Linear(16, 3))
optimizer = optim.SGD(net.parameters(), lr=0.1)
"""

FAULTS = {
    "vanishing_gradient": POINTS + DEEP + LOOP,
    "large_weights": POINTS + "nn.init.normal_(net[2].weight, std=30.0)\n" + LOOP,
    "dead_units": POINTS + "nn.init.constant_(net[0].bias, -50.0)\n" + LOOP,
    "saturated": POINTS + "net[1] = nn.Tanh()\nnn.init.normal_(net[0].weight, std=4.0)\n" + LOOP,
    "symmetric_units": POINTS + "for p in net.parameters(): nn.init.constant_(p, 0.1)\n" + LOOP,
    "zero_weights": POINTS + "for p in net.parameters(): nn.init.zeros_(p)\n" + LOOP,
    "only_linear": POINTS
    + "net = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 3))\n"
    + "optimizer = optim.SGD(net.parameters(), lr=0.1)\n"
    + LOOP,
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_of_flow(kind, tmp_path):
    doctor = examined(HEAD + FAULTS[kind], tmp_path)
    assert_alarmed(doctor, kind)
    assert len([finding for finding in doctor.findings if finding.is_alarm]) <= 3, str(doctor)


def test_the_flow_is_a_table_with_bars(tmp_path):
    doctor = examined(HEAD + POINTS + LOOP, tmp_path)
    assert [layer.layer for layer in doctor.flow] == ["sequential.0", "sequential.2"]
    head, *rows = str(doctor.flow).split("\n")
    assert head.split()[:7] == ["layer", "|y|", "zeros", "|dy|", "|dw|", "|dw|/|w|", "step/|w|"]
    assert len(rows) == len(doctor.flow) == 2 and all("█" in row for row in rows)
    assert all(len(row) <= 110 for row in (head, *rows))
    first = list(doctor.flow)[0]
    assert (
        0.2 < first.zeros < 0.8
        and first.relative > 0
        and first.update == pytest.approx(0.1 * first.relative, rel=0.2)
    )


def test_bars_are_logarithmic():
    from tinygrad_conv.debug.doctor.flow import bar

    assert [len(bar(number)) for number in (1.0, 1e-3, 100.0, 0.0)] == [24, 12, 24, 0]
    assert bar(1e-9) == "▏" and bar(float("nan")) == ""
