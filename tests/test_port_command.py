"""The command line of `port`: its list, its status, and notebooks."""

from __future__ import annotations

import json
import subprocess
import sys

from tinygrad_conv.__main__ import main

from .test_nn_tutorial import OURS, SCRIPT


def write(tmp_path, text, name="script.py"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_list(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "import torch\nw = torch.ones(3, 3)\nx = w.data.std()\nw.cuda()\n")
    assert main(["port", "script.py"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "script.py:1: import: import torch   write: import tinygrad_conv as torch",
        "script.py:3: array, OTHER NUMBERS in silence: x = w.data.std()   write: x = w.data.std(ddof=1)",
        "script.py:4: device: w.cuda()   write: nothing: leave it out",
        "script.py: 3 lines to write otherwise: 1 import, 1 device, 1 array; 1 of them gives other numbers "
        "in silence (.data and .grad are NumPy arrays, np is NumPy)",
    ]


def test_nothing_to_write_otherwise(tmp_path, capsys):
    path = write(tmp_path, OURS + SCRIPT)
    assert main(["port", path]) == 0
    assert capsys.readouterr().out == f"{path}: nothing to write otherwise\n"


def test_several_scripts_and_the_worst_of_their_statuses(tmp_path, capsys):
    good, bad = write(tmp_path, "x = 1", "good.py"), write(tmp_path, "import torch", "bad.py")
    broken = write(tmp_path, "x = (", "broken.py")
    assert main(["port", good, bad]) == 1
    assert main(["port", good, bad, broken, str(tmp_path / "absent.py")]) == 2
    told = capsys.readouterr()
    assert "broken.py cannot be read: SyntaxError" in told.err and "absent.py cannot be read" in told.err
    assert main(["port", write(tmp_path, "", "empty.py")]) == 0


def notebook(*cells):
    return json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells]})


def test_a_notebook_s_cells(tmp_path, capsys):
    text = notebook(
        ("markdown", ["# Title"]),
        ("code", ["%matplotlib inline\n", "import torch\n", "if True:\n", "    !ls"]),
        ("code", "%%bash\nls ("),
        ("code", ["x = torch.ones(2, 2)\n", "x.data.std()"]),
    )
    path = write(tmp_path, text, "notes.ipynb")
    assert main(["port", path]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{path}: cell 1, line 2: import: import torch")
    assert lines[1].startswith(f"{path}: cell 3, line 2: array, OTHER NUMBERS")
    for text in ("{}", "[1", '{"cells": [3]}', notebook(("code", "x = ("))):
        assert main(["port", write(tmp_path, text, "bad.ipynb")]) == 2


def test_from_the_command_line_and_nothing_is_run(tmp_path):
    path = write(tmp_path, "import torch\nraise SystemExit('it was run')\n")
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_conv", "port", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "it was run" not in done.stdout + done.stderr
    assert "tinygrad_conv as torch" in done.stdout
