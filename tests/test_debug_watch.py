"""`tg.debug.watch`: a training as a log, one JSON object a line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.debug.training.watch import watch
from tinygrad_conv.engine.observed import OBSERVATION

from .step_programs import environment
from .training_programs import batch, seeded_net, state_of, train


def lines_of(path):
    text = Path(path).read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line, parse_constant=lambda word: pytest.fail(word)) for line in text.splitlines()]


def test_a_line_of_a_log(tmp_path):
    net = seeded_net()
    losses = train(net, 7, watch(net, every=3, file=tmp_path / "run.jsonl"))
    third, sixth = lines_of(tmp_path / "run.jsonl")
    assert (third["step"], sixth["step"], third["lr"]) == (3, 6, 0.05)
    assert sixth["loss"] == pytest.approx(losses[5], rel=1e-5)
    head = sixth["layers"]["head"]
    assert [*head] == ["|y|", "|w|", "|dw|", "|dw|/|w|", "|update|/|w|", "|dy|", "zeros", "mean", "std"]
    assert head["|dw|/|w|"] == pytest.approx(head["|dw|"] / head["|w|"], rel=1e-4)
    assert head["|y|"] ** 2 == pytest.approx(head["mean"] ** 2 + head["std"] ** 2, rel=1e-4)
    assert "|w|" not in sixth["layers"]["stem.2"] and sixth["layers"]["stem.2"]["zeros"] > 0.2


def test_nothing_is_changed_by_it(tmp_path):
    plain, watched = seeded_net(), None
    losses = train(plain, 5)
    expected = state_of(plain)
    watched = seeded_net()
    assert train(watched, 5, watch(watched, every=2, file=tmp_path / "run.jsonl")) == losses
    actual = state_of(watched)
    for part in ("modes", "hooks", "random", "numpy"):
        assert expected[part] == actual[part]
    for part in ("state", "grads"):
        for name, array in expected[part].items():
            np.testing.assert_array_equal(array, actual[part][name], strict=True)


def test_a_plain_call_and_close(tmp_path):
    net = seeded_net()
    log = watch(net, every=1, file=str(tmp_path / "run.jsonl"))
    train(net, 2)
    assert [line["step"] for line in lines_of(tmp_path / "run.jsonl")] == [1, 2]  # already
    assert any(module._hooks for module in net.modules())
    log.close()
    log.close()
    train(net, 2)
    assert len(lines_of(tmp_path / "run.jsonl")) == 2
    assert repr(log) == "<watch of EveryKind, every step, 2 lines>"
    assert OBSERVATION.get() is None and not any(module._hooks for module in net.modules())


def test_without_a_file_and_by_hand():
    net = nn.Linear(2, 1)
    with watch(net, every=None) as log:
        for _ in range(3):
            net(tg.ones(3, 2)).square().mean().backward()
            log.log()
    assert [line["step"] for line in log.lines] == [1, 2, 3]
    assert all(line["lr"] is None and line["layers"]["linear"]["|dw|"] > 0 for line in log.lines)


def test_a_log_goes_on_after_a_line_that_was_cut(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(b'{"step": 1}\n{"ste')
    net = seeded_net()
    train(net, 1, watch(net, every=1, file=path))
    first, cut, last = path.read_text(encoding="utf-8").splitlines()
    assert (first, cut) == ('{"step": 1}', '{"ste') and json.loads(last)["step"] == 1


def test_what_is_not_finite_is_a_word(tmp_path):
    net, x = nn.Linear(2, 2), tg.ones(3, 2)
    optimizer = optim.SGD(net.parameters(), lr=1e20)
    with watch(net, every=1, file=tmp_path / "run.jsonl"), np.errstate(all="ignore"):
        for _ in range(5):
            optimizer.zero_grad()
            (net(x) ** 2).mean().backward()
            optimizer.step()
    words = {line["loss"] for line in lines_of(tmp_path / "run.jsonl") if isinstance(line["loss"], str)}
    assert words and words <= {"NaN", "Infinity"} and not any(np.isfinite(float(word)) for word in words)


KILLED = """
import os, sys
import tinygrad_conv as tg
from tinygrad_conv import nn, optim
net = nn.Linear(4, 1)
optimizer = optim.SGD(net.parameters(), lr=0.1)
tg.debug.watch(net, every=2, file="run.jsonl")
for step in range(9):
    optimizer.zero_grad()
    net(tg.ones(2, 4)).mean().backward()
    optimizer.step()
os._exit(1)  # as a kill does: nothing is closed or flushed
"""


@pytest.mark.exhaustive
def test_a_killed_run_leaves_whole_lines(tmp_path):
    (tmp_path / "run.py").write_text(KILLED, encoding="utf-8")
    subprocess.run([sys.executable, "run.py"], cwd=tmp_path, env=environment(), timeout=120)
    assert [line["step"] for line in lines_of(tmp_path / "run.jsonl")] == [2, 4, 6, 8]


def test_wrong_arguments_are_named(tmp_path):
    net = seeded_net()
    with pytest.raises(TypeError, match=r"^watch: model must be an nn.Module, not "):
        watch(net.parameters, file=tmp_path / "run.jsonl")
    with pytest.raises(ValueError, match="^watch: every must be at least 1, not -1"):
        watch(net, every=-1, file=tmp_path / "run.jsonl")
    with pytest.raises(TypeError, match="^watch: file must be a path, or None, not 3"):
        watch(net, file=3)
    with pytest.raises(OSError, match="nowhere"):
        watch(net, file=tmp_path / "nowhere" / "run.jsonl")
    assert not (tmp_path / "run.jsonl").exists()
    assert OBSERVATION.get() is None and not any(module._hooks for module in net.modules())


def test_a_schedule_is_seen(tmp_path):
    net, (images, labels) = seeded_net(), batch()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    with watch(net, every=1) as log:
        for _ in range(3):
            optimizer.zero_grad()
            tg.cross_entropy(net(images), labels).backward()
            optimizer.step()
            schedule.step()
    assert [line["lr"] for line in log.lines] == [0.1, 0.05, 0.025]
