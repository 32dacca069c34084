"""Learning rates against PyTorch's, epoch by epoch; and clipping."""

from __future__ import annotations

import numpy as np
import pytest

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
]


def optimizers():
    ours = optim.SGD(
        [{"params": nn.Parameter(np.ones(1))}, {"params": nn.Parameter(np.ones(1)), "lr": 0.03}], lr=0.5
    )
    a, b = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    theirs = torch.optim.SGD([{"params": a}, {"params": b, "lr": 0.03}], lr=0.5)
    return ours, theirs


@pytest.mark.parametrize("changed", [(), (3, 9)], ids=["alone", "after changes by hand"])
@pytest.mark.parametrize("name, options", SCHEDULES)
def test_rates(name, options, changed):
    ours, theirs = optimizers()
    schedule = getattr(optim.lr_scheduler, name)(ours, **options)
    reference = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    for epoch in range(40):
        np.testing.assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-12, atol=1e-16)
        for group in (*ours.param_groups, *theirs.param_groups) if epoch in changed else ():
            group["lr"] *= 1.7
        schedule.step()
        reference.step()


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
