"""Every optimiser, schedule and generator comes back from a file bit for bit, and goes on as before."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.optim import lr_scheduler

from .helpers import more

OPTIMIZERS = [
    rule
    for name in optim.__all__
    if inspect.isclass(rule := getattr(optim, name))
    and issubclass(rule, optim.Optimizer)
    and rule is not optim.Optimizer
]
OPTIONS = {
    "SGD": [{"momentum": 0.9, "nesterov": True}, {"momentum": 0.0}],
    "Adam": [{"amsgrad": True}, {}],
    "AdamW": [{"amsgrad": True}, {}],
    "RMSprop": [{"centered": True, "momentum": 0.5}, {}],
}
RULES = [(rule, options) for rule in OPTIMIZERS for options in OPTIONS.get(rule.__name__, [{}])]

SCHEDULES = {
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 0.9**epoch),
    "MultiplicativeLR": lambda o: lr_scheduler.MultiplicativeLR(o, lambda epoch: 0.9),
    "StepLR": lambda o: lr_scheduler.StepLR(o, 2),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 4]),
    "ConstantLR": lambda o: lr_scheduler.ConstantLR(o, 0.5, 4),
    "LinearLR": lambda o: lr_scheduler.LinearLR(o, 0.3, total_iters=5),
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda o: lr_scheduler.PolynomialLR(o, 7, 2.0),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 4),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 3, cycle_momentum=True),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, 12),
    "ReduceLROnPlateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0),
    "ChainedScheduler": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.StepLR(o, 2), lr_scheduler.ExponentialLR(o, 0.9)]
    ),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1), lr_scheduler.CosineAnnealingLR(o, 5)], [3]
    ),
}  # fmt: skip


def training(rule=optim.SGD, options=None, schedule="StepLR", dtype=tg.float32, seed=0):
    """A net of everything with a state, an optimiser with two groups, and a schedule."""
    tg.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.PReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(8, 3)
    ).to(dtype)
    parameters = list(net.parameters())
    groups = [{"params": parameters[:2], "lr": 0.02}, {"params": parameters[2:], "weight_decay": 0.1}]
    optimizer = rule(groups, **{"lr": 0.05, **({"momentum": 0.9} if options is None else options)})
    return net, optimizer, SCHEDULES[schedule](optimizer)


def go_on(parts, count):
    """The losses of so many steps."""
    net, optimizer, schedule = parts
    losses = []
    for _ in range(count):
        optimizer.zero_grad()
        x = tg.randn(4, 1, 4, 4).to(next(net.parameters()).dtype)
        loss = tg.cross_entropy(net(x), tg.tensor([0, 1, 2, 0]))
        loss.backward()
        optimizer.step()
        metric = [loss.item()] if isinstance(schedule, lr_scheduler.ReduceLROnPlateau) else []
        schedule.step(*metric)
        losses.append((loss.item(), *schedule.get_last_lr()))
    return losses


def leaves(value, path=()):
    """(place, type, dtype, bytes) of all that is in a structure."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, (*path, key))
    elif isinstance(value, (list, tuple)):
        yield path, type(value), len(value)
        for index, member in enumerate(value):
            yield from leaves(member, (*path, index))
    else:
        array = np.asarray(getattr(value, "data", value))
        numbers = array.tobytes() if array.dtype.kind in "biuf" else value
        yield path, type(value), array.dtype, array.shape, numbers


def check_round_trip(make, name, tmp_path):
    """What is saved in mid-training is read bit for bit; what loads it goes on as the other."""
    parts, other = make(), make(seed=1)
    go_on(parts, 3)
    state = [part.state_dict() for part in parts]
    tg.save([state, tg.get_rng_state()], tmp_path / name)
    read, random_state = tg.load(tmp_path / name)
    assert [*leaves(read)] == [*leaves(state)]
    expected = go_on(parts, 4)
    for part, its_state in zip(other, read):
        part.load_state_dict(its_state)
    tg.set_rng_state(random_state)
    assert [*leaves([part.state_dict() for part in other])] == [*leaves(state)]
    assert go_on(other, 4) == expected
    assert [*leaves([p.state_dict() for p in other])] == [*leaves([p.state_dict() for p in parts])]


@pytest.mark.parametrize("dtype", ["float32", *more("float64", "float16")])
@pytest.mark.parametrize(("rule", "options"), RULES)
def test_every_optimiser(rule, options, dtype, tmp_path):
    check_round_trip(
        lambda seed=0: training(rule, options, dtype=getattr(tg, dtype), seed=seed), "state", tmp_path
    )


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule(schedule, tmp_path):
    check_round_trip(lambda seed=0: training(schedule=schedule, seed=seed), "state", tmp_path)


def test_no_schedule_is_forgotten():
    assert {*SCHEDULES} == {*lr_scheduler.__all__} - {"LRScheduler"}


@pytest.mark.extras
@pytest.mark.parametrize("rule", [optim.Adam, optim.SGD])
def test_in_the_other_format(rule, tmp_path):
    pytest.importorskip("safetensors")
    options = {"amsgrad": True} if rule is optim.Adam else {"momentum": 0.9}
    check_round_trip(lambda seed=0: training(rule, options, seed=seed), "state.safetensors", tmp_path)


BITS = ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]


@pytest.mark.parametrize("bits", BITS)
def test_numpys_generators_of_every_kind(bits, tmp_path):
    checkpoints = tg.Checkpoints(tmp_path)
    generator = np.random.Generator(getattr(np.random, bits)(7))
    generator.normal(size=3), generator.integers(5, dtype=np.int32)
    checkpoints.save(0, generator=generator)
    expected = generator.normal(size=5), generator.integers(2**31, size=5, dtype=np.int32)
    checkpoints.load(generator=generator)
    for drawn, again in zip(
        expected, (generator.normal(size=5), generator.integers(2**31, size=5, dtype=np.int32))
    ):
        np.testing.assert_array_equal(drawn, again)
    other = np.random.Generator(getattr(np.random, BITS[BITS.index(bits) - 1])(7))
    with pytest.raises(tg.errors.CheckpointError, match="'generator' does not fit"):
        checkpoints.load(generator=other)


def test_the_random_state_of_the_package():
    tg.manual_seed(3)
    tg.rand(2)
    state = tg.get_rng_state()
    first = tg.rand(3), tg.nn.functional.dropout(tg.ones(9)), tg.randperm(5)
    tg.manual_seed(4)
    tg.set_rng_state(state)
    for drawn, again in zip(first, (tg.rand(3), tg.nn.functional.dropout(tg.ones(9)), tg.randperm(5))):
        np.testing.assert_array_equal(drawn.data, again.data)
    assert tg.initial_seed() == 3
    generator = tg.Generator()
    generator.set_state(np.random.default_rng(5).bit_generator.state)  # NumPy's own, without a seed
    assert generator.random() == np.random.default_rng(5).random()


@pytest.mark.parametrize(
    "state",
    [
        None,
        3,
        {},
        {"bit_generator": "PCG64"},
        {"bit_generator": "MT19937", "state": {}},
        np.zeros(3, np.uint8),
    ]
    + [{**tg.Generator().get_state(), "initial_seed": seed} for seed in (None, 0.5, "a")]
    + [{**tg.Generator().get_state(), "seeds_taken": taken} for taken in (None, 0.5, -1)]
    + [{**tg.Generator().get_state(), "state": {"state": number, "inc": 1}} for number in (2**128, -1)],
)
def test_what_is_no_random_state_is_refused(state):
    tg.manual_seed(0)
    before = tg.get_rng_state()
    for put in (tg.set_rng_state, tg.manual_seed(0).set_state):
        with pytest.raises(
            ValueError,
            match="^set_state: .*(no state of a|none that get_state|(initial_seed|seeds_taken) must)",
        ):
            put(state)
    assert tg.get_rng_state() == before
