"""An AttributeError of `.grad` or `.data` that ends a program says the NumPy line to write instead."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.absent import notes

ROOT = Path(tg.__file__).resolve().parent.parent

W = "import tinygrad_conv as tg\nw = tg.ones(2, 3, requires_grad=True)\n(w * w).sum().backward()\n"
HEAD = ".data and .grad are NumPy's arrays: write "


def ended_by(line, tmp_path, before=W):
    """What a program that ends with this line says last."""
    script = tmp_path / "script.py"
    script.write_text(before + line)
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, env=env)
    assert ran.returncode == 1
    return ran.stderr.splitlines()


def raised_by(line, tmp_path):
    """The error of the line, run from a file as in a program."""
    script = tmp_path / "script.py"
    script.write_text(W + line)
    with pytest.raises((AttributeError, TypeError)) as caught:
        exec(compile(script.read_text(), str(script), "exec"), {})
    return caught.value


LINES = [
    ("w.grad.zero_()", "w.grad[...] = 0"),
    ("w.data.normal_(0, 0.02)", "w.data[...] = np.random.normal(loc=0, scale=0.02, size=w.data.shape)"),
    ("print(w.grad.norm())", "np.linalg.norm(w.grad)"),
    ("w.data.add_(w.grad, alpha=-0.1)", "w.data += -0.1 * w.grad"),
    ("v = w.data.clone()", "w.data.copy()"),
    ("w.data.clamp_(\n    -1,\n    1,\n)", "np.clip(w.data, -1, 1, out=w.data)"),
    ("w.grad.detach().cpu()", "w.grad"),
    ("w.data.to('cpu')", "w.data"),
    ("w.data.to(tg.float64)", "w.data.astype(tg.float64)"),
    ("for p in [w]: p.grad.data.mul_(2)", "p.grad *= 2"),
    ("w.grad.data.zero_()", "w.grad[...] = 0"),
    ("w.data.sub_(0.1 * w.grad.data)", "w.data -= 0.1 * w.grad"),
    ("w.grad.data.no_such_thing()", None),
    ("w.data.size(0)", "w.data.shape[0]"),
    ("print(w.grad.size())", "w.grad.shape"),
    ("v = w.data\nrows = v.size(0)", "v.shape[0]"),
    ("size = 3\nsize(0)", None),
    ("for p in [w]: p.grad.mul_(2)", "p.grad *= 2"),
]


@pytest.mark.parametrize("line, instead", LINES, ids=[line for line, _ in LINES])
def test_the_line_to_write_instead(line, instead, tmp_path):
    note = notes.note_for(raised_by(line, tmp_path))
    assert note == HEAD + instead if instead else note == ""


def test_a_program_says_it_last_and_the_error_is_numpys(tmp_path):
    said = ended_by("w.grad.zero_()", tmp_path)
    assert said[-2:] == [
        "AttributeError: 'numpy.ndarray' object has no attribute 'zero_'",
        HEAD + "w.grad[...] = 0",
    ]


@pytest.mark.exhaustive
def test_a_hook_that_was_there_before_still_shows_the_error(tmp_path):
    before = "import sys\ndef mine(kind, error, place):\n    print('mine', kind.__name__, file=sys.stderr)\n"
    before += "sys.excepthook = mine\n"
    said = ended_by("w.grad.zero_()", tmp_path, before + W)
    assert said[0] == "mine AttributeError"


@pytest.mark.exhaustive
def test_other_errors_are_shown_as_ever(tmp_path):
    for line in ("w.grad.no_such_thing", "1 / 0", "[].zero_()", "None.zero_()", "w.grad.__no_such__"):
        said = ended_by(line, tmp_path)
        assert "Error" in said[-1] and not any("write" in heard for heard in said), said


def test_methods_of_tensors_that_are_not_here_say_what_to_write(tmp_path):
    assert notes.note_for(raised_by("w.lgamma()", tmp_path)).startswith("there is no op of it")
    assert notes.note_for(raised_by("w.resize_(3, 2)", tmp_path)) == "write x = x.reshape(…)"
    assert "np.cov(x.data)" in notes.note_for(raised_by("w.cov()", tmp_path))
    assert notes.note_for(raised_by("w.no_such_thing", tmp_path)) == ""


def test_methods_of_modules_that_are_not_here_say_what_to_write(tmp_path):
    assert notes.note_for(raised_by("net = tg.nn.ReLU(); net.compile()", tmp_path)) == "leave it out"
    said = notes.note_for(raised_by("tg.nn.ReLU().register_load_state_dict_pre_hook(print)", tmp_path))
    assert said.startswith("change the dict before net.load_state_dict")
    assert notes.note_for(raised_by("tg.nn.ReLU().no_such_thing", tmp_path)) == ""


def test_without_a_source_the_line_of_the_table():
    with pytest.raises(AttributeError) as caught:
        exec("a.zero_()", {"a": np.ones(2)})
    assert notes.note_for(caught.value) == HEAD + "A[...] = 0, where A is the array"


def test_in_ipython_it_comes_after_the_cell(capsys):
    with pytest.raises(AttributeError) as caught:
        exec("a.zero_()", {"a": np.ones(2)})
    notes.after_cell(types.SimpleNamespace(error_in_exec=caught.value))
    assert "write A[...] = 0" in capsys.readouterr().err
    notes.after_cell(types.SimpleNamespace(error_in_exec=None))
    assert capsys.readouterr().err == ""


def test_it_is_installed_once():
    before = sys.excepthook
    notes.install()
    notes.install()
    hook = sys.excepthook
    assert type(hook) is notes.Hook and not isinstance(hook.before, notes.Hook)
    sys.excepthook = before


def test_arrays_stay_plain():
    w = tg.ones(2, requires_grad=True)
    w.sum().backward()
    assert type(w.grad) is type(w.data) is np.ndarray
