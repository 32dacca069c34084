"""Could the inputs tell? A check that passes says which wrong rules would have passed too."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.tools.broken import make_op
from tinygrad_conv.__main__ import main
from tinygrad_conv.checks.gradcheck import AdequacyWarning


def correlate(x, w):
    """A single channel, no padding: the article's convolution."""
    height, width = x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1
    y = np.zeros((height, width), x.dtype)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            y += w[i, j] * x[i : i + height, j : j + width]
    return y


def correlate_dx(dy, x, w):
    """The full correlation with the flipped kernel."""
    border = (w.shape[1] - 1, w.shape[1] - 1, w.shape[0] - 1, w.shape[0] - 1)
    padded, kernel = tg.pad(dy, border), tg.flip(w, (0, 1))
    return tg.conv2d(padded[None, None], kernel[None, None])[0, 0]


def average_of_columns(x):
    return x.mean(0)


def average_of_columns_dx(dy, x):
    return 0 * x + dy / x.shape[0]


def dilated(x, *, stride=1, dilation=1):
    return x[:: stride * dilation]


def dilated_dx(dy, x_shape, stride, dilation):
    step = stride * dilation
    return tg.put_add(dy, tuple([slice(None, None, step)]), x_shape)


CORRELATE = make_op(correlate, x=correlate_dx)


def tensor(*shape):
    return tg.tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True)


def blind_spots(op, *inputs):
    with pytest.warns(AdequacyWarning) as caught:
        assert tg.gradcheck(op, *inputs, adequacy=True)
    return str(caught[0].message)


def test_a_kernel_that_is_its_own_rotation_hides_the_flip():
    kernel = np.array([[1.0, 0.0], [0.0, 1.0]])
    text = blind_spots(CORRELATE, tensor(3, 3), kernel)
    assert "try other numbers" in text
    assert re.search(r"kernel.*  as  .*w\[None|tg.flip\(w, \(0, 1\)\)  as  w", text)


def test_a_kernel_of_its_own_does_not():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tg.gradcheck(CORRELATE, tensor(4, 5), np.array([[1.0, 2.0], [3.0, 4.0]]), adequacy=True)
    assert not any("try other numbers" in str(warning.message) for warning in caught)


def test_as_many_rows_as_columns_hide_which_were_counted():
    text = blind_spots(make_op(average_of_columns, x=average_of_columns_dx), tensor(3, 3))
    assert "x.shape[0]" in text and "x.shape[1]" in text
    assert "try x [2,4]" in text


def test_other_sizes_do_not():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tg.gradcheck(make_op(average_of_columns, x=average_of_columns_dx), tensor(3, 4), adequacy=True)


def test_nothing_is_said_unless_it_is_asked_for():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tg.gradcheck(make_op(average_of_columns, x=average_of_columns_dx), tensor(3, 3))


AVERAGE = """
import numpy as np
import tinygrad_conv as tg

@tg.primitive
def average(x):
    return x.mean(0)

@average.grad("x")
def average_dx(dy, x):
    return 0 * x + dy / x.shape[0]

@average.example
def square():
    return np.arange(9.0).reshape(3, 3) / 7
"""


def test_the_command_says_what_an_example_cannot_tell(tmp_path, capsys, scratch_ops):
    (tmp_path / "mine.py").write_text(AVERAGE)
    assert main(["check", str(tmp_path / "mine.py"), "--adequacy"]) == 0
    printed = capsys.readouterr().out
    assert "average: these inputs cannot tell the rule from wrong ones; try x [2,4]:" in printed
    assert "x.shape[0]  as  0 * x + dy / x.shape[1]" in printed


def test_the_command_finds_by_itself_what_an_example_cannot_tell(tmp_path, capsys, scratch_ops):
    (tmp_path / "mine.py").write_text(AVERAGE.replace("x.shape[0]", "x.shape[1]"))
    assert main(["check", str(tmp_path / "mine.py")]) == 2
    assert "it is right for x [3,3] and not for x [2,4]" in capsys.readouterr().out
