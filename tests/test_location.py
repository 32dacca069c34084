"""How places are written: for people at this machine, and for those who are given a page or a recording."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_conv as tg
from tinygrad_conv import debug
from tinygrad_conv.archive import read_archive, write_archive
from tinygrad_conv.debug.page import html
from tinygrad_conv.engine.location import (
    PACKAGE_FOLDER,
    Place,
    relative_path,
    show_cell,
    show_line,
    show_path,
    source_lines,
)

from .debug_nets import article
from .step_programs import environment

KERNEL_CELL = "/tmp/ipykernel_4711/1234567.py"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"{PACKAGE_FOLDER}ops{os.sep}pool.py", "ops/pool.py"),
        (str(Path("net.py").absolute()), "net.py"),
        ("net.py", "net.py"),
        ("<stdin>", "<stdin>"),
        ("", ""),
        ("/", ""),
        ("/net.py", "net.py"),
        ("/home/somebody/project/net.py", "project/net.py"),
        ("/home/somebody/lib/python3.12/site-packages/tinygrad_conv/ops/pool.py", "ops/pool.py"),
        (r"C:\Users\somebody\project\net.py", "project/net.py"),
        (r"C:\Python\Lib\site-packages\tinygrad_conv\ops\pool.py", "ops/pool.py"),
        (KERNEL_CELL, "a cell"),
        (r"C:\Temp\ipykernel_12\98.py", "a cell"),
        ("<ipython-input-3-0a1b2c>", "cell 3"),
    ],
)
def test_what_is_written_for_others_is_never_absolute(path, shown):
    assert relative_path(path) == shown
    assert relative_path(shown) == shown


def test_the_script_s_folder_comes_before_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "project" / "nets").mkdir(parents=True)
    script = str(tmp_path / "project" / "train.py")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", script, raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "library"), *sys.path])
    monkeypatch.chdir(tmp_path)
    assert relative_path(str(tmp_path / "project" / "nets" / "net.py")) == os.path.join("nets", "net.py")
    assert relative_path(str(tmp_path / "other.py")) == "other.py"
    assert relative_path(str(tmp_path / "project2" / "net.py")) == os.path.join("project2", "net.py")
    assert relative_path(str(tmp_path / "library" / "layers.py")) == os.path.join("library", "layers.py")
    monkeypatch.chdir("/")
    assert relative_path(str(tmp_path / "library" / "layers.py")) == "layers.py"


def test_messages_keep_the_path_by_which_the_file_is_found(tmp_path):
    assert show_path(str(tmp_path / "net.py")) == str(tmp_path / "net.py")
    assert show_path(str(Path("net.py").absolute())) == "net.py"


def test_lines_of_files_and_of_cells():
    assert show_line("net.py", 2) == "net.py:2"
    assert show_line("cell 3", 2) == "cell 3, line 2"
    assert show_line("a cell", 2) == "a cell, line 2"
    assert str(Place("<ipython-input-3-0a1b2c>", 2, "y = x * 2", "net.fc")) == (
        "cell 3, line 2 in net.fc   y = x * 2"
    )
    assert show_cell("/home/somebody/ipykernel_notes.py") == ""


CELLS = ["import tinygrad_conv as tg", "x = tg.ones(2, requires_grad=True)\nloss = (x * 2).sum()"]
LOOK = "rec = loss.record(); print(loss.tape()[0].place, '/', rec[0].where.at, '/', loss.grad_fn)"
FROM_A_CELL = "cell 2, line 2 / cell 2, line 2 / <sum → float32[], cell 2, line 2>"


@pytest.mark.extras
def test_cells_of_ipython_have_their_numbers(tmp_path):
    pytest.importorskip("IPython")
    cells = [*CELLS, LOOK, "loss.backward()\nloss.backward()"]
    program = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance(colors='nocolor', history_manager=None)\n"
        f"for cell in {cells!r}: shell.run_cell(cell, store_history=True)\n"
    )
    env = environment(IPYTHONDIR=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env, cwd=tmp_path, timeout=120
    )
    assert FROM_A_CELL in done.stdout, done.stdout + done.stderr
    assert "sum (cell 2, line 2) was already consumed by the backward at cell 4, line 1" in done.stdout


@pytest.mark.extras
def test_cells_of_a_notebook_have_their_numbers(tmp_path, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    for name, value in environment(IPYTHONDIR=str(tmp_path), JUPYTER_CONFIG_DIR=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    cells = [nbformat.v4.new_code_cell(cell) for cell in [*CELLS, f"{LOOK}\nrec"]]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed, shown = notebook.cells[-1].outputs
    assert printed["text"].strip() == FROM_A_CELL
    page = shown["data"]["text/html"]
    assert "cell 2, line 2" in page and "ipykernel_" not in page


PLACES = ["/home/somebody/project/net.py", KERNEL_CELL, f"{PACKAGE_FOLDER}nn/conv.py"]


@pytest.mark.parametrize("path", PLACES)
def test_no_path_of_this_machine_is_in_a_recording_or_a_page(tmp_path, path):
    recording = article().loss.record()
    for step in recording:
        step.where = step.where._replace(file=path)
    recording.save(tmp_path / "run.tgrec.npz")
    with open(tmp_path / "run.tgrec.npz", "rb") as file:
        text, _ = read_archive(file)
    loaded = debug.load(tmp_path / "run.tgrec.npz")
    pages = [html(recording), html(loaded), loaded[0]._repr_html_(), recording[0]._repr_html_()]
    for written in (text, repr(loaded[0]), repr(recording[0]), *pages):
        for absolute in (path, PACKAGE_FOLDER, os.path.dirname(path)):
            assert absolute not in written
    assert "(ops/conv.py:" in pages[0] and "(ops/conv.py:" in text


def test_a_tape_s_page_has_no_path_of_this_machine():
    page = article().loss.tape()._repr_html_()
    assert "debug_nets.py:" in page and os.getcwd() not in page


def test_old_recordings_with_absolute_paths_still_load(tmp_path):
    article().loss.record().save(tmp_path / "new")
    with open(tmp_path / "new", "rb") as file:
        text, arrays = read_archive(file)
    structure = json.loads(text)
    for step in structure["steps"]:
        step["where"][1] = "/home/somebody/project/net.py"
        step["rule"][1:] = [
            [name, re.sub(r"\(ops", "(/home/somebody/tinygrad_conv/ops", rule)]
            for name, rule in step["rule"][1:]
        ]
    assert "/home/somebody/tinygrad_conv/ops/conv.py:" in json.dumps(structure)
    with open(tmp_path / "old", "wb") as file:
        write_archive(file, json.dumps(structure), arrays)
    old, new = debug.load(tmp_path / "old"), debug.load(tmp_path / "new")
    assert old[0].where.at.startswith("project/net.py:") and old[0].rule == new[0].rule
    assert "/home" not in html(old) and new.diff(old) is None
    assert old.rerun(0, old[0].grad_output).diff(new) is None and old.check().first is None


@pytest.mark.exhaustive
def test_a_page_has_the_script_s_folder(tmp_path):
    (tmp_path / "project").mkdir()
    script = tmp_path / "project" / "train.py"
    script.write_text(
        "import tinygrad_conv as tg\n"
        "loss = (tg.ones(2, requires_grad=True) * 2).sum()\n"
        "loss.record().to_html('page.html')\n"
        "print(loss.tape())\n"
    )
    env = environment()
    done = subprocess.run(
        [sys.executable, "project/train.py"], capture_output=True, text=True, env=env, cwd=tmp_path
    )
    assert done.stdout.count("    train.py:2") == 2, done.stdout + done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '"train.py:2"' in page and str(tmp_path) not in page
    assert str(Path(tg.__file__).parent) not in page


def test_a_file_that_cannot_be_has_no_source():
    assert source_lines("net\0.py") == [] == source_lines("no such file.py")
    assert source_lines(__file__)[0].startswith('"""How places')
