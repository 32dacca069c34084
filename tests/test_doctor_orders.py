"""Orders of samples, axes and steps, layers in lists, and what follows from an overflow; what looks so."""

from __future__ import annotations

import copy
import pickle
import random

import numpy as np
import pytest

from .doctor_programs import HEAD, LOOP, POINTS, examined, kinds
from .test_doctor_dresses import named

pytestmark = [pytest.mark.exhaustive, pytest.mark.filterwarnings("ignore::RuntimeWarning")]

STEP = """
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""

TABLE = """
import random
table = rng.normal(size=(200, 6)).astype(np.float32)
kinds = (table[:, 0] > 0).astype(np.int64) + (table[:, 1] > 0)
tests = rng.normal(size=(200, 6)).astype(np.float32)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = optim.SGD(net.parameters(), lr=0.02)
ORDER
x, y = tg.tensor(table), tg.tensor(kinds)
for epoch in range(2):
    for start in range(0, 200, 20):
        loss = F.cross_entropy(net(x[start : start + 20]), y[start : start + 20])
"""

APART = {
    "in place": "rng.shuffle(table)\nrng.shuffle(kinds)",
    "with NumPy's own generator": "np.random.shuffle(kinds)\nnp.random.shuffle(table)",
    "as copies": "table, kinds = rng.permutation(table), rng.permutation(kinds)",
    "as lists": "table, kinds = list(table), list(kinds)\nrandom.shuffle(table)\nrandom.shuffle(kinds)\n"
    "table, kinds = np.array(table), np.array(kinds)",
    "as tensors": "table, kinds = tg.tensor(table)[tg.randperm(200)], tg.tensor(kinds)[tg.randperm(200)]",
    "before a loader, whose samples come in any order": "rng.shuffle(table)\nrng.shuffle(kinds)\n"
    "rows = np.random.default_rng(5).permutation(200)\ntable, kinds = table[rows], kinds[rows]",
    "by indices of their own": "table = table[rng.permutation(200)]\nkinds = kinds[rng.permutation(200)]",
    "by two permutations": "first, second = rng.permutation(200), np.random.permutation(200)\n"
    "table, kinds = table[first], kinds[second]",
    "a seed that is given once": "rng = np.random.default_rng(4)\nrng.shuffle(table)\nrng.shuffle(kinds)",
}

TOGETHER = {
    "one permutation": "rows = rng.permutation(200)\ntable, kinds = table[rows], kinds[rows]",
    "one permutation of tensors": "rows = tg.randperm(200)\n"
    "table, kinds = tg.tensor(table)[rows], tg.tensor(kinds)[rows]",
    "one seed for each": "np.random.seed(3)\nnp.random.shuffle(table)\n"
    "np.random.seed(3)\nnp.random.shuffle(kinds)",
    "one seed for two generators": "np.random.default_rng(3).shuffle(table)\n"
    "np.random.default_rng(3).shuffle(kinds)",
    "one permutation, and another of all": "rows, others = rng.permutation(200), rng.permutation(200)\n"
    "table, kinds, tests = table[rows], kinds[rows], tests[others]",
    "indices": "rows = np.arange(200)\nrng.shuffle(rows)\ntable, kinds = table[rows], kinds[rows]",
    "inputs before they have labels": "rng.shuffle(table)\nkinds = (table[:, 0] > 0).astype(int)",
    "labels before they have inputs": "rng.shuffle(kinds)\n"
    "table = (table / 4 + np.eye(6)[kinds]).astype(np.float32)\nrng.shuffle(tests)",
    "what is evaluated, and what has no labels": "rng.shuffle(tests)\nrng.shuffle(tests[:100])\n"
    "free = tg.tensor(rng.permutation(tests))",
}


@pytest.mark.parametrize("how", APART)
def test_inputs_and_labels_that_are_shuffled_apart(how, tmp_path):
    doctor = examined(HEAD + TABLE.replace("ORDER", APART[how]) + STEP, tmp_path)
    found = named(doctor, "shuffled_apart")
    assert kinds(doctor) == ["shuffled_apart"], str(doctor)
    assert {found.place.source, found.cause.source} <= set(APART[how].split("\n"))


@pytest.mark.parametrize("how", TOGETHER)
def test_inputs_and_labels_that_stay_together(how, tmp_path):
    doctor = examined(HEAD + TABLE.replace("ORDER", TOGETHER[how]) + STEP, tmp_path)
    assert kinds(doctor) == [], str(doctor)


def test_inputs_and_labels_that_are_shuffled_apart_in_every_epoch(tmp_path):
    tensors = "x, y = tg.tensor(table), tg.tensor(kinds)\n"
    each = f"    rng.shuffle(table)\n    rng.shuffle(kinds)\n    {tensors}    for start"
    program = TABLE.replace("ORDER", "").replace(tensors, "").replace("    for start", each)
    assert kinds(examined(HEAD + program + STEP, tmp_path)) == ["shuffled_apart"]


def test_targets_that_are_numbers_are_shuffled_apart_from_their_inputs(tmp_path):
    program = (
        TABLE.replace("ORDER", "aims = table[:, :1] * 2\nrng.shuffle(aims)\nrng.shuffle(table)\nkinds = aims")
        .replace("cross_entropy", "mse_loss")
        .replace("nn.Linear(16, 3)", "nn.Linear(16, 1)")
    )
    assert kinds(examined(HEAD + program + STEP, tmp_path)) == ["shuffled_apart"]


def test_numbers_are_drawn_as_if_no_doctor_watched(tmp_path):
    draws = """
np.random.seed(2)
random.seed(2)
drawn = [rng.permutation(9), rng.permutation(np.eye(3)), np.random.permutation(7), rng.normal(size=3)]
letters, grid = list("abcdef"), np.arange(12).reshape(3, 4)
random.shuffle(letters)
rng.shuffle(grid, axis=1)
np.random.shuffle(grid)
drawn += [letters, grid, isinstance(rng, np.random.Generator), np.random.default_rng(rng) is rng]
copies = [copy.deepcopy(rng), pickle.loads(pickle.dumps(rng))]
drawn += [each.permutation(8) for each in [rng, *copies]]
"""
    path = tmp_path / "drawn.npz"
    keep = f"np.savez(r'{path}', *map(np.array, drawn))"
    examined(HEAD + "import copy, pickle, random" + draws + keep, tmp_path)
    own = {"copy": copy, "pickle": pickle, "np": np, "random": random, "rng": np.random.default_rng(0)}
    exec(draws, own)
    with np.load(path) as watched:
        for number, drawn in enumerate(own["drawn"]):
            np.testing.assert_array_equal(watched[f"arr_{number}"], drawn)
    assert type(np.random.default_rng()) is np.random.Generator


SERIES = """
optimizer = None
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.score = nn.Linear(WIDTH, 3)
    def forward(self, series):
        rows = VIEW
        return self.score(rows)
net = Net()
optimizer = optim.Adam(net.parameters(), lr=1e-2)
for step in range(8):
    for again in range(1):
        series = tg.randn(SHAPE)
        scores = net(series)
        loss = F.cross_entropy(scores.reshape(-1, 3), tg.arange(scores.numel() // 3) % 3)
"""


def series(shape, view, width):
    return HEAD + SERIES.replace("SHAPE", shape).replace("VIEW", view).replace("WIDTH", str(width)) + STEP


@pytest.mark.parametrize(
    "shape, view, width",
    [
        ("7, 12, 5", "series.reshape(12, 7 * 5)", 35),
        ("7, 12, 5", "series.view(12, -1)", 35),
        ("12, 5, 7", "series.reshape(-1, 5)", 5),
        ("12, 5, 6, 7", "series.flatten(2).reshape(12, 42, 5)", 5),
        ("12, 5, 6, 7", "series.reshape(12 * 6 * 7, 5)", 5),
        ("12, 35", "series.reshape(7, 12, 5)", 5),
    ],
)
def test_a_reshape_that_joins_axes_which_are_no_neighbours(shape, view, width, tmp_path):
    found = named(examined(series(shape, view, width), tmp_path), "scrambled_axes")
    assert "permute(" in found.advice or "transpose(" in found.advice


@pytest.mark.parametrize(
    "shape, view, width",
    [
        ("12, 7, 5", "series.reshape(12, 7 * 5)", 35),
        ("12, 7, 5", "series.reshape(12 * 7, 5)", 5),
        ("7, 12, 5", "series.permute(1, 0, 2).reshape(12, 35)", 35),
        ("12, 8, 6", "series.reshape(12 * 4, 2 * 6)", 12),
        ("84, 5", "series.reshape(12, 7, 5)", 5),
        (
            "12, 4, 6, 6",
            "series.reshape(12, 4, 2, 3, 2, 3).permute(0, 2, 4, 1, 3, 5).reshape(12 * 4, 36)",
            36,
        ),
        ("12, 6, 8", "series.reshape(12, 6, 2, 4).transpose(1, 2).reshape(24, 24)", 24),
    ],
)
def test_a_reshape_that_folds_neighbours(shape, view, width, tmp_path):
    assert kinds(examined(series(shape, view, width), tmp_path)) == []


@pytest.mark.parametrize(
    "shape, view, width",
    [
        (
            "8, 16, 4",
            "time, count, channels = series.shape\n        rows = series.reshape(count, time * channels)",
            32,
        ),
        ("16, 8, 4", "rows = series.reshape(series.shape[0] * series.size(-1), series.shape[1])", 8),
        (
            "16, 8, 4",
            "n, c = len(series), series.shape[1]\n        c = series.size(1)\n"
            "        rows = series.view((-1, series.size(1)))",
            8,
        ),
        ("16, 4, 4", "n, c, t = series.size()\n        rows = series.reshape(n, t, c)", 4),
    ],
)
def test_a_reshape_whose_source_says_what_its_sizes_do_not(shape, view, width, tmp_path):
    program = series(shape, "VIEW", width).replace("rows = VIEW", view)
    found = named(examined(program, tmp_path), "scrambled_axes")
    assert found.advice.startswith("move the axes") and "permute(" in found.advice


@pytest.mark.parametrize(
    "shape, view, width",
    [
        ("8, 16, 4", "n, t, c = series.shape\n        rows = series.reshape(n, t * c)", 64),
        (
            "8, 4, 4",
            "n, c, t = series.shape\n        series = series.transpose(1, 2)\n"
            "        rows = series.reshape(n, t, c)",
            4,
        ),
        ("8, 1, 4", "n, c, t = series.shape\n        rows = series.reshape(n, t, c)", 1),
        (
            "8, 4, 4",
            "series = F.pad(series, (1, 0))\n        n, t, k = series.shape\n"
            "        rows = series.view(n, k, t)[:, 1:]",
            4,
        ),
        ("8, 4, 4", "n, c, t = series.permute(0, 2, 1).shape\n        rows = series.reshape(n, t, c)", 4),
        (
            "8, 4, 4",
            "n, t, c = series.shape\n        n, c, t = series.shape[0], t, c\n"
            "        rows = series.reshape(n, c, t)",
            4,
        ),
    ],
)
def test_a_reshape_whose_source_says_nothing_wrong(shape, view, width, tmp_path):
    program = series(shape, "VIEW", width).replace("rows = VIEW", view)
    assert kinds(examined(program, tmp_path)) == []


SCHEDULED = """
loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
optimizer = optim.SGD(net.parameters(), lr=RATE)
schedule = optim.lr_scheduler.SCHEDULE
for epoch in range(4):
    for batch, labels in loader:
        loss = F.cross_entropy(net(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        IN_BATCH
    IN_EPOCH
"""


def scheduled(schedule, rate=0.1, in_batch=True):
    calls = ("schedule.step()", "pass") if in_batch else ("pass", "schedule.step()")
    program = (
        SCHEDULED.replace("SCHEDULE", schedule).replace("IN_BATCH", calls[0]).replace("IN_EPOCH", calls[1])
    )
    return HEAD + POINTS + program.replace("RATE", str(rate))


EPOCHWISE = [
    "StepLR(optimizer, step_size=5, gamma=0.5)",
    "MultiStepLR(optimizer, milestones=[6, 12, 18], gamma=0.2)",
    "ExponentialLR(optimizer, gamma=0.9)",
    "CosineAnnealingLR(optimizer, T_max=20)",
]


@pytest.mark.parametrize("schedule", EPOCHWISE)
def test_a_schedule_in_epochs_that_is_stepped_in_every_batch(schedule, tmp_path):
    found = named(examined(scheduled(schedule, rate=0.03), tmp_path), "schedule_in_every_batch")
    assert found.place.source == "schedule.step()" and found.cause.source.startswith("schedule = ")
    assert "about 12 batches" in found.evidence and found.level == "perhaps"


@pytest.mark.parametrize("schedule", EPOCHWISE)
def test_a_schedule_in_epochs_that_is_stepped_once_an_epoch(schedule, tmp_path):
    assert kinds(examined(scheduled(schedule, in_batch=False), tmp_path)) == []


@pytest.mark.parametrize(
    "schedule",
    [
        "OneCycleLR(optimizer, max_lr=0.1, total_steps=48)",
        "LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 20))",
        "CosineAnnealingLR(optimizer, T_max=48)",
        "ExponentialLR(optimizer, gamma=0.99)",
        "StepLR(optimizer, step_size=24, gamma=0.3)",
        "MultiStepLR(optimizer, milestones=[36, 44], gamma=0.1)",
        "CosineAnnealingWarmRestarts(optimizer, T_0=12)",
        "CyclicLR(optimizer, base_lr=0.003, max_lr=0.1, step_size_up=6)",
    ],
)
def test_a_schedule_in_steps(schedule, tmp_path):
    assert kinds(examined(scheduled(schedule), tmp_path)) == []


def test_a_schedule_in_steps_where_a_step_is_an_epoch(tmp_path):
    whole = scheduled(EPOCHWISE[0]).replace("batch_size=8", "batch_size=96").replace("range(4)", "range(48)")
    assert kinds(examined(whole, tmp_path)) == []


SHARED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(8, 16)
        LAYERS
        self.leave = nn.Linear(16, 3)
    def forward(self, x):
        x = F.relu(self.enter(x))
        for layer in USED:
            x = F.relu(layer(x))
        return self.leave(x)
net = Net()
optimizer = optim.SGD(net.parameters(), lr=0.1)
"""


@pytest.mark.parametrize(
    "layers, used",
    [
        ("self.inner = nn.ModuleList([nn.Linear(16, 16)] * 2)", "self.inner"),
        ("self.inner = nn.Sequential(*[nn.Linear(16, 16)] * 3)", "[self.inner]"),
        ("self.inner = nn.ModuleList([nn.Sequential(nn.Linear(16, 16), nn.Tanh())] * 2)", "self.inner"),
        ("self.inner = nn.ModuleDict(dict.fromkeys('ab', nn.Linear(16, 16)))", "self.inner.values()"),
    ],
)
def test_a_layer_that_is_repeated_in_a_list(layers, used, tmp_path):
    program = SHARED.replace("LAYERS", layers).replace("USED", used)
    doctor = examined(HEAD + POINTS + program + LOOP, tmp_path)
    assert kinds(doctor) == ["shared_layer"], str(doctor)
    assert doctor.findings[0].cause.source == layers


@pytest.mark.parametrize(
    "layers",
    [
        "self.one = nn.Linear(16, 16)\n        self.two = self.one",
        "self.one = self.two = nn.Linear(16, 16)",
        "self.one, self.two = [nn.Linear(16, 16)] * 2",
    ],
)
def test_a_layer_with_two_names_is_meant(layers, tmp_path):
    program = SHARED.replace("LAYERS", layers).replace("USED", "[self.one, self.two]")
    assert kinds(examined(HEAD + POINTS + program + LOOP, tmp_path)) == []


HALF = """
x, net = (x * 3).half(), net.half()
optimizer = optim.SGD(net.parameters(), lr=1e-4, momentum=0.5)
for step in range(12):
    for again in range(1):
        scores = net(x) * (1 + 6 * step)
        loss = LOSS
"""


@pytest.mark.parametrize(
    "loss",
    [
        "(tg.log(tg.exp(scores).sum(dim=1)) - scores[tg.arange(96), y]).mean()",
        "(scores - F.one_hot(y, 3).half()).pow(4).mean()",
        "(tg.log(tg.exp(scores).sum(dim=1)) - scores[tg.arange(96), y]).sum()",
    ],
)
def test_an_overflow_of_float16_is_not_the_learning_rate(loss, tmp_path):
    doctor = examined(HEAD + POINTS + HALF.replace("LOSS", loss) + STEP, tmp_path)
    (kind,) = kinds(doctor)
    assert kind in ("not_finite", "gradient_not_finite") and "float16" in doctor.findings[0].what


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_data_that_are_no_numbers_are_neither_the_learning_rate_nor_the_sum(reduction, tmp_path):
    bad = LOOP.replace("y[part])", f"y[part], reduction='{reduction}')")
    program = POINTS.replace("lr=0.1", "lr=0.01") + "x.data[60, 2] = np.nan\n" + bad
    assert kinds(examined(HEAD + program, tmp_path)) == ["data_not_finite"]


@pytest.mark.parametrize("rate, kind", [("3000.0", "step_too_large"), ("0.1", "summed_loss")])
def test_infinities_that_follow_from_steps_are_not_named_beside_them(rate, kind, tmp_path):
    loop = """
for step in range(20):
    for again in range(1):
        loss = F.mse_loss(net(x), x[:, :3] * 4, reduction=REDUCTION)
"""
    loop = loop.replace("REDUCTION", "'sum'" if kind == "summed_loss" else "'mean'")
    doctor = examined(HEAD + POINTS.replace("lr=0.1", f"lr={rate}") + loop + STEP, tmp_path)
    assert kinds(doctor) == [kind], str(doctor)


def test_units_that_a_relu_before_the_loss_kills_are_its_doing(tmp_path):
    program = POINTS + "net.append(nn.ReLU())\nnet[2].bias.data[...] = -4\n" + LOOP
    assert kinds(examined(HEAD + program, tmp_path)) == ["relu_before_loss"]
