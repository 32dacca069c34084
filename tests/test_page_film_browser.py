"""The pages of a film and of two recordings side by side, in a real browser without a head."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.debug.training.film import film

from .browser import click_cell, find, press, text, texts, until
from .debug_nets import crooked
from .test_page_film import another_op, another_weight, filmed, other_run, parted, shapes  # noqa: F401
from .test_page_layout import PIXEL
from .training_programs import batch, seeded_net, train

OVERFLOWING = """
    const edge = document.documentElement.clientWidth;
    const scrolled = (element) => element.closest(".scroll, #list");
    const wide = [...document.querySelectorAll("#player *")].filter((element) =>
        element.getBoundingClientRect().right > edge + 1 && [null, element].includes(scrolled(element)));
    return [
        ...wide.map((element) => element.outerHTML.slice(0, 80)),
        ...(document.documentElement.scrollWidth > edge ? ["the page"] : []),
    ];
"""


@pytest.mark.browser
def test_time_moves_with_the_keyboard(visit, filmed):  # noqa: F811
    from selenium.webdriver.common.keys import Keys

    browser = visit(filmed)
    count = len(filmed)
    assert text(browser, "#position") == f"step 9 (frame {count} of {count})"  # what was learned comes first
    press(browser, Keys.HOME)
    assert text(browser, "#position") == f"step 0 (frame 1 of {count})"
    assert text(browser, "#loss-now") == "before the first step"
    for place, frame in enumerate(filmed, 1):
        assert text(browser, "#position") == f"step {frame.step} (frame {place} of {count})"
        if frame.moment.loss is not None:
            said = re.match(rf"step {frame.step}: ([\d.e-]+), learning rate 0.05", text(browser, "#loss-now"))
            assert float(said[1]) == pytest.approx(frame.moment.loss, rel=1e-3)
        press(browser, Keys.ARROW_RIGHT)
    press(browser, Keys.ARROW_LEFT)
    assert text(browser, "#position").startswith("step 8 ")
    find(browser, "#slider").send_keys(Keys.ARROW_LEFT)
    assert text(browser, "#position").startswith("step 6 ")
    assert browser.current_url.endswith("#step=6")
    find(browser, "#play").click()
    assert text(browser, "#play") == "Stop"
    until(lambda: text(browser, "#position").startswith("step 9 "))
    until(lambda: text(browser, "#play") == "Play")
    browser.execute_script("location.hash = 'step=4'")
    until(lambda: text(browser, "#position").startswith("step 4 "))


READING = """
    document.querySelector(`figure[data-array="${arguments[0]}"] canvas`).focus();
    return document.querySelector("#reading").textContent;
"""


@pytest.mark.browser
def test_kernels_are_pictures_that_change(visit, filmed):  # noqa: F811
    from selenium.webdriver.common.keys import Keys

    browser = visit(filmed, "#step=0")
    for frame in filmed:
        value = frame.kernels["stem.0.weight"][0, 0, 0, 0]
        said = browser.execute_script(READING, "stem.0.weight")
        assert said.startswith("stem.0.weight[0, 0, 0, 0] = ")
        assert float(said.rpartition(" ")[2]) == pytest.approx(value, rel=1e-5)
        browser.execute_script("document.activeElement.blur()")
        press(browser, Keys.ARROW_RIGHT)
    canvas = find(browser, 'figure[data-array="stem.0.weight"] canvas')
    browser.execute_script("arguments[0].focus()", canvas)
    press(browser, Keys.ARROW_RIGHT)
    assert text(browser, "#reading").startswith("stem.0.weight[0, 0, 0, 1] = ")
    assert text(browser, "#position").startswith("step 9 ")  # the arrow moved the cell, not the time
    browser.execute_script("document.querySelector('#previous').click()")
    value = filmed[-2].kernels["stem.0.weight"][0, 0, 0, 1]
    assert float(text(browser, "#reading").rpartition(" ")[2]) == pytest.approx(
        value, rel=1e-5
    )  # stays there
    assert "changed by" in text(browser, 'figure[data-array="stem.0.weight"]')
    assert {"input", "stem.0", "relu()", "head"} <= {
        name.split("\n")[0] for name in texts(browser, "#maps figure")
    }


@pytest.mark.browser
def test_gradient_flow_is_numbers_and_bars(visit, filmed):  # noqa: F811
    browser = visit(filmed, "#step=4")
    rows = {row.split()[0]: row for row in texts(browser, "#flow tr")[1:]}
    layer = filmed[2].moment.layers["head"]
    cells = rows["head"].split()
    assert float(cells[1]) == pytest.approx(layer.y, rel=5e-3)
    assert float(cells[4]) == pytest.approx(layer.dy, rel=5e-3)
    widths = browser.execute_script(
        "return [...document.querySelectorAll('#flow tr')].slice(1).map((row) =>"
        "  [row.cells[0].textContent, row.cells[3].querySelector('i').offsetWidth])"
    )
    sizes = {name: layer.dy for name, layer in filmed[2].moment.layers.items()}
    by_width, by_size = sorted(dict(widths), key=dict(widths).get), sorted(sizes, key=sizes.get)
    assert by_width[0] == by_size[0] and by_width[-1] == by_size[-1] and dict(widths)[by_size[0]] > 0
    find(browser, "#first").click()
    assert "No gradients were recorded" in text(browser, "#flow-part")


@pytest.mark.browser
def test_a_click_on_the_curve_goes_there(visit, filmed):  # noqa: F811
    browser = visit(filmed, "#step=0")
    curve = find(browser, "#loss svg")
    width = curve.size["width"] if curve.size["width"] else 800
    click_cell(browser, curve, int(width * 0.5), 60)
    assert text(browser, "#position").startswith("step 4 ")


@pytest.mark.browser
def test_one_scale_over_time_or_one_for_each_moment(visit):
    net = nn.Conv2d(1, 1, 2, bias=False)
    net.weight.data[...] = [[[[1.0, 0.5], [0.0, -1.0]]]]
    optimizer = optim.SGD(net.parameters(), lr=1.0)
    with film(net, every=1) as shown:
        net.weight.grad = np.float32([[[[-3.0, 0.0], [0.0, 3.0]]]])
        optimizer.step()
    browser = visit(shown, "#step=0")

    def colour():
        return browser.execute_script(PIXEL, "figure[data-array=weight] canvas", 8, 8)

    pale = colour()
    find(browser, "#last").click()
    strong = colour()
    assert sum(pale) > sum(strong) + 100
    find(browser, "#scaling option[value=frame]").click()
    assert colour() == strong
    find(browser, "#first").click()
    assert colour() == strong


@pytest.mark.browser
def test_a_diverging_film(visit):
    net, x = nn.Linear(2, 2), tg.ones(3, 2)
    optimizer = optim.SGD(net.parameters(), lr=1e20)
    with film(net, every=1, sample=x[:1]) as shown, np.errstate(all="ignore"):
        for _ in range(5):
            optimizer.zero_grad()
            (net(x) ** 2).mean().backward()
            optimizer.step()
    browser = visit(shown)
    assert "NaN" in text(browser, "#loss-now") or "inf" in text(browser, "#loss-now")
    assert browser.execute_script("return document.querySelectorAll('#loss .odd').length") >= 1
    assert "not finite" in text(browser, "figure[data-array=weight]")


@pytest.mark.browser
@pytest.mark.parametrize("width", [800, 1100, 1400])
def test_nothing_is_wider_than_the_window(visit, chromium, filmed, parted, width):  # noqa: F811
    before = chromium.get_window_size()
    chromium.set_window_size(width, 1000)
    try:
        for shown in (filmed, parted, shapes().loss.record().diff(other_run(another_op))):
            browser = visit(shown)
            assert width - 40 <= browser.execute_script("return window.innerWidth") <= width
            find(browser, "#first").click()
            for _ in range(int(find(browser, "#slider").get_attribute("max"))):
                assert browser.execute_script(OVERFLOWING) == []
                browser.execute_script("document.querySelector('#next').click()")
    finally:
        chromium.set_window_size(before["width"], before["height"])


@pytest.mark.browser
def test_light_and_dark(visit, filmed, parted):  # noqa: F811
    for shown in (filmed, parted):
        browser, shades = visit(shown), {}
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            script = (
                "return getComputedStyle(document.querySelector('#film > section, #step')).backgroundColor"
            )
            shades[scheme] = sum(map(int, re.findall(r"\d+", browser.execute_script(script))[:3]))
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        assert shades["light"] > 700 and shades["dark"] < 150


@pytest.mark.browser
def test_two_runs_side_by_side(visit, parted):  # noqa: F811
    from selenium.webdriver.common.keys import Keys

    browser = visit(parted)
    assert text(browser, "#verdict").startswith(
        "The first place at which they part: %4 conv2d: inputs['w'] at"
    )
    assert text(browser, "#position") == "op 4 of 9"
    assert "≠" in text(browser, "#list [aria-current]") and "first" in text(browser, "#list [aria-current]")
    assert "This is the first place at which they part." in text(browser, "#step")
    headings = texts(browser, ".value h3")
    assert headings[0] == "inputs['w'] ≠ 1 of 216 numbers differ, the largest difference is 0.5"
    assert len(texts(browser, ".value:first-of-type figure")) == 3
    signs = [line.split("\n")[0].split("%")[0].strip() for line in texts(browser, "#list .row")]
    assert signs == ["= ≠"] * 3 + ["≠ ≠"] * 6
    press(browser, Keys.ARROW_LEFT)
    assert text(browser, "#step h2").startswith("%3 max_pool2d")
    assert "The forward agrees, the backward parts." in text(browser, "#step")
    press(browser, Keys.END)
    assert text(browser, "#step h2") == "%9 mse_loss"
    press(browser, "p")
    assert text(browser, "#step h2").startswith("%4 conv2d")
    hidden = len(headings)
    find(browser, "#all").click()
    assert len(texts(browser, ".value h3")) > hidden
    assert any(" = agrees" in heading for heading in texts(browser, ".value h3"))


@pytest.mark.browser
def test_other_ops_side_by_side(visit):
    browser = visit(shapes().loss.record().diff(other_run(another_op)))
    assert text(browser, "#verdict").startswith("The first op that is another: ")
    assert any(re.match(r"(1st|2nd)", row) for row in texts(browser, "#list .row"))
    parted_differently = crooked().loss.record().diff(shapes().loss.record())
    assert "the first op that is another" in text(visit(parted_differently), "#step")


@pytest.mark.browser
def test_the_lists_are_seen_where_scripts_are_off(visit, chromium, filmed, parted):  # noqa: F811
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        for shown, line in ((filmed, "step 9"), (parted, "%4 = conv2d")):
            browser = visit(shown)
            assert line in text(browser, "#plain") and not find(browser, "#player").is_displayed()
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.browser
def test_a_film_in_a_notebook(chromium, tmp_path):
    net = seeded_net()
    with film(net, every=1, sample=batch()[0][:1]) as shown:
        train(net, 2)
    (tmp_path / "notebook.html").write_text(
        f"<!doctype html><meta charset=utf-8>{shown._repr_html_()}", encoding="utf-8"
    )
    chromium.get((tmp_path / "notebook.html").as_uri())
    chromium.switch_to.frame(0)
    until(lambda: text(chromium, "#position") == "step 2 (frame 3 of 3)")
    find(chromium, "#first").click()
    until(lambda: text(chromium, "#position") == "step 0 (frame 1 of 3)")
    chromium.switch_to.default_content()
    assert chromium.get_log("browser") == []
