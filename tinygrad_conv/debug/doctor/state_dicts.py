"""State dicts that were loaded in part, or into other layers."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.location import place_at
from ...errors import show_count
from .finding import PERHAPS, Finding
from .parameters import listed
from .seen import History
from .thresholds import LEFT_OUT


def examine(history: History) -> Iterator[Finding]:
    """State dicts that were loaded in part, or into other layers."""
    for load in history.loads:
        place = place_at(load.where)
        owner = type(load.module).__name__
        if load.missing or load.unexpected:
            keys = [key for key, _ in load.module.named_parameters()]
            left = [key for key in load.missing if key in keys]
            if not left or not load.unexpected and len(left) < LEFT_OUT * len(keys):
                continue
            others = f"; without a place: {listed(load.unexpected)}" if load.unexpected else ""
            yield Finding(
                "loaded_in_part",
                f"load_state_dict(strict=False) left {len(left)} of "
                f"{show_count(len(keys), 'parameter')} of {owner} "
                f"as they were{': it loaded nothing, for no name fits' if len(left) == len(keys) else ''}",
                f"missing: {listed(left)}{others}",
                "rename the keys so that they fit; strict=True says which do not",
                place,
                "fault" if len(left) == len(keys) or load.unexpected else PERHAPS,
                weight=67,
            )
        if load.others:
            pairs = [f"{key} has the numbers of {origin}" for key, origin in load.others]
            owner = type(load.root).__name__
            yield Finding(
                "loaded_elsewhere",
                f"a state dict was loaded into another layer of the same shape of {owner}",
                f"{listed(pairs)} in another {owner}",
                "load each key under its own name",
                place,
                PERHAPS,
                weight=61,
            )
