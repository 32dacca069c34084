"""What is written is there wholly or not at all: recordings, pages, traces and checkpoints."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tinygrad_conv as tg
from tinygrad_conv import atomic_write
from tinygrad_conv.atomic_write import remove_leftovers, replacing, write_text

from .debug_nets import article


def profile() -> tg.profile:
    with tg.profile() as profiled:
        article().loss.backward()
    return profiled


WRITERS: dict[str, Callable[[], Callable[[Path], None]]] = {
    "recording": lambda: article().loss.record().save,
    "page": lambda: article().loss.record().to_html,
    "trace": lambda: profile().save,
    "checkpoint": lambda: lambda path: tg.save({"x": tg.ones(3)}, path),
}

EVERY_WRITER = pytest.mark.parametrize("writer", WRITERS)


def interrupted(*arguments: Any) -> None:
    raise KeyboardInterrupt


@EVERY_WRITER
def test_interrupted_they_leave_the_older_file(writer, monkeypatch, tmp_path):
    path = tmp_path / "file"
    path.write_text("older")
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        WRITERS[writer]()(path)
    assert path.read_text() == "older" and os.listdir(tmp_path) == ["file"]


@EVERY_WRITER
def test_they_write_what_is_behind_a_link(writer, tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("older")
    link.symlink_to(path)
    WRITERS[writer]()(link)
    assert link.is_symlink() and path.read_bytes() == link.read_bytes() != b"older"
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]


@EVERY_WRITER
def test_a_folder_that_is_missing_is_told_by_the_name_that_was_asked_for(writer, tmp_path):
    path = tmp_path / "missing" / "file"
    with pytest.raises(FileNotFoundError) as caught:
        WRITERS[writer]()(path)
    assert str(caught.value) == f"[Errno 2] No such file or directory: {str(path)!r}"


def test_until_the_new_file_is_complete_the_older_one_is_there(tmp_path):
    path = tmp_path / "file"
    write_text(path, "älter")
    with replacing(path) as file:
        file.write(b"newer")
        file.flush()
        assert path.read_bytes() == "älter".encode()
    assert path.read_bytes() == b"newer" and os.listdir(tmp_path) == ["file"]


def test_a_text_that_cannot_be_written_leaves_the_older_file(tmp_path):
    path = tmp_path / "file"
    write_text(path, "older")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half a character: \ud800")
    assert path.read_text() == "older" and os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    pipe, received = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_text(pipe, "text")
    reader.join(timeout=60)
    assert received == [b"text"] and pipe.is_fifo()


def test_what_must_outlive_a_crash_is_on_the_disk_before_it_has_its_name(monkeypatch, tmp_path):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, real=real, name=name: (done.append(name), real(*given)))
    tg.save([1], tmp_path / "file")
    assert done == (["fsync", "replace", "fsync"] if os.name == "posix" else ["fsync", "replace"])
    done.clear()
    write_text(tmp_path / "page", "text")  # it is as easily written again
    assert done == ["replace"]


def test_what_killed_programs_have_left_is_removed(tmp_path):
    left = tmp_path / ".file.123.0badcafe.part"
    others = (tmp_path / ".other.123.0badcafe.part", tmp_path / ".file", tmp_path / "file.part")
    for path in (left, *others):
        path.write_text("half")
    with replacing(tmp_path / "file", durable=True) as first:  # one that is being written is not left
        first.write(b"first")
        tg.save([2], tmp_path / "file")
        assert not left.exists() and tg.load(tmp_path / "file") == [2]
    assert (tmp_path / "file").read_bytes() == b"first" and all(path.exists() for path in others)
    assert len(list(tmp_path.iterdir())) == 4
    remove_leftovers(tmp_path)
    assert not others[0].exists() and len(list(tmp_path.iterdir())) == 3


def test_a_file_that_is_begun_anew_is_not_taken_for_the_leftover_of_its_name(monkeypatch, tmp_path):
    left = tmp_path / ".file.123.0badcafe.part"
    left.write_text("half")

    def lock(file, flags):  # who waited for it finds it removed by somebody else, and begins anew
        left.unlink()
        left.write_text("anew")
        return True

    monkeypatch.setattr(atomic_write, "lock", lock)
    remove_leftovers(tmp_path)
    assert left.read_text() == "anew" or atomic_write.fcntl is None


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device here")
def test_a_full_disk_is_told_by_the_name_that_was_asked_for(monkeypatch, tmp_path):
    path = tmp_path / "file"
    path.write_text("older")
    monkeypatch.setattr(atomic_write, "open", lambda *given: open("/dev/full", "wb"), raising=False)
    for write in (lambda: tg.save(tg.ones(10_000), path), lambda: write_text(path, "a" * 10**6)):
        with pytest.raises(OSError, match="No space left on device, and nothing was changed") as caught:
            write()
        assert caught.value.filename == str(path)
    assert path.read_text() == "older" and os.listdir(tmp_path) == ["file"]


@EVERY_WRITER
@pytest.mark.skipif(os.name != "posix", reason="there are no permissions here")
def test_what_is_private_stays_so(writer, tmp_path):
    path = tmp_path / "file"
    path.write_text("older")
    path.chmod(0o600)
    WRITERS[writer]()(path)
    assert path.stat().st_mode & 0o777 == 0o600 and path.read_bytes() != b"older"


@EVERY_WRITER
def test_what_is_write_protected_is_not_replaced(writer, monkeypatch, tmp_path):
    path = tmp_path / "file"
    path.write_text("older")
    path.chmod(0o444)
    write = WRITERS[writer]()
    monkeypatch.setattr(os, "access", lambda *given: False)  # root may write it nevertheless
    with pytest.raises(PermissionError) as caught:
        write(path)
    assert caught.value.filename == str(path)
    assert path.read_text() == "older" and os.listdir(tmp_path) == ["file"]


def test_the_name_of_a_folder_is_none_of_a_file(tmp_path):
    with pytest.raises(IsADirectoryError):
        tg.save([1], f"{tmp_path}{os.sep}new{os.sep}")
    assert os.listdir(tmp_path) == []


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    for name in ("x" * 250, "文" * 80):
        tg.save([1], tmp_path / name)
        tg.save([2], tmp_path / name)
        assert tg.load(tmp_path / name) == [2] and os.listdir(tmp_path) == [name]
        (tmp_path / name).unlink()


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there is no such device here")
def test_a_device_takes_an_archive():
    tg.save([1], os.devnull)
    assert Path(os.devnull).is_char_device()
