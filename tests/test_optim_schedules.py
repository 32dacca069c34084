"""Learning rates by epoch, against their closed forms; plateaus by example; and clipping."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)


def optimizer(*rates):
    return optim.SGD([{"params": nn.Parameter(np.ones(1)), "lr": rate} for rate in rates or (0.8,)])


def course(scheduler, epochs):
    """The first group's rate in each epoch."""
    rates = []
    for _ in range(epochs):
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    "make, rate",
    [
        (lambda o: StepLR(o, 3, 0.5), lambda epoch: 0.8 * 0.5 ** (epoch // 3)),
        (
            lambda o: MultiStepLR(o, [7, 2, 2], 0.5),
            lambda epoch: 0.8 * 0.5 ** (2 * (epoch >= 2) + (epoch >= 7)),
        ),
        (lambda o: MultiStepLR(o, [3, 0, 0], 0.5), lambda epoch: 0.8 * 0.5 ** (2 + (epoch >= 3))),
        (lambda o: ExponentialLR(o, 0.9), lambda epoch: 0.8 * 0.9**epoch),
        (
            lambda o: CosineAnnealingLR(o, 4, 0.1),
            lambda epoch: 0.1 + 0.35 * (1 + math.cos(math.pi * epoch / 4)),
        ),
        (lambda o: LinearLR(o, 0.2, 1.0, 4), lambda epoch: 0.8 * (0.2 + 0.8 * min(epoch, 4) / 4)),
        (lambda o: ConstantLR(o, 0.25, 3), lambda epoch: 0.8 * (0.25 if epoch < 3 else 1)),
        (lambda o: ConstantLR(o, 0.0, 3), lambda epoch: 0.8 * (epoch >= 3)),
        (lambda o: PolynomialLR(o, 8, 2), lambda epoch: 0.8 * (1 - min(epoch, 8) / 8) ** 2),
        (lambda o: LambdaLR(o, lambda epoch: 1 / (1 + epoch)), lambda epoch: 0.8 / (1 + epoch)),
        (lambda o: MultiplicativeLR(o, lambda epoch: 0.5), lambda epoch: 0.8 * 0.5**epoch),
        (
            lambda o: CosineAnnealingWarmRestarts(o, 4, eta_min=0.1),
            lambda epoch: 0.1 + 0.35 * (1 + math.cos(math.pi * (epoch % 4) / 4)),
        ),
        (
            lambda o: CyclicLR(o, 0.2, 1.0, 2, 4, cycle_momentum=False),
            lambda epoch: 0.2 + 0.8 * [0, 0.5, 1, 0.75, 0.5, 0.25][epoch % 6],
        ),
        (
            lambda o: CyclicLR(o, 0.0, 1.0, 2, scale_fn=lambda cycle: 1 / cycle, cycle_momentum=False),
            lambda epoch: [0, 0.5, 1, 0.5][epoch % 4] / (1 + epoch // 4),
        ),
        (
            lambda o: OneCycleLR(o, 1.0, 20, pct_start=0.25, anneal_strategy="linear", div_factor=5),
            lambda epoch: 0.2 + 0.8 * epoch / 4 if epoch < 5 else 1 - (1 - 2e-5) * (epoch - 4) / 15,
        ),
        (
            lambda o: SequentialLR(o, [LinearLR(o, 0.5, 1.0, 2), ExponentialLR(o, 0.5)], [4]),
            lambda epoch: 0.8 * ([0.5, 0.75, 1, 1][epoch] if epoch < 4 else 0.5 ** (epoch - 4)),
        ),
        (
            lambda o: ChainedScheduler([ConstantLR(o, 0.5, 4), ExponentialLR(o, 0.9)]),
            lambda epoch: 0.8 * (0.5 if epoch < 4 else 1) * 0.9**epoch,
        ),
    ],
)
def test_rates_follow_their_closed_form_also_after_saving_and_loading(make, rate):
    expected = [rate(epoch) for epoch in range(20)]
    np.testing.assert_allclose(course(make(optimizer()), 20), expected, rtol=1e-12, atol=1e-15)
    first = make(optimizer())
    course(first, 5)
    again = make(optimizer())
    again.load_state_dict(first.state_dict())
    again.optimizer.load_state_dict(first.optimizer.state_dict())
    assert getattr(again, "last_epoch", 5) == 5
    np.testing.assert_allclose(course(again, 15), expected[5:], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("total_iters", [1, 3, 4, 5, 7, 10, 100])
@pytest.mark.parametrize("end", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("start", [0.2, 1 / 3, 0.7])
def test_linear_rates_end_exactly_and_are_never_negative(start, end, total_iters):
    both = optimizer(0.2, 0.8)
    schedule = LinearLR(both, start, end, total_iters)
    for _ in range(total_iters):
        assert min(schedule.get_last_lr()) > 0
        schedule.step()
    for _ in range(3):
        assert schedule.get_last_lr() == [0.2 * end, 0.8 * end]
        both.load_state_dict(both.state_dict())  # it refuses a negative rate
        schedule.step()


@pytest.mark.parametrize("start, total_iters", [(0.2, 5), (1 / 3, 4), (1 / 3, 5), (1 / 3, 10)])
def test_linear_rates_go_on_from_a_change_by_hand_and_still_end_at_zero(start, total_iters):
    changed = optimizer(0.2)
    schedule = LinearLR(changed, start, 0.0, total_iters)
    schedule.step()
    changed.param_groups[0]["lr"] *= 0.3
    rates = course(schedule, total_iters + 2)
    expected = [0.06 * start * max(1 - epoch / total_iters, 0) for epoch in range(1, total_iters + 3)]
    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=0)
    assert course(schedule, 3) == [0.0, 0.0, 0.0]


def test_each_group_has_its_own_rate_and_schedules_multiply():
    both = optimizer(1.0, 0.1)
    warm_up, steps = LinearLR(both, 0.5, 1.0, 2), StepLR(both, 2, 0.1)
    assert warm_up.get_last_lr() == [0.5, 0.05]
    for _ in range(3):
        warm_up.step()
        steps.step()
    np.testing.assert_allclose(steps.get_last_lr(), [0.1, 0.01])
    assert warm_up.base_lrs == [1.0, 0.1]


def test_the_rate_is_what_the_step_uses():
    p = nn.Parameter(np.zeros(1))
    sgd = optim.SGD([p], lr=1.0)
    schedule = StepLR(sgd, 1, 0.1)
    for _ in range(3):
        p.grad = np.ones(1)
        sgd.step()
        schedule.step()
    assert p.item() == pytest.approx(-1.11)


def test_going_on_from_an_epoch_needs_the_initial_rates():
    with pytest.raises(KeyError, match="no 'initial_lr'"):
        StepLR(optimizer(), 2, last_epoch=3)
    resumed = optimizer()
    resumed.param_groups[0].update(initial_lr=0.8, lr=0.4)
    assert course(StepLR(resumed, 2, 0.5, last_epoch=2), 3) == [0.4, 0.2, 0.2]
    resumed.param_groups[0].update(lr=0.4)  # which milestone 0 has cut already
    assert course(MultiStepLR(resumed, [0, 3], 0.5, last_epoch=1), 3) == [0.4, 0.2, 0.2]


@pytest.mark.parametrize(
    "make, rates",
    [
        (lambda o: StepLR(o, 2, 0.5, last_epoch=1), [0.2, 0.2, 0.1]),
        (lambda o: MultiStepLR(o, [2], 0.5, last_epoch=1), [0.2, 0.2, 0.2]),
        (lambda o: ConstantLR(o, 0.5, 2, last_epoch=1), [0.8, 0.8, 0.8]),
        (lambda o: ExponentialLR(o, 0.5, last_epoch=1), [0.4, 0.2, 0.1]),
        (lambda o: PolynomialLR(o, 4, last_epoch=1), [0.4, 0.2, 0.0]),
        (lambda o: MultiplicativeLR(o, lambda epoch: 1 / epoch, last_epoch=1), [0.4, 0.4 / 3, 0.1 / 3]),
        (lambda o: LambdaLR(o, lambda epoch: 1 / epoch, last_epoch=1), [0.4, 0.8 / 3, 0.2]),
        (lambda o: CosineAnnealingWarmRestarts(o, 2, last_epoch=1), [0.8, 0.4, 0.8]),
        (lambda o: CyclicLR(o, 0.0, 1.0, 2, cycle_momentum=False, last_epoch=1), [1.0, 0.5, 0.0]),
    ],
)
def test_an_epoch_that_is_gone_on_from_is_the_last_one(make, rates):
    """The next one begins as the schedule is made: where its rate is a multiple of the one before, steps,
    milestones and the end of a constant factor are made then, and others were made, as in PyTorch.
    """
    resumed = optimizer()
    resumed.param_groups[0].update(initial_lr=0.8, lr=0.4)
    np.testing.assert_allclose(course(make(resumed), 3), rates, rtol=1e-12)


def plateau(values, **options):
    """The rate after each of the metrics."""
    schedule = ReduceLROnPlateau(optimizer(1.0), factor=0.5, **options)
    rates = []
    for value in values:
        schedule.step(value)
        rates.append(schedule.get_last_lr()[0])
    return rates


def test_plateaus():
    assert plateau([3, 2, 2, 2, 2, 1, 1, 1], patience=1) == [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]
    assert plateau([1, 2, 3, 3, 3], patience=1, mode="max") == [1, 1, 1, 1, 0.5]
    assert plateau([2.0, 1.9999, 1.9998], patience=0) == [1, 0.5, 0.25]
    assert plateau([2.0, 1.95, 1.8], patience=0, threshold=0.1, threshold_mode="abs") == [1, 0.5, 0.5]
    assert plateau([2, 2, 2, 2, 2], patience=0, cooldown=2) == [1, 0.5, 0.5, 0.5, 0.25]
    assert plateau([2, 2, 2, 2], patience=0, min_lr=0.3) == [1, 0.5, 0.3, 0.3]
    assert plateau([float("nan")] * 2, patience=0) == [0.5, 0.25]
    schedule = ReduceLROnPlateau(optimizer(1.0, 1.0), patience=0, min_lr=[0.5, 0.0])
    schedule.step(tg.tensor(1.0))
    schedule.step(tg.tensor(1.0))
    assert schedule.get_last_lr() == [0.5, 0.1]
    again = ReduceLROnPlateau(optimizer(1.0, 1.0))
    again.load_state_dict(schedule.state_dict())
    assert again.best == 1.0 and again.patience == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda o: StepLR(o, 0),
        lambda o: CosineAnnealingLR(o, 0),
        lambda o: LinearLR(o, 0.0),
        lambda o: LinearLR(o, 1.0, 2.0),
        lambda o: ReduceLROnPlateau(o, factor=1.0),
        lambda o: ReduceLROnPlateau(o, mode="least"),
        lambda o: ReduceLROnPlateau(o, threshold_mode="per cent"),
        lambda o: ReduceLROnPlateau(o, min_lr=[0.0, 0.0]),
        lambda o: ConstantLR(o, 1.5),
        lambda o: CosineAnnealingWarmRestarts(o, 0),
        lambda o: LambdaLR(o, [abs, abs]),
        lambda o: OneCycleLR(o, 1.0),
        lambda o: OneCycleLR(o, 1.0, 10, pct_start=1.5),
        lambda o: OneCycleLR(o, 1.0, 10, anneal_strategy="exp"),
        lambda o: OneCycleLR(optim.Adagrad([nn.Parameter(np.ones(1))]), 1.0, 10),
        lambda o: CyclicLR(o, 0.1, 1.0, mode="square"),
        lambda o: CyclicLR(o, [0.1, 0.1], 1.0),
        lambda o: ChainedScheduler([]),
        lambda o: ChainedScheduler([StepLR(o, 1), StepLR(optimizer(), 1)]),
        lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(o, 2)], []),
        lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(o, 2), StepLR(o, 3)], [3, 2]),
        lambda o: SequentialLR(o, [ReduceLROnPlateau(o)], []),
    ],
)
def test_impossible_schedules_are_refused(make):
    with pytest.raises(ValueError):
        make(optimizer())


def test_schedules_want_an_optimizer_and_subclasses_a_rule():
    for schedule in (lambda optimizer: StepLR(optimizer, 1), ReduceLROnPlateau):
        with pytest.raises(TypeError, match="must be an Optimizer, not float"):
            schedule(0.1)
    with pytest.raises(NotImplementedError, match="next_lr"):
        LRScheduler(optimizer()).step()


@pytest.mark.parametrize("make, momentum", [(optim.SGD, "momentum"), (optim.Adam, "betas")])
def test_momenta_go_the_other_way(make, momentum):
    def value(group):
        return group["betas"][0] if momentum == "betas" else group["momentum"]

    changed = make([nn.Parameter(np.ones(1))], 0.1)
    cycle = CyclicLR(changed, 0.0, 1.0, 2, base_momentum=0.5, max_momentum=0.9)
    seen = []
    for _ in range(5):
        seen.append(value(changed.param_groups[0]))
        cycle.step()
    np.testing.assert_allclose(seen, [0.9, 0.7, 0.5, 0.7, 0.9])
    changed = make([nn.Parameter(np.ones(1))], 0.1)
    once = OneCycleLR(changed, 1.0, 5, pct_start=0.6, anneal_strategy="linear")
    seen = []
    for _ in range(5):
        seen.append(value(changed.param_groups[0]))
        once.step()
    np.testing.assert_allclose(seen, [0.95, 0.9, 0.85, 0.9, 0.95])
    with pytest.raises(ValueError, match=r"^OneCycleLR: step 6 of 5 \(total_steps\)"):
        once.step()
    assert once.last_epoch == 5


def test_a_restart_can_be_placed_within_an_epoch():
    schedule = CosineAnnealingWarmRestarts(optimizer(), 2, 2)
    for epoch, part in ((0.5, 0.25), (2.5, 0.125), (6.0, 0.0), (13.0, 0.875)):
        schedule.step(epoch)
        expected = 0.4 * (1 + math.cos(math.pi * part))
        np.testing.assert_allclose(schedule.get_last_lr(), [expected], rtol=1e-12)
    schedule.step()
    assert schedule.last_epoch == 14 and schedule.get_last_lr() == [0.8]
    with pytest.raises(ValueError, match="^CosineAnnealingWarmRestarts: epoch must be at least 0, not -1"):
        schedule.step(-1)


class Halved:
    """A factor that counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, epoch):
        self.calls += 1
        return 0.5**epoch


def test_functions_of_schedules_are_not_saved_but_what_objects_hold_is():
    factor = Halved()
    schedule = LambdaLR(optimizer(1.0, 1.0), [factor, lambda epoch: 1.0])
    schedule.step()
    saved = schedule.state_dict()
    assert saved["lr_lambdas"] == [{"calls": 2}, None]
    other = Halved()
    again = LambdaLR(optimizer(1.0, 1.0), [other, lambda epoch: 2.0])
    again.load_state_dict(saved)
    assert other.calls == 2 and again.last_epoch == 1 and again.lr_lambdas[0] is other
    again.step()
    assert again.get_last_lr() == [0.25, 2.0]
    with pytest.raises(TypeError, match=r"^LambdaLR: lr_lambda\(0\) must be a number, not None"):
        LambdaLR(optimizer(), lambda epoch: None)
    with pytest.raises(TypeError, match="^LambdaLR: lr_lambda must be a function of the epoch, or a list"):
        LambdaLR(optimizer(), 0.5)


def test_parts_of_a_schedule_are_saved_and_loaded_as_a_whole():
    def make():
        changed = optimizer()
        return SequentialLR(changed, [ConstantLR(changed, 0.5, 2), StepLR(changed, 1, 0.5)], [3])

    schedule = make()
    course(schedule, 4)
    saved = schedule.state_dict()
    again = make()
    again.load_state_dict(saved)
    assert [part.last_epoch for part in again._schedulers] == [2, 1] and again.last_epoch == 4
    saved["_schedulers"][1]["last_epoch"] = "late"
    fresh = make()
    with pytest.raises(TypeError, match="^StepLR: last_epoch must be an int"):
        fresh.load_state_dict(saved)
    assert fresh.last_epoch == 0 and fresh._schedulers[0].last_epoch == 0


def test_groups_that_were_added_need_a_new_schedule():
    changed = optimizer()
    schedule = StepLR(changed, 1)
    changed.add_param_group({"params": nn.Parameter(np.ones(1))})
    with pytest.raises(ValueError, match="^StepLR: the optimiser has 2 groups, the schedule was made for 1"):
        schedule.step()


def with_grads(*grads):
    ps = [nn.Parameter(np.zeros_like(grad)) for grad in grads]
    for p, grad in zip(ps, grads):
        p.grad = grad
    return ps


def test_clipping():
    ps = with_grads(np.array([3.0, 0.0]), np.array([[4.0]]))
    assert nn.utils.clip_grad_norm_(iter(ps), 10).item() == 5.0
    assert ps[0].grad.tolist() == [3.0, 0.0]
    arrays = [p.grad for p in ps]
    assert nn.utils.clip_grad_norm_(ps, 1.0).item() == 5.0
    np.testing.assert_allclose(np.concatenate([array.ravel() for array in arrays]), [0.6, 0, 0.8], rtol=1e-6)
    ps = with_grads(np.array([3.0, -4.0]))
    assert nn.utils.clip_grad_norm_(ps[0], 2.0, math.inf).item() == 4.0
    np.testing.assert_allclose(ps[0].grad, [1.5, -2.0], rtol=1e-6)
    half = with_grads(np.full(100, 60000.0, np.float16))
    nn.utils.clip_grad_norm_(half, 1.0)
    assert half[0].grad.dtype == np.float16
    np.testing.assert_allclose(half[0].grad, 0.1, rtol=1e-2)
    assert nn.utils.clip_grad_norm_([nn.Parameter(np.ones(1))], 1.0).item() == 0.0
    assert nn.utils.clip_grad_norm_(with_grads(np.zeros((0, 2)), np.zeros(2)), 1.0).item() == 0.0
    broken = with_grads(np.array([np.nan]), np.array([1.0]))
    with pytest.raises(RuntimeError, match="nan"):
        nn.utils.clip_grad_norm_(broken, 1.0, error_if_nonfinite=True)
    assert broken[1].grad.tolist() == [1.0]
    nn.utils.clip_grad_norm_(broken, 1.0)
    assert np.isnan(broken[1].grad).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"total_steps": -math.inf}, "total_steps must be an int"),
        ({"total_steps": 0}, "total_steps must be at least 1"),
        ({"last_epoch": 11}, "step 11 of 10"),
        ({"div_factor": 0.0}, "div_factor must be positive"),
        ({"a" * 5000: 1, "total_steps": "many"}, "total_steps must be an int"),
    ],
)
def test_a_state_that_no_constructor_takes_is_refused_and_nothing_changes(changed, message):
    optimizer = optim.SGD([tg.ones(2, requires_grad=True)], lr=0.1)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    before = schedule.state_dict()
    with pytest.raises((ValueError, TypeError), match=message) as refusal:
        schedule.load_state_dict({**before, **changed})
    assert len(str(refusal.value)) < 300 and schedule.state_dict() == before
    schedule.load_state_dict({**before, "last_epoch": 10})  # at its end, which is a state it can have
