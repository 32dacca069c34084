"""Where a loader is, as plain values; and a look at such values before anything goes on from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ..engine.commit import Changes
from ..options import is_flag, is_integer, show_given
from ..randomness.default import generator as default_generator
from ..randomness.default import seeded
from ..randomness.state import check_generator_state, generator_state
from .datasets import load_state_of, state_of
from .epoch import Place, Start, place_of

MEMBERS = {
    "epochs": "how many have begun",
    "is_running": "whether the last of them has not ended",
    "position": "how many of its batches have been handed out",
    "order": "the state of the generator that its order comes from, as it began",
    "seed": "of all else that it draws",
    "draws": "the state of the generator that examples draw from, after the last batch",
    "dataset": "the state of the dataset, after the last batch",
    "seeds_taken": "how many epochs have got theirs from the default generator",
    "examples": "how many the dataset has",
    "batch_size": "how many are in a batch",
}
"""What a state has."""


def loader_state(loader: Any) -> dict[str, Any]:
    """Where a loader is."""
    own = loader.order_generator()
    taken = default_generator().seeds_taken if own is None else 0
    state = {"epochs": loader.epochs, "is_running": loader.is_running, "seeds_taken": taken}
    state.update(what_it_loads(loader))
    if loader.is_running:
        start, place = loader.start, place_of(loader.place)
        return {**state, "order": start.order, "seed": start.seed, **place._asdict()}
    order = None if own is None else generator_state(own)
    return {**state, "order": order, "seed": 0, **Place(0, None, state_of(loader.dataset))._asdict()}


def what_it_loads(loader: Any) -> dict[str, Any]:
    """What must be the same where a loader goes on."""
    examples = len(loader.dataset) if loader.is_counted else None
    size = loader.batch_size
    if size is None:
        size = getattr(loader.batch_sampler, "batch_size", None)
    return {"examples": examples, "batch_size": size}


def load_loader_state(loader: Any, state: Any) -> None:
    """Have a loader go on from a state; all of it is looked at before."""
    check_members(state)
    check_same(loader, state)
    own = loader.order_generator()
    check_generators(state, own)
    place = Place(int(state["position"]), state["draws"], state["dataset"])
    is_running = bool(state["is_running"])
    moved = {
        "epochs": int(state["epochs"]),
        "is_running": is_running,
        "is_resumed": is_running,
        "ahead": None,
        "place": place,
        "start": Start(state["order"], int(state["seed"]), place),
    }
    changes = Changes()
    changes.update(vars(loader), moved)
    if own is None:
        changes.set(default_generator(), "seeds_taken", int(state["seeds_taken"]))
    else:
        changes.set(own.bit_generator, "state", state["order"])
    load_dataset(loader.dataset, state["dataset"])
    changes.commit()


def refuse(problem: str) -> NoReturn:
    """Raise ValueError about a state."""
    raise ValueError(f"DataLoader: the state cannot be loaded: {problem}")


def check_members(state: Any) -> None:
    """Refuse what is no state, or has members of other types."""
    if not isinstance(state, Mapping):
        refuse(f"it is {show_given(state)}, no dict")
    missing, unknown = MEMBERS.keys() - state.keys(), state.keys() - MEMBERS.keys()
    if missing or unknown:
        missing_names, unknown_names = (", ".join(sorted(map(str, names))) for names in (missing, unknown))
        refuse(f"missing {missing_names or 'nothing'}, unknown {unknown_names or 'nothing'}")
    for name in ("epochs", "position", "seed", "seeds_taken"):
        if not is_integer(state[name]) or state[name] < 0:
            refuse(f"{name!r} ({MEMBERS[name]}) must be an int from 0, not {show_given(state[name])}")
    if not is_flag(state["is_running"]):
        refuse(f"'is_running' must be True or False, not {show_given(state['is_running'])}")


def check_same(loader: Any, state: Mapping[str, Any]) -> None:
    """Refuse the state of a loader of something else, and a place behind its end."""
    for name, value in what_it_loads(loader).items():
        if state[name] != value:
            refuse(f"{name!r} ({MEMBERS[name]}) is {show_given(state[name])}; this loader has {value}")
    if state["position"] and not state["is_running"]:
        refuse(f"'position' is {state['position']}, but no epoch is running")
    try:
        batches = len(loader)
    except TypeError:  # a sampler without a length
        return
    if loader.is_counted and state["position"] > batches:
        refuse(f"'position' is {state['position']}, but an epoch has {batches} batches")


def check_generators(state: Mapping[str, Any], own: Any) -> None:
    """Refuse states of generators that cannot be."""
    is_needed = own is not None or state["is_running"]
    if is_needed != (state["order"] is not None):
        has = "has a generator or seed of its own" if own is not None else "has no generator or seed"
        refuse(f"'order' is {show_given(state['order'])}; this loader {has}")
    if state["order"] is not None:
        check_generator_state("DataLoader", default_generator() if own is None else own, state["order"])
    if (state["draws"] is not None) != bool(state["position"]):
        refuse(f"'draws' is {show_given(state['draws'])} at position {state['position']}")
    if state["draws"] is not None:
        check_generator_state("DataLoader", seeded(0), state["draws"])


def load_dataset(dataset: Any, state: Any) -> None:
    """Have the dataset go on from its state, or leave it as it is where that cannot be."""
    before = state_of(dataset)
    if (before is None) != (state is None):
        has = "has no state" if before is None else "has one"
        refuse(f"'dataset' is {show_given(state)}, but this loader's dataset {has}")
    if before is None:
        return
    try:
        load_state_of(dataset, state)
    except BaseException:
        load_state_of(dataset, before)
        raise
