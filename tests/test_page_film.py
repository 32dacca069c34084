"""The pages of a film and of two recordings side by side: what is in the files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.debug.page.difference import aligned
from tinygrad_conv.debug.page.difference import html as difference_html
from tinygrad_conv.debug.page.film import html as film_html
from tinygrad_conv.debug.training.film import film

from .debug_nets import PROGRAMS, ShapesNet, article, crooked, shapes
from .test_page import ODD_NAME, PROJECT, contents, decoded
from .training_programs import batch, seeded_net, train

ASKING = re.compile(r"https?://|\bsrc=|\bhref=|@import|url\(")


@pytest.fixture(scope="module")
def filmed():
    net = seeded_net()
    with film(net, every=2, sample=batch()[0][:1]) as shown:
        train(net, 9)
    return shown


def other_run(change):
    """The run of `shapes` again, with something else in it."""
    tg.manual_seed(0)
    net, rng = ShapesNet(), np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((3, 1, 12, 12)).astype(np.float32), name="images")
    change(net)
    return tg.mse_loss(net(x), tg.tensor(np.eye(4, dtype=np.float32)[:3])).record()


def another_weight(net):
    net.conv2.weight.data[2, 1, 0, 2] += 0.5


def another_op(net):
    net.forward = lambda x: net.fc(
        tg.tanh(tg.flatten(tg.max_pool2d(tg.relu(net.conv1(x)), 2)[:, :, :3, :3], 1))
    )
    net.fc = nn.Linear(4 * 3 * 3, 4)


@pytest.fixture(scope="module")
def parted():
    return shapes().loss.record().diff(other_run(another_weight))


def test_a_film_s_page_holds_the_very_numbers(filmed):
    data = contents(film_html(filmed))
    assert [frame["step"] for frame in data["frames"]] == [0, 2, 4, 6, 8, 9]
    for family in ("kernels", "maps"):
        for track in data[family]:
            for number, frame in zip(track["arrays"], filmed):
                np.testing.assert_array_equal(
                    decoded(data["arrays"][number]), getattr(frame, family)[track["name"]]
                )
    by_name = {layer["name"]: layer for layer in data["layers"]}
    assert by_name["head"]["dy"][1] == pytest.approx(filmed[1].moment.layers["head"].dy, rel=1e-4)
    assert by_name["relu()"]["dw"] == [None] * 6 and by_name["head"]["dy"][0] is None
    assert data["curve"]["steps"] == list(range(1, 10)) and data["note"] == ""


@pytest.mark.parametrize("name", ["film", "difference"])
def test_they_are_one_file_that_asks_for_nothing(tmp_path, filmed, parted, name):
    shown = {"film": filmed, "difference": parted}[name]
    shown.save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert not ASKING.search(page.replace("http://www.w3.org/2000/svg", ""))
    shown.to_html(tmp_path / "page.html", title=ODD_NAME)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<img" not in page and page.count("</script>") == 2
    assert contents(page)["title"] == ODD_NAME
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("name", ["film", "difference"])
def test_notebooks_get_the_same_page(filmed, parted, name):
    shown = {"film": filmed, "difference": parted}[name]
    frame = r'<iframe srcdoc="([^"]*)" style="[^"]*" sandbox="allow-scripts" title="[^"]*"></iframe>'
    assert contents(unescape(re.match(f"{frame}<details>", shown._repr_html_())[1]))["title"]


@pytest.mark.exhaustive
def test_the_size_of_a_film_s_page_is_bounded():
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3))
    images, optimizer = batch()[0], optim.SGD(net.parameters(), lr=0.01)
    with film(net, every=1, sample=images[:1]) as shown:
        for _ in range(60):
            optimizer.zero_grad()
            net(images).mean().backward()
            optimizer.step()
    assert shown.nbytes * 4 // 3 > 500_000
    page = film_html(shown, size_limit=400_000)
    data = contents(page)
    steps = [frame["step"] for frame in data["frames"]]
    assert len(page.encode()) < 400_000 and steps[0] == 0 and steps[-1] == 60 and 8 <= len(steps) < 61
    assert (
        data["note"]
        == f"Not everything is here: on this page are {len(steps)} of 61 frames, for its size is limited."
    )
    assert len(film_html(shown, size_limit=100_000).encode()) < 110_000


def test_a_film_without_a_loss_or_a_picture():
    with film(nn.ReLU()) as shown:
        pass
    data = contents(film_html(shown))
    assert data["kernels"] == data["maps"] == data["layers"] == [] and len(data["frames"]) == 1
    with film(nn.Sequential(nn.LazyLinear(3))) as shown:
        pass
    assert contents(film_html(shown))["kernels"] == []


def test_without_javascript_there_are_lists(filmed, parted):
    plain = re.search(r"<ol>(.*?)</ol>", film_html(filmed), re.DOTALL)[1]
    assert plain.count("<li>") == 6 and "step 9" in plain and f"loss {filmed[1].moment.loss:.5g}" in plain
    plain = re.search(r"<ol>(.*?)</ol>", difference_html(parted), re.DOTALL)[1]
    assert plain.count("<li>") == 9 and plain.count("forward parts") == 6


@pytest.mark.exhaustive
def test_a_kernel_turns_into_sobel_s(tmp_path):
    script, package = PROJECT / "examples" / "learn_a_kernel.py", Path(tg.__file__).resolve().parent.parent
    command = [sys.executable, str(script)]
    options = {"cwd": tmp_path, "capture_output": True, "text": True, "check": True}
    options["env"] = {**os.environ, "PYTHONPATH": str(package)}
    done = subprocess.run([*command, "--html", "film.html"], **options)
    assert "largest difference: " in done.stdout
    data = contents((tmp_path / "film.html").read_text(encoding="utf-8"))
    sobel = np.float32([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    distances = [
        np.abs(decoded(data["arrays"][number])[0, 0] - sobel).max() for number in data["kernels"][0]["arrays"]
    ]
    assert len(distances) == 51 and distances[0] > 1 and distances[-1] < 1e-3
    assert (tmp_path / "film.html").stat().st_size < 300_000


def test_a_difference_s_page_holds_both_runs(parted):
    data = contents(difference_html(parted))
    assert data["first"] == 3 and data["what"] == "inputs['w']" and data["index"] == [2, 1, 0, 2]
    assert [row["forward"] for row in data["rows"]] == ["agrees"] * 3 + ["parts"] * 6
    value = next(value for value in data["rows"][3]["values"] if value["name"] == "inputs['w']")
    mine, other, gap = (decoded(data["arrays"][number]) for number in value["arrays"])
    np.testing.assert_array_equal(mine, parted.runs[0][3].inputs["w"])
    np.testing.assert_array_equal(other, parted.runs[1][3].inputs["w"])
    np.testing.assert_array_equal(gap, mine - other)
    assert value["count"] == 1 and value["apart"] and value["largest"] == pytest.approx(0.5)


def test_other_ops_stand_beside_each_other():
    mine, other = shapes().loss.record(), other_run(another_op)
    parted = mine.diff(other)
    data = contents(difference_html(parted))
    pairs = [(row["mine"].partition("(")[0], row["other"].partition("(")[0]) for row in data["rows"]]
    assert pairs[:3] == [
        ("%1 = conv2d", "%1 = conv2d"),
        ("%2 = relu", "%2 = relu"),
        ("%3 = max_pool2d", "%3 = max_pool2d"),
    ]
    assert {step for pair in pairs for step in pair if step} >= {"%9 = mse_loss", "%6 = tanh"}
    assert parted.step in [step for pair in aligned(mine, other) for step in pair]
    row = data["rows"][data["first"]]
    assert row["only"] or row["forward"] == "parts"


@pytest.mark.parametrize("program", PROGRAMS)
def test_runs_that_part_in_their_numbers(program):
    first = program().loss.record()
    second = program().loss.record()
    assert first.diff(second) is None
    leaf = next(iter(second.leaves))
    for step in second:
        for name, source in step.sources.items():
            if source == leaf:
                step.inputs[name][...] += 1.0
    data = contents(difference_html(first.diff(second)))
    assert data["rows"][data["first"]]["forward"] == "parts" and len(data["rows"]) == len(first)


def test_odd_values_beside_each_other():
    def run(number, dim):
        x = tg.tensor([[1.0, number], [np.nan, np.inf]], requires_grad=True)
        return (x * x).sum(dim).sum().record()

    shapes_differ = run(2.0, 0).diff((tg.tensor([3.0], requires_grad=True) * 2.0).sum(0).sum().record())
    for parted in (run(2.0, 0).diff(run(np.inf, 0)), run(2.0, 0).diff(run(2.0, 1)), shapes_differ):
        page = difference_html(parted)
        data = contents(page)  # which refuses NaN
        assert json.dumps(data, allow_nan=False) and data["rows"]


@pytest.mark.exhaustive
def test_a_difference_is_as_small_as_it_is_asked_to_be():
    def run(shift):
        rng = np.random.default_rng(0)
        x = tg.Tensor(rng.standard_normal((64, 16, 20, 20)) + shift, requires_grad=True)
        return (x.relu() ** 2).sum().record()

    page = difference_html(run(0.0).diff(run(0.1)), size_limit=400_000)
    assert len(page.encode()) < 400_000


@pytest.mark.exhaustive
def test_long_runs_around_where_they_part():
    def run(at):
        y = tg.tensor([1.0], requires_grad=True)
        for number in range(1020):
            y = y * (2.0 if number == at else 1.0)
        return y.sum().record()

    data = contents(difference_html(run(None).diff(run(1000))))
    assert len(data["rows"]) == 1000 and data["left_out"] == 21
    assert data["rows"][data["first"]]["number"] == 1001


def test_the_text_is_as_before():
    parted = article().loss.record().diff(crooked().loss.record())
    assert repr(parted).startswith("%2 sub: op is sub here, batch_norm there   tests/debug_nets.py:25")
    assert str(parted) == repr(parted)
