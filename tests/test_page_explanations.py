"""How gradients come about on the page of a recording, in a real browser: what is said there is so."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug.page import SCRIPTS, html
from tinygrad_conv.debug.page.frame import lean, read

from .browser import click_cell, find, press, text, texts
from .debug_nets import crooked
from .kinds_of_ops import KINDS, Draw, poolings, residual_cnn, weighted
from .test_page import contents
from .test_page_layout import OVERFLOWING, window_of  # noqa: F401 (a fixture)

WRITTEN = """
    const page = new Page(JSON.parse(document.getElementById("contents").textContent));
    const scaleOf = (array) => new Scale([array]), nothing = () => "";
    const context = { scaleOf, tell: nothing, available: 900, move: nothing, link: nothing };
    const said = (step, view, made) => (_, at) => {
        made.update(at);
        const lines = [...made.equation.querySelectorAll("div")].map((line) => line.textContent);
        const below = made.curve ? made.curve.said.textContent : "";
        const what = `%${step.number} ${step.op} ${view.of} ${made.by ?? ""}`;
        return [what, lines.length ? lines : [made.equation.textContent], below];
    };
    const views = (step) => (step.explanation ? step.explanation.views : []).map((view) => [step, view]);
    return page.steps.flatMap(views).flatMap(([step, view]) => VIEW_MADE[view.made](page, view, context)
        .flatMap((made) => range(Math.min(made.count, arguments[0])).map(said(step, view, made))));
"""
UNUSUAL = dict.fromkeys(("pointwise", "losses", "two_numbers", "reductions"), pytest.mark.exhaustive)
REMARK = re.compile(r"\((in \d+ windows?[^)]*|\d[\d,]* smaller products?|bias|of the rest of the batch)\)")


def evaluated(sum_):
    """What a sum comes to that is written with · and −."""
    plain = REMARK.sub("", sum_).replace("·", "*").replace("−", "-").replace("NaN", "np.nan")
    return eval(plain, {"np": np, "max": max, "inf": np.inf})


def check_equation(line):
    """`dx[0] = dy · f′(x) = 0.5 · 1 = 0.5`: the numbers between come to what is said at the end."""
    *_, written, result = REMARK.sub("", line).split(" = ")
    if re.match(r"d?\w+\[", written) or written.startswith("d"):
        return False  # nothing stands between
    result = float(result.replace("−", "-"))
    assert abs(evaluated(written) - result) <= 2e-3 * (abs(result) + 1), line
    return True


@pytest.mark.browser
@pytest.mark.parametrize("kind", [pytest.param(kind, marks=UNUSUAL.get(kind, ())) for kind in KINDS])
def test_every_equation_comes_to_the_number_at_its_end(visit, kind):
    draw = Draw(3, np.float32)
    recording = sum((weighted(y, draw) for y in KINDS[kind](draw)), tg.zeros(1)).sum().record()
    browser = visit(recording)
    shown = browser.execute_script(WRITTEN, 12)
    assert len(shown) > 50
    checked = 0
    for what, lines, said in shown:
        assert "undefined" not in "".join(lines) and "not on this page" not in said, (what, lines)
        checked += sum(
            check_equation(line) for line in lines if not line.startswith(("it stands", "so each"))
        )
    assert checked > 0.6 * len(shown)


@pytest.mark.browser
def test_the_equations_end_in_the_recorded_gradients(visit):
    recording = residual_cnn().record()
    browser = visit(recording)
    seen = set()
    for what, (first, *_), _ in browser.execute_script(WRITTEN, 30):
        number, op, of, *by = what.split()
        step = recording[int(number[1:]) - 1]
        index = re.match(r"(\w+)((?:\[[^]]*\])?) = ", first)
        array = {"y": step.output, "dy": step.grad_output}.get(index[1])
        array = step.grad_inputs[index[1][1:]] if array is None else array
        place = tuple(map(int, re.findall(r"\d+", index[2])))
        result = REMARK.sub("", first).split(" = ")[-1]
        np.testing.assert_allclose(float(result), array[place], rtol=1e-4, atol=1e-7)
        seen.add((op, of, *by))
    assert {
        ("batch_norm", "dx"),
        ("max_pool2d", "dx", "place"),
        ("linear", "dw"),
        ("cross_entropy", "dx"),
    } <= seen
    assert {
        ("max_pool2d", "dy"),
        ("linear", "dy"),
        ("mse_loss", "dx"),
        ("avg_pool2d", "dx", "window"),
    } <= seen


def wide(browser):
    """What is wider than the window; a graph of many branches is scrolled."""
    return [what for what in browser.execute_script(OVERFLOWING) if what != "the graph"]


@pytest.mark.browser
@pytest.mark.parametrize(
    "width", [pytest.param(width, marks=pytest.mark.exhaustive) for width in (800, 1400)] + [1100]
)
def test_nothing_is_wider_than_the_window(visit, window_of, width):  # noqa: F811
    window_of(width)
    recording = residual_cnn().record()
    browser = visit(recording)
    for step in reversed(recording):
        assert text(browser, "#step h2").startswith(f"%{step.number} {step.op}")
        assert wide(browser) == [], step
        for tab in range(len(texts(browser, ".tabs button"))):
            browser.execute_script("document.querySelectorAll('.tabs button')[arguments[0]].click()", tab)
            assert wide(browser) == [], (step, tab)
        browser.execute_script("document.querySelector('#next').click()")


@pytest.mark.browser
def test_the_number_is_chosen_by_keys_slider_and_mouse(visit):
    from selenium.webdriver.common.keys import Keys

    x = tg.tensor([[-1.0, 2.0, 0.5]], requires_grad=True, name="x")
    browser = visit((tg.relu(x) * tg.tensor([[3.0, -5.0, 7.0]])).sum().record(), "#step=1")
    assert text(browser, ".explained .equation") == "dx[0, 2] = dy · f′(x) = 7 · 1 = 7"  # the largest first
    press(browser, ",")
    assert text(browser, ".explained .equation") == "dx[0, 1] = dy · f′(x) = (-5) · 1 = -5"
    press(browser, ",", ",")
    assert text(browser, ".explained .equation") == "dx[0, 0] = dy · f′(x) = 3 · 0 = 0"
    assert "at x = -1 it is 0, with slope 0" in text(browser, ".plot")
    assert "at x = -1 it is 0, with slope 0" in find(browser, ".curve").get_attribute("aria-label")
    find(browser, ".explained input[type=range]").send_keys(Keys.ARROW_RIGHT)
    assert text(browser, ".explained output") == "dx[0, 1]"
    canvas = find(browser, '.explained figure[data-array="f′(x)"] canvas')
    click_cell(browser, canvas, 4 + 2 * 48 + 20, 12)
    assert text(browser, ".explained output") == "dx[0, 2]"
    assert "the mask: 1 lets dy through, 0 stops it" in text(browser, ".explained")


@pytest.mark.browser
def test_the_point_stands_on_the_drawn_curve(visit):
    x = tg.tensor(np.linspace(-3, 3, 7), requires_grad=True)
    browser = visit(tg.gelu(x).sum().record(), "#step=1")
    distances = browser.execute_script("""
        const find = (name) => document.querySelector(name), slider = find(".explained input[type=range]");
        return [0, 1, 2, 3, 4, 5, 6].map((at) => {
            slider.value = at;
            slider.dispatchEvent(new Event("input"));
            const [point, path] = [".curve .point", ".curve .function"].map((name) => find(name));
            const [x, y] = ["cx", "cy"].map((name) => Number(point.getAttribute(name)));
            const length = path.getTotalLength() / 1999;
            const steps = Array.from({ length: 2000 }, (_, number) => path.getPointAtLength(length * number));
            return Math.min(...steps.map((one) => Math.hypot(one.x - x, one.y - y)));
        });
    """)
    assert max(distances) < 1.5


@pytest.mark.browser
def test_the_chosen_view_stays_from_step_to_step(visit):
    browser = visit(residual_cnn().record(), "#step=2")
    assert text(browser, ".explained [aria-selected=true]") == "dx: three terms"
    find(browser, ".explained [data-explains=dw]").click()
    assert text(browser, ".explained [aria-selected=true]").startswith("dw: ")
    browser.execute_script("location.hash = 'step=10'")
    assert text(browser, ".explained [aria-selected=true]") == "dw: outer products, added up"


@pytest.mark.browser
def test_gradients_meet_and_lead_to_where_they_come_from(visit):
    recording = residual_cnn().record()
    pooled = recording.find("max_pool2d")[0]
    browser = visit(recording, f"#step={pooled.number}")
    find(browser, ".explained [data-explains=dy]").click()
    assert "2 gradients meet" in text(browser, ".explained")
    links = browser.find_elements("css selector", ".explained .link")
    assert [link.text for link in links] == ["go to %7", "go to %5"]
    links[1].click()
    assert text(browser, "#step h2").startswith("%5 conv2d")


@pytest.mark.browser
def test_a_leaf_that_is_read_twice(visit):
    browser = visit(crooked().loss.record())
    find(browser, 'svg [aria-label="leaf shared.weight"]').click()
    assert "dshared.weight: 2 gradients meet" in text(browser, ".explained")


@pytest.mark.browser
def test_a_window_and_the_places_it_read(visit):
    x = tg.tensor([[[[0.0, 5.0, 1.0], [2.0, 3.0, 9.0]]]], requires_grad=True)
    browser = visit((tg.max_pool2d(x, 2, 1) * tg.tensor([10.0, 20.0])).sum().record(), "#step=1")
    assert texts(browser, ".explained .equation div") == [
        "y[0, 0, 0, 0] = max(0, 5, 2, 3) = 5",
        "it stands at x[0, 0, 0, 1], so dx[0, 0, 0, 1] gets dy[0, 0, 0, 0] = 10",
    ]
    find(browser, "[data-explains=place]").click()
    press(browser, *"," * 6, ".", ".")
    assert text(browser, ".explained .equation") == "dx[0, 0, 0, 2] = 0 (in 1 window, won 0)"
    press(browser, *"...")
    assert text(browser, ".explained .equation") == "dx[0, 0, 1, 2] = 20 (in 1 window, won 1)"


@pytest.mark.browser
def test_no_wrong_number_is_said_of_what_was_thinned(visit):
    draw = Draw(0, np.float32)
    F = tg.nn.functional
    y = F.max_pool2d(
        tg.relu(F.batch_norm(draw(64, 6, 16, 16), None, None, draw(6), draw(6), training=True)), 2
    )
    y = F.linear(y.flatten(1), draw(3, 384), draw(3))
    recording = weighted(y, draw).record()
    browser = visit(recording)
    data = contents(html(recording))
    assert any(array["kept"] != array["shape"] for array in data["arrays"])
    left_out = 0
    for what, lines, _ in browser.execute_script(WRITTEN, 15):
        number, op, *_ = what.split()
        step = recording[int(number[1:]) - 1]
        for line in lines:
            left_out += "not on this page" in line
            match = re.match(r"d(\w)\[([^]]*)\] = .* = (\S+)$", REMARK.sub("", line).strip())
            if match and match[1] in step.grad_inputs:
                place = tuple(map(int, match[2].split(", ")))
                np.testing.assert_allclose(
                    float(match[3]), step.grad_inputs[match[1]][place], rtol=1e-4, atol=1e-6
                )
            assert "undefined" not in line and "NaN" not in line, (what, line)
    assert left_out > 5


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_curve_is_seen_in_light_and_dark(visit, scheme):
    browser = visit(tg.tanh(Draw()(3)).sum().record(), "#step=1")
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        paper, ink, tangent = browser.execute_script("""
            const style = (selector) => getComputedStyle(document.querySelector(`.curve${selector}`));
            return [style("").backgroundColor, style(" .function").stroke, style(" .tangent").stroke];
        """)
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (paper, ink, tangent)]
    assert abs(light[0] - light[1]) > 500 and abs(light[0] - light[2]) > 250


@pytest.mark.browser
def test_a_user_s_explanation_and_its_error(visit, scratch_ops):
    @tg.primitive
    def squared_here(x):
        return x * x

    @squared_here.grad("x")
    def squared_here_dx(dy, x):
        return 2 * dy * x

    @squared_here.explain
    def squared_here_explained(dy, x):
        return {"text": "a parabola", "twice": 2 * x, "dx": {"left": dy * x, "right": x * dy}}

    x = tg.tensor([1.0, -3.0], requires_grad=True)
    browser = visit(squared_here(x).sum().record(), "#step=1")
    assert "A parabola." in text(browser, ".explained")
    find(browser, ".explained [data-explains=dx]").click()
    assert text(browser, ".explained .equation") == "dx[1] = left + right = (-3) + (-3) = -6"
    find(browser, ".explained [data-explains=own]").click()
    assert texts(browser, ".explained figure b") == ["twice"]
    squared_here.explanation = lambda x: 1 / 0
    browser = visit(squared_here(x).sum().record(), "#step=1")
    assert "the explanation of squared_here, failed: ZeroDivisionError" in text(browser, ".explained .remark")


def test_scripts_lose_their_comments_and_nothing_else():
    for name in SCRIPTS:
        whole, short = read(name), lean(read(name))
        assert short.count("`") == whole.count("`") - "".join(re.findall(r"(?m)^\s*//.*$", whole)).count("`")
        assert not re.search(r"(?m)^\s", short) and not re.search(r"(?m)^//", short)


def test_a_page_has_the_scripts_that_it_needs():
    draw = Draw()
    pages = {
        "pools.js": weighted(poolings(draw)[0], draw),
        "matrices.js": weighted(draw(2, 3) @ draw(3, 2), draw),
        "windows.js": weighted(tg.conv2d(draw(1, 1, 3, 3), draw(1, 1, 2, 2)), draw),
    }
    for needed, loss in pages.items():
        page = html(loss.record())
        for script in pages:
            assert (lean(read(script)) in page) == (script == needed)


@pytest.mark.exhaustive
def test_a_page_of_a_thousand_steps_has_room_left():
    y = tg.tensor([1.0], requires_grad=True)
    for _ in range(1100):
        y = tg.relu(y * 1.0)
    page = html(y.sum().record())
    assert len(page.encode()) < 1_000_000
    steps = contents(page)["steps"]
    assert steps[-1]["explanation"]["views"] and steps[0]["explanation"] is False


def test_the_words_of_all_steps_stand_once():
    recording = residual_cnn().record()
    data = contents(html(recording))
    assert len(data["texts"]) == len(set(data["texts"]))
    assert len(html(recording).encode()) < 450_000


@pytest.mark.browser
def test_a_cell_of_a_gradient_has_its_products_below_an_explanation_too(visit):
    x = tg.tensor([[-1.0, 2.0, 0.5]], requires_grad=True, name="x")
    browser = visit((tg.relu(x) * tg.tensor([[3.0, -5.0, 7.0]])).sum().record(), "#step=1")
    click_cell(browser, find(browser, '.sections figure[data-array="dx"] canvas'), 4 + 48 + 20, 12)
    assert text(browser, ".why h3") == "dx[0, 1] = -5"
