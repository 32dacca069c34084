"""What a page knows: the steps of a recording, or the lines of a tape, as plain data for JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from ...engine.registry import OPS
from ...errors import SHORT, show_array, show_shape, show_value
from ...members import members_of
from ..explanations import explain_leaf, explain_step, readers_of
from ..listing import Line, Tape
from ..recorded import Recorded
from ..step import Source, Step
from .arrays import Arrays
from .explained import Encoder, Words
from .products import forms_of, window_of

MOST_STEPS = 1000  # on a page; the newest
ROOM_OF_WORDS = 4  # a quarter of the page at most is for how explanations are made up, beside their arrays


def contents_of(shown: Recorded | Tape, title: str, room: int) -> dict[str, Any]:
    """Everything that the player shows, in about `room` bytes."""
    arrays, words = Arrays(), Words()
    leaves, seeds = {}, []
    if isinstance(shown, Tape):
        steps = [line_contents(line) for line in shown[-MOST_STEPS:]]
    else:
        steps = [step_contents(step, arrays) for step in shown[-MOST_STEPS:]]
        leaves = {
            name: {"value": arrays.add(shown.leaves[name]), "grad": arrays.add(shown.grads.get(name))}
            for name in shown.leaves
        }
        seeds = [source_contents(edge) for edge in shown.seeds]
        explain_all(shown, steps, leaves, Encoder(arrays, words), room // ROOM_OF_WORDS)
    contents = {
        "title": title,
        "texts": words.texts,
        "left_out": len(shown) - len(steps),
        "steps": steps,
        "leaves": leaves,
        "seeds": seeds,
    }
    spent = 2 * len(str(contents))  # the steps stand in the plain list as well
    return {**contents, "arrays": arrays.encoded(room - spent)}


def explain_all(
    shown: Recorded, steps: list[dict[str, Any]], leaves: dict[str, Any], encoder: Encoder, room: int
) -> None:
    """Enter into each step and leaf how its gradient comes about: the newest first, as long as there is room;
    what has no explanation then says so.
    """
    readers = readers_of(shown)
    for entry in reversed(steps):
        entry["explanation"] = False
        if room > 0:
            made = encoder.explanation(explain_step(shown[entry["number"] - 1], shown, readers))
            entry["explanation"] = made
            room -= len(str(made))
    for name, entry in leaves.items():
        meets = explain_leaf(name, shown, readers) if room > 0 else None
        entry["explanation"] = encoder.explanation(meets) if meets and meets.views else None
        room -= len(str(entry["explanation"]))


def step_contents(step: Step, arrays: Arrays) -> dict[str, Any]:
    """One step."""
    inputs = list(inputs_of(step, arrays))
    outputs = zip(step.shapes, members_of(step.output), members_of(step.grad_output))
    given = [*(entry["label"] for entry in inputs), *params_of(step)]
    return {
        "number": step.number,
        "op": step.op,
        "call": f"%{step.number} = {step.op}({', '.join(given)})",
        "place": step.where.at,
        "text": step.where.source,
        "layer": step.where.layer,
        "inputs": inputs,
        "outputs": [
            {
                "name": f"y[{slot}]" if step.several else "y",
                "type": f"{dtype}{show_shape(shape)}",
                "value": arrays.add(value),
                "grad": arrays.add(grad),
            }
            for slot, ((shape, dtype), value, grad) in enumerate(outputs)
        ],
        "window": window_of(step),
        "summary": f"y: {show_value(step.output)}; gradient: {show_value(step.grad_output)}",
    }


def inputs_of(step: Step, arrays: Arrays) -> Iterator[dict[str, Any]]:
    """The inputs of a step with what it contributes to their gradients; of a variadic one each member."""
    forms = iter(forms_of(step, arrays))
    for name, source in step.sources.items():
        if source is None and name not in step.inputs:
            continue  # left out
        sources, values = members_of(source), members_of(step.inputs.get(name))
        for place, (origin, value) in enumerate(zip(sources, values)):
            grad, sums = step.grad_inputs.get(name), step.accumulated.get(name)
            if step.variadic:
                grad, sums = grad and grad[place], sums and sums[place]
            yield {
                "name": f"{name}[{place}]" if step.variadic else name,
                "label": label_of(origin, value),
                "source": source_contents(origin),
                "value": arrays.add(value),
                "grad": arrays.add(grad),
                "before": arrays.add(sums.before) if sums is not None else None,
                "after": arrays.add(sums.after) if sums is not None and sums.before is not None else None,
                "rule": step.rule.get(name, ""),
                "products": next(forms) if grad is not None else None,
            }


def label_of(source: Any, value: Any) -> str:
    """An input in words: `%3`, the name of a leaf, or what is known of a constant."""
    if isinstance(source, Source):
        return f"%{source.number}[{source.slot}]" if source.slot else f"%{source.number}"
    if isinstance(source, str):
        return source
    if value is None:
        return "constant"
    return show_array(value) if value.ndim else SHORT.repr(value.item())


def source_contents(source: Any) -> Any:
    """Where an input came from: [step, slot], the name of a leaf, or None."""
    return [source.number, source.slot] if isinstance(source, Source) else source


def params_of(step: Step) -> list[str]:
    """The params that differ from their defaults, in words; `(1, 1)` is no other stride than 1."""
    defaults = OPS[step.op].defaults if step.op in OPS else {}
    shown = []
    for name, value in step.params.items():
        text, default = SHORT.repr(value), SHORT.repr(defaults.get(name, ...))
        if text not in (default, f"({default}, {default})"):
            shown.append(f"{name}={text}")
    return shown


def line_contents(line: Line) -> dict[str, Any]:
    """One line of a tape: what a step has, without arrays."""
    variadic = line.op in OPS and OPS[line.op].variadic
    members = line.inputs[0][1:-1].split(", ") if variadic and line.inputs else line.inputs
    labels = [label for label in members if label]
    return {
        "number": line.number,
        "op": line.op,
        "call": line.call,
        "place": line.place,
        "text": "",
        "layer": line.layer,
        "inputs": [{"name": "", "label": label, "source": source_named(label)} for label in labels],
        "outputs": [{"name": "y", "type": output} for output in line.outputs],
        "window": None,
        "summary": ", ".join(line.outputs),
    }


def source_named(label: str) -> Any:
    """[2, 1] for `%2[1]`; a leaf or a constant cannot be told apart on a tape, and is drawn by its label."""
    match = re.fullmatch(r"%(\d+)(?:\[(\d+)\])?", label)
    return [int(match[1]), int(match[2] or 0)] if match else None


def plain_list(contents: dict[str, Any]) -> str:
    """The steps as an ordered list, newest first: what is there to read without JavaScript."""
    return "\n".join(map(list_item, reversed(contents["steps"])))


def list_item(step: dict[str, Any]) -> str:
    """One of them."""
    call, place, layer, summary = (escape(step[name]) for name in ("call", "place", "layer", "summary"))
    return f"<li><code>{call}</code> {place} {layer}<br>{summary}</li>"
