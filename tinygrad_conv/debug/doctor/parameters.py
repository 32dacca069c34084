"""Parameters that are not found, not given to the optimiser, not reached, frozen or shared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...engine.location import Place, place_at
from ...errors import show_count
from ...members import grouped
from ...nn.container import ModuleDict, ModuleList, Sequential
from .finding import NOTE, PERHAPS, Finding
from .models import (
    defined,
    is_parameter,
    key_of,
    layer_made_at,
    line_of_attribute,
    made_at,
    parameter_groups,
    reading_place,
)
from .seen import History, OpSeen
from .thresholds import FEW_STEPS, NEARLY

CONTAINERS = (Sequential, ModuleList, ModuleDict)


def examine(history: History) -> Iterator[Finding]:
    """What is wrong with the parameters."""
    hidden = hidden_layers(history)
    yield from hidden
    if not hidden:
        yield from plain_tensors(history)
    yield from not_optimised(history)
    yield from unreached(history)
    yield from frozen(history)
    yield from shared(history)
    yield from made_anew(history)
    yield from layers_made_anew(history)


def reached(history: History) -> set[Any]:
    """Leaves whose `.grad` some backward has written."""
    return {leaf for sweep in history.sweeps if sweep.writes for leaf in sweep.grads}


def read_leaves(history: History) -> set[Any]:
    """Leaves that some op has read."""
    return {given.leaf for op in history.ops for given in op.inputs if given.leaf is not None}


def moved(history: History) -> set[Any]:
    """Leaves that a step has changed, or was to."""
    return {update.leaf for update in history.updates}


def listed(names: list[str]) -> str:
    """The first names, and how many there are."""
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} … ({len(names)} in all)"


def hidden_layers(history: History) -> list[Finding]:
    """Layers in a plain list."""
    findings = []
    known, optimized, read = history.trained(), history.optimized(), read_leaves(history)
    for entry in history.hidden:
        inside = [parameter for layer in entry.modules for parameter in layer.parameters()]
        lost = [each for each in inside if each in read and each not in known and each not in optimized]
        if not lost or any(each in moved(history) for each in lost):
            continue
        owner = type(entry.holder).__name__
        container = {"dict": "nn.ModuleDict"}.get(entry.container, "nn.ModuleList")
        findings.append(
            Finding(
                "layers_in_a_list",
                f"{show_count(len(entry.modules), 'layer')} of {owner}.{entry.attribute} are not in the "
                f"module tree: a plain {entry.container} hides them from parameters()",
                f"{show_count(len(lost), 'parameter')} of "
                f"{listed([type(each).__name__ for each in entry.modules])}"
                " are in no optimiser and never change",
                f"self.{entry.attribute} = {container}(…), which registers its layers",
                entry.place or defined(type(entry.holder)),
                weight=85,
            )
        )
    return findings


def plain_tensors(history: History) -> Iterator[Finding]:
    """Tensors that want a gradient and are attributes of a module, but no Parameters."""
    optimized = history.optimized()
    for model in history.models:
        for module in model.modules():
            for name, value in list(vars(module).items()):
                wanted = getattr(value, "requires_grad", False) and getattr(value, "is_leaf", False)
                if not wanted or is_parameter(value) or value in optimized or value in moved(history):
                    continue
                yield Finding(
                    "not_a_parameter",
                    f"{type(module).__name__}.{name} is a plain tensor, not an nn.Parameter: parameters() "
                    "does not find it, so no optimiser has it",
                    "it requires a gradient, and no step changes it",
                    f"self.{name} = nn.Parameter(…)",
                    reading_place(history, value) or defined(type(module)),
                    weight=84,
                )


def not_optimised(history: History) -> Iterator[Finding]:
    """Parameters of a model that get gradients and that no optimiser has."""
    if not history.optimizers:
        return
    known, optimized, changed = history.trained(), history.optimized(), moved(history)
    hidden = {p for entry in history.hidden for layer in entry.modules for p in layer.parameters()}
    lost = [
        leaf
        for leaf in reached(history)
        if is_parameter(leaf) and leaf not in optimized | changed | hidden and leaf in known
    ]
    if not lost:
        return
    if not any(is_parameter(param) for param in optimized | changed):
        return  # it is inputs that are optimised, as a picture is in a style transfer; the net is to stay
    order = {leaf: place for place, leaf in enumerate(known)}
    lost.sort(key=order.__getitem__)
    dead = [p for p in optimized if p not in known and p not in reached(history)]
    names = [known[leaf] for leaf in lost]
    evidence = f"{listed(names)}: gradients arrive, no optimiser has {'them' if len(lost) > 1 else 'it'}"
    advice = (
        "give all of model.parameters() to the optimiser; what is to stay as it is, requires_grad_(False)"
    )
    if dead:
        evidence += f"; the optimiser has {show_count(len(dead), 'parameter')} that no model has any more"
        advice = "make the optimiser after the layers are in place: it was made before one was replaced"
    place = made_at(history, history.optimizers[0])
    yield Finding(
        "not_optimised",
        f"{show_count(len(lost), 'parameter')} of the model {'are' if len(lost) > 1 else 'is'} not given to "
        "the optimiser",
        evidence,
        advice,
        place or reading_place(history, lost[0]),
        weight=83,
    )


def unreached(history: History) -> Iterator[Finding]:
    """Parameters that want a gradient and get none."""
    known, arrived = history.trained(), reached(history)
    if not arrived:
        return
    read = read_leaves(history)
    told: set[Any] = set()
    for group in parameter_groups(history):
        own = [p for p in group if p.requires_grad]
        lost = [p for p in own if p not in arrived | told]
        if not lost or len(lost) == len(own):
            continue
        told.update(lost)
        used = [p for p in lost if p in read]
        for parameters, is_used in ((used, True), ([p for p in lost if p not in read], False)):
            if not parameters:
                continue
            cut = next((history.cuts[p] for p in parameters if history.cuts.get(p)), "")
            names = listed([known.get(p) or key_of(history, p) for p in parameters])
            if is_used:
                evidence = cut or "the forward reads them, but no path leads back from the loss"
                advice = "no .detach(), .data, .numpy(), .item() or no_grad between it and the loss"
            else:
                evidence = "no op of the forward reads them: the layer is made and never called"
                evidence += f"; {cut}" if cut else ""
                advice = "call the layer in forward, or leave it out"
            yield Finding(
                "no_gradient",
                f"no gradient reaches {names}",
                evidence,
                f"{advice} (tg.debug.why_no_grad(p) says more)",
                reading_place(history, parameters[0]) if is_used else owner_of(history, parameters[0]),
                weight=82 if is_used else 60,
            )


def owner_of(history: History, parameter: Any) -> Place | None:
    """Where the class of the model is defined that has a parameter."""
    for model in history.models:
        if any(parameter is own for own in model.parameters()):
            return defined(type(model))
    return None


def frozen(history: History) -> Iterator[Finding]:
    """Parameters that are frozen though the optimiser has them, or though what comes before them learns."""
    known, arrived, optimized = history.trained(), reached(history), history.optimized()
    if not arrived:
        return
    for model in history.models:
        own = list(model.parameters())
        still = [p for p in own if not p.requires_grad]
        learning = [p for p in own if p in arrived]
        if not still or not learning or any(p in moved(history) for p in still):
            continue
        order = order_of_reading(history)
        places = [order[p] for p in learning if p in order] or [0]
        first, last = min(places), max(places)
        fresh = {p for module in model.modules() for p in fresh_weights(module)}
        after = [p for p in still if order.get(p, -1) > (first if p in fresh else last)]
        if not after and all(p.data.ndim < 2 for p in learning):
            after = [p for p in still if p in fresh]  # no weight learns, and some were never trained
        names = listed([known[p] for p in still])
        if after:
            yield Finding(
                "frozen",
                f"{show_count(len(after), 'parameter')} of {type(model).__name__} are frozen "
                "(requires_grad=False) among others that learn",
                f"{listed([known[p] for p in after])}: no gradient, no step, while layers before them learn",
                "p.requires_grad_(True), unless they are meant to stay as they are",
                reading_place(history, after[0]),
                PERHAPS,
                weight=58,
            )
        elif any(p in optimized for p in still):
            yield Finding(
                "frozen",
                f"the first layers of {type(model).__name__} are frozen (requires_grad=False)",
                f"{names}: no gradient, no step",
                "nothing, if these are trained already; else p.requires_grad_(True)",
                reading_place(history, still[0]),
                NOTE,
                weight=10,
            )


def order_of_reading(history: History) -> dict[Any, int]:
    """The places at which parameters are first read in a forward."""
    order: dict[Any, int] = {}
    for place, op in enumerate(history.ops):
        for given in op.inputs:
            if given.leaf is not None:
                order.setdefault(given.leaf, place)
    return order


def fresh_weights(module: Any) -> Iterator[Any]:
    """The parameters of a layer whose weight looks as its constructor drew it: uniform up to 1/√(fan in)."""
    weight = vars(module).get("weight")
    if not is_parameter(weight) or weight.data.ndim < 2 or not weight.data.size:
        return
    bound, largest = float(weight.data[0].size) ** -0.5, float(np.abs(weight.data).max())
    if NEARLY * bound < largest <= bound * 1.0001:
        yield from module.parameters(recurse=False)


def shared(history: History) -> Iterator[Finding]:
    """One layer that stands in several places of a container. An attribute of each name was written by
    somebody who meant it, as in weights that are tied.
    """
    for model in history.models:
        modules = model.named_modules(remove_duplicate=False)
        for named in grouped((id(module), (path, module)) for path, module in modules).values():
            paths, layer = [path for path, _ in named], named[0][1]
            if len(paths) < 2 or not in_one_container(model, paths):
                continue
            if not any(p in reached(history) for p in layer.parameters()):
                continue
            yield Finding(
                "shared_layer",
                f"{listed(paths)} are one and the same {type(layer).__name__}: they share one weight",
                f"the same object stands {len(paths)} times in its container, as [layer] * "
                f"{len(paths)} makes it",
                "make a layer for each place: [nn.Linear(…) for _ in range(n)]; if it is meant, nothing",
                reading_place(history, next(layer.parameters())),
                PERHAPS,
                weight=56,
                cause=line_of_attribute(type(model), paths[0].partition(".")[0])
                or layer_made_at(history, f"{model._path}.{paths[0]}"),
            )


def in_one_container(model: Any, paths: list[str]) -> bool:
    """Whether all stand in one list of layers."""
    holders = {path.rpartition(".")[0] for path in paths}
    return len(holders) == 1 and isinstance(model.get_submodule(holders.pop()), CONTAINERS)


def made_anew(history: History) -> Iterator[Finding]:
    """Optimisers that are made for each step anew, with all they remember lost."""
    by_line = grouped((where, optimizer) for optimizer, where in history.made.items())
    for optimizers in by_line.values():
        used = [o for o in optimizers if any(step.optimizer is o for step in history.steps)]
        if len(used) < FEW_STEPS + 1:
            continue
        steps = sum(step.optimizer in used for step in history.steps)
        same_model = {frozenset(map(id, o.params())) for o in used}
        place = made_at(history, used[0])
        if len(same_model) == 1 and steps <= 2 * len(used):
            yield Finding(
                "optimizer_made_anew",
                f"the optimiser is made anew for every step: {len(used)} for {steps} steps",
                f"what {type(used[0]).__name__} remembers (momentum, averages) is lost each time",
                "make it once, before the loop",
                place,
                PERHAPS if not remembers(used[0]) else "fault",
                weight=52,
            )
        elif len(same_model) == len(used) and steps <= 2 * len(used):
            yield Finding(
                "model_made_anew",
                f"the model and its optimiser are made anew for every step: {len(used)} for {steps} steps",
                "each step trains fresh parameters, and what it learns is thrown away",
                "make both once, before the loop",
                place,
                weight=88,
            )


def layers_made_anew(history: History) -> Iterator[Finding]:
    """Layers that are made in the forward, with fresh numbers each time."""
    optimized, times = history.optimized(), Counter(leaf for sweep in history.sweeps for leaf in sweep.grads)
    once = [op for op in history.training() if is_parameter(op.weight) and times[op.weight] == 1]
    for ops in grouped(((op.where, op.layer), op) for op in once if op.weight not in optimized).values():
        if len({id(op.weight) for op in ops}) <= FEW_STEPS or any(op.weight in moved(history) for op in ops):
            continue
        yield Finding(
            "layer_made_anew",
            f"{ops[0].name} is made anew in every forward: its weights are fresh each time, and never learn",
            f"{len(ops)} forwards had {len({id(op.weight) for op in ops})} different weights, and no "
            "optimiser has them",
            "make the layer once, in __init__ (self.layer = …), and call it in forward",
            ops[0].place,
            weight=85,
            cause=made_again_at(history, ops),
        )


def made_again_at(history: History, ops: list[OpSeen]) -> Place | None:
    """The line that has made as many layers of that name as there are weights."""
    called = ops[0].layer.rpartition(".")[2]
    for (name, where), count in history.making.items():
        if count >= len({id(op.weight) for op in ops}) and called == name.lower():
            return place_at(where)
    return None


def remembers(optimizer: Any) -> bool:
    """Whether an optimiser has a state that it goes on with."""
    return any(optimizer.state.values())
