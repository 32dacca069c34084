"""A folder with the checkpoints of a training: the last one, the best one, and a few before the last."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..atomic_write import remove_leftovers, replacing
from ..errors import SHORT, CheckpointError
from ..options import COUNT, FLAG, check_option, choice, count, is_number, optional, show_given
from ..randomness.default import generator
from .files import load, save
from .states import has_state, load_states, state_of

KEEP, MODE, STEP = optional(COUNT), choice("min", "max"), count(0)

Version = tuple[int, int, int]  # of a file: its inode, size and time


class Summary(NamedTuple):
    """What a checkpoint says of itself."""

    step: int
    metric: float | None


class Checkpoints:
    """The checkpoints of a training in a folder, for `tg.load` and for going on as if never stopped.

        checkpoints = tg.Checkpoints("runs/digits")
        saved = checkpoints.resume(model=net, optimizer=optimizer, schedule=schedule)  # {} at the beginning
        for epoch in range(saved.get("epoch", 0), 20):
            …
            checkpoints.save(epoch, metric=loss, model=net, optimizer=optimizer, schedule=schedule,
                             epoch=epoch + 1)

    folder: made if it is missing; `~` is your home. Raises OSError, before any training, where nothing can be
    written there. It will have `last.npz`, `best.npz` (that of the best metric so far) and at most `keep`
    `step-….npz`, those before the last; keep=None keeps all. mode: 'min' if a lower metric is better, 'max'.

    A file takes the place of an older one when it is whole and on the disk, and what is deleted is deleted
    after that, so a good one is there whenever the program is killed.
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int | None = 3, mode: str = "min") -> None:
        if not isinstance(folder, (str, os.PathLike)):
            raise TypeError(f"Checkpoints: folder must be a path, not {show_given(folder)}")
        check_option("Checkpoints", "keep", KEEP, keep)
        check_option("Checkpoints", "mode", MODE, mode)
        self.folder = Path(os.path.expanduser(os.fspath(folder)))
        self.keep, self.mode = keep, mode
        self._summaries: dict[Path, tuple[Version, Summary]] = {}
        check_writable(self.folder)

    @property
    def last(self) -> Path:
        """Where the last one is, once there is one."""
        return self.folder / "last.npz"

    @property
    def best(self) -> Path:
        """Where the one with the best metric is, once there is one."""
        return self.folder / "best.npz"

    def numbered(self) -> list[Path]:
        """Those before the last, the oldest first."""
        return sorted(self.folder.glob("step-*.npz"), key=age)

    def save(self, step: int, metric: Any = None, **objects: Any) -> Path:
        """Write a checkpoint, which is the last one then, and where it is.

        step: the number of it, from 0. metric: a number, and the best one so far makes it the best one. What
        has a state_dict is saved with that, a generator with its state, and anything else as `tg.save` takes
        it. Where the random numbers of `tg.manual_seed` are is saved too.
        """
        check_option("Checkpoints.save", "step", STEP, step)
        value = number_of(metric)
        if "rng_state" in objects:
            raise ValueError("Checkpoints.save: 'rng_state' is saved anyway; give yours another name")
        checkpoint = {"step": int(step), "metric": value, "rng_state": generator().get_state()}
        checkpoint.update(
            {name: state_of(given) if has_state(given) else given for name, given in objects.items()}
        )
        remove_leftovers(self.folder)
        if value is not None and self.is_best(value):
            self.write(checkpoint, self.best)  # first: a last one is never better than the best one
        self.keep_last(int(step))
        self.write(checkpoint, self.last)
        for path in self.numbered()[::-1][self.keep :] if self.keep is not None else ():
            path.unlink(missing_ok=True)
        return self.last

    def load(self, which: Any = "last", rng_state: bool = True, **objects: Any) -> dict[str, Any]:
        """Have objects go on from a checkpoint; what else is in it is returned.

        which: 'last', 'best' or the path of one. Each object takes the state of its name; None is passed by.
        rng_state: whether the random numbers of `tg.manual_seed` go on from there too. Raises CheckpointError
        for a damaged file and where one of the states does not fit; all objects are as they were then.
        """
        check_option("Checkpoints.load", "rng_state", FLAG, rng_state)
        check_objects("Checkpoints.load", objects)
        path = {"last": self.last, "best": self.best}.get(which, which) if isinstance(which, str) else which
        return put(path, read(path), objects, rng_state)

    def resume(self, **objects: Any) -> dict[str, Any]:
        """As `load('last')`, but an empty dict where there is no checkpoint yet.

        Where the last one is damaged, warns, and goes on from the newest that is not. Raises CheckpointError
        where all are damaged.
        """
        check_objects("Checkpoints.resume", objects)
        others = sorted([*self.numbered(), self.best], key=age, reverse=True)
        paths = [path for path in (self.last, *others) if path.exists()]
        problems: list[CheckpointError] = []
        for path in paths:
            try:
                checkpoint = read(path)
            except CheckpointError as error:
                problems.append(error)
                continue
            if path != self.last:
                problem = problems[0] if problems else f"there is no {self.last}"
                step = f"step {checkpoint['step']}"
                warnings.warn(f"Checkpoints.resume: going on from {path}, {step}; {problem}", stacklevel=2)
            return put(path, checkpoint, objects, True)
        if problems:
            raise CheckpointError(f"none of the checkpoints in {self.folder} can be read: {problems[0]}")
        return {}

    def is_best(self, metric: float) -> bool:
        """Whether a metric is better than that of the best one; NaN never is."""
        best: float | None = None
        if self.best.exists():
            try:
                best = self.summary(self.best).metric
            except CheckpointError as error:
                warnings.warn(f"Checkpoints.save: writing another best one; {error}", stacklevel=3)
        if best is None:
            return not math.isnan(metric)
        return metric < best if self.mode == "min" else metric > best

    def keep_last(self, next_step: int) -> None:
        """Have the last one under its number too, before one of another number takes its place."""
        if self.keep == 0 or not self.last.exists():
            return
        try:
            step = self.summary(self.last).step
        except CheckpointError:
            return  # nobody needs a damaged one
        if step != next_step:
            keep_as(self.last, self.folder / f"step-{step:08d}.npz")

    def summary(self, path: Path) -> Summary:
        """What a file says of itself, which is read again only where it is another one by now."""
        version = version_of(path)
        if path not in self._summaries or self._summaries[path][0] != version:
            checkpoint = read(path)
            self._summaries[path] = version, Summary(checkpoint["step"], checkpoint["metric"])
        return self._summaries[path][1]

    def write(self, checkpoint: dict[str, Any], path: Path) -> None:
        """Write a file."""
        save(checkpoint, path)
        self._summaries[path] = version_of(path), Summary(checkpoint["step"], checkpoint["metric"])

    def __repr__(self) -> str:
        return f"Checkpoints({str(self.folder)!r}, keep={self.keep}, mode={self.mode!r})"


def check_writable(folder: Path) -> None:
    """Make a folder, and a file in it, so that nobody trains for nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        problem = f"Checkpoints: nothing can be written to the folder ({error.strerror})"
        raise type(error)(error.errno, problem, str(folder)) from None


def check_objects(owner: str, objects: Mapping[str, Any]) -> None:
    """Refuse what no state can be put into."""
    for name, value in objects.items():
        if value is not None and not has_state(value):
            raise TypeError(
                f"{owner}: {name} must be an object with state_dict and load_state_dict, or a generator, not "
                f"{show_given(value)}; a plain value is in the dict that is returned"
            )


def read(path: Any) -> dict[str, Any]:
    """What is in a file. Raises CheckpointError where it is damaged, or none that `Checkpoints` wrote."""
    checkpoint = load(path)
    problem = f"it is a {type(checkpoint).__name__}"
    if type(checkpoint) is dict:
        step, metric = checkpoint.get("step"), checkpoint.get("metric")
        if type(step) is int and step >= 0 and type(metric) in (int, float, type(None)):
            return checkpoint
        problem = f"its step is {SHORT.repr(step)}, its metric {SHORT.repr(metric)}"
    raise CheckpointError(f"{path} was not written by Checkpoints.save: {problem}")


def put(path: Any, checkpoint: dict[str, Any], objects: Mapping[str, Any], rng_state: bool) -> dict[str, Any]:
    """Have objects go on from a checkpoint; what else is in it."""
    given = {name: value for name, value in objects.items() if value is not None}
    if rng_state:
        given["rng_state"] = generator()
    missing = [name for name in given if name not in checkpoint]
    if missing:
        names = ", ".join(map(SHORT.repr, checkpoint))  # which are the file's: of any length
        raise CheckpointError(f"{path} has no {missing[0]!r}; it has {names}")
    try:
        load_states(given, checkpoint)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    return {name: value for name, value in checkpoint.items() if name not in {*objects, "rng_state"}}


def number_of(metric: Any) -> float | None:
    """A metric as a number. Raises TypeError for what is none."""
    if metric is None or (is_number(metric) and not isinstance(metric, bool)):
        return None if metric is None else float(metric)
    raise TypeError(f"Checkpoints.save: metric must be a number, not {show_given(metric)}")


def version_of(path: Path) -> Version:
    """What changes with a file."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def age(path: Path) -> tuple[int, str]:
    """What orders files by age; their names do where they were copied within a tick."""
    try:
        return path.stat().st_mtime_ns, path.name
    except FileNotFoundError:  # deleted by now
        return 0, path.name


def is_same_file(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file; of two, another program may delete one at any moment."""
    try:
        return os.path.samefile(path, other)
    except FileNotFoundError:
        return False


def keep_as(path: Path, name: Path) -> None:
    """Give a file another name too; where a folder cannot hold that, a copy."""
    if is_same_file(path, name):
        return
    name.unlink(missing_ok=True)  # of a run that went another way
    try:
        os.link(path, name)
    except FileExistsError:  # another program was faster
        return
    except OSError:
        with open(path, "rb") as source, replacing(name, durable=True) as copy:
            shutil.copyfileobj(source, copy)
