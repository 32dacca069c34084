"""`tg.Checkpoints` on a disk that is full, on one that is shared, and killed at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import tinygrad_conv as tg

from .helpers import INSTALLED, more

POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no such limits")


def test_a_folder_that_cannot_be_is_told_before_any_training(tmp_path):
    (tmp_path / "file").write_text("")
    for path in ("file", "file/runs"):
        with pytest.raises(
            OSError, match="Checkpoints: nothing can be written to the folder .*file"
        ) as caught:
            tg.Checkpoints(tmp_path / path)
        assert caught.value.filename == str(tmp_path / path)


READ_ONLY = """
import os, sys, tinygrad_conv as tg
tg.Checkpoints
if os.geteuid() == 0:
    os.setuid(65534)
tg.Checkpoints(sys.argv[1])
"""


def python(program, *arguments):
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INSTALLED), "OPENBLAS_NUM_THREADS": "1"},
        timeout=300,
    )


@POSIX
@pytest.mark.exhaustive
def test_a_read_only_folder_is_told_before_any_training(tmp_path):
    tmp_path.chmod(0o555)
    done = python(READ_ONLY, tmp_path)
    tmp_path.chmod(0o755)
    assert (
        "PermissionError: [Errno 13] Checkpoints: nothing can be written to the folder (Perm" in done.stderr
    )


def test_home_and_any_letters(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    checkpoints = tg.Checkpoints("~/läufe/№ 1 [x]*")
    for step in range(3):
        checkpoints.save(step, metric=step, **{"größe": np.ones(2)})
    assert checkpoints.folder == tmp_path / "läufe" / "№ 1 [x]*"
    assert len(checkpoints.numbered()) == 2 and checkpoints.resume()["größe"].sum() == 2
    tg.save([1], "~/file")
    assert tg.load("~/file") == tg.load(tmp_path / "file") == [1]


FULL = """
import os, resource, sys, tinygrad_conv as tg
checkpoints = tg.Checkpoints(sys.argv[1])
checkpoints.save(1, 0.5, weights=tg.ones(10))
names = sorted(os.listdir(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
try:
    checkpoints.save(2, 0.4, weights=tg.ones(100_000))
except OSError as error:
    print(error)
assert sorted({*os.listdir(sys.argv[1])} - {"step-00000001.npz"}) == names, os.listdir(sys.argv[1])
assert checkpoints.resume()["step"] == checkpoints.load("best")["step"] == 1
"""


@POSIX
@pytest.mark.parametrize("room", [300_000, *more(0, 1, 100, 4096, 399_999, 400_500)])
def test_on_a_full_disk_the_older_ones_stay(room, tmp_path):
    done = python(FULL, tmp_path, room)
    said = rf"[Errno 27] File too large, and nothing was changed: '{tmp_path}/best.npz'"
    assert (done.stdout.strip(), done.stderr) == (said, "")


def test_several_may_save_at_once(tmp_path):
    def save(number):
        checkpoints = tg.Checkpoints(tmp_path, keep=2)
        for step in range(8):
            checkpoints.save(step, metric=step + number, data=np.full(1000, number))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        checkpoints = tg.Checkpoints(tmp_path, keep=2)
        checkpoints.save(9)
    assert len(list(tmp_path.iterdir())) == 4
    for path in (checkpoints.last, checkpoints.best, *checkpoints.numbered()):
        checkpoints.load(path)


KILLED = """
import multiprocessing, os, signal, sys, warnings
import numpy as np, tinygrad_conv as tg
from pathlib import Path

checkpoints = tg.Checkpoints(sys.argv[1], keep=2)
every = int(sys.argv[2])
FILES = ("atomic_write.py", "archive.py", "checkpoints.py", "files.py")
warnings.simplefilter("error")

def save(step):
    checkpoints.save(step, metric=-step, data=np.full(20_000, step))

def killed(step, place):
    count = 0
    def trace(frame, event, argument):
        nonlocal count
        if os.path.basename(frame.f_code.co_filename) in FILES:
            count += 1
            if count == place:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace
    sys.settrace(trace)
    save(step)

for step in range(4):
    save(step)
place, step, codes = 1, 3, set()
while codes != {0}:
    run = multiprocessing.get_context("fork").Process(target=killed, args=(step + 1, place))
    run.start()
    run.join()
    codes = {run.exitcode}
    saved = tg.Checkpoints(sys.argv[1], keep=2).resume()
    assert saved["step"] in (step, step + 1) and (saved["data"] == saved["step"]).all(), (place, saved)
    best = checkpoints.load("best")
    assert best["step"] in (step, step + 1) and best["metric"] == -best["step"]
    assert saved["step"] == best["step"] or best["step"] == step + 1
    step += 1
    save(step)
    names = sorted(os.listdir(sys.argv[1]))
    assert names == ["best.npz", "last.npz", f"step-{step - 2:08d}.npz", f"step-{step - 1:08d}.npz"], names
    assert checkpoints.load(checkpoints.numbered()[0])["step"] == step - 2
    place += every
print(place)
"""


@POSIX
@pytest.mark.parametrize("every", [120, pytest.param(7, marks=pytest.mark.exhaustive)])
def test_killed_anywhere_in_saving_a_good_one_is_there(every, tmp_path):
    done = python(KILLED, tmp_path, every)
    assert not done.stderr and int(done.stdout) > 200, done.stderr
