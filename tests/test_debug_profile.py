"""`tg.profile()`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg

from .debug_nets import PROGRAMS, article, shapes


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_every_op_is_noted_forward_and_backward(program):
    usual = program()
    usual.loss.backward()
    with tg.profile() as profile:
        loss, leaves = program()
        tape = loss.tape()
        loss.backward()
    recorded = [line.op for line in tape]
    assert [event.op for event in profile.events if event.backward] == recorded[::-1]
    forward = [event.op for event in profile.events if not event.backward]
    assert [op for op in forward if op in recorded] == recorded
    assert all(event.seconds >= 0 and event.allocated >= 0 for event in profile.events)
    starts = [event.start for event in profile.events]
    assert starts == sorted(starts)
    for name, leaf in leaves.items():
        np.testing.assert_array_equal(leaf.grad, usual.leaves[name].grad)


def test_bytes_are_counted():
    x = tg.tensor(np.ones((10, 10), np.float32), requires_grad=True)
    with tg.profile() as profile:
        y = x.exp()  # saves its result
        z = y * y  # saves what is kept already
        z.T.sum().backward()  # a view allocates nothing
    events = {(event.op, event.backward): event for event in profile.events}
    assert (events["exp", False].allocated, events["exp", False].saved) == (400, 400)
    assert (events["mul", False].allocated, events["mul", False].saved) == (400, 0)
    assert events["permute", False].allocated == 0
    assert events["mul", True].allocated == 800 and events["exp", True].allocated == 400


def test_memory_that_is_free_again_is_counted_again():
    x = tg.tensor(np.ones(100, np.float32), requires_grad=True)
    with tg.profile() as profile:
        for _ in range(3):
            x.exp().sum().backward()
    assert [event.saved for event in profile.events if event.op == "exp" and not event.backward] == [400] * 3


def test_kernels_are_named():
    with tg.profile() as profile, tg.use_kernels("reference"):
        article().loss.backward()
    named = {(event.op, event.backward): event.kernel for event in profile.events}
    assert named["conv2d", False] == named["conv2d", True] == "reference" and named["sub", False] == ""


def test_tables():
    with tg.profile() as profile:
        shapes().loss.backward()
    head, *rows = profile.table("layer").split("\n")
    assert head.split()[0] == "layer"
    assert {row.split()[0] for row in rows} >= {"shapesnet.conv1", "shapesnet.conv2", "shapesnet.fc"}
    conv = next(row for row in profile.table("op").split("\n") if row.startswith("conv2d"))
    assert conv.split()[1] == "2+2"
    assert "debug_nets.py:" in profile.table("place") and "conv2d" in repr(profile)
    with pytest.raises(ValueError, match="op, layer, place"):
        profile.table("module")


def test_an_empty_profile():
    with tg.profile() as profile:
        pass
    assert profile.events == [] and "forward ms" in repr(profile)


def test_the_trace_file(tmp_path: Path):
    with tg.profile() as profile:
        shapes().loss.backward()
    profile.save(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert len(events) == len(profile.events) and events[0]["ts"] == 0
    for event in events:
        assert event["ph"] == "X" and event["dur"] >= 0 and event["cat"] in ("forward", "backward")
    assert any(event["args"]["layer"] == "shapesnet.conv1" for event in events)
