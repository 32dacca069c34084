"""Learning rates against PyTorch's, epoch by epoch; and clipping."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:Detected call of"),
]  # only the rates are looked at
torch = pytest.importorskip("torch")

SCHEDULES = [
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [8, 2, 2, 15], "gamma": 0.3}),
    ("CosineAnnealingLR", {"T_max": 7}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.01}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "total_iters": 12}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 4}),
    ("LinearLR", {"start_factor": 0.2, "end_factor": 0.0}),
    ("LinearLR", {"end_factor": 0.7, "total_iters": 30}),
    ("LinearLR", {"total_iters": 0}),
    ("MultiStepLR", {"milestones": [0, 0, 5, 5, 5]}),
    ("ExponentialLR", {"gamma": 0.8}),
    ("ExponentialLR", {"gamma": 1.05}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.7, "total_iters": 12}),
    ("ConstantLR", {"factor": 1.0, "total_iters": 0}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 17, "power": 2.5}),
    ("PolynomialLR", {"total_iters": 0}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.95**epoch}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 1 / (1 + epoch), lambda epoch: epoch // 3]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.9 + 0.01 * epoch}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 41}),
    ("OneCycleLR", {"max_lr": [0.7, 0.1], "epochs": 9, "steps_per_epoch": 5, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 50, "anneal_strategy": "linear", "pct_start": 0.0}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 44, "pct_start": 1.0, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 44, "div_factor": 3, "final_div_factor": 7.0}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.5, "step_size_up": 4}),
    ("CyclicLR", {"base_lr": [0.01, 0.1], "max_lr": 0.5, "step_size_up": 4, "step_size_down": 9}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.5, "step_size_up": 3, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.0, "max_lr": 0.5, "step_size_up": 3, "mode": "exp_range", "gamma": 0.97}),
    (
        "CyclicLR",
        {"base_lr": 0.0, "max_lr": 0.5, "step_size_up": 3, "scale_fn": lambda x: 0.9**x}
        | {"scale_mode": "iterations", "cycle_momentum": False},
    ),
]
"""The whole run of each is compared."""


def optimizers():
    ours = optim.SGD(
        [{"params": nn.Parameter(np.ones(1))}, {"params": nn.Parameter(np.ones(1)), "lr": 0.03}], lr=0.5
    )
    a, b = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    theirs = torch.optim.SGD([{"params": a}, {"params": b, "lr": 0.03}], lr=0.5)
    return ours, theirs


def momenta(optimizer):
    return [group["momentum"] for group in optimizer.param_groups]


@pytest.mark.parametrize("changed", [(), (3, 9)], ids=["alone", "after changes by hand"])
@pytest.mark.parametrize("name, options", SCHEDULES)
def test_rates(name, options, changed):
    ours, theirs = optimizers()
    schedule = getattr(optim.lr_scheduler, name)(ours, **options)
    reference = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    for epoch in range(40):
        np.testing.assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(momenta(ours), momenta(theirs), rtol=1e-12)
        for group in (*ours.param_groups, *theirs.param_groups) if epoch in changed else ():
            group["lr"] *= 1.7
        schedule.step()
        reference.step()
    keys = ("initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum")
    for group, other in zip(ours.param_groups, theirs.param_groups):
        assert {key: group[key] for key in keys if key in group} == {
            key: other[key] for key in keys if key in other
        }


@pytest.mark.parametrize("epoch", [0, 1, 4, 6, 16])
@pytest.mark.parametrize("name, options", SCHEDULES)
def test_rates_from_an_epoch_on(name, options, epoch):
    ours, theirs = optimizers()
    first = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    for _ in range(epoch):
        first.step()
    for group, other in zip(ours.param_groups, theirs.param_groups):
        group.update({key: value for key, value in other.items() if key != "params"})
    schedule = getattr(optim.lr_scheduler, name)(ours, **options, last_epoch=epoch)
    reference = getattr(torch.optim.lr_scheduler, name)(theirs, **options, last_epoch=epoch)
    for _ in range(20):
        assert schedule.last_epoch == reference.last_epoch
        np.testing.assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-12, atol=1e-16)
        schedule.step()
        reference.step()


@pytest.mark.parametrize("second, options", [case for case in SCHEDULES if case[1].get("total_iters") != 0])
@pytest.mark.parametrize(
    "first", [SCHEDULES[0], SCHEDULES[6], SCHEDULES[15], ("ExponentialLR", {"gamma": 0.5})]
)
def test_one_schedule_after_the_other(first, second, options):
    """But for total_iters 0, by which PyTorch divides here."""
    both = []
    for optimizer, place in zip(optimizers(), (optim.lr_scheduler, torch.optim.lr_scheduler)):
        parts = [getattr(place, first[0])(optimizer, **first[1])]
        parts += [getattr(place, second)(optimizer, **options), place.ExponentialLR(optimizer, 0.9)]
        both.append(place.SequentialLR(optimizer, parts, [4, 13]))
    for _ in range(20):
        np.testing.assert_allclose(both[0].get_last_lr(), both[1].get_last_lr(), rtol=1e-12, atol=1e-16)
        for schedule in both:
            schedule.step()


def test_schedules_at_once():
    both = []
    for optimizer, place in zip(optimizers(), (optim.lr_scheduler, torch.optim.lr_scheduler)):
        parts = [getattr(place, name)(optimizer, **options) for name, options in SCHEDULES[2:8]]
        both.append(place.ChainedScheduler(parts, optimizer))
    for _ in range(20):
        np.testing.assert_allclose(both[0].get_last_lr(), both[1].get_last_lr(), rtol=1e-12, atol=1e-16)
        for schedule in both:
            schedule.step()


@pytest.mark.parametrize("options", [{"T_0": 5}, {"T_0": 2, "T_mult": 3, "eta_min": 0.01}])
def test_restarts_within_an_epoch(options):
    ours, theirs = optimizers()
    schedule = optim.lr_scheduler.CosineAnnealingWarmRestarts(ours, **options)
    reference = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, **options)
    for batch in range(60):
        schedule.step(batch / 4)
        reference.step(batch / 4)
        np.testing.assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-12, atol=1e-16)
        assert schedule.last_epoch == reference.last_epoch
    for _ in range(20):
        schedule.step()
        reference.step()
        np.testing.assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("name", sorted(optim.lr_scheduler.__all__))
def test_arguments_are_pytorchs(name):
    ours, theirs = (
        inspect.signature(getattr(place, name)).parameters
        for place in (optim.lr_scheduler, torch.optim.lr_scheduler)
    )
    assert list(ours) == list(theirs)
    assert [value.default for value in ours.values()] == [value.default for value in theirs.values()]


def test_several_schedules_of_one_optimizer():
    ours, theirs = optimizers()
    chosen = [SCHEDULES[7], SCHEDULES[2], SCHEDULES[5]]
    schedules = [getattr(optim.lr_scheduler, name)(ours, **options) for name, options in chosen]
    references = [getattr(torch.optim.lr_scheduler, name)(theirs, **options) for name, options in chosen]
    for _ in range(20):
        for schedule in (*schedules, *references):
            schedule.step()
        np.testing.assert_allclose(
            schedules[0].get_last_lr(), [group["lr"] for group in theirs.param_groups], rtol=1e-12
        )


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"patience": 0, "mode": "max", "threshold": 0.2, "factor": 0.7},
        {"patience": 1, "threshold_mode": "abs", "threshold": 0.1, "cooldown": 2, "min_lr": [0.01, 0.0]},
        {"patience": 0, "mode": "max", "threshold_mode": "abs", "eps": 0.02, "min_lr": 0.005},
    ],
)
def test_plateaus(options):
    ours, theirs = optimizers()
    schedule = optim.lr_scheduler.ReduceLROnPlateau(ours, **options)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    for value in np.random.default_rng(0).uniform(-1, 1, 40):
        schedule.step(value)
        reference.step(value)
        np.testing.assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-12)


@pytest.mark.parametrize("max_norm", [0.5, 100.0])
@pytest.mark.parametrize("norm_type", [2.0, 1.0, float("inf"), 3.0])
def test_clipping(max_norm, norm_type):
    rng = np.random.default_rng(0)
    grads = [rng.standard_normal(shape) for shape in ((3, 2), (4,), ())]
    ours = [nn.Parameter(np.zeros(np.shape(grad))) for grad in grads]
    theirs = [torch.nn.Parameter(torch.zeros(np.shape(grad), dtype=torch.float64)) for grad in grads]
    for p, q, grad in zip(ours, theirs, grads):
        p.grad, q.grad = np.array(grad), torch.tensor(grad, dtype=torch.float64)
    norm = nn.utils.clip_grad_norm_(ours, max_norm, norm_type)
    assert norm.item() == pytest.approx(
        torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type).item(), rel=1e-12
    )
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-12)


def own_schedules(library):
    """Schedules of one's own, as they are written for PyTorch."""

    class WarmUp(library.optim.lr_scheduler.LRScheduler):
        def __init__(self, optimizer, steps, last_epoch=-1):
            self.steps = steps
            super().__init__(optimizer, last_epoch)

        def get_lr(self):
            share = min(1.0, (self.last_epoch + 1) / self.steps)
            return [base * share for base in self.base_lrs]

    class Halving(library.optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            if self.last_epoch == 0:
                return [group["lr"] for group in self.optimizer.param_groups]
            return [group["lr"] / 2 for group in self.optimizer.param_groups]

    return [lambda optimizer: WarmUp(optimizer, 5), Halving]


@pytest.mark.parametrize("which", [0, 1])
def test_a_schedule_with_get_lr_is_pytorchs(which):
    rates = []
    for library, parameters in ((torch, torch.nn.Linear(2, 2)), (tg, nn.Linear(2, 2))):
        weight, bias = parameters.parameters()
        groups = [{"params": [weight], "lr": 0.3}, {"params": [bias]}]
        optimizer = library.optim.SGD(groups, lr=0.1)
        schedule = own_schedules(library)[which](optimizer)
        taken = [schedule.get_last_lr()]
        for _ in range(8):
            optimizer.step()
            schedule.step()
            taken.append(schedule.get_last_lr())
        rates.append(taken)
    np.testing.assert_allclose(rates[1], rates[0], rtol=1e-12)
