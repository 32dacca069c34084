"""How the page of a recording is laid out in a real browser: widths, colours, what stays and what is said."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug.page import html

from .browser import find, press, text, texts, until
from .debug_nets import article, crooked, many_ops, residual, shapes
from .test_page import PROJECT

OVERFLOWING = """
    const scrolled = (element) => element.closest(".scroll, #list, #graph, .why");
    const edge = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll("#player *")].filter((element) =>
        element.getBoundingClientRect().right > edge + 1 && [null, element].includes(scrolled(element)));
    const graph = document.querySelector("#graph"), drawing = graph.querySelector("svg");
    const { x, width } = drawing.getBBox();
    return [
        ...wide.map((element) => element.outerHTML.slice(0, 80)),
        ...(document.documentElement.scrollWidth > edge ? ["the page"] : []),
        ...(graph.scrollWidth > graph.clientWidth ? ["the graph"] : []),
        ...(x < 0 || x + width > drawing.viewBox.baseVal.width ? ["what is drawn in the graph"] : []),
    ];
"""


def shapes_of_the_example():
    """The net of examples/train_shapes.py, with a batch of its images."""
    example = runpy.run_path(str(PROJECT / "examples" / "train_shapes.py"))
    tg.manual_seed(0)
    images, labels = tg.data.shapes(32, seed=0)
    scores = example["Net"](size=16, classes=4)(images)
    return tg.mse_loss(scores, np.eye(4, dtype=np.float32)[labels.data])


@pytest.fixture
def window_of(chromium):
    """Gives the browser's window a width."""
    before = chromium.get_window_size()
    yield lambda width: chromium.set_window_size(width, 1000)
    chromium.set_window_size(before["width"], before["height"])


@pytest.mark.browser
@pytest.mark.parametrize("width", [900, 1400])
@pytest.mark.parametrize(
    "loss", [shapes_of_the_example, lambda: crooked().loss], ids=["the shapes CNN", "crooked"]
)
def test_nothing_is_wider_than_the_window_on_any_step(visit, window_of, width, loss):
    window_of(width)
    recording = loss().record()
    browser = visit(recording)
    assert width - 40 <= browser.execute_script("return window.innerWidth") <= width
    for step in reversed(recording):
        assert text(browser, "#step h2").startswith(f"%{step.number} {step.op}")
        assert browser.execute_script(OVERFLOWING) == [], step
        for tab in range(len(texts(browser, ".tabs button"))):
            browser.execute_script("document.querySelectorAll('.tabs button')[arguments[0]].click()", tab)
            assert browser.execute_script(OVERFLOWING) == [], (step, tab)
        browser.execute_script("document.querySelector('#next').click()")
    for leaf in recording.leaves:
        browser.execute_script(
            "document.querySelector(arguments[0]).dispatchEvent(new Event('click'))",
            f'svg [aria-label="leaf {leaf}"]',
        )
        assert text(browser, "#step h2").startswith(leaf)
        assert browser.execute_script(OVERFLOWING) == [], leaf


BEHIND_A_SCROLL_BAR = """
    const hidden = (box) => box.scrollWidth > box.clientWidth + 1 && box.scrollHeight > box.clientHeight;
    const room = document.querySelector("#step").clientWidth / 2;
    return [...document.querySelectorAll("#step .scroll")]
        .filter((box) => hidden(box) && box.scrollWidth < room)
        .map((box) => `${box.parentElement.innerText.slice(0, 40)}: ${box.scrollWidth} > ${box.clientWidth}`);
"""


@pytest.mark.browser
def test_the_bar_that_scrolls_an_array_does_not_hide_its_last_column(visit, window_of):
    window_of(1400)
    recording = shapes_of_the_example().record()
    browser = visit(recording)
    for step in reversed(recording):
        assert browser.execute_script(BEHIND_A_SCROLL_BAR) == [], step
        browser.execute_script("document.querySelector('#next').click()")


@pytest.mark.browser
def test_factors_and_their_product_stand_in_one_row_beside_the_curve(visit, window_of):
    window_of(1400)
    browser = visit(shapes_of_the_example().record())
    assert text(browser, "#step h2").startswith("%9 mse_loss")
    tops = browser.execute_script("""
        return [...document.querySelectorAll(".beside-curve .arrays:last-child > *")]
            .map((part) => part.getBoundingClientRect().top);
    """)
    assert len(tops) == 3 and len({*tops}) == 1


EVERY_STEP = f"""
    const wider = () => {{ {OVERFLOWING} }}, found = [];
    const look = (what) => wider().forEach((element) => found.push(`${{what}}: ${{element}}`));
    for (const step of player.page.steps) {{
        player.go(player.page.steps.indexOf(step));
        look(step.call);
        for (const role of player.view?.roles ?? []) {{
            player.view.choose(role);
            player.view.move(1e9); // where the stamps say most
            look(`${{step.call}}, ${{role}}`);
        }}
        const input = step.inputs.find((input) => input.grad !== null);
        player.explainInput(input, player.page.array(input.grad).kept.map(() => 0));
        look(`${{step.call}}, the products of ${{input.name}}`);
    }}
    for (const leaf of Object.keys(player.page.leaves)) {{
        player.goToLeaf(leaf);
        look(leaf);
    }}
    player.toggleOverview();
    look("the overview");
    return found;
"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [800, pytest.param(1100, marks=pytest.mark.exhaustive), 1400])
def test_a_net_of_all_layers_fits_into_every_width(visit, window_of, width):
    window_of(width)
    recording = residual().loss.record()
    browser = visit(recording)
    assert width - 20 <= browser.execute_script("return window.innerWidth") <= width
    assert browser.execute_script(EVERY_STEP) == []


UNREADABLE = """
    const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
    const light = (colour) => {
        const [red, green, blue] = numbers(colour).slice(0, 3).map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ground = (element) => {
        const colour = getComputedStyle(element).backgroundColor;
        return element.parentElement && numbers(colour)[3] === 0 ? ground(element.parentElement) : colour;
    };
    const contrast = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((left, right) => left - right);
        return (high + 0.05) / (low + 0.05);
    };
    const isText = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim();
    const written = (element) => [...element.childNodes].some(isText);
    return [...document.querySelectorAll("#player *")]
        .filter((element) => written(element) && element.checkVisibility() && !element.disabled)
        .map((element) => [element, element.namespaceURI.endsWith("svg") ? "fill" : "color"])
        .filter(([element, key]) => contrast(getComputedStyle(element)[key], ground(element)) < 4.5)
        .filter(([element]) => !element.closest("#graph .current"))
        .map(([element]) => element.outerHTML.slice(0, 120));
"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_light_and_dark(visit, scheme):
    recording = residual().loss.record()
    conv = recording.find("conv2d", name="*grouped")[0].number
    browser = visit(recording)
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    try:
        for address in (f"step={conv}&view=stamps", f"step={conv}&view=X", "overview"):
            browser.execute_script(
                "location.hash = arguments[0]; player.readAddress(); player.show()", address
            )
            assert browser.execute_script(UNREADABLE) == [], address
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.browser
def test_letters_tell_weights_apart_without_colours(visit):
    browser = visit(article().loss.record())
    letters = browser.execute_script(
        "return range(11).flatMap((a) => range(11).map((b) => new Letter([a, b], [11, 11]).text))"
    )
    assert len(set(letters)) == 121 and letters[:4] == ["a", "b", "c", "d"]


@pytest.mark.browser
def test_arrays_stand_side_by_side_where_there_is_room(visit, window_of):
    def tops(selector):
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.getBoundingClientRect().top)"
        return browser.execute_script(script, selector)

    for width, number in ((900, 4), (900, 1), (1400, 1), (1400, 4)):
        window_of(width)
        browser = visit(shapes_of_the_example().record(), f"#step={number}")
        assert len(set(tops(".meeting figure"))) == 1, (width, number)
    assert len(tops(".arrays figure")) > len(set(tops(".arrays figure")))  # x and w
    assert len({*tops(".sections h3")}) == 2
    browser = visit(article().loss.record(), "#step=3")
    assert len({*tops(".sections h3")}) == 1 == len({*tops(".sections > section:first-child figure")})


@pytest.mark.browser
def test_the_chosen_view_stays(visit):
    from selenium.webdriver.common.keys import Keys

    browser = visit(shapes().loss.record(), "#step=4")
    chosen = "button[data-view][aria-selected=true]"
    assert text(browser, chosen).startswith("y: ")
    find(browser, "button[data-view=W]").click()
    press(browser, Keys.ARROW_RIGHT)
    assert text(browser, "#step h2").startswith("%3 ") and not texts(browser, chosen)
    press(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert text(browser, "#step h2").startswith("%1 ") and text(browser, chosen).startswith("dw: ")
    assert browser.current_url.endswith("#step=1&view=W")
    browser.refresh()
    assert text(browser, "#step h2").startswith("%1 ") and text(browser, chosen).startswith("dw: ")
    browser.execute_script("location.hash = 'step=4&view=X'")
    until(lambda: text(browser, chosen).startswith("dx: "))
    press(browser, Keys.END)  # where there is no dx, for the images need no gradient
    assert text(browser, chosen).startswith("y: ")


PIXEL = """
    const canvas = document.querySelector(arguments[0]);
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const pen = copy.getContext("2d", { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    return [...pen.getImageData(arguments[1], arguments[2], 1, 1).data].slice(0, 3);
"""


@pytest.mark.browser
def test_each_array_has_its_own_scale_with_white_at_0(visit):
    x = tg.tensor([[-2.0, 0.0, 2.0, 1.0]] * 3, requires_grad=True, name="x")
    scale = tg.tensor([[0.001, 0.0, -0.001, 0.0005]] * 3, name="scale")
    browser = visit((x * scale).sum().record(), "#step=1")

    def colours(array):
        cells = [(8 + 48 * column, 8) for column in range(4)]
        selector = f"figure[data-array={array}] canvas"
        return [browser.execute_script(PIXEL, selector, *cell) for cell in cells]

    blue, white, orange, lighter = colours("a")
    assert white == [255, 255, 255]
    assert blue[2] > 2 * blue[0] and orange[0] > 2 * orange[2]
    assert sum(lighter) > sum(orange) and lighter[0] > lighter[2]
    assert colours("b") == colours("da") == [orange, white, blue, colours("b")[3]]
    assert find(browser, "#legend").get_attribute("aria-label").endswith("of each array, dark orange")
    find(browser, "#scaling option[value=step]").click()
    assert colours("a") == [blue, white, orange, colours("a")[3]]
    assert colours("b")[1] == white and sum(colours("b")[2]) > 1.5 * sum(blue)
    assert find(browser, "#legend").get_attribute("aria-label").startswith("colours from -2, dark blue")


@pytest.mark.browser
def test_what_letters_and_keys_mean_is_said(visit):
    browser = visit(crooked().loss.record(), "#step=1")
    assert text(browser, ".symbols") == "s is the stride (here 2), d the dilation (here 1)"
    find(browser, "button[data-view=X]").click()
    assert text(browser, ".symbols") == "d is the dilation (here 1)"
    for key in ("←", "→", "Home", "End", "space", ",", ".", "Enter"):
        assert key in texts(browser, "footer kbd")
    browser = visit(many_ops().record(), "#step=1")
    assert text(browser, ".symbols") == (
        "s is the stride (here 2 for rows, 1 for columns), d the dilation (here 1 for rows, 2 for columns); "
        "X has its padding around it"
    )


@pytest.mark.browser
def test_a_tape_s_page_has_no_colours_to_explain(chromium, tmp_path):
    (tmp_path / "tape.html").write_text(html(article().loss.tape()), encoding="utf-8")
    chromium.get((tmp_path / "tape.html").as_uri())
    assert text(chromium, "#step h2") == "%5 mul" and not find(chromium, ".legend").is_displayed()
