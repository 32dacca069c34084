"""The page of a recording in a real browser, without a head: what a person sees and can do there."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug.page import embedded

from .browser import click_cell, find, press, text, texts, until
from .debug_nets import article, crooked, many_ops, shapes
from .test_page import ODD_NAME


@pytest.mark.browser
def test_step_through_with_the_keyboard(visit):
    from selenium.webdriver.common.keys import Keys

    recording = crooked().loss.record()
    browser = visit(recording)
    for place, step in enumerate(reversed(recording), 1):
        assert text(browser, "#position") == f"step {place} of {len(recording)}"
        assert text(browser, "#step h2").startswith(f"%{step.number} {step.op}")
        assert f"%{step.number} {step.op}" in text(browser, "#list [aria-current]")
        assert f"%{step.number}" in text(browser, "svg .current")
        press(browser, Keys.ARROW_RIGHT)
    press(browser, Keys.ARROW_LEFT)
    assert text(browser, "#position") == f"step {len(recording) - 1} of {len(recording)}"
    press(browser, Keys.HOME)
    assert text(browser, "#position").startswith("step 1 ")
    find(browser, "#slider").send_keys(Keys.ARROW_RIGHT)
    assert text(browser, "#position").startswith("step 2 ")
    find(browser, "#play").click()
    assert text(browser, "#play") == "Stop"


def equations(browser, view):
    """Every equation of a view, by the window's positions: {index: (what is written out, the result)}."""
    find(browser, f"button[data-view={view}]").click()
    slider = find(browser, ".windows input[type=range]")
    by_index = {}
    for at in range(int(slider.get_attribute("max")) + 1):
        browser.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", slider, at
        )
        name, sum_, result = text(browser, ".equation").split(" = ")
        numbers = re.sub(r"\((the other [^)]*|bias|\d+ smaller products)\)", "", sum_).replace("·", "*")
        index = tuple(map(int, re.search(r"\[(.*)\]", name)[1].split(", ")))
        by_index[index] = eval(numbers), float(result)
    return by_index


@pytest.mark.browser
@pytest.mark.parametrize(
    ("program", "layer"), [(article, "*"), (crooked, "*first"), (crooked, "*shared"), (shapes, "*conv2")]
)
def test_the_window_slides_over_the_very_numbers(visit, program, layer):
    recording = program().loss.record()
    step = recording.find("conv2d", name=layer)[0]
    browser = visit(recording, f"#step={step.number}")
    for view, array in (("Y", step.output), ("W", step.grad_inputs["w"]), ("X", step.grad_inputs["x"])):
        shown = equations(browser, view)
        assert len(shown) == np.prod(array.shape[-2:])
        for index, (written, result) in shown.items():
            np.testing.assert_allclose(result, array[index], rtol=1e-5)
            np.testing.assert_allclose(written, array[index], rtol=2e-3, atol=2e-3 * np.abs(array).max())


@pytest.mark.browser
def test_the_article_s_sums(visit):
    browser = visit(article().loss.record(), "#step=1")
    written = {view: [result for _, result in equations(browser, view).values()] for view in "YWX"}
    assert written == {"Y": [2, 3, 0, 2], "W": [6, 2, 1, 4], "X": [1, 2, 0, -1, 2, 2, 0, -1, 1]}
    find(browser, "button[data-view=W]").click()
    assert text(browser, ".equation") == "dw[0, 0, 0, 0] = 1·1 + 2·2 + 0·(-1) + 1·1 = 6"


@pytest.mark.browser
def test_a_clicked_cell_shows_its_products(visit):
    recording = article().loss.record()
    browser = visit(recording, "#step=1")
    click_cell(
        browser, find(browser, "figure[data-array=dw] canvas"), 4 + 48 + 20, 4 + 32 + 16
    )  # row 1, column 1
    assert text(browser, ".why h3") == "dw[0, 0, 1, 1] = 4"
    rows = texts(browser, ".products tr")
    expected = recording.explain("w", (0, 0, 1, 1))
    assert [float(row.split()[0]) for row in rows[:-1]] == [term.product for term in expected]
    assert rows[0].startswith("2 = dy[0, 0, 0, 1] 2 × x[0, 0, 1, 2] 1")
    assert rows[-1].split()[0] == "4"
    assert text(browser, ".equation").startswith("dw[0, 0, 1, 1] = ")


SUMS = """
    const page = new Page(JSON.parse(document.getElementById("contents").textContent));
    const withGrad = (step) => step.inputs.filter((input) => input.grad !== null);
    return page.steps.flatMap((step) => withGrad(step).flatMap((input) => {
        const gradient = page.array(input.grad);
        return range(gradient.size).map((number) => {
            const index = unravel(number, gradient.shape), products = productsOf(page, step, input, index);
            const terms = products && products.map((product) => product.dy * product.factor);
            const sum = terms && terms.reduce((total, term) => total + term, 0);
            const size = terms && terms.reduce((total, term) => total + Math.abs(term), 0);
            return [`${step.call} ${input.name}`, sum, gradient.at(index), size];
        });
    }));
"""


@pytest.mark.browser
@pytest.mark.parametrize(
    "loss", [lambda: crooked().loss, lambda: shapes().loss, many_ops], ids=["crooked", "shapes", "many ops"]
)
def test_the_products_of_every_cell_add_up(visit, loss):
    sums = visit(loss().record()).execute_script(SUMS)
    assert len(sums) > 500
    for what, total, gradient, size in sums:
        assert total is not None, what
        assert abs(total - gradient) <= 1e-5 * (size + abs(gradient)) + 1e-12, what


@pytest.mark.browser
def test_what_was_left_out_is_said(visit):
    rng = np.random.default_rng(0)
    images, kernels = (
        rng.standard_normal(shape).astype(np.float32) for shape in ((96, 3, 24, 24), (4, 3, 3, 3))
    )
    x, w = tg.Tensor(images, requires_grad=True), tg.Tensor(kernels, requires_grad=True)
    recording = (tg.conv2d(x, w) ** 2).sum().record()
    browser = visit(recording, "#step=1")
    assert re.search(r"on this page: the first \d+ of 96 along dim 0", text(browser, "#step"))
    click_cell(browser, find(browser, "figure[data-array=dw] canvas"), 6, 6)
    assert text(browser, ".why h3").startswith("dw[0, 0, 0, 0] = ")
    last, total = texts(browser, ".products tr")[-2:]
    assert "that are not on this page, by difference" in last
    np.testing.assert_allclose(float(total.split()[0]), recording[0].grad_inputs["w"][0, 0, 0, 0], rtol=1e-5)


@pytest.mark.browser
def test_values_are_read_with_mouse_and_keyboard(visit):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser = visit(article().loss.record(), "#step=1")
    canvas = find(browser, "figure[data-array=dx] canvas")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    ActionChains(browser).move_to_element(canvas).perform()
    assert text(browser, "#reading") == "dx[0, 0, 1, 1] = 2"
    browser.execute_script("arguments[0].focus()", canvas)
    assert text(browser, "#reading") == "dx[0, 0, 0, 0] = 1"
    press(browser, Keys.ARROW_DOWN, Keys.ENTER)
    assert text(browser, "#reading") == "dx[0, 0, 1, 0] = -1"
    assert text(browser, ".why h3") == "dx[0, 0, 1, 0] = -1"
    assert text(browser, "#position") == "step 5 of 5"  # the arrow moved the cell, not the step


@pytest.mark.browser
def test_layers_fold_in_list_and_graph(visit):
    browser = visit(crooked().loss.record())
    ops = len(browser.find_elements("css selector", "svg .op"))
    find(browser, "#list summary").click()
    until(lambda: len(browser.find_elements("css selector", "svg .op")) == ops - 10)
    assert "crookednet" in text(browser, "svg .group")
    find(browser, "svg .group").click()
    until(lambda: len(browser.find_elements("css selector", "svg .op")) == ops)
    assert find(browser, "#list details").get_attribute("open")


@pytest.mark.browser
def test_a_leaf_shows_all_contributions_to_it(visit):
    recording = crooked().loss.record()
    browser = visit(recording)
    find(browser, 'svg [aria-label="leaf shared.weight"]').click()
    assert "read by %4 conv2d, %6 conv2d" in text(browser, "#step")
    click_cell(browser, find(browser, 'figure[data-array="its gradient"] canvas'), 6, 6)
    total = text(browser, ".products tr:last-child").split()[0]
    np.testing.assert_allclose(float(total), recording.grads["shared.weight"][0, 0, 0, 0], rtol=1e-4)


@pytest.mark.browser
def test_odd_names_and_odd_numbers(visit):
    x = tg.tensor([1.0, float("nan"), float("inf")], requires_grad=True, name=ODD_NAME)
    browser = visit((x * x).sum().record(), "#step=1")
    assert "2 not finite" in text(browser, "#step") and ODD_NAME in text(browser, "#step")
    assert browser.title == "A backward through 2 ops"


@pytest.mark.browser
def test_light_and_dark(visit):
    browser = visit(article().loss.record())
    shades = {}
    for scheme in ("light", "dark"):
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        shades[scheme] = sum(map(int, re.findall(r"\d+", colour)[:3]))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert shades["light"] > 700 and shades["dark"] < 150


@pytest.mark.browser
def test_the_list_is_seen_where_scripts_are_off(visit, chromium):
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser = visit(article().loss.record())
        assert "%1 = conv2d(x, w)" in text(browser, "#plain") and not find(browser, "#player").is_displayed()
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.browser
def test_embedded_as_in_a_notebook(chromium, tmp_path):
    loss = article().loss
    for shown in (loss.record(), loss.tape()):
        (tmp_path / "notebook.html").write_text(
            f"<!doctype html><meta charset=utf-8>{embedded(shown)}", encoding="utf-8"
        )
        chromium.get((tmp_path / "notebook.html").as_uri())
        chromium.switch_to.frame(0)
        until(lambda: text(chromium, "#position") == "step 1 of 5")
        find(chromium, "#last").click()
        until(lambda: text(chromium, "#step h2").startswith("%1 conv2d"))
        chromium.switch_to.default_content()
    assert chromium.get_log("browser") == []
