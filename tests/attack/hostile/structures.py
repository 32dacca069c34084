"""Mutations of what a file says: values of its JSON, each replaced by what a liar would write there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np

from .archives import Contents

NUMBERS: tuple[Any, ...] = (
    -1, 0, 1, 2, 3, 7, 1000, 65_536, 10**9, 2**31, -(2**31), 2**63, 2**64, 10**30, 0.5, -0.0, 1e308,
    float("nan"), float("inf"), -float("inf"),
)  # fmt: skip
TEXTS = ("", "x", "relu", "add", "conv2d", "nothing like it", "\x00", "\ud800", "a" * 5000, "%1", "<b>")
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], ["array"], ["tuple"], ["array", 0], ["number", 0],
    ["array", -1], ["array", 10**9], ["dtype", "|O"], ["dtype", "<f4"], ["dtype", "V9"], ["slice", 0, 1, 0],
    ["slice"], ["ellipsis"], ["list", 1, 2], ["dict", [1, 2]], ["dict", ["a", 1], ["a", 2]], ["Source", 1, 0],
    ["Source", 10**6, 0], ["Source", 1, -1], ["Place", "f.py", 1, "", ""], ["Kept", ["dict"], None],
    {"array": 0}, {"number": 1}, {"tensor": 0, "requires_grad": True}, {"tensor": 0}, {"tuple": [1, 2]},
    {"dict": [["a", 1]]}, {"dict": [[[], 1]]}, {"dict": [["a", 1], ["a", 2]]}, {"tuple": 3}, {"array": -1},
    {"array": True}, {"array": None}, {"array": "0"}, {"dict": {"a": 1}},
    ["eval", "1"], ["__class__"], ["tuple", -1, 2], ["tuple", 10**9, 10**9])  # fmt: skip

Spot = tuple[Any, Any]  # a list or an object, and an index or a key of it


def spots(value: Any) -> Iterator[Spot]:
    """Every value that stands in another."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        yield value, key
        yield from spots(member)


def chosen(contents: Contents, random: np.random.Generator, wanted: Callable[[Any], bool]) -> Spot | None:
    """One of the spots whose value is such a one."""
    possible = [(owner, key) for owner, key in spots(contents.structure) if wanted(owner[key])]
    return possible[random.integers(len(possible))] if possible else None


def pick(random: np.random.Generator, values: Any) -> Any:
    """One of some values, which need not be of a kind."""
    return deepcopy(values[int(random.integers(len(values)))])


def change_number(contents: Contents, random: np.random.Generator) -> None:
    """Another number."""
    spot = chosen(contents, random, lambda value: type(value) in (int, float))
    if spot is not None:
        owner, key = spot
        near = [owner[key] + 1, owner[key] - 1, -owner[key], owner[key] * 2]
        owner[key] = pick(random, near if random.random() < 0.5 else NUMBERS)


def change_detail(contents: Contents, random: np.random.Generator) -> None:
    """Another number that is none of an array: of a line, an op, a size, an option."""
    details = [
        (owner, key)
        for owner, key in spots(contents.structure)
        if type(owner[key]) in (int, float)
        and not (isinstance(owner, list) and owner[0] in ("array", "number"))
        and key not in ("array", "number", "tensor")
    ]
    if details:
        owner, key = details[int(random.integers(len(details)))]
        owner[key] = pick(random, [owner[key] + 1, owner[key] - 1, *NUMBERS])


def rename_everywhere(contents: Contents, random: np.random.Generator) -> None:
    """One text, wherever it stands, by another: a leaf, an op, an argument, a file."""
    texts = [(owner, key) for owner, key in spots(contents.structure) if type(owner[key]) is str]
    if texts:
        owner, key = texts[int(random.integers(len(texts)))]
        old, new = owner[key], pick(random, TEXTS)
        for owner, key in texts:
            if owner[key] == old:
                owner[key] = new


def renumber_everywhere(contents: Contents, random: np.random.Generator) -> None:
    """One number, wherever it stands, by another."""
    numbers = [(owner, key) for owner, key in spots(contents.structure) if type(owner[key]) in (int, float)]
    if numbers:
        owner, key = numbers[int(random.integers(len(numbers)))]
        old, new = owner[key], pick(random, [owner[key] + 1, *NUMBERS])
        for owner, key in numbers:
            if owner[key] == old:
                owner[key] = new


def change_text(contents: Contents, random: np.random.Generator) -> None:
    """Another text, or one of the file's own in its place."""
    spot = chosen(contents, random, lambda value: type(value) is str)
    if spot is not None:
        owner, key = spot
        own = [holder[at] for holder, at in spots(contents.structure) if type(holder[at]) is str]
        owner[key] = pick(random, own if random.random() < 0.5 else TEXTS)


def change_anything(contents: Contents, random: np.random.Generator) -> None:
    """Something of another kind."""
    spot = chosen(contents, random, lambda value: True)
    if spot is not None:
        owner, key = spot
        owner[key] = pick(random, (*OTHERS, *NUMBERS, *TEXTS))


def transplant(contents: Contents, random: np.random.Generator) -> None:
    """A value in the place of another."""
    source, target = (chosen(contents, random, lambda value: True) for _ in range(2))
    if source is not None and target is not None:
        target[0][target[1]] = deepcopy(source[0][source[1]])


def swap(contents: Contents, random: np.random.Generator) -> None:
    """Two values of a list in each other's place."""
    spot = chosen(contents, random, lambda value: isinstance(value, list) and len(value) > 1)
    if spot is not None:
        values = spot[0][spot[1]]
        first, second = random.choice(len(values), 2, replace=False)
        values[first], values[second] = values[second], values[first]


def drop(contents: Contents, random: np.random.Generator) -> None:
    """A value less."""
    spot = chosen(contents, random, lambda value: True)
    if spot is not None:
        del spot[0][spot[1]]


def double(contents: Contents, random: np.random.Generator) -> None:
    """A value of a list twice, or a key more."""
    spot = chosen(contents, random, lambda value: isinstance(value, (list, dict)) and bool(value))
    if spot is not None:
        values = spot[0][spot[1]]
        if isinstance(values, dict):
            values["another"] = 1
        else:
            values.insert(int(random.integers(len(values) + 1)), deepcopy(values[-1]))


def empty(contents: Contents, random: np.random.Generator) -> None:
    """Nothing in a list."""
    spot = chosen(contents, random, lambda value: isinstance(value, (list, dict)) and bool(value))
    if spot is not None:
        spot[0][spot[1]].clear()


def renumber_arrays(contents: Contents, random: np.random.Generator) -> None:
    """Another array than the right one."""
    number = int(random.integers(max(1, len(contents.members) - 1)))
    spot = chosen(contents, random, lambda value: isinstance(value, list) and value[:1] == ["array"])
    if spot is not None:
        spot[0][spot[1]] = ["array", number]
    spot = chosen(contents, random, lambda value: isinstance(value, dict) and "tensor" in value)
    if spot is not None:
        spot[0][spot[1]]["tensor"] = number


def change_param(contents: Contents, random: np.random.Generator) -> None:
    """Another number or value among the params of a step."""
    steps = contents.structure.get("steps") if isinstance(contents.structure, dict) else None
    if not isinstance(steps, list):
        return
    params = [
        step["params"] for step in steps if isinstance(step, dict) and len(step.get("params") or ()) > 1
    ]
    possible = [spot for value in params for spot in spots(value) if type(spot[0][spot[1]]) is not list]
    if possible:
        owner, key = possible[int(random.integers(len(possible)))]
        owner[key] = pick(random, (*NUMBERS, *OTHERS, *TEXTS))


def nest(contents: Contents, random: np.random.Generator) -> None:
    """A bomb of lists in lists."""
    spot = chosen(contents, random, lambda value: True)
    if spot is not None:
        value = spot[0][spot[1]]
        for _ in range(int(random.choice([10, 31, 33, 300]))):
            value = ["list", value]
        spot[0][spot[1]] = value


def write_text(contents: Contents, random: np.random.Generator) -> None:
    """Something that is no JSON, or too much of it."""
    contents.text = pick(
        random,
        ("", "{", "null", "[]", "[" * 100_000, '{"a":' * 50_000, "[" + "[]," * 300_000 + "[]]", "9" * 5000,
         '{"format": 1, "format": 2}', "NaN", '"' + "\\ud800" + '"', "[" + "0," * 5_000_000 + "0]"),
    )  # fmt: skip


MUTATIONS = {
    function.__name__: function
    for function in (
        change_number, change_detail, rename_everywhere, renumber_everywhere, change_text,
        change_anything, transplant, swap, drop, double, empty, renumber_arrays, change_param, nest,
        write_text,
    )
}  # fmt: skip
