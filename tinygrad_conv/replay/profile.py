"""Where the time of a replay goes, line by line. Nothing that the step changes is changed by measuring it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from ..engine.registry import door, if_open
from ..errors import ReplayError, show_array, show_count, show_table
from ..members import grouped
from .arguments import Arguments
from .calls import Departure
from .listing import HEAD, SIDES, row
from .program import Line

WARM_UP = 3  # steps that nobody times
TIMES = ("µs", "share")
GROUPS: dict[str, Callable[[Line], str]] = {
    "op": lambda line: line.name,
    "layer": lambda line: line.layer or "(outside of layers)",
    "place": lambda line: line.place,
}


class Profile:
    """The time of each call of a program; `print(profile)` shows it beside the listing.

    program: what was measured. seconds: of each line, the median of all repeats; whole: of whole steps, with
    what is done around the lines. `profile.table("op")` adds up, `profile.to_html(path)` writes a page.
    """

    def __init__(self, program: Any, lines: list[list[float]], steps: list[float]) -> None:
        """lines: the seconds of each line, one list for each repeat. steps: those of each whole step."""
        self.program, self.repeats = program, len(steps)
        self.seconds = [median(times) for times in zip(*lines)]
        self.whole = median(steps)

    def rows(self, by: str = "line") -> list[tuple[str, ...]]:
        """The cells of a table, its head first: of all lines, or added up by "op", "layer" or "place"."""
        if by == "line":
            recorded = self.program.recorded
            rows = [row(line, recorded) for line in self.program.lines]
            return [
                (*TIMES, *HEAD),
                *((*self.time(seconds), *cells) for seconds, cells in zip(self.seconds, rows)),
            ]
        if by not in GROUPS:
            raise ValueError(f"table: by must be one of line, {', '.join(GROUPS)}, not {by!r}")
        groups = grouped((GROUPS[by](line), time) for line, time in zip(self.program.lines, self.seconds))
        slowest = sorted(groups, key=lambda name: -sum(groups[name]))
        return [
            (*TIMES, "calls", by),
            *((*self.time(sum(groups[name])), f"{len(groups[name])}", name) for name in slowest),
        ]

    def time(self, seconds: float) -> tuple[str, str]:
        """Microseconds, and the share of all lines' time."""
        return f"{seconds * 1e6:,.1f}", f"{seconds / (sum(self.seconds) or 1):.1%}"

    def table(self, by: str = "line") -> str:
        """The same as text."""
        sides = ">>" + (SIDES if by == "line" else "><")
        return "\n".join(show_table(self.rows(by), sides, gap="   "))

    @property
    def verdict(self) -> str:
        """What all of it takes."""
        lines, step = (f"{seconds * 1e6:,.1f} µs" for seconds in (sum(self.seconds), self.whole))
        return (
            f"{show_count(len(self.seconds), 'call')}, {lines}; a whole step {step} "
            f"(medians of {show_count(self.repeats, 'repeat')})"
        )

    def __repr__(self) -> str:
        return f"{self.table()}\n{self.verdict}"

    def _repr_html_(self) -> str | None:
        return if_open("program_html", self)

    def to_html(self, path: str | Path, title: str = "") -> None:
        """Write one self-contained page: the calls, their times, and which buffer serves which of them."""
        door("program_page")(self, path, title)


def profiled(program: Any, given: Arguments, repeats: int) -> Profile:
    """Measure a program. Whatever a step changes is put back after each, so all begin alike."""
    refuse_another_setting(program, given)
    lines, steps = [], []
    for number in range(WARM_UP + repeats):
        with put_back(program, given):
            begin = perf_counter()
            program.run(given.tensors, given.arrays)
            step = perf_counter() - begin
        with put_back(program, given):
            times = line_by_line(program, given)
        if number >= WARM_UP:
            lines.append(times)
            steps.append(step)
    return Profile(program, lines, steps)


def refuse_another_setting(program: Any, given: Arguments) -> None:
    """Raise where the program is not for these arguments, or not for how things are by now."""
    if given.key != program.key:
        wanted, got = ([show_array(array) for array in arrays] for arrays in (program.forms, given.arrays))
        others = " (in other values, or another memory order)" if wanted == got else ""
        raise ValueError(
            f"profile: the program is for arguments with ({', '.join(wanted)}), it was given "
            f"({', '.join(got)}){others}; call the step with these first, then profile step.program"
        )
    if not program.guard.holds() or program.guard.moved() is None:
        raise ReplayError(
            "profile: what the program took for granted has changed since; call the step again, then profile "
            "step.program"
        )
    program.place_outside()


@contextmanager
def put_back(program: Any, given: Arguments) -> Iterator[None]:
    """Afterwards parameters, buffers, gradients, optimisers and random numbers are what they were."""
    before = program.changed.of_everything(program.recorded).state(given.tensors)
    try:
        yield
    except Departure as departure:
        raise ReplayError(f"profile: {departure.reason} ({departure.line.place})") from None
    finally:
        before.restore()


def line_by_line(program: Any, given: Arguments) -> list[float]:
    """The seconds of each line in one step."""
    slots = program.template.copy()
    slots[: program.arguments] = given.arrays
    moments = [perf_counter()]
    for call in program.calls:
        call(slots, given.tensors)
        moments.append(perf_counter())
    return [end - begin for begin, end in zip(moments, moments[1:])]
