"""A recording as a file: the arrays as an .npz, what holds them together as JSON in it. No pickle, so nothing
can run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..dtypes import Array
from ..engine.location import Place
from .recorded import Recorded
from .step import Accumulated, Kept, Source, Step

Made = TypeVar("Made", bound=Recorded)

FORMAT = "tinygrad_conv recording 1"

TUPLES = {kind.__name__: kind for kind in (Source, Accumulated, Place, Kept)}
STEP = (
    "number",
    "op",
    "params",
    "where",
    "rule",
    "read",
    "shapes",
    "sources",
    "grad_output",
    "forward",
    "grad_inputs",
)


def save(recording: Recorded, path: str | Path) -> None:
    """Write a recording. Raises TypeError for a param that cannot be written down."""
    store = Store()
    steps = [
        {name: store.encode(getattr(step, name)) for name in (*STEP, "accumulated")} for step in recording
    ]
    fields = {name: store.encode(getattr(recording, name)) for name in ("leaves", "grads", "hooked")}
    structure = {
        "format": FORMAT,
        "steps": steps,
        **fields,
        "seeds": store.encode(list(recording.seeds.items())),
    }
    arrays = {f"array{number}": array for number, array in enumerate(store.arrays)}
    with open(path, "wb") as file:  # np.savez would add a suffix of its own
        np.savez_compressed(file, **{"structure": np.array(json.dumps(structure)), **arrays})  # type: ignore[arg-type]


def load(path: str | Path, recording_type: type[Made]) -> Made:
    """Read a recording that `rec.save(path)` wrote, here or on another machine.

    Its leaves are found by their names, for the tensors of that program are not here. Raises ValueError for
    another file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            structure = json.loads(str(file["structure"]))
            store = Store([file[f"array{number}"] for number in range(len(file.files) - 1)])
    except (ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise ValueError(f"{path} is not a recording: {error}") from error
    if structure.get("format") != FORMAT:
        raise ValueError(f"{path} is {structure.get('format')!r}; this version reads {FORMAT!r}")
    steps = [
        Step(**{name: store.decode(value) for name, value in step.items()}) for step in structure["steps"]
    ]
    leaves, grads, hooked, seeds = (
        store.decode(structure[name]) for name in ("leaves", "grads", "hooked", "seeds")
    )
    recording = recording_type(steps, leaves, grads, dict(seeds))
    recording.hooked = hooked
    return recording


class Store:
    """Values as JSON, with the arrays in them set aside, each once."""

    def __init__(self, arrays: list[Array] | None = None) -> None:
        self.arrays = arrays or []
        self._numbers: dict[int, int] = {}  # id of an array → its number

    def encode(self, value: Any) -> Any:
        """A value as JSON: what JSON has no word for is a list that begins with the name of its kind."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, (np.ndarray, np.generic)):
            if id(value) not in self._numbers:
                self._numbers[id(value)] = len(self.arrays)
                self.arrays.append(value)  # type: ignore[arg-type]
            return ["number" if isinstance(value, np.generic) else "array", self._numbers[id(value)]]
        if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
            return ["dtype", np.dtype(value).str]  # np.float32 is as good a name of it
        if isinstance(value, slice):
            return ["slice", *map(self.encode, (value.start, value.stop, value.step))]
        if value is ...:
            return ["ellipsis"]
        if isinstance(value, dict):
            return ["dict", *([self.encode(name), self.encode(member)] for name, member in value.items())]
        if isinstance(value, (tuple, list)):
            return [type(value).__name__, *map(self.encode, value)]
        raise TypeError(f"a recording cannot be saved with {value!r} in it, a {type(value).__name__}")

    def decode(self, value: Any) -> Any:
        """What was encoded."""
        if not isinstance(value, list):
            return value
        kind, *parts = value
        if kind in ("array", "number"):
            return self.arrays[parts[0]][()] if kind == "number" else self.arrays[parts[0]]
        if kind == "dtype":
            return np.dtype(parts[0])
        if kind == "ellipsis":
            return ...
        if kind == "dict":
            return {self.decode(name): self.decode(part) for name, part in parts}
        found = [self.decode(part) for part in parts]
        if kind == "slice":
            return slice(*found)
        return found if kind == "list" else tuple(found) if kind == "tuple" else TUPLES[kind](*found)
