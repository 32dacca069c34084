"""What things show of themselves in a notebook: HTML without a script, escaped, in bounded size."""

from __future__ import annotations

import re
import struct
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim
from tinygrad_conv.debug.notebook import markup, pictures
from tinygrad_conv.dtypes import FLOATS

from .debug_nets import article, shapes

ODD_NAME = "<w> & <script>alert('x')</script>\""
NEVER_CLOSED = {"img", "br"}


class Page(HTMLParser):
    """What stands in a piece of HTML, which must be well-formed: its cells, texts and images."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells, self.images, self.texts, self.tags, self.open = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert all(value is not None for _, value in attributes)
        assert not any(name.startswith("on") for name, _ in attributes)
        if tag not in NEVER_CLOSED:
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += text

    @property
    def text(self):
        return "\n".join(self.texts)


def page_of(shown):
    """What a notebook shows of it, without a script and in the notebook's own colours."""
    html = shown._repr_html_()
    page = Page(html)
    assert not {"script", "style", "link", "iframe"} & set(page.tags)
    assert not re.search(r"(?<![-\w])(color|background)\s*:", html)
    return page


IMAGES = [((8, 8), 1), ((3, 8, 8), 1), ((1, 8, 8), 1), ((2, 8, 8), 2), ((40, 1, 5, 5), 16), ((2, 3, 5, 5), 2)]
NO_IMAGES = [((4,), 0), ((2, 2), 0), ((), 0), ((3, 1000), 0), ((5, 0, 8), 0), ((2, 2, 3, 4, 4), 0)]


@pytest.mark.parametrize(
    "shape, images",
    [
        pytest.param(*case, marks=[pytest.mark.exhaustive] if at % 3 else [])
        for at, case in enumerate(IMAGES + NO_IMAGES)
    ],
)
def test_tensors_that_look_like_images_are_pictures(shape, images):
    x = tg.tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)
    page = page_of(x)
    assert len(page.images) == images
    assert all(image["src"].startswith("data:image/png;base64,") and image["alt"] for image in page.images)
    assert x.grad is None and tg.debug.why_no_grad(x)


def test_text_is_monospaced_and_a_batch_is_a_grid_whatever_a_notebook_s_style_says():
    x = tg.tensor(np.random.default_rng(0).standard_normal((40, 1, 8, 8)), name="<x>")
    html = x._repr_html_()
    pattern = (
        r'<pre style="font-family: monospace; white-space: pre-wrap; [^"]*">tensor\(…, float64\[40,1,8,8\]'
    )
    assert re.match(pattern, html) and html.count("&lt;x&gt;") == 2
    grid = re.search(r'<div style="display: grid; grid-template-columns: ([^;]*);[^"]*">(.*?)</div>', html)
    assert grid[1] == "repeat(auto-fill, min(96px, 100%))" and grid[2].count("<img") == 16
    assert "the first 16 of 40 pictures</small>" in html
    for shown in (x, (x.requires_grad_() * 2).grad_fn, article().loss.record()[0]):
        assert shown._repr_html_().startswith('<pre style="font-family: monospace;')
    assert "pictures" not in x[:16].detach()._repr_html_()


@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "uint8", "bool"])
@pytest.mark.parametrize(
    "shape", [(), (0,), (1,), (0, 3, 4, 4), (3, 3), (1, 1), (7, 300), (2, 3, 4, 4), (2,) * 6]
)
def test_tensors_of_every_dtype_and_shape_show_all_they_are(dtype, shape):
    x = tg.tensor(np.ones(shape, dtype))
    shown = page_of(x).text
    assert f"{np.dtype(dtype)}{tg.errors.show_shape(shape)}" in shown
    assert ("every number is" in shown) == pictures.looks_like_images(x.data)


def test_what_the_greys_mean_is_said():
    ramp = np.linspace(-1, 1, 64).reshape(8, 8)
    assert pictures.pictures(ramp).endswith("<small>black -1, white 1</small></div>")
    assert "black False, white True" in pictures.pictures(np.eye(4, dtype=bool))
    assert "every number is 3" in pictures.pictures(np.full((4, 4), 3))
    ramp[2:4, 3], ramp[5, 5] = np.nan, -np.inf
    assert "black -1, white 1; red: 3 not finite" in pictures.pictures(ramp)
    assert ">red: 16 not finite<" in pictures.pictures(np.full((4, 4), np.nan))


def test_nan_is_red_and_nothing_else_is():
    plane = np.array([[0.0, np.nan], [0.5, 1.0]])
    scale = pictures.scale_of([plane])
    image = pictures.image_of(plane, scale)
    assert image.tolist() == [[[0] * 3, list(pictures.NOT_FINITE)], [[128] * 3, [255] * 3]]
    grey = pictures.image_of(np.array([[0.0, 1.0]]), pictures.scale_of([np.array([[0.0, 1.0]])]))
    assert grey.tolist() == [[0, 255]]


@pytest.mark.parametrize("low, high", [(-1.7e308, 1.7e308), (0.0, 5e-324), (1e300, 1.1e300)])
def test_the_largest_and_smallest_numbers_have_pictures(low, high):
    plane = np.array([[low, high]])
    with np.errstate(all="raise", under="ignore"):
        assert pictures.image_of(plane, pictures.scale_of([plane])).tolist() in ([[0, 255]], [[0, 0]])


def test_pictures_of_anything():
    assert pictures.pictures(np.zeros((0, 4, 4))) == ""
    for array in (
        np.zeros((4, 4)),
        np.full((4, 4), np.nan),
        np.array([[np.inf] * 4] * 4),
        np.eye(4, dtype=bool),
    ):
        assert pictures.pictures(array).startswith('<div style="display: grid;')
        assert pictures.pictures(array).count("<img") == 1


@pytest.mark.parametrize("nans", [0, 1])
@pytest.mark.parametrize("shape", [(1024, 1024), (3, 1024, 700), (500, 64, 64), (20, 3, 224, 224)])
def test_what_a_notebook_keeps_of_a_tensor_is_bounded(shape, nans):
    noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    noise.flat[:nans] = np.nan
    shown = tg.tensor(noise)._repr_html_()
    assert len(shown) < 200_000 and "<img" in shown and "rows and columns" in shown or shape[-1] == 64


@pytest.mark.parametrize("channels", [(), (3,)])
def test_png_says_what_the_pixels_are(channels):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, *channels)).astype(np.uint8)
    file = pictures.png(image)
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
    assert page_of((x.exp() * x).grad_fn).cells == [
        "its rules read",
        "",
        "a",
        "float32[1]",
        "b",
        "float32[1]",
    ]
    assert page_of((x + 1).grad_fn).cells == []


def test_a_step_shows_its_gradients():
    step = shapes().loss.record().find("conv2d")[0]
    page = page_of(step)
    assert len(page.images) > 4 and "grad_inputs['w']: float32" in page.text


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.same = self.conv
        self.body = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Flatten(), nn.LazyLinear(4)))
        self.scale = nn.Parameter(tg.ones(5))
        self.conv.bias.requires_grad = False


def test_a_net_is_a_tree_with_what_its_layers_hold():
    page = page_of(Net().eval())
    rows = [page.cells[at : at + 4] for at in range(0, len(page.cells), 4)]
    assert rows[0] == ["layer", "what it is", "its parameters", "numbers"]
    assert rows[1] == ["the whole", "Net", "scale float32[5]", "5"]
    assert rows[2][2:] == ["weight float32[2,1,3,3], bias float32[2] (frozen)", "20"]
    names = [row[0].replace("\u00a0", " ") for row in rows[2:]]
    assert names == ["  conv", "  same", "  body", "    0", "    1", "      0", "      1"]
    assert rows[-1][2:] == ["weight not known yet, bias not known yet", ""]
    assert "Net: 25 parameters, 23 of them trained, 100 B; in eval() mode" in page.text


def test_a_single_layer_is_a_line():
    assert page_of(nn.ReLU()).texts == ["ReLU()"]
    assert (
        "weight float32[4,3], bias float32[4]; Linear: 16 parameters, 64 B" in page_of(nn.Linear(3, 4)).text
    )
    assert page_of(nn.LazyLinear(4).weight).texts == ["UninitializedParameter(float32)"]


def test_what_a_class_says_of_itself_is_shown():
    class Own(nn.Module):
        def __repr__(self):
            return ODD_NAME

    assert page_of(Own()).texts == [ODD_NAME]
    assert ODD_NAME.split()[0] in page_of(nn.Sequential(Own())).text


def test_long_tables_leave_out_their_middle():
    page = page_of(nn.Sequential(*(nn.ReLU() for _ in range(500))))
    assert "… 441 more …" in page.text and len(page.cells) < 4 * (markup.ROWS + 2)


def test_a_summary_is_a_table():
    page = page_of(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()).summary((1, 1, 8, 8)))
    assert page.cells[:8] == [*page.cells[:6], "sequential.0", "Conv2d"] and "multiply-adds: 648" in page.text


def test_sizes_times_and_checks_are_tables():
    recording = article().loss.record()
    assert page_of(recording.flow()).cells[:2] == ["op", "layer"]
    assert "all agree" in page_of(recording.check()).text
    with tg.profile() as profiled:
        article().loss.backward()
    assert {"conv2d", "(outside of layers)"} <= set(page_of(profiled).cells)
    with tg.profile() as empty:
        pass
    assert page_of(empty).cells[0] == "op"


def train(softmax):
    layers = [nn.Flatten(), nn.Linear(64, 2), *([nn.Softmax(1)] if softmax else [])]
    net = nn.Sequential(*layers)
    images, labels = data.bars(32, seed=0)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    return tg.debug.doctor(net, images, labels, loss_fn=tg.cross_entropy, optimizer=optimizer)


def test_the_doctor_shows_findings_and_the_flow():
    doctor = train(softmax=True)
    page = page_of(doctor)
    assert "1 finding, the worst first" in page.text and "sequential.1" in page.cells
    finding = doctor.findings[0]
    assert finding.what in page.text and finding.what in page_of(finding).text
    assert repr(finding).startswith(f"<fault {finding.kind}: {finding.what}, tests/test_notebook_shows.py:")
    healthy = page_of(train(softmax=False))
    assert "nothing wrong" in healthy.text
    assert page_of(tg.debug.doctor(nn.ReLU()).flow).texts == ["no backward has passed a layer with a weight"]


@pytest.mark.parametrize(
    "make", [lambda x: x, lambda x: (x * 2).grad_fn, lambda x: (x * 2).sum().record()[0]]
)
def test_names_are_escaped(make):
    x = tg.tensor(np.eye(5), requires_grad=True, name=ODD_NAME)
    page_of(make(x))


def test_where_frames_are_taken_away_text_is_left():
    w = tg.tensor([1.0], requires_grad=True, name=ODD_NAME)
    loss = (w * 2.0).sum()
    net = nn.Linear(2, 1)
    with tg.debug.film(net, every=1) as film:
        for _ in range(30):
            film.frame()
    other = (tg.tensor([2.0], requires_grad=True, name=ODD_NAME) * 2.0).sum().record()
    for shown in (loss.tape(), loss.record(), film, loss.record().diff(other)):
        html = shown._repr_html_()
        assert html.startswith("<iframe") and ODD_NAME not in html
        left = Page(re.sub("(?s)<iframe.*</iframe>", "", html))
        assert set(left.tags) == {"details", "summary", "pre"}
        assert left.texts[0].endswith(", as text") and len(left.text) < 5000
        assert repr(shown).splitlines()[0] in left.text
