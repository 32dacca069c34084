"""What the doctor says of parameters: where they are, who has them, what reaches them."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, LOOP, POINTS, assert_alarmed, examined
from .helpers import more

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16)
        self.second = nn.Linear(16, 16)
        self.last = nn.Linear(16, 3)
    def forward(self, x):
        x = F.relu(self.first(x))
        return self.last(F.relu(self.second(x)))
"""

MAKE = """
net = Net()
optimizer = optim.SGD(net.parameters(), lr=0.1)
"""

FAULTS = {
    "layers_in_a_list": POINTS
    + NET.replace(
        "self.second = nn.Linear(16, 16)", "self.layers = [nn.Linear(16, 16) for _ in range(2)]"
    ).replace("self.second(x)", "self.layers[1](self.layers[0](x).relu())")
    + MAKE
    + LOOP,
    "not_a_parameter": POINTS
    + NET.replace("self.second = nn.Linear(16, 16)", "self.w = tg.randn(16, 16, requires_grad=True)").replace(
        "self.second(x)", "x @ self.w"
    )
    + MAKE
    + LOOP,
    "not_optimised": POINTS + NET + MAKE + "net.last = nn.Linear(16, 3)\n" + LOOP,
    "another_model": POINTS + NET + MAKE + "net = Net()\n" + LOOP,
    "no_gradient": POINTS + NET.replace("self.last(F.relu(self.second(x)))", "self.last(x)") + MAKE + LOOP,
    "frozen": POINTS
    + NET
    + "net = Net()\nnet.last.requires_grad_(False)\n"
    + MAKE.split("\n")[2]
    + "\n"
    + LOOP,
    "shared_layer": POINTS
    + "net = nn.Sequential(nn.Linear(8, 16), *[nn.Linear(16, 16), nn.ReLU()] * 3, nn.Linear(16, 3))\n"
    + MAKE.replace("net = Net()", "")
    + LOOP,
    "layer_made_anew": POINTS
    + NET.replace("self.last(F", "nn.Linear(16, 3)(F").replace("        self.last = nn.Linear(16, 3)\n", "")
    + MAKE
    + LOOP,
    "optimizer_made_anew": POINTS
    + LOOP.replace(
        "        optimizer.zero_grad()\n",
        "        optimizer = optim.Adam(net.parameters(), lr=1e-3)\n        optimizer.zero_grad()\n",
    ),
    "model_made_anew": POINTS
    + NET
    + LOOP.replace(
        "        optimizer.zero_grad()\n",
        "        net = Net()\n        optimizer = optim.SGD(net.parameters(), lr=0.1)\n"
        "        optimizer.zero_grad()\n",
    ),
}


@pytest.mark.parametrize("kind", [*list(FAULTS)[::3], *more(*list(FAULTS)[1::3], *list(FAULTS)[2::3])])
def test_faults_of_parameters(kind, tmp_path):
    doctor = examined(HEAD + FAULTS[kind], tmp_path)
    assert_alarmed(doctor, kind)
    assert len(doctor.findings) <= 3, str(doctor)


def test_the_line_that_cut_the_tape_is_named(tmp_path):
    cut = NET.replace("x = F.relu(self.first(x))", "x = F.relu(self.first(x)).detach()")
    doctor = examined(HEAD + POINTS + cut + MAKE + LOOP, tmp_path)
    finding = doctor.findings[0]
    assert finding.kind == "no_gradient" and "first.weight" in finding.what
    assert ".detach()" in finding.evidence and "cut the tape" in finding.evidence


def test_a_list_names_its_line_and_what_to_write(tmp_path):
    doctor = examined(HEAD + FAULTS["layers_in_a_list"], tmp_path)
    (finding,) = [finding for finding in doctor.findings if finding.kind == "layers_in_a_list"]
    assert finding.place.source.startswith("self.layers = [") and "nn.ModuleList" in finding.advice


@pytest.mark.exhaustive
def test_a_replaced_layer_is_blamed_on_the_order(tmp_path):
    doctor = examined(HEAD + FAULTS["not_optimised"], tmp_path)
    assert (
        "last.weight" in doctor.findings[0].evidence
        and "before one was replaced" in doctor.findings[0].advice
    )


@pytest.mark.exhaustive
def test_frozen_first_layers_are_a_note(tmp_path):
    doctor = examined(
        HEAD
        + POINTS
        + NET
        + "net = Net()\nnet.first.requires_grad_(False)\n"
        + MAKE.split("\n")[2]
        + "\n"
        + LOOP,
        tmp_path,
    )
    assert doctor.is_healthy and [finding.kind for finding in doctor.findings if finding.kind == "frozen"]
