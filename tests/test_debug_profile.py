"""`tg.profile()`, and what notebooks show."""

from __future__ import annotations

import json
import re
import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug import html

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


class Tags(HTMLParser):
    """The text of the cells, and the sources of the images."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells, self.images, self.inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.inside = tag in ("td", "th")
        if tag == "img":
            self.images.append(dict(attributes)["src"])

    def handle_data(self, data):
        if self.inside:
            self.cells.append(data)
        self.inside = False


def test_a_tape_is_a_page_in_a_notebook():
    w = tg.tensor([1.0], requires_grad=True, name="<w>")
    text = (w * 2.0).tape()._repr_html_()
    assert text.startswith("<iframe") and "<w>" not in text and "mul(" in text


IMAGES = [((8, 8), 1), ((3, 8, 8), 1), ((1, 8, 8), 1), ((2, 8, 8), 2), ((40, 1, 5, 5), 16), ((2, 3, 5, 5), 2)]
NO_IMAGES = [((4,), 0), ((2, 2), 0), ((), 0)]


@pytest.mark.parametrize("shape, images", IMAGES + NO_IMAGES)
def test_tensors_that_look_like_images_are_pictures(shape, images):
    x = tg.tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)
    page = Tags(x._repr_html_())
    assert len(page.images) == images and all(
        source.startswith("data:image/png;base64,") for source in page.images
    )
    assert x.grad is None


def test_text_is_monospaced_and_a_batch_is_a_grid_whatever_a_notebook_s_style_says():
    x = tg.tensor(np.random.default_rng(0).standard_normal((40, 1, 8, 8)), name="<x>")
    page = x._repr_html_()
    assert re.match(r'<pre style="font-family: monospace; white-space: pre; [^"]*">tensor\(', page)
    grid = re.search(r'<div style="display: grid; grid-template-columns: ([^;]*);[^"]*">(.*?)</div>', page)
    assert grid[1] == "repeat(auto-fill, min(96px, 100%))" and grid[2].count("<img") == 16
    assert page.endswith("<small>the first 16 of 40 pictures</small>")
    for shown in (x, (x.requires_grad_() * 2).grad_fn, article().loss.record()[0]):
        assert shown._repr_html_().startswith('<pre style="font-family: monospace;')
    assert "<small>" not in x[:16].detach()._repr_html_()


def test_pictures_of_anything():
    assert html.pictures(np.zeros((0, 4, 4))) == ""
    for array in (
        np.zeros((4, 4)),
        np.full((4, 4), np.nan),
        np.array([[np.inf] * 4] * 4),
        np.eye(4, dtype=bool),
    ):
        assert html.pictures(array).startswith('<div style="display: grid;')
        assert html.pictures(array).count("<img") == 1


@pytest.mark.parametrize("channels", [(), (3,)])
def test_png_says_what_the_pixels_are(channels):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, *channels)).astype(np.uint8)
    file = html.png(image)
    assert file.startswith(b"\x89PNG\r\n\x1a\n")
    position, chunks = 8, {}
    while position < len(file):
        length, chunk_type = struct.unpack(">I4s", file[position : position + 8])
        data = file[position + 8 : position + 8 + length]
        assert struct.unpack(">I", file[position + 8 + length : position + 12 + length])[0] == zlib.crc32(
            chunk_type + data
        )
        chunks[chunk_type], position = data, position + 12 + length
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (7, 5, 8, 2 if channels else 0, 0, 0, 0)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(5, -1)
    np.testing.assert_array_equal(rows[:, 1:].reshape(image.shape), image)
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]


def test_a_node_shows_what_it_keeps():
    x = tg.tensor([1.0], requires_grad=True)
    tags = Tags(html.show_node((x.exp() * x).grad_fn))
    assert tags.cells == ["its rules read", "a", "float32[1]", "b", "float32[1]"]


def test_a_step_shows_its_gradients():
    step = shapes().loss.record().find("conv2d")[0]
    page = step._repr_html_()
    assert page.count("<img") > 4 and "grad_inputs[&#x27;w&#x27;]" in page
