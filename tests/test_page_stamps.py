"""The page's view of an input gradient as stamps: in a real browser, what they add up to and what is seen."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg

from .browser import click_cell, find, press, text, texts
from .debug_nets import shapes
from .random_windows import paired, random_convolution

X = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
K = np.array([[1.0, 2.0], [3.0, 4.0]])
DY = np.array([[1.0, 2.0], [-1.0, 1.0]])


def article_of_k(**geometry):
    """The article's image and error with a kernel that is not its own flip."""
    x = tg.tensor(X[None, None], requires_grad=True, name="x")
    w = tg.tensor(K[None, None], requires_grad=True, name="k")
    y = tg.conv2d(x, w, **geometry)
    return (y * np.resize(DY, y.shape)).sum().record()


def show_stamps(visit, recording, address="#step=1&view=stamps"):
    return visit(recording, address)


def so_far(browser):
    """The numbers of dX so far, as the page adds them up."""
    script = """
        const { sum } = player.view.stamps, { size } = player.view.g;
        return range(size[0]).map((m) => range(size[1]).map((n) => sum.at(m, n)));
    """
    return browser.execute_script(script)


STAMPED = """
    const page = new Page(JSON.parse(document.getElementById("contents").textContent));
    return page.steps.filter((step) => step.window).map((step) => {
        const g = step.window, perGroup = g.channels / g.groups, each = g.outputs / g.groups;
        const value = (name) => page.array(step.inputs.find((input) => input.name === name)?.value);
        const dy = value("dy") ?? page.array(step.outputs[0].grad), w = value("w");
        return range(g.samples).map((n) => range(g.channels).map((channel) => {
            const group = Math.floor(channel / perGroup), outputs = range(each).map((o) => group * each + o);
            const error = (o, p, q) => dy.at([...(g.batched ? [n] : []), o, p, q]);
            const sum = new StampSum(g, outputs, error, (o, a, b) => w.at([o, channel % perGroup, a, b]));
            const product = (o, stamp) =>
                error(o, ...stamp.error) * w.at([o, channel % perGroup, ...stamp.weight]);
            const reaching = (o, m, n) => stampsOnto(g, [m, n]).map((stamp) => product(o, stamp));
            const add = (terms) => terms.reduce((total, term) => total + term, 0);
            const onto = (m, n) => add(outputs.flatMap((o) => reaching(o, m, n)));
            const cells = range(g.size[0]).map((m) => range(g.size[1]).map((n) => [m, n]));
            sum.upTo(sum.count);
            return cells.map((row) => row.map(([m, n]) => [sum.at(m, n), onto(m, n)]));
        }));
    });
"""


@pytest.mark.browser
@pytest.mark.parametrize("transposed", [False, True])
def test_the_stamps_add_up_to_the_gradient_for_every_geometry(visit, transposed):
    rng = np.random.default_rng(int(transposed))
    losses = [paired(rng, random_convolution(rng, transposed)[0]) for _ in range(25)]
    recording = sum(losses[1:], losses[0]).record()
    steps = [step for step in recording if step.op in ("conv2d", "conv2d_input_grad")]
    shown = visit(recording).execute_script(STAMPED)
    assert len(shown) == len(steps) == 25
    for step, sums in zip(steps, shown):
        whole = step.output if transposed else step.grad_inputs["x"]
        stamped, onto = np.moveaxis(np.array(sums), -1, 0)
        np.testing.assert_array_equal(stamped.reshape(whole.shape), whole)
        np.testing.assert_array_equal(onto.reshape(whole.shape), whole)


@pytest.mark.browser
def test_one_stamp_after_the_other_by_keyboard(visit):
    browser = show_stamps(visit, article_of_k())
    assert text(browser, "button[aria-selected=true]") == "dx: each error stamps the kernel onto it"
    sums = []
    for place in range(4):
        assert f"after stamp {place + 1} of 4" in text(browser, "[data-stamps=sum] figcaption")
        sums.append(so_far(browser))
        press(browser, ".")
    assert sums == [
        [[1, 2, 0], [3, 4, 0], [0, 0, 0]],
        [[1, 4, 4], [3, 10, 8], [0, 0, 0]],
        [[1, 4, 4], [2, 8, 8], [-3, -4, 0]],
        [[1, 4, 4], [2, 9, 10], [-3, -1, 4]],
    ]
    assert text(browser, ".verdict") == "These were all stamps: the sum is exactly the recorded dx."
    press(browser, ",", ",", ",")
    assert so_far(browser) == sums[0] and not texts(browser, ".verdict")
    assert text(browser, ".equation").replace("\n", " ") == (
        "dy[0, 0, 0, 0] = 1 stamps onto dx: a 1·1 → [0, 0] b 1·2 → [0, 1] c 1·3 → [1, 0] d 1·4 → [1, 1]"
    )


LETTERS = """
    const { stamps, maps } = player.view, map = stamps ? stamps.maps[arguments[0]] : maps[arguments[0]];
    const shown = map.letters.map(({ cell, letter }) => [cell.join(","), letter.text + letter.ground]);
    return Object.fromEntries(shown);
"""


@pytest.mark.browser
def test_a_weight_keeps_its_letter_and_colour_through_the_turn(visit):
    browser = show_stamps(visit, article_of_k())

    def letters(of):
        return browser.execute_script(LETTERS, of)

    kernel = letters("kernel")
    assert [kernel[cell][0] for cell in ("0,0", "0,1", "1,0", "1,1")] == ["a", "b", "c", "d"]
    assert len({letter[1:] for letter in kernel.values()}) == 4
    turned = {"0,0": kernel["1,1"], "0,1": kernel["1,0"], "1,0": kernel["0,1"], "1,1": kernel["0,0"]}
    assert letters("stamp") == kernel and letters("turned") == turned == letters("readers")
    assert letters("sum") == kernel  # the first stamp's corner is dx's own
    assert "1·d 4 + 2·c 3 + (-1)·b 2 + 1·a 1 = 9" in text(browser, ".reading")
    find(browser, "button[data-view=X]").click()
    browser.execute_script("player.view.move(4)")
    assert letters(1) == turned
    assert letters(0) == {f"{int(cell[0]) + 1},{int(cell[2]) + 1}": letter for cell, letter in turned.items()}


@pytest.mark.browser
def test_another_pixel_is_watched_by_mouse_and_keyboard(visit):
    from selenium.webdriver.common.keys import Keys

    browser = show_stamps(visit, article_of_k())
    click_cell(browser, find(browser, "[data-stamps=sum] canvas"), 4 + 2 * 48 + 20, 4 + 16)
    assert text(browser, ".pixel h4") == "One pixel, dx[0, 0, 0, 2]: the stamps that reach it"
    assert "= 2·b 2 = 4" in text(browser, ".reading")
    assert text(browser, ".why h3") == "dx[0, 0, 0, 2] = 4"
    browser.execute_script("document.querySelector('[data-stamps=sum] canvas').focus()")
    press(browser, Keys.ARROW_DOWN, Keys.ENTER)
    assert text(browser, ".pixel h4") == "One pixel, dx[0, 0, 1, 0]: the stamps that reach it"
    assert text(browser, "button[aria-selected=true]") == "dx: each error stamps the kernel onto it"
    browser.execute_script("document.querySelector('[data-stamps=errors] canvas').focus()")
    press(browser, Keys.ARROW_DOWN, Keys.ENTER)
    assert "after stamp 3 of 4" in text(browser, "[data-stamps=sum] figcaption")


@pytest.mark.browser
def test_the_keyboard_goes_on_where_it_was(visit):
    from selenium.webdriver.common.keys import Keys

    browser = show_stamps(visit, shapes().loss.record(), "#step=4&view=X")
    browser.execute_script("player.view.maps[2].canvas.focus()")
    press(browser, Keys.ARROW_DOWN, Keys.ENTER, Keys.ARROW_RIGHT, Keys.ENTER)
    assert text(browser, ".why h3").startswith("dx[0, 0, 1, 1] = ")
    browser.execute_script("document.querySelector('button[data-view=stamps]').focus()")
    press(browser, Keys.ENTER)
    assert browser.execute_script("return document.activeElement.dataset.view") == "stamps"
    press(browser, ".")
    assert "after stamp 2 of" in text(browser, "[data-stamps=sum] figcaption")


@pytest.mark.browser
def test_padding_loses_and_a_stride_leaves_out(visit):
    browser = show_stamps(visit, article_of_k(padding=1))
    assert text(browser, ".equation").endswith("d 1·4 → [0, 0] and 3 into the padding, lost")
    browser = show_stamps(visit, article_of_k(stride=2))
    browser.execute_script("player.view.stamps.watch([2, 2])")
    assert text(browser, ".reading") == (
        "No window lay over this pixel: no stamp reaches it, and its gradient is 0."
    )
    browser = show_stamps(visit, article_of_k(dilation=2))
    assert browser.execute_script(LETTERS, "stamp").keys() == {"0,0", "0,2", "2,0", "2,2"}


@pytest.mark.browser
def test_all_output_channels_stamp_one_after_the_other(visit):
    recording = shapes().loss.record()
    step = recording.find("conv2d", name="*conv2")[0]
    browser = show_stamps(visit, recording, f"#step={step.number}&view=stamps")
    outputs, rows, columns = step.shapes[0][0][1:]
    browser.execute_script("player.view.move(arguments[0])", rows * columns)  # the second channel's first
    assert text(browser, "[data-stamps=errors] figcaption").startswith("dy[0, 1, :, :]")
    channel = "[...document.querySelectorAll('.windows select')].map((select) => select.value)"
    assert browser.execute_script(f"return {channel}") == ["0", "0", "1"]
    browser.execute_script("player.view.move(1e9)")
    assert f"after stamp {outputs * rows * columns} of" in text(browser, "[data-stamps=sum] figcaption")
    assert "by rounding" in text(browser, ".verdict")
    np.testing.assert_allclose(so_far(browser), step.grad_inputs["x"][0, 0], rtol=1e-5, atol=1e-8)


@pytest.mark.browser
def test_a_transposed_convolution_stamps_in_its_forward(visit):
    y, *_ = random_convolution(np.random.default_rng(3), transposed=True)
    recording = paired(np.random.default_rng(3), y).record()
    browser = show_stamps(visit, recording)
    assert text(browser, "button[aria-selected=true]") == "y: each input stamps the kernel onto it"
    browser.execute_script("player.view.move(1e9)")
    assert text(browser, ".verdict") == "These were all stamps: the sum is exactly the recorded y."
