"""The page of a program: the calls of a replay in order, the buffers that serve them, and their times."""

from __future__ import annotations

from html import escape
from typing import Any, TypeAlias

from ...engine.location import place_at
from ...errors import show_count
from ...replay.listing import lifetimes, name_of, row, shown_call
from ...replay.profile import Profile
from .frame import Page

SCRIPTS = ("numbers.js", "walk.js", "lanes.js", "program.js")
STYLES = ("page.css", "program.css")
Program: TypeAlias = Any  # of replay/runner.py, which has this page as a method

WAYS = {"forward": "forward", "rule": "backward", "add": "backward"}  # all others: "beside"


def program_of(shown: Program | Profile) -> Program:
    """What is shown: a program itself, or the one that was measured."""
    return shown.program if isinstance(shown, Profile) else shown


def headline(shown: Program | Profile) -> str:
    """What a page is called if nobody says."""
    recorded = program_of(shown).recorded
    buffers = show_count(len(set(recorded.buffers.values())), "buffer")
    return f"A program of {show_count(len(recorded.lines), 'call')} and {buffers}"


def contents_of(shown: Program | Profile, title: str, room: int) -> dict[str, Any]:
    """Everything that the page shows. It has no arrays, which could be thinned: the room does not matter."""
    profile = shown if isinstance(shown, Profile) else None
    recorded = program_of(shown).recorded
    calls = [call_of(line, recorded) for line in recorded.lines]
    if profile is not None:
        for call, seconds in zip(calls, profile.seconds):
            call["microseconds"] = microseconds(seconds)
    return {
        "title": title,
        "note": "" if profile is None else f"{profile.verdict}.",
        "step": None if profile is None else microseconds(profile.whole),
        "calls": calls,
        "slots": [slot_of(number, recorded) for number in range(len(recorded.slots))],
        "lanes": lanes_of(recorded),
    }


def microseconds(seconds: float) -> float:
    """With as many digits as are seen."""
    return round(seconds * 1e6, 1)


def call_of(line: Any, recorded: Any) -> dict[str, Any]:
    """A call: what it is called with, where the user wrote it."""
    place = place_at(line.where, line.layer)
    return {
        "call": shown_call(line, recorded),
        "name": line.name,
        "kind": line.kind,
        "way": WAYS.get(line.kind, "beside"),
        "array": row(line, recorded)[1],
        "reads": list(line.reads),
        "writes": list(line.writes),
        "line": place.at,
        "source": place.source,
        "layer": place.layer,
    }


def slot_of(number: int, recorded: Any) -> dict[str, Any]:
    """A value: what it is, where it comes from, and which buffer it is in."""
    slot = recorded.slots[number]
    return {
        "name": name_of(number, recorded),
        "array": slot.shown,
        "origin": slot.origin,
        "bytes": slot.nbytes,
        "buffer": recorded.buffers.get(number),
        "owner": recorded.owners[number],
    }


def lanes_of(recorded: Any) -> list[dict[str, Any]]:
    """Buffers, and what is in each from which call to which; then fresh memory, as few lanes as will do."""
    spans = lifetimes(recorded)
    lanes: dict[int, list[Any]] = {number: [] for number in sorted(set(recorded.buffers.values()))}
    fresh: list[list[Any]] = []
    for slot, (first, last) in sorted(spans.items(), key=lambda each: each[1]):
        entry = {"slot": slot, "first": first, "last": last}
        if slot in recorded.buffers:
            lanes[recorded.buffers[slot]].append(entry)
            continue
        lane = next((lane for lane in fresh if lane[-1]["last"] < first), None)
        if lane is None:
            fresh.append([entry])
        else:
            lane.append(entry)
    return [
        *({"buffer": number, "values": values} for number, values in lanes.items()),
        *({"buffer": None, "values": values} for values in fresh),
    ]


def plain_list(contents: dict[str, Any]) -> str:
    """The calls as a list, for browsers without JavaScript."""
    lines = []
    for call in contents["calls"]:
        time = f"{call['microseconds']} µs, " if "microseconds" in call else ""
        said = escape(f"{call['array']} {time}{call['line']}")
        lines.append(f"<li><code>{escape(call['call'])}</code> {said}</li>")
    return "\n".join(lines)


PAGE = Page("program.html", STYLES, lambda shown: SCRIPTS, headline, contents_of, plain_list, repr)
write, html = PAGE.write, PAGE.html
