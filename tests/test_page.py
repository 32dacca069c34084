"""The page of a recording: what is in the file. What a person sees and can do there: test_page_browser.py."""

from __future__ import annotations

import base64
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
from tinygrad_conv.debug.page import SCRIPTS, embedded, html
from tinygrad_conv.debug.page.arrays import KINDS, Arrays, corner
from tinygrad_conv.debug.page.frame import lean, read
from tinygrad_conv.debug.record import Recording

from .debug_nets import PROGRAMS, article, shapes

PROJECT = Path(__file__).resolve().parent.parent
ODD_NAME = "</script><img src=x onerror=\"document.title='hacked'\"> $title"


def contents(page):
    """The data in a page."""
    return json.loads(
        re.search(r'<script type="application/json" id="contents">(.*?)</script>', page, re.DOTALL)[1]
    )


def decoded(stored):
    numbers = np.frombuffer(
        base64.b64decode(stored["data"]), np.dtype(KINDS[stored["kind"]]).newbyteorder("<")
    )
    return numbers.reshape(stored["kept"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_holds_the_very_numbers(program):
    recording = program().loss.record()
    data = contents(html(recording))
    assert [step["op"] for step in data["steps"]] == [step.op for step in recording]
    for shown, step in zip(data["steps"], recording):
        pairs = [(shown["outputs"][0]["value"], step.output), (shown["outputs"][0]["grad"], step.grad_output)]
        if step.op != "cat":
            pairs += [(entry["grad"], step.grad_inputs.get(entry["name"])) for entry in shown["inputs"]]
        for number, array in pairs:
            assert (number is None) == (array is None)
            if array is not None:
                np.testing.assert_array_equal(decoded(data["arrays"][number]), array)


def test_it_is_one_file_that_asks_for_nothing(tmp_path):
    shapes().loss.record().to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    frame = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|\bsrc=|\bhref=|@import|url\(", frame)


def test_the_scripts_can_be_embedded_without_their_indentation():
    for name in SCRIPTS:
        lines = read(name).splitlines()
        assert all(line.count("`") % 2 == 0 for line in lines), name  # a text of several lines would change
    assert len(lean(read("player.js"))) < len(read("player.js")) and lean("a\n\n  // b\n  c") == "a\nc"


def test_large_arrays_are_thinned_to_the_limit():
    images = np.random.default_rng(0).standard_normal((64, 16, 20, 20))
    recording = (tg.Tensor(images, requires_grad=True).relu() ** 2).sum().record()
    page = html(recording, size_limit=500_000)
    assert len(page.encode()) < 500_000
    stored = contents(page)["arrays"]
    assert any(array["kept"] != array["shape"] for array in stored)
    number = contents(page)["steps"][0]["outputs"][0]["value"]
    first, *rest = stored[number]["kept"]
    assert rest == [16, 20, 20] and 1 <= first < 64
    np.testing.assert_array_equal(decoded(stored[number]), recording[0].output[:first])


@pytest.mark.parametrize(
    ("shape", "most", "kept"),
    [
        ((8, 4, 5), 40, (2, 4, 5)),
        ((8, 4, 5), 10, (1, 2, 5)),
        ((7,), 3, (3,)),
        ((), 1, ()),
        ((0, 3), 1, (0, 3)),
        ((2, 2), 9, (2, 2)),
    ],
)
def test_the_leading_corner_is_kept(shape, most, kept):
    assert corner(shape, most) == kept


def test_arrays_are_stored_once_and_exactly():
    arrays = Arrays()
    odd = np.array([0.1, np.nan, np.inf, -0.0], np.float64)
    added = odd, odd.copy(), np.eye(2), None, np.float32([0.1])
    assert [arrays.add(array) for array in added] == [0, 0, 1, None, 2]
    stored = arrays.encoded(10_000)
    assert [array["kind"] for array in stored] == ["f8", "i1", "f4"]
    np.testing.assert_array_equal(decoded(stored[0]), odd)
    assert (stored[0]["low"], stored[0]["high"], stored[0]["nonfinite"]) == (0.0, 0.1, 2)


def test_without_javascript_there_is_a_list():
    recording = article().loss.record()
    plain = re.search(r"<ol reversed>(.*?)</ol>", html(recording), re.DOTALL)[1]
    assert [int(number) for number in re.findall(r"<code>%(\d+) = ", plain)] == [5, 4, 3, 2, 1]
    assert "%1 = conv2d(x, w)" in plain and "[[[[2., 3.], [0., 2.]]]]" in plain


def test_names_are_escaped():
    x = tg.tensor([1.0, 2.0], requires_grad=True, name=ODD_NAME)
    page = html((x * 2).sum().record(), title=ODD_NAME)
    assert "<img" not in page and page.count("</script>") == 2
    assert contents(page)["leaves"].keys() == {ODD_NAME}


@pytest.mark.parametrize("program", PROGRAMS)
def test_notebooks_get_the_same_page(program):
    loss = program().loss
    for shown in (loss.record(), loss.tape()):
        assert embedded(shown) == shown._repr_html_()
        frame = r'<iframe srcdoc="([^"]*)" style="[^"]*" sandbox="allow-scripts" title="[^"]*"></iframe>'
        page = unescape(re.match(f"{frame}<details>", embedded(shown))[1])
        assert len(contents(page)["steps"]) == len(loss.tape())


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_dtypes(dtype):
    x = tg.Tensor(np.linspace(-2, 2, 3 * 1000).reshape(3, 1000).astype(dtype), requires_grad=True)
    data = contents(html((tg.softmax(tg.relu(x), dim=1) * x).sum().record()))
    assert {data["arrays"][step["outputs"][0]["value"]]["dtype"] for step in data["steps"]} == {
        np.dtype(dtype).name
    }


def test_a_recording_with_an_op_that_is_not_declared_here():
    recording = article().loss.record()
    recording[2].op = "an_op_from_elsewhere"
    step = contents(html(recording))["steps"][2]
    assert step["op"] == "an_op_from_elsewhere" and step["inputs"][0]["products"] is None


def test_what_a_line_of_a_tape_reads_is_written_whole():
    scores = tg.tensor(np.zeros((8, 3), np.float32), requires_grad=True, name="scores")
    picked = tg.gather(scores, 1, np.zeros((8, 1), np.int64))
    joined = tg.cat([picked, tg.ones(8, 2, requires_grad=True), scores], dim=1)
    steps = contents(html(tg.cross_entropy(joined, np.arange(8) % 6).tape()))["steps"]
    read = [[entry["label"] for entry in step["inputs"]] for step in steps]
    assert read[1] == ["%1", "float32[8,2]", "scores"] and read[2][0] == "%2"
    assert all(label.count("[") == label.count("]") for labels in read for label in labels)
    assert "int64[8" not in read[2] and any("[8" in label for label in read[2][1:])
    assert steps[1]["inputs"][0]["source"] == [1, 0]


TITLES = [
    (1, "1 op"),
    (2, "2 ops"),
    pytest.param(1200, "1,200 ops", marks=pytest.mark.exhaustive),
]


@pytest.mark.parametrize(("count", "title"), TITLES)
def test_titles_are_singular_and_plural(count, title):
    y = tg.tensor([1.0], requires_grad=True)
    for _ in range(count):
        y = y * 1.0
    assert f"<title>A tape of {title}</title>" in html(y.tape())
    assert f"<title>A backward through {title}</title>" in html(y.record(tg.ones(1)))


@pytest.mark.exhaustive
def test_long_and_empty_programs():
    x = tg.tensor([1.0], requires_grad=True)
    y = x
    for _ in range(1100):
        y = y * 1.0
    data = contents(html(y.sum().record()))
    assert len(data["steps"]) == 1000 and data["left_out"] == 101
    assert contents(html(Recording([], {}, {}, {})))["steps"] == []


EXAMPLES = [
    ("article", []),
    pytest.param("train_shapes", ["--epochs", "1"], marks=pytest.mark.exhaustive),
]


@pytest.mark.parametrize(("example", "options"), EXAMPLES)
def test_the_examples_write_pages_of_less_than_a_megabyte(tmp_path, example, options):
    script, package = PROJECT / "examples" / f"{example}.py", Path(tg.__file__).resolve().parent.parent
    command = [sys.executable, str(script), *options, "--html", "page.html"]
    subprocess.run(
        command, check=True, cwd=tmp_path, capture_output=True, env={**os.environ, "PYTHONPATH": str(package)}
    )
    assert (tmp_path / "page.html").stat().st_size < 1_000_000
    data = contents((tmp_path / "page.html").read_text(encoding="utf-8"))
    conv = next(step for step in data["steps"] if step["op"] == "conv2d")
    weight = next(entry for entry in conv["inputs"] if entry["name"] == "w")
    dw = decoded(data["arrays"][weight["grad"]])
    assert dw.shape[-2:] == tuple(conv["window"]["kernel"]) and dw.any()
    if example == "article":
        np.testing.assert_array_equal(dw[0, 0], [[6, 2], [1, 4]])
        of_k = [step for step in data["steps"] if step["op"] == "conv2d"][1]
        dx = decoded(data["arrays"][of_k["inputs"][0]["grad"]])
        np.testing.assert_array_equal(dx[0, 0], [[1, 4, 4], [2, 9, 10], [-3, -1, 4]])
