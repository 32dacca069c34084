"""Arrays in a terminal: coloured cells with their numbers, or blocks, in as much room as there is."""

from __future__ import annotations

import os
import textwrap
from typing import IO

import numpy as np

from ...dtypes import Array
from ...errors import show_array

CIVIDIS = ((0, 34, 78), (67, 78, 108), (125, 124, 120), (188, 174, 108), (254, 232, 56))
"""Dark blue below 0, grey at 0, yellow above: ever lighter, to be told apart without colour vision too."""

BEND = 0.65  # below 1: small numbers differ more than large ones
NUMBER_CELL, BLOCK = 8, 2  # columns of a cell
MOST_WRITTEN = 100  # numbers in cells
MOST_PLANES, MOST_LINES = 12, 32  # of a picture
HANGING = 4  # columns by which the rest of a long line is further to the right


class Terminal:
    """How a stream shows things: its width, and whether it has colours and blocks."""

    def __init__(self, stream: IO[str], width: int) -> None:
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
        self.width = width
        self.colours = stream.isatty() and not plain
        self.rich = os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
        self.wraps = stream.isatty()  # lines in a pipe are somebody else's to break
        self.shades = " ░▒▓█" if encodes(stream, "░▒▓█") else " .:*#"

    def bold(self, text: str) -> str:
        """A text that stands out, if that can be done."""
        return f"\x1b[1m{text}\x1b[0m" if self.colours else text

    def wrapped(self, text: str, column: int = 0) -> str:
        """A text in lines of the width.

        What a line has too much goes on below it, in a column or a little to the right of where it began.
        """
        if not self.wraps:
            return text
        return "\n".join(self.wrapped_line(line, column) for line in text.split("\n"))

    def wrapped_line(self, line: str, column: int) -> str:
        """One of them."""
        if len(line) <= self.width:
            return line
        indent = column or len(line) - len(line.lstrip()) + HANGING
        below = " " * min(indent, self.width // 2)
        return textwrap.fill(line, self.width, subsequent_indent=below, break_on_hyphens=False)

    def cell(self, value: float, largest: float, written: bool) -> str:
        """One cell."""
        text = f"{value:.4g}".rjust(NUMBER_CELL - 1) + " " if written else "  "
        if not np.isfinite(value):
            return text if written else "??"
        place = np.sign(value) * (abs(value) / largest) ** BEND if largest else 0.0
        if self.colours:
            return self.coloured(text, float(place))
        if written:
            return text
        shade = self.shades[int(np.ceil(abs(place) * (len(self.shades) - 1)))]
        return ("-" if value < 0 else shade) + shade

    def coloured(self, text: str, place: float) -> str:
        """A text on the colour of a place from -1 to 1."""
        at = (place + 1) / 2 * (len(CIVIDIS) - 1)
        below = min(int(at), len(CIVIDIS) - 2)
        low, high = np.array(CIVIDIS[below]), np.array(CIVIDIS[below + 1])
        red, green, blue = (int(channel) for channel in np.round(low + (high - low) * (at - below)))
        ink = "30" if 0.3 * red + 0.59 * green + 0.11 * blue > 105 else "97"
        return f"\x1b[{ink};48;{self.code(red, green, blue)}m{text}\x1b[0m"

    def code(self, red: int, green: int, blue: int) -> str:
        """A colour as the terminal knows it: as it is, or the nearest of the 6×6×6 cube."""
        if self.rich:
            return f"2;{red};{green};{blue}"
        steps = [round(channel / 255 * 5) for channel in (red, green, blue)]
        return f"5;{16 + 36 * steps[0] + 6 * steps[1] + steps[2]}"


def encodes(stream: IO[str], text: str) -> bool:
    """Whether a stream can write these letters."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def picture(name: str, array: Array, terminal: Terminal) -> str:
    """An array as cells: its planes (the last two dimensions) side by side; in words what is not shown."""
    head = f"{name}   {show_array(array)}{span(array)}"
    if not array.size:
        return head
    planes = array.reshape(-1, *array.shape[-2:]) if array.ndim > 1 else array.reshape(1, 1, -1)
    rows, columns = planes.shape[1:]
    written = array.size <= MOST_WRITTEN and columns * NUMBER_CELL <= terminal.width
    cell = NUMBER_CELL if written else BLOCK
    shown = min(columns, max(1, terminal.width // cell))
    beside = max(1, (terminal.width + 2) // (shown * cell + 2))
    finite = array[np.isfinite(array)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    bands = max(1, MOST_LINES // (rows + 1))  # of planes side by side, one below the other
    drawn, tall = min(len(planes), MOST_PLANES, bands * beside), min(rows, MOST_LINES)
    lines = []
    for first in range(0, drawn, beside):
        group = planes[first : min(first + beside, drawn)]
        for row in range(tall):
            numbers = [plane[row, :shown] for plane in group]
            cells = ([terminal.cell(float(number), largest, written) for number in part] for part in numbers)
            lines.append("  ".join(map("".join, cells)).rstrip())
        lines.append("")
    return "\n".join([head, *lines[:-1], *remarks(planes.shape, (drawn, tall, shown))])


def span(array: Array) -> str:
    """`, from -1 to 6`."""
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    return f", from {finite.min():.4g} to {finite.max():.4g}" if finite.size else ""


def remarks(sizes: tuple[int, ...], shown: tuple[int, ...]) -> list[str]:
    """What is not in the picture."""
    parts = [
        f"{name} 0 to {drawn - 1} of {size:,}" if drawn > 1 else f"{name[:-1]} 0 of {size:,}"
        for name, size, drawn in zip(("planes", "rows", "columns"), sizes, shown)
        if drawn < size
    ]
    if not parts:
        return []
    return [f"({', '.join(parts)}: an index shows others, as in `show y[0, 12:]`)"]
