"""The page's overview in a real browser: the net as pictures, and the way to its steps."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug.page import html

from .browser import find, press, text, texts, until
from .debug_nets import article, crooked, many_ops, residual, shapes


def focused(browser):
    return browser.execute_script("return document.activeElement.dataset.node ?? document.activeElement.id")


@pytest.mark.browser
def test_every_op_has_a_card_and_every_shape_is_on_an_arrow(visit):
    recording = residual().loss.record()
    browser = visit(recording, "#overview")
    titles = texts(browser, ".card .title")
    assert titles[0] == "input float32[4,3,24,24]"
    assert {title.split(" ")[0] for title in titles[1:]} == {f"%{step.number}" for step in recording}
    shown = sorted(texts(browser, ".arrows .shape"))
    made = [step.shapes[0][0] for step in recording[:-1]]  # nobody reads the loss
    assert shown == sorted(["4×3×24×24", *("×".join(map(str, shape)) for shape in made)])
    assert text(browser, "[data-node='16'] .scalar") == f"{float(recording[-1].output):.4g}"


LAYOUT = """
    return Object.fromEntries([...document.querySelectorAll(".card")].map((card) => {
        const { x, y, width, height } = card.getBoundingClientRect();
        return [card.dataset.node, [x, y, width, height]];
    }));
"""


PASSING = """
    const { right, top, bottom } = document.querySelector(".arrows .passing").getBoundingClientRect();
    return [right, top, bottom];
"""


@pytest.mark.browser
def test_branches_stand_beside_each_other_and_a_residual_passes_by(visit):
    browser = visit(residual().loss.record(), "#overview")
    place = browser.execute_script(LAYOUT)
    assert place["9"][1] == place["10"][1] and place["9"][0] + place["9"][2] < place["10"][0]
    assert place["8"][1] < place["9"][1] < place["11"][1]
    assert len(texts(browser, ".arrows .passing")) == 1
    right, top, bottom = browser.execute_script(PASSING)
    assert right > place["5"][0] + place["5"][2]  # beside the cards of the branch, from %4 to %7
    assert top == pytest.approx(place["4"][1] + place["4"][3], abs=1.5)
    assert bottom == pytest.approx(place["7"][1], abs=1.5)


@pytest.mark.browser
@pytest.mark.parametrize("loss", [lambda: residual().loss, lambda: crooked().loss, many_ops])
def test_cards_do_not_overlap_and_arrows_lead_from_card_to_card(visit, loss):
    browser = visit(loss().record(), "#overview")
    boxes = list(browser.execute_script(LAYOUT).values())
    for number, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:number]:
            beside = x >= other_x + other_width or other_x >= x + width
            assert beside or y >= other_y + other_height or other_y >= y + height
    down = "return drawnArrows(player.shown.layout).every(({ begin, end }) => begin.y < end.y)"
    assert browser.execute_script(down)


@pytest.mark.browser
def test_there_and_back_by_keyboard_alone(visit):
    from selenium.webdriver.common.keys import Keys

    recording = residual().loss.record()
    browser = visit(recording)
    press(browser, "o")
    assert text(browser, "#step h2") == "Overview" and focused(browser) == "input"
    assert browser.current_url.endswith("#overview")
    press(browser, *[Keys.ARROW_DOWN] * 4)
    assert focused(browser) == "4"
    press(browser, Keys.ENTER)
    assert text(browser, "#step h2").startswith("%4 max_pool2d")
    press(browser, "o")
    assert focused(browser) == "4"
    press(browser, Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.END)
    assert focused(browser) == "16"
    press(browser, *[Keys.ARROW_UP] * 6)
    assert focused(browser) == "9"
    press(browser, Keys.ARROW_RIGHT)
    assert focused(browser) == "10"
    press(browser, Keys.ARROW_RIGHT)
    assert focused(browser) == "10"  # there is nothing to the right
    press(browser, Keys.ESCAPE)
    assert text(browser, "#step h2").startswith("%4 max_pool2d")
    press(browser, "o", Keys.HOME, Keys.ARROW_RIGHT, Keys.ENTER)
    assert text(browser, "#step h2").startswith("%1 conv2d")  # whoever reads the images, which are no leaf


@pytest.mark.browser
def test_a_click_leads_to_the_step_or_the_leaf(visit):
    browser = visit(crooked().loss.record(), "#overview")
    browser.execute_script("document.querySelector('[data-node=\"8\"]').click()")
    assert text(browser, "#step h2").startswith("%8 cat")
    find(browser, "#net").click()
    assert find(browser, "#net").get_attribute("aria-pressed") == "true"
    browser.execute_script("document.querySelector('[data-node=input]').click()")
    assert text(browser, "#step h2").startswith("x")


PIXELS = """
    const canvas = document.querySelector(`[data-node="${arguments[0]}"] .pictures > .picture canvas`);
    canvas.paint();
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const pen = copy.getContext("2d", { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    return arguments[1].map(([x, y]) => [...pen.getImageData(x, y, 1, 1).data].slice(0, 3));
"""


@pytest.mark.browser
def test_pictures_are_the_numbers(visit):
    browser = visit(article().loss.record(), "#overview")
    # Y = [[2, 3], [0, 2]] in cells of 19 pixels, dY = [[1, 2], [-1, 1]]
    cells = [(5, 5), (24, 5), (5, 24), (24, 24)]
    (two, three, zero, other_two) = browser.execute_script(PIXELS, "1", cells)
    assert zero == [255, 255, 255] and two == other_two and sum(three) < sum(two) < sum(zero)
    find(browser, "option[value=grad]").click()
    one, two, negative, _ = browser.execute_script(PIXELS, "1", cells)
    assert negative[2] > negative[0] and one[0] > one[2] and sum(two) < sum(one)


@pytest.mark.browser
def test_another_sample_is_another_picture(visit):
    browser = visit(shapes().loss.record(), "#overview")
    cells = [(x, y) for x in range(2, 36, 3) for y in range(2, 36, 3)]
    first = browser.execute_script(PIXELS, "1", cells)
    browser.execute_script(
        "const select = document.querySelectorAll('.controls select')[1];"
        "select.value = '2'; select.dispatchEvent(new Event('change'))"
    )
    assert browser.execute_script(PIXELS, "1", cells) != first
    find(browser, "[data-choice=kind]").send_keys("the gr")
    assert browser.execute_script("return player.overview") == {"kind": "grad", "sample": 2}
    assert browser.execute_script("return document.activeElement.dataset.choice") == "kind"
    assert text(browser, "[data-node=input] .title") == "input float32[3,1,12,12]"


@pytest.mark.browser
def test_many_and_large_and_empty(visit):
    y = tg.tensor(np.ones((1, 1, 200, 300), np.float32), requires_grad=True, name="x")
    for _ in range(30):
        y = y * 1.0
    browser = visit((y.sum() + tg.zeros(0, 3, requires_grad=True).sum()).record(), "#overview")
    assert len(texts(browser, ".card")) == 34  # an empty array is no picture
    widest = "return Math.max(...[...document.querySelectorAll('.card canvas')].map((c) => c.width))"
    assert browser.execute_script(widest) < 330


@pytest.mark.browser
def test_a_tape_has_an_overview_without_pictures(chromium, tmp_path):
    (tmp_path / "tape.html").write_text(html(residual().loss.tape()), encoding="utf-8")
    chromium.get((tmp_path / "tape.html").as_uri() + "#overview")
    assert len(texts(chromium, ".card")) == 17 and not texts(chromium, ".card canvas")
    assert "4×16×6×6" in texts(chromium, ".arrows .shape")
    find(chromium, "[data-node='3']").click()
    until(lambda: text(chromium, "#step h2") == "%3 relu")
