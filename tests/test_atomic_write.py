"""What the debugger writes is there wholly or not at all: recordings, pages and traces."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tinygrad_conv as tg
from tinygrad_conv.atomic_write import replacing, write_text

from .debug_nets import article


def profile() -> tg.profile:
    with tg.profile() as profiled:
        article().loss.backward()
    return profiled


WRITERS: dict[str, Callable[[], Callable[[Path], None]]] = {
    "recording": lambda: article().loss.record().save,
    "page": lambda: article().loss.record().to_html,
    "trace": lambda: profile().save,
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
