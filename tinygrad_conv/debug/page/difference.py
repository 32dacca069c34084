"""The page of two recordings side by side: their steps aligned, and where they part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from html import escape
from itertools import zip_longest
from typing import Any, TypeAlias

import numpy as np

from ...dtypes import Array
from ...errors import show_value
from ...members import members_of
from ..recorded import Recorded
from ..step import Step
from .arrays import Arrays
from .contents import label_of, params_of
from .frame import Page, json_for_html

SCRIPTS = ("numbers.js", "heatmap.js", "reading.js", "walk.js", "difference.js")
STYLES = ("page.css", "difference.css")
MOST_STEPS = 1000  # on a page: around the first that parts
BEFORE = 100  # of them before it
MOST_COMPARED = 1_000_000  # pairs of ops, beyond which they are paired as they come

Pair: TypeAlias = tuple[Step | None, Step | None]
Difference: TypeAlias = Any  # a `Difference` of ../difference.py, which has this page as a method


def headline(shown: Difference) -> str:
    """What a page is called if nobody says."""
    return f"Two runs part at %{shown.step.number} {shown.step.op}"


def contents_of(shown: Difference, title: str, room: int) -> dict[str, Any]:
    """Everything that the page shows, in about `room` bytes."""
    mine, other = shown.runs
    pairs = aligned(mine, other)
    first = next(place for place, pair in enumerate(pairs) if shown.step in pair)
    begin = max(0, min(first - BEFORE, len(pairs) - MOST_STEPS))
    arrays = Arrays()
    rows = [row_of(pair, shown, arrays) for pair in pairs[begin : begin + MOST_STEPS]]
    contents = {
        "title": title,
        "left_out": len(pairs) - len(rows),
        "first": first - begin,
        "verdict": repr(shown),
        "what": shown.what,
        "index": shown.index,
        "rows": rows,
    }
    spent = len(json_for_html(contents)) + len(plain_list(contents))
    return {**contents, "arrays": arrays.encoded(room - spent)}


def aligned(mine: Recorded, other: Recorded) -> list[Pair]:
    """The steps of both in pairs, oldest first; where one run has more ops, with nothing beside them.

    What is the same at the beginning is paired, and what is at the end; in between the longest runs of ops.
    """
    ops, its_ops = ([step.op for step in run] for run in (mine, other))
    begin = common(ops, its_ops)
    end = common(ops[begin:][::-1], its_ops[begin:][::-1])
    last, its_last = len(ops) - end, len(its_ops) - end
    pairs: list[Pair] = list(zip(mine[:begin], other[:begin]))
    middle, its_middle = mine[begin:last], other[begin:its_last]
    if len(middle) * len(its_middle) > MOST_COMPARED:
        pairs += zip_longest(middle, its_middle)
    else:
        matcher = SequenceMatcher(None, ops[begin:last], its_ops[begin:its_last], autojunk=False)
        for _, start, stop, its_start, its_stop in matcher.get_opcodes():
            pairs += zip_longest(middle[start:stop], its_middle[its_start:its_stop])
    return pairs + list(zip(mine[last:], other[its_last:]))


def common(ops: Sequence[str], its_ops: Sequence[str]) -> int:
    """How many ops are the same at the beginning."""
    return next(
        (place for place, (op, its_op) in enumerate(zip(ops, its_ops)) if op != its_op),
        min(len(ops), len(its_ops)),
    )


def row_of(pair: Pair, shown: Difference, arrays: Arrays) -> dict[str, Any]:
    """A pair of steps: what each is, and where their values differ."""
    mine, other = pair
    step = mine or other
    assert step is not None
    values = list(values_of(mine, other, shown, arrays)) if mine is not None and other is not None else []
    ops_differ = mine is not None and other is not None and mine.op != other.op
    forward = [value["apart"] for value in values if not value["backward"]]
    backward = [value["apart"] for value in values if value["backward"]]
    return {
        "number": step.number,
        "op": " / ".join(dict.fromkeys(each.op for each in pair if each is not None)),
        "layer": step.where.layer,
        "mine": call_of(mine),
        "other": call_of(other),
        "place": step.where.at,
        "text": step.where.source,
        "only": "" if values or None not in pair else "mine" if other is None else "other",
        "forward": "parts" if any(forward) or ops_differ else "agrees",
        "backward": "parts" if any(backward) else "agrees",
        "values": values,
    }


def call_of(step: Step | None) -> str:
    """A step in words; "" for none."""
    if step is None:
        return ""
    labels = [
        label_of(source, value)
        for name, sources in step.sources.items()
        for source, value in zip(members_of(sources), members_of(step.inputs.get(name)))
        if source is not None or name in step.inputs
    ]
    return f"%{step.number} = {step.op}({', '.join([*labels, *params_of(step)])})"


def values_of(mine: Step, other: Step, shown: Difference, arrays: Arrays) -> Iterator[dict[str, Any]]:
    """What both steps read and made: each value of the one beside the other's, and their difference."""
    pairs = [(mine.params, other.params, "params", False), (mine.inputs, other.inputs, "inputs", False)]
    pairs += [({"": mine.output}, {"": other.output}, "output", False)]
    pairs += [({"": mine.grad_output}, {"": other.grad_output}, "grad_output", True)]
    pairs += [(mine.grad_inputs, other.grad_inputs, "grad_inputs", True)]
    for values, theirs, family, backward in pairs:
        for name in dict.fromkeys([*values, *theirs]):
            what = f"{family}[{name!r}]" if name else family
            parts = list(members_of(values.get(name)))
            its = list(members_of(theirs.get(name)))
            count = max(len(parts), len(its))
            for place in range(count):
                value = parts[place] if place < len(parts) else None
                beside = its[place] if place < len(its) else None
                described = beside_each_other(value, beside, shown, arrays)
                if family != "params" or described["apart"]:
                    called = what if count == 1 else f"{what}[{place}]"
                    yield {"name": called, "backward": backward, **described}


def beside_each_other(value: Any, beside: Any, shown: Difference, arrays: Arrays) -> dict[str, Any]:
    """Two values: as arrays with their difference where they have one shape, else in words."""
    both = isinstance(value, np.ndarray) and isinstance(beside, np.ndarray) and value.shape == beside.shape
    if not both:
        unknown = value is None and beside is None
        apart = not unknown and (type(value) is not type(beside) or differ(value, beside))
        words = [show_value(each) if each is not None else "not known" for each in (value, beside)]
        return {"apart": bool(apart), "words": words, "largest": None}
    gap = difference_of(value, beside)
    apart = ~np.isclose(value, beside, shown.rtol, shown.atol, equal_nan=value.dtype.kind == "f")
    finite = gap[np.isfinite(gap)]
    numbers = [arrays.add(value), arrays.add(beside), arrays.add(gap)] if value.size else None
    return {
        "apart": bool(apart.any()),
        "arrays": numbers,
        "words": [show_value(value), show_value(beside)],
        "count": int(apart.sum()),
        "size": value.size,
        "largest": float(np.abs(finite).max()) if finite.size else None,
    }


def differ(value: Any, beside: Any) -> bool:
    """Whether two values that are no arrays of one shape are not the same."""
    if isinstance(value, np.ndarray):
        return True
    try:
        return bool(value != beside)
    except Exception:  # of what cannot be compared
        return True


def difference_of(value: Array, beside: Array) -> Array:
    """The one minus the other; 0 where both are the same NaN or infinity."""
    if value.dtype.kind not in "f":
        return value.astype(np.float64) - beside.astype(np.float64)
    with np.errstate(all="ignore"):
        gap = value.astype(np.float64) - beside.astype(np.float64)
    same = (value == beside) | (np.isnan(value) & np.isnan(beside))
    return np.where(same, 0.0, gap).astype(value.dtype if value.dtype.itemsize > 4 else np.float32)


ALONE = {"mine": " (in the first run alone)", "other": " (in the second run alone)"}


def plain_list(contents: dict[str, Any]) -> str:
    """The pairs as a list, for browsers without JavaScript."""
    lines = []
    for row in contents["rows"]:
        shown = escape(row["mine"] or row["other"])
        only = ALONE.get(row["only"], "")
        words = f"forward {row['forward']}, backward {row['backward']}"
        lines.append(f"<li><code>{shown}</code>{only or f': {words}'}</li>")
    return "\n".join(lines)


PAGE = Page("difference.html", STYLES, lambda shown: SCRIPTS, headline, contents_of, plain_list, repr)
write, html, embedded = PAGE.write, PAGE.html, PAGE.embedded
