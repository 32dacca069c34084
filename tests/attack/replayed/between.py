"""What a user does between two steps: a name each."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn

from . import steps

Event = Callable[[Any, Any], None]


def event(name: str, net: Any, optimizer: Any) -> Callable[[], None]:
    """What happens, to be called between two steps."""
    return lambda: EVENTS[name](net, optimizer)


def first(net: Any) -> Any:
    """Its first parameter."""
    return next(iter(net.parameters()))


def other_rate(net: Any, optimizer: Any) -> None:
    for group in optimizer.param_groups:
        group["lr"] *= 0.5


def other_decay(net: Any, optimizer: Any) -> None:
    for group in optimizer.param_groups:
        group["weight_decay"] = 0.1 if "weight_decay" in group else 0


def loaded(net: Any, optimizer: Any) -> None:
    net.load_state_dict(
        {name: value * 0.5 if value.dtype.kind == "f" else value for name, value in net.state_dict().items()}
    )


def optimizer_loaded(net: Any, optimizer: Any) -> None:
    try:
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    except ValueError as error:
        if "is not finite" not in str(error):  # a training that has diverged is refused, replayed or not
            raise


def gradients_gone(net: Any, optimizer: Any) -> None:
    for parameter in net.parameters():
        parameter.grad = None


def own_gradient(net: Any, optimizer: Any) -> None:
    first(net).grad = np.ones(first(net).shape, first(net).dtype)


def other_array(net: Any, optimizer: Any) -> None:
    first(net).data = first(net).data[::-1].copy()


def written(net: Any, optimizer: Any) -> None:
    first(net).data[...] *= 0.5


def frozen(net: Any, optimizer: Any) -> None:
    first(net).requires_grad_(not first(net).requires_grad)


def hooked(net: Any, optimizer: Any) -> None:
    net[0].register_forward_hook(lambda module, inputs, output: output * 1.5)


def tensor_hooked(net: Any, optimizer: Any) -> None:
    if first(net).requires_grad:
        first(net).register_hook(lambda gradient: gradient * 2)


def looked_at(net: Any, optimizer: Any) -> None:
    side = round((net[-1].in_features / net[0].out_channels) ** 0.5)
    with tg.no_grad():
        net.eval()(tg.ones(1, 2, side, side, dtype=first(net).dtype))
    net.train()


def other_options(net: Any, optimizer: Any) -> None:
    others = {"momentum": 0.3, "betas": (0.7, 0.9), "nesterov": False, "dampening": 0.0, "eps": 1e-3}
    for group in optimizer.param_groups:
        group.update({name: value for name, value in others.items() if name in group})


def one_more_group(net: Any, optimizer: Any) -> None:
    more = nn.Parameter(tg.ones(3, dtype=first(net).dtype))
    more.grad = np.ones(3, first(net).dtype)
    optimizer.add_param_group({"params": [more]})


def weight_replaced(net: Any, optimizer: Any) -> None:
    net[0].weight = nn.Parameter(net[0].weight.detach().clone())


def tied(net: Any, optimizer: Any) -> None:
    parameters = list(net.parameters())
    for one in parameters[1:]:
        if one.shape == parameters[0].shape:
            one.data = parameters[0].data


def settings_of_layers(net: Any, optimizer: Any) -> None:
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.6
        if isinstance(module, nn.BatchNorm2d):
            module.momentum, module.eps = 0.3, 1e-3


def statistics_replaced(net: Any, optimizer: Any) -> None:
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean = tg.ones_like(module.running_mean)
            module.running_var.data = np.full_like(module.running_var.data, 2)


def forward_replaced(net: Any, optimizer: Any) -> None:
    net[0].forward = lambda x: type(net[0]).forward(net[0], x) * 0.5


def called_and_gone_backward(net: Any, optimizer: Any) -> None:
    sum((parameter**2).sum() for parameter in net.parameters() if parameter.requires_grad).backward()


class Halved(nn.Conv2d):
    """A convolution that makes half of what it should."""

    def forward(self, x: Any) -> Any:
        return super().forward(x) * 0.5


def another_class(net: Any, optimizer: Any) -> None:
    net[0].__class__ = nn.Conv2d if type(net[0]) is Halved else Halved


EVENTS: dict[str, Event] = {
    "another size": lambda net, optimizer: None,
    "eval": lambda net, optimizer: net.eval(),
    "train": lambda net, optimizer: net.train(),
    "part in eval": lambda net, optimizer: net[len(net) // 2].eval(),
    "another rate": other_rate,
    "another decay": other_decay,
    "loaded": loaded,
    "optimizer loaded": optimizer_loaded,
    "gradients gone": gradients_gone,
    "own gradient": own_gradient,
    "another array": other_array,
    "written to": written,
    "frozen or not": frozen,
    "a forward hook": hooked,
    "a tensor hook": tensor_hooked,
    "looked at": looked_at,
    "other options": other_options,
    "one more group": one_more_group,
    "state cleared": lambda net, optimizer: optimizer.state.clear(),
    "a weight replaced": weight_replaced,
    "tied by data": tied,
    "settings of layers": settings_of_layers,
    "statistics replaced": statistics_replaced,
    "forward replaced": forward_replaced,
    "gradients added": called_and_gone_backward,
    "a step more": lambda net, optimizer: optimizer.step(),
    "copied": lambda net, optimizer: copy.deepcopy((net, optimizer)),
    "another factor": lambda net, optimizer: setattr(steps.factor, "value", 1.5),
    "another order": lambda net, optimizer: steps.FACTORS.update(a=steps.FACTORS.pop("a")),
    "another number in C": lambda net, optimizer: setattr(steps.NUMBER, "value", 1.25),
    "forgotten": lambda net, optimizer: steps.remembered.cache_clear(),
    "another class": another_class,
    "another seed": lambda net, optimizer: tg.manual_seed(11),
}
