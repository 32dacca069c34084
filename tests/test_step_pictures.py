"""The pictures of arrays that `step` draws in a terminal without colour."""

from __future__ import annotations

import io

import numpy as np

from tinygrad_conv.debug.terminal.pictures import MOST_LINES, Terminal, picture


class Stream(io.StringIO):
    encoding = "utf-8"


def test_pictures_without_colour_show_sign_and_size():
    terminal = Terminal(Stream(), 60)
    shown = picture("x", np.linspace(-1, 1, 11 * 11).reshape(11, 11), terminal).splitlines()
    assert shown[0] == "x   float64[11,11], from -1 to 1"
    assert shown[1].startswith("-█") and shown[-1].endswith("██") and len(shown) == 12
    assert shown[6][10:12] in ("  ", "-░", "░░")


def test_pictures_of_odd_arrays():
    terminal = Terminal(Stream(), 40)
    assert picture("s", np.float64(3).reshape(()), terminal).splitlines()[1].strip() == "3"
    assert picture("e", np.zeros((0, 3)), terminal) == "e   float64[0,3]"
    assert "nan" in picture("n", np.array([1, np.nan]), terminal) and "??" in picture(
        "n", np.full((2, 90), np.nan), terminal
    )
    assert "(columns 0 to 19 of 90: an index shows others" in picture("n", np.ones((2, 90)), terminal)
    assert "(planes 0 to 11 of 50" in picture("p", np.ones((50, 5, 5)), terminal)


def test_large_arrays_are_abbreviated():
    terminal = Terminal(Stream(), 100)
    for shape in ((1568, 512), (32, 16, 28, 28), (512, 3), (100_000,), (20, 40, 60, 1)):
        lines = picture("x", np.ones(shape), terminal).splitlines()
        assert len(lines) <= MOST_LINES + 2 and max(map(len, lines)) <= 100
        assert lines[-1].startswith("(") and lines[-1].endswith("as in `show y[0, 12:]`)")
    last = picture("x", np.ones((1, 512, 60)), terminal).splitlines()[-1]
    assert last.startswith("(rows 0 to 31 of 512, columns 0 to 49 of 60: ")
    assert picture("x", np.ones((3, 28, 28)), terminal).splitlines()[-1].startswith("(plane 0 of 3: ")
