"""How large the numbers of a backward are, as `print(rec)` and the stepper's `flow` show it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.debug.flow import LEGEND, SHOWN, ratio, share_of_zeros, show_share, size
from tinygrad_conv.debug.record import Recording

from .debug_nets import PROGRAMS, article, crooked, many_ops, shapes
from .step_programs import ARTICLE, NET


def rms(array):
    return np.sqrt(np.mean(np.square(array.astype(np.float64))))


def test_the_article_s_table(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    recording = article().loss.record()
    assert str(recording).splitlines() == [
        "<recording of 5 ops and 2 leaves, 0.0 MB>",
        "op         layer   |y|  zeros  |dy|  |dw|  |dw|/|w|",
        "%1 conv2d         2.06   25 %  1.32  3.77      5.34",
        "%2 sub            1.32    0 %  1.32",
        "%3 pow            2.18    0 %   0.5",
        "%4 sum               7    0 %   0.5",
        "%5 mul             3.5    0 %     1",
        LEGEND,
    ]
    assert repr(recording) == "<recording of 5 ops and 2 leaves, 0.0 MB>"


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_numbers_are_those_of_the_steps(program):
    recording = program().loss.record()
    for flow, step in zip(recording.flow(), recording):
        assert (flow.number, flow.op, flow.layer) == (step.number, step.op, step.where.layer)
        assert flow.y == pytest.approx(rms(step.output))
        assert flow.dy == pytest.approx(rms(step.grad_output))
        assert flow.zeros == np.mean(step.output == 0)
        if step.op in ("conv2d", "linear"):
            assert flow.dw == pytest.approx(rms(step.grad_inputs["w"]))
            assert flow.relative == pytest.approx(rms(step.grad_inputs["w"]) / rms(step.inputs["w"]))
        elif step.op in ("relu", "max_pool2d", "cat"):
            assert flow.dw is None and flow.relative is None


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 200])
@pytest.mark.parametrize("program", [shapes, crooked, lambda: type("", (), {"loss": many_ops()})])
def test_it_is_never_wider_than_the_terminal(monkeypatch, width, program):
    monkeypatch.setenv("COLUMNS", str(width))
    recording = program().loss.record()
    lines = str(recording.flow()).splitlines()
    least = 14  # two names and a gap; numbers are left out before
    assert max(map(len, lines)) <= max(width, least)
    assert len(lines) >= len(recording) + 2
    numbers = [cell for line in lines[1 : len(recording) + 1] for cell in line.split() if cell[0].isdigit()]
    assert all(cell.replace(".", "").replace("e-", "").isdigit() for cell in numbers)  # none is cut


def test_long_recordings_are_without_their_middle():
    y = tg.tensor([1.0], requires_grad=True)
    for _ in range(100):
        y = y * 1.5
    recording = y.sum().record()
    lines = str(recording).splitlines()
    middle = f"… {101 - SHOWN} more ops: print(rec.flow()) shows them all …"
    assert middle in lines and len(lines) == SHOWN + 3 + len(lines[SHOWN + 3 :])
    assert lines[2].startswith("%1 mul") and lines[SHOWN + 2].startswith("%101 sum")
    assert len(str(recording.flow()).splitlines()) > 101


def test_no_ops_at_all():
    nothing = Recording([], {}, {}, {})
    assert str(nothing) == repr(nothing) == "<recording of 0 ops and 0 leaves, 0.0 MB>"
    assert len(nothing.flow()) == 0 and "layer" in str(nothing.flow())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (2, 3)])
def test_sizes_of_any_array(dtype, shape):
    array = np.full(shape, 300.0, dtype)  # its square is no float16
    assert size([array]) == (pytest.approx(300.0) if array.size else None)
    assert share_of_zeros([array]) == (0.0 if array.size else None)


def test_sizes_of_odd_numbers():
    assert size([np.float64([1e200, 1e200])]) == pytest.approx(1e200)
    assert size([np.float64([1e-200])]) == pytest.approx(1e-200)
    assert math.isnan(size([np.float32([1.0, np.nan])]))
    assert size([np.float32([1.0, -np.inf])]) == math.inf
    assert size([np.array([True, False])]) == pytest.approx(math.sqrt(0.5))
    assert size([np.array([-(2**31)], np.int32)]) == 2**31
    assert size([np.zeros(3)]) == 0.0 and size([]) is None
    assert size([np.float32([3.0]), np.float32([4.0, 0.0])]) == pytest.approx(5 / math.sqrt(3))
    assert ratio(1.0, 0.0) == math.inf and ratio(0.0, 0.0) is None and ratio(None, 1.0) is None
    shares = [0.0, 1e-9, 0.004, 0.3, 0.996, 1.0, None]
    assert [show_share(share) for share in shares] == ["0 %", "<1 %", "<1 %", "30 %", ">99 %", "100 %", ""]


def test_vanishing_gradients_are_seen():
    tg.manual_seed(0)
    layers = [layer for _ in range(8) for layer in (nn.Linear(16, 16), nn.Sigmoid())]
    flows = nn.Sequential(*layers)(tg.randn(4, 16)).sum().record().flow()
    by_layer = [flow.dw for flow in flows if flow.op == "linear"]
    assert by_layer[0] < 1e-4 * by_layer[-1]


@pytest.mark.exhaustive
def test_the_stepper_prints_the_same_with_a_mark(drive):
    (_, *answers), done = drive(ARTICLE, "n", "flow", "c")
    lines = answers[1].splitlines()
    assert [line[:3] for line in lines[:4]] == ["op ", "   ", "-> ", "   "]
    assert lines[2].split()[1:3] == ["%2", "mse_loss"] and "|dw|/|w|" in lines[0]
    assert done.returncode == 0 and done.stderr == ""


FILMED = """
import tinygrad_conv as tg
from tinygrad_conv import nn, optim
net = nn.Conv2d(1, 2, 3)
optimizer = optim.SGD(net.parameters(), lr=0.1)
with tg.debug.film(net, every=1):
    for step in range(3):
        (net(tg.ones(1, 1, 5, 5)) ** 2).mean().backward()
        optimizer.step()
"""


@pytest.mark.exhaustive
def test_the_stepper_knows_films_and_the_doctor(drive, tmp_path):
    (_, *answers), _ = drive(NET, "film", "doctor", "help flow", "c")
    assert "with tg.debug.film(net, every=10" in answers[0]
    assert "python -m tinygrad_conv doctor SCRIPT" in answers[1]
    assert answers[2].startswith("flow [all]: how large the numbers are")
    (_, *answers), done = drive(FILMED, "film", "film so_far.html", "c", options=["--nth", "3"])
    assert answers[0] == "<film of 3 frames, steps 0 to 2, every step, 0.0 MB>\n"
    assert answers[1].startswith("wrote so_far.html") and (tmp_path / "so_far.html").exists()
    assert done.returncode == 0 and done.stderr == ""
