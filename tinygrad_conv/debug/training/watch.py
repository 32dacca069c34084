"""`tg.debug.watch`: the sizes of a training as a log, one JSON object a line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ...errors import show_count
from ...nn import Module
from ...options import Option, check_option
from .observer import Layer, Moment, TrainingObserver, as_json

FILE = Option("a path, or None", lambda value: value is None or isinstance(value, (str, os.PathLike)))
DIGITS = 6  # that matter, of a number in the log

NAMES = {
    "|y|": "y",
    "|w|": "w",
    "|dw|": "dw",
    "|dw|/|w|": "relative",
    "|update|/|w|": "progress",
    "|dy|": "dy",
    "zeros": "zeros",
    "mean": "mean",
    "std": "std",
}
"""What a layer's sizes are called in a line; those that there are not are left out."""


class watch(TrainingObserver):
    """`with tg.debug.watch(net, every=100, file="run.jsonl"):` around a training loop logs every 100th step.

    A line is one JSON object: step, loss, lr, and layers, by name: |w| of its weight, |dw|, |dw|/|w|, what
    the step changed (|update|/|w|), the gradient |dy| that arrived at what it made, and of that the share of
    zeros, mean and std. |x| is the root mean square of x. What is not finite is a string, as "NaN", which
    `float` reads. Lines are appended to the file, each written at once and whole: what a killed run has
    logged can be read. Without a file they are in `watch.lines` alone, as dicts.

    The loop stays as it is: steps of optimisers are seen, and nothing is changed by it. Made without `with`,
    it begins at once, and ends with `.close()`. `.log()` adds a line by hand, as for a loop without an
    optimiser; with every=None nothing else does. Threads of their own are not seen. Raises TypeError for what
    is no nn.Module, OSError where the file cannot be written.
    """

    def __init__(self, model: Module, every: int | None = 100, file: str | Path | None = None) -> None:
        check_option("watch", "file", FILE, file)
        self.lines: list[dict[str, Any]] = []
        self.count = 0  # of lines
        self._file: Any = None
        super().__init__(model, every)
        try:
            self._file = None if file is None else open(file, "ab", buffering=0)
            self._begin_line()
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        often = {None: "", 1: ", every step"}.get(self.every, f", every {self.every} steps")
        return f"<watch of {type(self.model).__name__}{often}, {show_count(self.count, 'line')}>"

    def log(self) -> None:
        """Add a line now. Where there has been a backward and no optimiser since the last, it is a step."""
        self.take(self.now())

    def close(self) -> None:
        """Look on no longer, and close the file."""
        try:
            super().close()
        finally:
            self._close_file()

    def take(self, moment: Moment) -> None:
        line = line_of(moment)
        self.count += 1
        if self._file is None:
            self.lines.append(line)
        else:
            self._file.write(json.dumps(line, allow_nan=False).encode() + b"\n")  # in one piece

    def _begin_line(self) -> None:
        """Where an earlier run was killed within a line, or an editor left no end, begin another."""
        if self._file is None or not self._file.seekable() or not self._file.tell():
            return
        with open(self._file.name, "rb") as earlier:
            earlier.seek(-1, os.SEEK_END)
            if earlier.read(1) != b"\n":
                self._file.write(b"\n")

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()


def line_of(moment: Moment) -> dict[str, Any]:
    """A moment as JSON has it."""
    loss, lr = as_json(moment.loss, DIGITS), as_json(moment.lr, DIGITS)
    layers = {name: sizes_of(layer) for name, layer in moment.layers.items()}
    return {"step": moment.step, "loss": loss, "lr": lr, "layers": layers}


def sizes_of(layer: Layer) -> dict[str, Any]:
    """What is known of a layer."""
    sizes = {name: getattr(layer, size) for name, size in NAMES.items()}
    return {name: as_json(size, DIGITS) for name, size in sizes.items() if size is not None}
