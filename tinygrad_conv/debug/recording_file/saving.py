"""A recording as a file, and back: the arrays as an .npz, what holds them together as JSON in it."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, TypeVar

from ...archive import parsed, read_archive, shortened_message, write_archive
from ...atomic_write import replacing
from ...engine.location import relative_path, show_line
from ...errors import SHORT, DamagedFileError, RecordingError
from ..recorded import Recorded
from ..step import Step
from .encoding import Decoder, Encoder
from .references import check_references
from .schema import PARTS, STEP, check_keys
from .trial import try_ops

Made = TypeVar("Made", bound=Recorded)

FORMAT = "tinygrad_conv recording 1"
RULE = re.compile(r"(.*) \((.*):(\d{1,10})\)")


def save(recording: Recorded, path: str | Path) -> None:
    """Write a recording; an older file of that name is there until the new one is complete.

    Places are written without the path of this machine. Raises TypeError for a param that cannot be written
    down.
    """
    encoder = Encoder()
    steps = map(with_relative_places, recording)
    parts = {name: getattr(recording, name) for name in PARTS}
    parts["seeds"] = list(recording.seeds.items())
    structure = {
        "format": FORMAT,
        "steps": [{name: encoder.encode(getattr(step, name)) for name in STEP} for step in steps],
        **{name: encoder.encode(part) for name, part in parts.items()},
    }
    with replacing(path) as file:
        write_archive(file, json.dumps(structure), encoder.arrays, compressed=True)


def load(path: str | Path, recording_type: type[Made]) -> Made:
    """Read a recording that `rec.save(path)` wrote, here or on another machine.

    Its leaves are found by their names, for the tensors of that program are not here. Raises RecordingError
    for another file, and for a damaged one: what is returned can be used to the end.
    """
    try:
        with open(path, "rb") as file:
            text, arrays = read_archive(file)
        decoder = Decoder(arrays)
        recording = recording_of(structure_of(text), decoder, recording_type)
        check_references(recording)
        if decoder.unread:
            raise RecordingError(f"array{min(decoder.unread)} is used nowhere")
        try_ops(recording)
    except DamagedFileError as error:
        raise RecordingError(
            f"{path} is no recording that can be read: {shortened_message(str(error))}"
        ) from error
    return recording


def structure_of(text: str) -> dict[str, Any]:
    """The structure as JSON has it."""
    structure = parsed(text)
    written = structure.get("format") if isinstance(structure, dict) else structure
    if written != FORMAT:
        raise RecordingError(f"structure: format is {SHORT.repr(written)}; this version reads {FORMAT!r}")
    check_keys(structure, {"format", "steps", *PARTS}, "structure")
    return structure


def recording_of(structure: dict[str, Any], decoder: Decoder, recording_type: type[Made]) -> Made:
    """The recording that a structure describes, each part of which has the form that it must have."""
    if type(structure["steps"]) is not list:
        raise RecordingError(f"structure: steps is {SHORT.repr(structure['steps'])}; it must be a list")
    places = [f"structure: steps[{position}]" for position in range(len(structure["steps"]))]
    steps = [step_of(described, decoder, place) for described, place in zip(structure["steps"], places)]
    parts = {}
    for name, form in PARTS.items():
        parts[name] = decoder.decode(structure[name], f"structure: {name}")
        form(parts[name], f"structure: {name}")
    seeds = dict(parts["seeds"])
    if len(seeds) != len(parts["seeds"]):
        raise RecordingError("structure: seeds has one twice")
    recording = recording_type(steps, parts["leaves"], parts["grads"], seeds)
    recording.hooked = parts["hooked"]
    return recording


def step_of(described: Any, decoder: Decoder, where: str) -> Step:
    """A step that a structure describes."""
    check_keys(described, STEP, where)
    values = {}
    for name, form in STEP.items():
        values[name] = decoder.decode(described[name], f"{where}.{name}")
        form(values[name], f"{where}.{name}")
    return with_relative_places(Step(**values))


def with_relative_places(step: Step) -> Step:
    """A step whose places name no folder of the machine on which it was made."""
    rules = {argument: RULE.sub(relative_rule, rule) for argument, rule in step.rule.items()}
    return dataclasses.replace(step, where=step.where.relative(), rule=rules)


def relative_rule(matched: re.Match[str]) -> str:
    """A rule's place, if it is one with a line."""
    name, path, line = matched.groups()
    return f"{name} ({show_line(relative_path(path), int(line))})"
