"""Faults that show in what repeats: units, time steps, clipped steps, statistics; and what only looks so."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, LOOP, POINTS, examined, kinds

pytestmark = [pytest.mark.exhaustive, pytest.mark.filterwarnings("ignore::RuntimeWarning")]

CURVE = """
def train(net, optimizer, steps=30):
    for step in range(steps):
        points = 2 * tg.rand(64, 2) - 1
        loss = ((net(points) - tg.sin(3 * points[:, :1])) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
net = nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1))
"""

TIME = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(2, 20)
        self.again = nn.Linear(20, 20, bias=False)
        self.leave = nn.Linear(20, 1)
        with tg.no_grad():
            self.again.weight.data[...] *= SCALE
    def forward(self, sequence):
        state = tg.zeros(len(sequence), 20)
        for time in range(sequence.shape[1]):
            state = BOUND(self.enter(sequence[:, time]) + self.again(state))
        return self.leave(state)
net = Net()
optimizer = optim.SGD(net.parameters(), lr=0.003)
for step in range(10):
    sequence = tg.randn(16, 30, 2)
    loss = F.mse_loss(net(sequence), sequence.mean(dim=1)[:, :1])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

BLOCKS = """
def block():
    return nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU())
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = block(), block(), nn.Linear(8, 3)
    def forward(self, x):
        return self.head(self.second(self.first(SHIFT(x))))
def train(net, parameters, steps=30):
    optimizer = optim.Adam(parameters, lr=0.02)
    for step in range(steps):
        x = tg.randn(32, 8)
        loss = F.cross_entropy(net(x), (x[:, 0] > 0).long() + (x[:, 1] > 0).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
SHIFT = lambda x: 6 + 3 * x
net = Net()
train(net, net.parameters())
states = [net.first.state_dict(), net.second.state_dict()]
saved = [{key: value.clone() for key, value in state.items()} for state in states]
"""

TUNE = """
if GONE:
    train(net, net.parameters(), 3)
tuned = Net()
for inner, state in zip([tuned.first, tuned.second], ORDER):
    inner.load_state_dict(state)
    inner.eval()
    for parameter in inner.parameters():
        parameter.requires_grad_(False)
train(tuned, tuned.head.parameters(), 12)
"""


def test_units_that_rounding_tells_apart_are_identical(tmp_path):
    alike = """
for layer in net:
    if isinstance(layer, nn.Linear):
        nn.init.constant_(layer.weight, 0.1)
        nn.init.zeros_(layer.bias)
train(net, optim.Adam(net.parameters(), lr=0.03), 50)
"""
    doctor = examined(HEAD + CURVE + alike, tmp_path)
    found = [finding for finding in doctor.findings if finding.is_alarm]
    assert {finding.kind for finding in found} == {"symmetric_units"} and len(found) == 2, str(doctor)
    assert found[0].cause.source == "nn.init.constant_(layer.weight, 0.1)"


def test_units_that_begin_alike_but_have_gradients_of_their_own_are_fine(tmp_path):
    zeros = "nn.init.constant_(net[4].weight, 0.0)\ntrain(net, optim.Adam(net.parameters(), lr=1e-3))\n"
    assert kinds(examined(HEAD + CURVE + zeros, tmp_path)) == []


@pytest.mark.parametrize(
    "bound, scale", [("F.relu", 6), ("F.relu", 20), ("tg.tanh", 12), ("nn.Identity()", 5)]
)
def test_one_weight_at_each_of_many_times_explodes(bound, scale, tmp_path):
    program = TIME.replace("BOUND", bound).replace("SCALE", str(scale))
    doctor = examined(HEAD + program, tmp_path)
    assert "exploding_recurrence" in kinds(doctor), str(doctor)
    assert not {"step_too_large", "not_finite", "constant_input"} & set(kinds(doctor)), str(doctor)
    (finding,) = [finding for finding in doctor.findings if finding.kind == "exploding_recurrence"]
    assert "again.weight is used 30 times" in finding.what
    assert finding.cause.source.startswith("self.again = nn.Linear(")


@pytest.mark.parametrize("bound", ["F.relu", "tg.tanh"])
def test_a_state_that_begins_at_zero_is_no_data(bound, tmp_path):
    assert kinds(examined(HEAD + TIME.replace("BOUND", bound).replace("SCALE", "1"), tmp_path)) == []


def test_steps_that_are_too_large_are_no_explosion_through_time(tmp_path):
    program = TIME.replace("BOUND", "F.relu").replace("SCALE", "1").replace("lr=0.003", "lr=300.0")
    found = kinds(examined(HEAD + program, tmp_path))
    assert "exploding_recurrence" not in found and found


def test_an_initial_state_from_outside_is_no_data(tmp_path):
    cell = """
class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.again = nn.Linear(3, 12), nn.Linear(12, 12)
    def forward(self, x, state):
        return tg.tanh(self.enter(x) + self.again(state))
cell, head = Cell(), nn.Linear(12, 1)
optimizer = optim.Adam([*cell.parameters(), *head.parameters()], lr=1e-3)
for step in range(12):
    sequence, state = tg.randn(16, 5, 3), tg.zeros(16, 12)
    for time in range(5):
        state = cell(sequence[:, time], state)
    loss = F.mse_loss(head(state), sequence[:, 4, :1])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
    assert kinds(examined(HEAD + cell, tmp_path)) == []


def test_data_that_are_constant_are_named_in_a_recurrent_net_too(tmp_path):
    program = TIME.replace("BOUND", "tg.tanh").replace("SCALE", "1")
    program = program.replace("loss = F.mse_loss(net(sequence)", "loss = F.mse_loss(net(sequence * 0 + 1)")
    assert "constant_input" in kinds(examined(HEAD + program, tmp_path))


@pytest.mark.parametrize("norm", [1e-3, 1e-4])
def test_gradients_clipped_to_a_tiny_norm(norm, tmp_path):
    clip = f"        nn.utils.clip_grad_norm_(net.parameters(), {norm})\n        optimizer.step()"
    doctor = examined(HEAD + POINTS + LOOP.replace("        optimizer.step()", clip), tmp_path)
    assert kinds(doctor) == ["clipped_away"], str(doctor)
    assert "far too small" in doctor.findings[0].evidence


@pytest.mark.parametrize("make", ["SGD(net.parameters(), lr=0.1)", "Adam(net.parameters(), lr=1e-3)"])
@pytest.mark.parametrize("norm", [0.1, 1.0])
def test_gradients_clipped_to_a_usual_norm(norm, make, tmp_path):
    clip = f"        nn.utils.clip_grad_norm_(net.parameters(), {norm})\n        optimizer.step()"
    points = POINTS.replace("SGD(net.parameters(), lr=0.1)", make)
    assert kinds(examined(HEAD + points + LOOP.replace("        optimizer.step()", clip), tmp_path)) == []


def test_adam_does_not_feel_a_tiny_norm(tmp_path):
    clip = "        nn.utils.clip_grad_norm_(net.parameters(), 1e-4)\n        optimizer.step()"
    points = POINTS.replace("SGD(net.parameters(), lr=0.1)", "Adam(net.parameters(), lr=3e-3)")
    assert kinds(examined(HEAD + points + LOOP.replace("        optimizer.step()", clip), tmp_path)) == []


@pytest.mark.parametrize("softmax", ["F.softmax(y, dim=1)", "F.softmax(y, dim=-1)", "nn.Softmax(dim=1)(y)"])
def test_a_softmax_of_one_score(softmax, tmp_path):
    program = f"""
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = optim.Adam(net.parameters(), lr=1e-2)
for step in range(12):
    x = tg.randn(24, 8)
    y = net(x)
    loss = F.mse_loss({softmax}, (x[:, :1] > 0).float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
    doctor = examined(HEAD + program, tmp_path)
    assert doctor.findings[0].kind == "softmax_of_one", str(doctor)
    assert doctor.findings[0].place.source.startswith("loss = F.mse_loss(")


def test_attention_over_a_single_position_is_fine(tmp_path):
    program = """
embed, score, head = nn.Linear(4, 8), nn.Linear(8, 1), nn.Linear(8, 1)
optimizer = optim.Adam([*embed.parameters(), *score.parameters(), *head.parameters()], lr=1e-2)
for step in range(12):
    x = tg.randn(24, 1 + step % 3, 4)
    values = tg.tanh(embed(x))
    pooled = (F.softmax(score(values), dim=1) * values).sum(dim=1)
    loss = F.mse_loss(head(pooled), x.mean(dim=1)[:, :1])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
    assert kinds(examined(HEAD + program, tmp_path)) == []


@pytest.mark.parametrize("gone, kind", [(True, "statistics_elsewhere"), (False, "loaded_elsewhere")])
def test_blocks_loaded_into_each_other(gone, kind, tmp_path):
    program = BLOCKS + TUNE.replace("GONE", str(gone)).replace("ORDER", "saved[::-1]")
    doctor = examined(HEAD + program, tmp_path)
    assert kinds(doctor) == [kind], str(doctor)
    assert doctor.findings[0].place.source == "inner.load_state_dict(state)"
    assert doctor.findings[0].level == "perhaps"


@pytest.mark.parametrize("shift", ["6 + 3 * x", "7 + 4 * x", "5 + 2 * x"])
def test_blocks_loaded_as_they_were_saved(shift, tmp_path):
    other = f"SHIFT = lambda x: {shift}\n"
    program = BLOCKS + other + TUNE.replace("GONE", "True").replace("ORDER", "saved")
    assert kinds(examined(HEAD + program, tmp_path)) == []


def test_one_optimizer_after_another_is_fine(tmp_path):
    second = LOOP.replace("optimizer", "second")
    program = POINTS + LOOP + "second = optim.SGD(net.parameters(), lr=0.01)\n" + second
    assert kinds(examined(HEAD + program, tmp_path)) == []


def test_the_op_that_cuts_the_tape_before_a_new_leaf_is_named(tmp_path):
    cut = LOOP.replace(
        "loss = F.cross_entropy(net(x[part]), y[part])",
        "picked = net(x[part]).argmax(dim=1).float()\n"
        "        loss = F.mse_loss(picked, y[part].float()).requires_grad_(True)",
    )
    doctor = examined(HEAD + POINTS + cut, tmp_path)
    assert doctor.findings[0].kind == "cut_tape" and "argmax" in doctor.findings[0].evidence
    assert doctor.findings[0].cause.source.startswith("picked = ")


def test_the_line_that_makes_a_layer_in_forward_is_named(tmp_path):
    program = """
class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(16, 3)
    def forward(self, x):
        middle = nn.Linear(8, 16)
        return self.last(F.relu(middle(x)))
net = Inner()
optimizer = optim.SGD(net.parameters(), lr=0.1)
"""
    doctor = examined(HEAD + POINTS + program + LOOP, tmp_path)
    (finding,) = [finding for finding in doctor.findings if finding.kind == "layer_made_anew"]
    assert finding.cause.source == "middle = nn.Linear(8, 16)"
