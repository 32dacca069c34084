"""The pictures of arrays that `step` draws in a terminal without colour."""

from __future__ import annotations

import io

import numpy as np

from tinygrad_conv.debug.terminal.pictures import Terminal, picture


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
    assert "(columns 0 to 19 of 90)" in picture("n", np.ones((2, 90)), terminal)
    assert "(planes 0 to 11 of 50" in picture("p", np.ones((50, 5, 5)), terminal)
