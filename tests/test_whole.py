"""Layers, schedules and initialisers change wholly or not at all, wherever they are interrupted or fail."""

from __future__ import annotations

import copy
from contextvars import copy_context
from functools import partial
from itertools import count

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.attack.interrupts import run_lines
from tinygrad_conv import nn, optim
from tinygrad_conv.optim.lr_scheduler import (
    ChainedScheduler,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from .helpers import more


def two_groups():
    """An optimiser with two groups."""
    params = [nn.Parameter(np.ones(2, np.float32)) for _ in range(2)]
    return optim.SGD([{"params": [param]} for param in params], 1.0)


class Plateau:
    """A schedule about to cut the rates of both groups."""

    def __init__(self):
        self.schedule = ReduceLROnPlateau(two_groups(), patience=0, cooldown=2)
        self.schedule.step(1.0)

    def act(self):
        self.schedule.step(2.0)

    def state(self):
        return [self.schedule.state_dict(), self.schedule.get_last_lr()]


class Steps(Plateau):
    """A schedule by epochs."""

    def __init__(self):
        self.schedule = StepLR(two_groups(), 1)

    def act(self):
        self.schedule.step()


class Restarts(Plateau):
    """A schedule that counts more than epochs."""

    def __init__(self):
        self.schedule = CosineAnnealingWarmRestarts(two_groups(), 2, 2)
        self.schedule.step()

    def act(self):
        self.schedule.step()


class Momenta(Restarts):
    """A schedule of momenta too."""

    def __init__(self):
        self.schedule = CyclicLR(two_groups(), 0.1, 1.0, 2)

    def state(self):
        groups = self.schedule.optimizer.param_groups
        return [*super().state(), [group["momentum"] for group in groups]]


class Parts(Restarts):
    """A schedule of schedules, whose second part is about to begin."""

    def __init__(self):
        optimizer = two_groups()
        parts = [StepLR(optimizer, 1), LinearLR(optimizer)]
        self.schedule = ChainedScheduler([SequentialLR(optimizer, parts, [1]), StepLR(optimizer, 1)])


class LoadedParts(Parts):
    """The same, loaded."""

    def __init__(self):
        super().__init__()
        self.schedule.step()
        self.saved = self.schedule.state_dict()
        super().__init__()

    def act(self):
        self.schedule.load_state_dict(self.saved)


class NewSchedule:
    """A schedule that begins by changing the rates."""

    def __init__(self):
        self.optimizer = two_groups()

    def act(self):
        self.make(self.optimizer)

    make = staticmethod(LinearLR)

    def state(self):
        return [
            {name: group.get(name) for name in ("lr", "initial_lr")} for group in self.optimizer.param_groups
        ]


class NewCycle(NewSchedule):
    """A schedule that begins by noting more in the groups."""

    make = staticmethod(partial(OneCycleLR, max_lr=1.0, total_steps=10))

    def state(self):
        return [
            {name: option for name, option in group.items() if name != "params"}
            for group in self.optimizer.param_groups
        ]


class NewParts(NewCycle):
    """A schedule that begins by taking back what its parts did."""

    def __init__(self):
        super().__init__()
        self.parts = [StepLR(self.optimizer, 1), LinearLR(self.optimizer)]

    def make(self, optimizer):
        SequentialLR(optimizer, self.parts, [1])

    def state(self):
        return [*super().state(), [part.last_epoch for part in self.parts]]


class Layer:
    """What of a layer can be seen."""

    def __init__(self):
        self.net = nn.Linear(3, 2, rng=0)

    def act(self):
        self.net.reset_parameters(rng=1)

    def state(self):
        tensors = [*self.net.named_parameters(), *self.net.named_buffers()]
        return [(name, tensor.data.tolist()) for name, tensor in tensors]


class Norm(Layer):
    """A batch norm that is trained."""

    def __init__(self):
        self.net, self.x = nn.BatchNorm1d(3), tg.tensor(np.arange(6.0).reshape(2, 3).astype(np.float32))

    def act(self):
        self.net(self.x)


class AveragingNorm(Norm):
    """A batch norm whose statistics are averages over all batches."""

    def __init__(self):
        super().__init__()
        self.net.momentum = None


class FunctionalNorm(Layer):
    """Running statistics without a layer."""

    def __init__(self):
        self.mean, self.variance = tg.zeros(3), np.ones(3)
        self.x = np.arange(24.0).reshape(2, 3, 4)

    def act(self):
        tg.batch_norm(self.x, self.mean, self.variance, training=True)

    def state(self):
        return [self.mean.data.tolist(), self.variance.tolist()]


class Members:
    """The children of a container."""

    def __init__(self):
        self.net = nn.Sequential(nn.ReLU(), nn.Linear(1, 1, rng=0), nn.Tanh())

    def act(self):
        self.net.insert(1, nn.Sigmoid())

    def state(self):
        return list(map(repr, self.net.items() if isinstance(self.net, nn.ModuleDict) else self.net))


class Mode(Members):
    """Training or not, of all layers."""

    def act(self):
        self.net.eval()

    def state(self):
        return [module.training for module in self.net.modules()]


class Frozen(Members):
    """Gradients wanted of many parameters, or of none."""

    def __init__(self):
        self.net = nn.Sequential(*(nn.Linear(1, 1, rng=0) for _ in range(4)))

    def act(self):
        self.net.requires_grad_(False)

    def state(self):
        return [parameter.requires_grad for parameter in self.net.parameters()]


class MoreParameters(Members):
    """Several parameters for a list."""

    def __init__(self):
        self.net = nn.ParameterList([tg.ones(1)])
        self.more = [nn.Parameter(tg.ones(2)), nn.Parameter(tg.ones(3))]

    def act(self):
        self.net.extend(self.more)

    def state(self):
        return list(self.net.state_dict())


class OtherParameters(MoreParameters):
    """Several parameters for a dict, one of them in the place of another."""

    def __init__(self):
        self.net = nn.ParameterDict({"a": tg.ones(1)})
        self.more = {name: nn.Parameter(tg.ones(2)) for name in "abc"}

    def act(self):
        self.net.update(self.more)

    def state(self):
        return [(name, parameter.shape) for name, parameter in self.net.items()]


class Seeded:
    """A generator from which others have got seeds: where it is, and how many these were."""

    def __init__(self):
        self.generator = tg.Generator()
        self.generator.seeds_taken = 3

    def act(self):
        self.generator.manual_seed(5)

    def state(self):
        return self.generator.get_state()


class SetGenerator(Seeded):
    """The same, from a state."""

    def act(self):
        self.generator.set_state(tg.Generator().manual_seed(7).get_state())


class SetLoader:
    """A loader in the middle of another epoch."""

    def __init__(self):
        self.loader = tg.data.DataLoader(range(6), 2, shuffle=True, generator=1)
        batches = iter(self.loader)
        next(batches)
        self.given = self.loader.state_dict()
        list(batches)

    def act(self):
        self.loader.load_state_dict(self.given)

    def state(self):
        return self.loader.state_dict()


class FirstForward(Members):
    """The first forward of a lazy layer: what it has got, whatever its class is."""

    def __init__(self):
        self.net, self.x = nn.LazyBatchNorm2d(), tg.ones(1, 2, 3, 3)

    def act(self):
        self.net.initialize_parameters(self.x)

    def state(self):
        return [self.net.num_features, *map(repr, self.net.state_dict().values())]


class LoadedLazy(FirstForward):
    """Numbers for a lazy net before its first forward."""

    def __init__(self):
        self.net, self.given = nn.LazyBatchNorm2d(), nn.BatchNorm2d(2).state_dict()

    def act(self):
        self.net.load_state_dict(self.given)


class Result:
    """A result that is changed in place: its numbers, and the gradient through it."""

    def __init__(self):
        self.w = tg.ones(2, requires_grad=True)
        self.x = self.w * 2
        self.x.retain_grad()

    def act(self):
        self.x += self.w

    def state(self):
        self.w.grad = self.x.grad = None
        self.x.sum().backward(retain_graph=True)
        return [self.x.data.tolist(), self.w.grad.tolist(), self.x.grad.tolist()]


WHOLE = (Result, Plateau, Steps, NewSchedule, Layer, FunctionalNorm, Members, Mode, Restarts, Momenta, Parts)
WHOLE += (NewCycle, NewParts, Frozen, LoadedLazy, MoreParameters, OtherParameters, Seeded, SetGenerator)
OF_MANY_LINES = (Norm, AveragingNorm, LoadedParts, FirstForward, SetLoader)


@pytest.mark.parametrize("scene", [*WHOLE, *more(*OF_MANY_LINES)])
def test_an_interrupt_leaves_what_was_before_or_what_is_after(scene):
    whole = scene()
    before = copy.deepcopy(whole.state())
    whole.act()
    after = copy.deepcopy(whole.state())
    assert before != after
    for line in count():
        interrupted = scene()
        _, place = copy_context().run(run_lines, interrupted.act, line)
        assert interrupted.state() in ((before, after) if place else (after,)), place
        if not place:
            break
    assert line > 3


def test_a_bad_member_changes_no_container():
    for change in (
        lambda net: net.insert(1, abs),
        lambda net: net.extend([nn.ReLU(), 3]),
        lambda net: net.insert(0, nn.Sequential(net)),
    ):
        net = Members().net
        before = list(net)
        with pytest.raises((TypeError, ValueError), match="Sequential"):
            change(net)
        assert list(net) == before and list(net._own_modules()) == ["0", "1", "2"]
    heads = nn.ModuleDict({"a": nn.ReLU()})
    with pytest.raises(TypeError, match="ModuleDict: c must be an nn.Module or None, not int"):
        heads.update({"b": nn.Tanh(), "c": 3})
    assert list(heads) == ["a"]


def test_a_schedule_that_is_refused_leaves_the_optimizer_alone():
    optimizer = two_groups()
    for make in (
        lambda: ReduceLROnPlateau(optimizer, min_lr=[0.0]),
        lambda: ReduceLROnPlateau(optimizer, factor=2.0),
        lambda: MultiStepLR(optimizer, [1.5]),
        lambda: StepLR(optimizer, "2"),
    ):
        with pytest.raises((TypeError, ValueError), match="must|for 2 parameter groups"):
            make()
    assert all(group["lr"] == 1.0 and "initial_lr" not in group for group in optimizer.param_groups)


def test_a_metric_that_is_no_number_is_not_counted():
    scene = Plateau()
    before = scene.state()
    with pytest.raises((TypeError, ValueError)):
        scene.schedule.step("good")
    assert scene.state() == before
