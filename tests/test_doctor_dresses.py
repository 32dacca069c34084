"""One fault in several dresses: cuts, growth, signs, axes, padding, schedules; and what only looks so."""

from __future__ import annotations

import pytest

from .doctor_programs import HEAD, LOOP, POINTS, examined, kinds

pytestmark = [pytest.mark.exhaustive, pytest.mark.filterwarnings("ignore")]

STEP = """
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

DEEP = """
layers = [nn.Linear(8, 48)]
for _ in range(6):
    layers += [nn.ReLU(), nn.Linear(48, 48)]
net = nn.Sequential(*layers, nn.ReLU(), nn.Linear(48, 3))
for layer in net:
    if isinstance(layer, nn.Linear):
        BEGIN
optimizer = optim.Adam(net.parameters(), lr=1e-3)
"""

BY_HAND = """
w, b = (0.3 * tg.randn(8, 3)).requires_grad_(), tg.zeros(3, requires_grad=True)
def update(tensors):
    BLOCK
for step in range(12):
    w.grad = b.grad = None
    F.cross_entropy(x @ w + b, y).backward()
    update([w, b])
"""

PAIRS = """
left, right = nn.Linear(8, 6), nn.Sequential(nn.Linear(8, 12), nn.Tanh(), nn.Linear(12, 6))
optimizer = optim.Adam([*left.parameters(), *right.parameters()], lr=1e-2)
for step in range(16):
    z = tg.randn(32, 8)
    a, b = left(z), right(z + 0.1 * tg.randn(32, 8))
    loss = LOSS
"""

TAGS = """
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.score = nn.Embedding(30, 12), nn.Linear(12, 5)
    def forward(self, words):
        return self.score(self.embed(words))
net = Tagger()
optimizer = optim.Adam(net.parameters(), lr=1e-2)
tag_of = np.concatenate([[0], rng.integers(1, 5, 29)])
for step in range(12):
    words = np.zeros((16, 20), dtype=np.int64)
    for row in words:
        count = rng.integers(LENGTHS)
        row[:count] = rng.integers(1, 30, count)
    tags = tg.tensor(tag_of[words])
    loss = LOSS
"""

SEQUENCE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.leave = nn.Linear(13, 10), nn.Linear(10, 2)
    def forward(self, sequence):
        state = tg.zeros(len(sequence), 10)
        for time in range(sequence.shape[1]):
            state = tg.tanh(self.cell(tg.cat([sequence[:, time], STATE], 1)))
        return self.leave(state)
net = Net()
optimizer = optim.Adam(net.parameters(), lr=1e-2)
for step in range(10):
    sequence = tg.randn(16, 7, 3)
    loss = F.cross_entropy(net(sequence), (sequence[:, 0, 0] > 0).long())
"""

PLATEAU = """
scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode=MODE, patience=3)
for epoch in range(12):
    for start in range(0, 96, 24):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[start : start + 24]), y[start : start + 24])
        loss.backward()
        optimizer.step()
    with tg.no_grad():
        accuracy = (net(x).argmax(dim=1) == y).float().mean().item()
    scheduler.step(METRIC)
"""

REPEATED = """
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
for epoch in range(10):
    for batch, labels in loader:
        loss = F.cross_entropy(net(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""

ROWS = """
table = rng.normal((40, 9000, 2, 70), (3, 90, 0.3, 9), (64, 4))
labels = tg.tensor((table[:, 0] > 40).astype(np.float32))
table = SCALED
inputs = tg.tensor(table.astype(np.float32))
net = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 1), nn.Flatten(0))
optimizer = optim.Adam(net.parameters(), lr=1e-2)
for step in range(12):
    loss = F.binary_cross_entropy_with_logits(net(inputs), labels)
"""


def named(doctor, kind):
    """The finding of a kind, which has to be there."""
    found = [finding for finding in doctor.findings if finding.kind == kind]
    assert found, str(doctor)
    return found[0]


@pytest.mark.parametrize(
    "begin, kind",
    [
        ("nn.init.normal_(layer.weight)", "growing_activations"),
        ("nn.init.uniform_(layer.weight, -1.2, 1.2)", "growing_activations"),
        ("nn.init.normal_(layer.weight, std=0.003); nn.init.zeros_(layer.bias)", "fading_activations"),
    ],
)
def test_activations_that_grow_or_fade_from_the_first_forward_on(begin, kind, tmp_path):
    doctor = examined(HEAD + POINTS + DEEP.replace("BEGIN", begin) + LOOP, tmp_path)
    assert named(doctor, kind).cause.source.startswith("nn.init."), str(doctor)


@pytest.mark.parametrize(
    "begin",
    ["pass", "nn.init.kaiming_normal_(layer.weight)", "nn.init.xavier_uniform_(layer.weight)"],
)
def test_usual_initialisations_of_a_deep_net(begin, tmp_path):
    assert kinds(examined(HEAD + POINTS + DEEP.replace("BEGIN", begin) + LOOP, tmp_path)) == []


@pytest.mark.parametrize(
    "block",
    [
        "return [p - 0.1 * p.grad for p in tensors]",
        "for p in tensors: p = p.detach() + -0.1 * tg.tensor(p.grad)",
        "with tg.no_grad():\n        for p in tensors: p = p - 0.1 * tg.tensor(p.grad)",
    ],
)
def test_steps_that_only_rebind_a_name(block, tmp_path):
    doctor = examined(HEAD + POINTS + BY_HAND.replace("BLOCK", block), tmp_path)
    assert set(kinds(doctor)) & {"rebound", "no_step"} and len(kinds(doctor)) == 1, str(doctor)


def test_steps_in_place_by_hand_are_fine(tmp_path):
    block = "with tg.no_grad():\n        for p in tensors: p -= 0.1 * p.grad"
    assert kinds(examined(HEAD + POINTS + BY_HAND.replace("BLOCK", block), tmp_path)) == []


@pytest.mark.parametrize(
    "cut",
    [
        "(tg.sigmoid(net(x)) > 0.5).float().requires_grad_(True)",
        "tg.tensor(net(x).data.copy(), requires_grad=True)",
        "net(x).detach().clone().requires_grad_(True)",
        "F.one_hot(net(x).argmax(dim=1), 3).float().requires_grad_(True)",
    ],
)
def test_a_tape_that_is_cut_before_a_new_leaf_is_no_other_model(cut, tmp_path):
    program = f"""
hot = F.one_hot(y, 3).float()
for step in range(8):
    output = {cut}
    loss = F.mse_loss(output, hot)
"""
    doctor = examined(HEAD + POINTS + program + STEP, tmp_path)
    assert "another_model" not in kinds(doctor), str(doctor)
    assert "no gradient reaches any" in named(doctor, "no_gradient").what


@pytest.mark.parametrize("state", ["state.detach()", "tg.Tensor(state.data)", "(state * 1.0).detach()"])
def test_a_state_that_is_detached_in_every_time_step(state, tmp_path):
    program = SEQUENCE.replace(
        "            state = tg.tanh(", f"            cut = {state}\n            state = tg.tanh("
    )
    doctor = examined(HEAD + program.replace("STATE", "cut") + STEP, tmp_path)
    assert "back through time" in named(doctor, "cut_in_time").what
    assert named(doctor, "cut_in_time").cause.source == f"cut = {state}"


@pytest.mark.parametrize(
    "state", ["state", "state.detach() if time == 3 else state", "state + (state - state).detach()"]
)
def test_a_state_that_is_carried_through_time(state, tmp_path):
    assert kinds(examined(HEAD + SEQUENCE.replace("STATE", state) + STEP, tmp_path)) == []


@pytest.mark.parametrize(
    "loss",
    [
        "F.cosine_similarity(a, b).mean()",
        "(F.normalize(a, dim=1) * F.normalize(b, dim=1)).sum(dim=1).mean()",
        "1 + F.cosine_similarity(a, b, dim=-1).mean()",
        "-((a - z[:, :6]) ** 2).mean()",
        "-1 * F.mse_loss(a, z[:, :6])",
    ],
)
def test_what_should_grow_is_minimised(loss, tmp_path):
    assert named(examined(HEAD + PAIRS.replace("LOSS", loss) + STEP, tmp_path), "wrong_sign")


@pytest.mark.parametrize(
    "loss",
    [
        "1 - F.cosine_similarity(a, b).mean()",
        "-F.cosine_similarity(a, b.detach()).mean() / 2 - F.cosine_similarity(b, a.detach()).mean() / 2",
        "F.relu(0.5 + F.cosine_similarity(a, b.flip(0)) - F.cosine_similarity(a, b)).mean()",
        "F.cosine_similarity(a, b.flip(0)).mean() - F.cosine_similarity(a, b).mean()",
    ],
)
def test_similarities_that_are_meant(loss, tmp_path):
    assert kinds(examined(HEAD + PAIRS.replace("LOSS", loss) + STEP, tmp_path)) == []


@pytest.mark.parametrize(
    "given, place",
    [
        ("F.kl_div(F.softmax(net(x), dim=1), target, reduction='batchmean')", "divergence_of_probabilities"),
        ("F.kl_div(net(x), target, reduction='batchmean')", "divergence_of_probabilities"),
        (
            "(target * (target.log() - F.softmax(net(x), dim=1))).sum(dim=1).mean()",
            "divergence_of_probabilities",
        ),
        ("F.kl_div(F.log_softmax(net(x), dim=1), target, log_target=True)", "divergence_from_logarithms"),
        ("F.kl_div(F.log_softmax(net(x), dim=1), target.log())", "divergence_from_logarithms"),
    ],
)
def test_divergences_of_what_is_no_logarithm(given, place, tmp_path):
    teacher = "target = F.softmax(tg.randn(96, 3), dim=1)\nfor step in range(8):\n    loss = "
    assert named(examined(HEAD + POINTS + teacher + given + STEP, tmp_path), place)


@pytest.mark.parametrize("options", ["", ", log_target=True", ", reduction='batchmean'"])
def test_divergences_of_logarithms(options, tmp_path):
    target = "target.log()" if "log_target" in options else "target"
    teacher = "target = F.softmax(tg.randn(96, 3), dim=1)\nfor step in range(8):\n    loss = "
    given = f"F.kl_div(F.log_softmax(net(x), dim=1), {target}{options})"
    assert kinds(examined(HEAD + POINTS + teacher + given + STEP, tmp_path)) == []


@pytest.mark.parametrize(
    "loss",
    [
        "F.cross_entropy(net(words).reshape(16, 5, 20), tags)",
        "F.cross_entropy(net(words).view(20, 16, 5).reshape(-1, 5), tags.T.reshape(-1))",
    ],
)
def test_a_view_in_the_place_of_a_transpose(loss, tmp_path):
    program = TAGS.replace("LOSS", loss).replace("LENGTHS", "15, 21")
    assert named(examined(HEAD + program + STEP, tmp_path), "scrambled_axes")


def test_heads_that_are_split_off_by_one_view(tmp_path):
    program = """
query, out = nn.Linear(12, 12), nn.Linear(12, 3)
optimizer = optim.Adam([*query.parameters(), *out.parameters()], lr=1e-2)
for step in range(8):
    z = tg.randn(8, 5, 12)
    heads = ORDER
    mixed = F.softmax(heads @ heads.transpose(2, 3), dim=-1) @ heads
    loss = F.cross_entropy(out(mixed.transpose(1, 2).reshape(8, 5, 12)).mean(dim=1), (z[:, 0, 0] > 0).long())
"""
    wrong = examined(HEAD + program.replace("ORDER", "query(z).view(8, 3, 5, 4)") + STEP, tmp_path)
    assert named(wrong, "scrambled_axes")
    right = program.replace("ORDER", "query(z).view(8, 5, 3, 4).transpose(1, 2)")
    assert kinds(examined(HEAD + right + STEP, tmp_path)) == []


@pytest.mark.parametrize("loss", ["F.cross_entropy(net(words).transpose(1, 2), tags)"])
def test_padding_that_the_loss_counts(loss, tmp_path):
    program = TAGS.replace("LOSS", loss).replace("LENGTHS", "2, 6")
    assert named(examined(HEAD + program + STEP, tmp_path), "padding_in_the_loss")


@pytest.mark.parametrize(
    "loss, lengths",
    [
        ("F.cross_entropy(net(words).transpose(1, 2), tags, ignore_index=0)", "2, 6"),
        ("F.cross_entropy(net(words).reshape(-1, 5), tags.reshape(-1))", "15, 21"),
        (
            "(F.cross_entropy(net(words).transpose(1, 2), tags, reduction='none') * tg.tensor(words > 0))"
            ".sum() / 64",
            "2, 6",
        ),
    ],
)
def test_padding_that_the_loss_leaves_out(loss, lengths, tmp_path):
    program = TAGS.replace("LOSS", loss).replace("LENGTHS", lengths)
    assert "padding_in_the_loss" not in kinds(examined(HEAD + program + STEP, tmp_path))


@pytest.mark.parametrize("mode, metric", [("'max'", "loss.item()"), ("'min'", "accuracy")])
def test_a_plateau_of_what_gets_better(mode, metric, tmp_path):
    program = PLATEAU.replace("MODE", mode).replace("METRIC", metric)
    doctor = examined(HEAD + POINTS + program, tmp_path)
    assert "improvement" in named(doctor, "wrong_mode_of_plateau").what
    assert named(doctor, "wrong_mode_of_plateau").cause.source.startswith("scheduler = ")


@pytest.mark.parametrize(
    "mode, metric", [("'min'", "loss.item()"), ("'max'", "accuracy"), ("'max'", "-loss.item()")]
)
def test_a_plateau_as_it_is_meant(mode, metric, tmp_path):
    program = PLATEAU.replace("MODE", mode).replace("METRIC", metric)
    assert "wrong_mode_of_plateau" not in kinds(examined(HEAD + POINTS + program, tmp_path))


@pytest.mark.parametrize(
    "change", ["y = y[tg.randperm(96)]", "x = x[tg.randperm(96)]", "y = tg.tensor(rng.integers(0, 3, 96))"]
)
def test_labels_that_belong_to_other_inputs(change, tmp_path):
    few = POINTS.replace(
        "nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)", "nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3)"
    )
    doctor = examined(HEAD + few.replace("lr=0.1", "lr=0.05") + change + REPEATED, tmp_path)
    assert kinds(doctor) == ["guesses"], str(doctor)


def test_labels_that_belong_to_their_inputs(tmp_path):
    assert kinds(examined(HEAD + POINTS + REPEATED, tmp_path)) == []


def test_labels_of_which_nothing_can_be_said_where_every_sample_is_new(tmp_path):
    program = REPEATED.replace("net(batch)", "net(tg.randn(16, 8))")
    assert kinds(examined(HEAD + POINTS + program, tmp_path)) == []


@pytest.mark.parametrize(
    "scaled",
    [
        "(table - table.mean(1, keepdims=True)) / table.std(1, keepdims=True)",
        "(table - table.min(1, keepdims=True)) / np.ptp(table, axis=1, keepdims=True)",
        "table / np.linalg.norm(table, axis=1, keepdims=True)",
    ],
)
def test_rows_that_are_normalised_by_themselves(scaled, tmp_path):
    doctor = examined(HEAD + ROWS.replace("SCALED", scaled) + STEP, tmp_path)
    assert "each row" in named(doctor, "rows_normalised").what, str(doctor)


def test_columns_that_are_normalised(tmp_path):
    scaled = "(table - table.mean(0)) / table.std(0)"
    assert kinds(examined(HEAD + ROWS.replace("SCALED", scaled) + STEP, tmp_path)) == []
