"""The page of a replayed step: what is in the file, and what a person sees and can do in a browser."""

from __future__ import annotations

import re

import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.debug.page.program import html

from .browser import click_cell, find, press, text, texts, until
from .replay_steps import batches, plain, small_net
from .test_notebook_shows import page_of
from .test_page import ODD_NAME, contents
from .test_page_film import ASKING
from .test_page_film_browser import OVERFLOWING
from .test_page_layout import UNREADABLE, window_of  # noqa: F401


def program_of(net):
    step = tg.replay(plain(net, optim.Adam(net.parameters(), lr=0.01)))
    for batch in batches(3):
        step(*batch)
    return step.program


@pytest.fixture(scope="module")
def program():
    return program_of(small_net())


@pytest.fixture(scope="module")
def profile(program):
    return program.profile(*batches(1)[0], repeats=3)


@pytest.fixture(scope="module")
def long_program():
    """Of a net with many layers, and its times."""
    blocks = [
        layer
        for _ in range(4)
        for layer in (nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.1))
    ]
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), *blocks, nn.Flatten(), nn.Linear(256, 3))
    return program_of(net).profile(*batches(1)[0], repeats=1)


def buffers_of(program):
    return len(set(program.recorded.buffers.values()))


def test_it_has_every_call(program):
    data = contents(html(program))
    assert [call["name"] for call in data["calls"]] == [line.name for line in program.lines]
    for call, listed in zip(data["calls"], str(program).splitlines()):
        assert listed.startswith(call["call"]) and call["array"] in listed and call["line"] in listed
        assert call["source"] and "microseconds" not in call
    assert data["step"] is None and data["note"] == ""
    assert data["title"] == f"A program of {len(program.lines)} calls and {buffers_of(program)} buffers"
    (conv,) = [call for call in data["calls"] if call["name"] == "conv2d+relu"]
    assert (conv["way"], conv["layer"]) == ("forward", "sequential.0")
    assert conv["source"] == "loss = tg.cross_entropy(net(x), y)"
    assert [data["slots"][slot]["name"] for slot in conv["reads"][1:]] == ["0.weight", "0.bias"]


def test_every_value_lies_in_one_lane(program):
    data = contents(html(program))
    slots, placed = data["slots"], [value["slot"] for lane in data["lanes"] for value in lane["values"]]
    assert sorted(placed) == [n for n, slot in enumerate(slots) if slot["bytes"] and slot["owner"] == n]
    for lane in data["lanes"]:
        assert {slots[value["slot"]]["buffer"] for value in lane["values"]} == {lane["buffer"]}
        for before, after in zip(lane["values"], lane["values"][1:]):
            assert before["last"] < after["first"]
        for value in lane["values"]:
            assert value["slot"] in data["calls"][value["first"]]["writes"]


def test_times_are_in_it(profile):
    data = contents(html(profile))
    times = [call["microseconds"] for call in data["calls"]]
    assert times == [round(seconds * 1e6, 1) for seconds in profile.seconds]
    assert data["note"] == f"{profile.verdict}." and data["step"] == round(profile.whole * 1e6, 1)


def test_it_is_one_file_that_asks_for_nothing(tmp_path, program):
    program.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert not ASKING.search(page.replace("http://www.w3.org/2000/svg", ""))
    program.to_html(tmp_path / "page.html", title=ODD_NAME)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<img" not in page and page.count("</script>") == 2
    assert contents(page)["title"] == ODD_NAME
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_without_javascript_there_is_a_list(profile):
    plain = re.search(r"<ol>(.*?)</ol>", html(profile), re.DOTALL)[1]
    assert plain.count("<li>") == len(profile.seconds) and "conv2d+relu(%0, 0.weight, 0.bias)" in plain
    assert plain.count(" µs, ") == len(profile.seconds)


def test_notebooks_show_tables(program, profile):
    listed, timed = page_of(program), page_of(profile)
    assert listed.cells[:5] == ["call", "array", "bytes", "buffer", "line"]
    assert timed.cells[:3] == ["µs", "share", "call"] and len(timed.cells) == 7 * (1 + len(profile.seconds))
    assert profile.verdict in timed.text and f"{buffers_of(program)} buffers" in listed.text
    assert any("0.weight" in cell for cell in listed.cells)


@pytest.mark.browser
def test_calls_are_gone_through_with_the_keyboard(visit, profile):
    from selenium.webdriver.common.keys import Keys

    browser, calls = visit(profile), contents(html(profile))["calls"]
    for number, call in enumerate(calls, 1):
        assert text(browser, "#position") == f"call {number} of {len(calls)}"
        assert text(browser, "#step h2").split("\n")[0].startswith(call["name"])
        assert text(browser, "#step .call") == call["call"] and call["line"] in text(browser, "#step .where")
        assert text(browser, "#step .source") == call["source"]
        assert text(browser, "#step .share").startswith(f"{call['microseconds']:,.1f} µs, ")
        current = texts(browser, "[aria-current]")
        assert len(current) == 1 and current[0].startswith(call["call"])
        press(browser, Keys.ARROW_RIGHT)
    press(browser, Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert text(browser, "#position").startswith("call 2 ") and browser.current_url.endswith("#call=2")
    press(browser, Keys.END)
    assert text(browser, "#step h2").startswith("Adam.step")
    find(browser, "#first").click()
    assert text(browser, "#position").startswith("call 1 ")
    browser.execute_script("location.hash = 'call=4'")
    until(lambda: text(browser, "#position").startswith("call 4 "))
    find(browser, "#slider").send_keys(Keys.ARROW_RIGHT)
    assert text(browser, "#position").startswith("call 5 ")


@pytest.mark.browser
def test_a_call_says_what_it_reads_and_where_that_lies(visit, program):
    data = contents(html(program))
    number = next(n for n, call in enumerate(data["calls"], 1) if call["name"] == "linear")
    browser = visit(program, f"#call={number}")
    said = texts(browser, "#step li")
    assert said[0].startswith("%15 float32[4,64], made by call ") and "flatten" in said[0]
    assert said[1] == "4.weight float32[3,64], a tensor from outside"
    assert said[3] == f"%18 float32[4,3]; 48 bytes in buffer {program.recorded.buffers[18]}"
    find(browser, "#step .link").click()
    assert text(browser, "#step h2").startswith("flatten")
    assert not find(browser, "#measured").is_displayed() and not texts(browser, "#step .share")


@pytest.mark.browser
def test_b_goes_through_what_a_buffer_serves(visit, long_program):
    data = contents(html(long_program))
    lane = max(
        (lane for lane in data["lanes"] if lane["buffer"] is not None), key=lambda it: len(it["values"])
    )
    calls = [value["first"] + 1 for value in lane["values"]]
    assert len(calls) > 1
    browser = visit(long_program, f"#call={calls[0]}")
    for number in (*calls[1:], calls[0]):
        press(browser, "b")
        assert text(browser, "#position").startswith(f"call {number} of ")
        assert f"in buffer {lane['buffer']}" in texts(browser, "#step li")[-1]


BARS = """
    const bars = [...document.querySelectorAll("#lanes .value")];
    return bars.map((bar) => [Number(bar.getAttribute("x")), Number(bar.getAttribute("width"))]);
"""


@pytest.mark.browser
def test_lanes_are_clicked_and_go_by_calls_or_by_time(visit, profile):
    from selenium.webdriver.support.select import Select

    browser = visit(profile)
    data = contents(html(profile))
    values, count = [value for lane in data["lanes"] for value in lane["values"]], len(data["calls"])
    picture = find(browser, "#lanes svg")
    each = (picture.size["width"] - 86) / count
    for (x, width), value in zip(browser.execute_script(BARS), values):
        assert x == pytest.approx(76 + value["first"] * each, abs=2)
        assert x + width == pytest.approx(76 + min(value["last"] + 1, count) * each, abs=2)
    click_cell(browser, picture, int(76 + 4.5 * each), 60)
    assert text(browser, "#position").startswith("call 5 ")
    Select(find(browser, "#across")).select_by_value("time")
    whole = sum(call["microseconds"] for call in data["calls"])
    before = [sum(call["microseconds"] for call in data["calls"][: value["first"]]) for value in values]
    for (x, _), time in zip(browser.execute_script(BARS), before):
        assert x == pytest.approx(76 + time / whole * each * count, abs=2)


@pytest.mark.browser
@pytest.mark.parametrize("width", [800, pytest.param(1100, marks=pytest.mark.exhaustive), 1400])
def test_nothing_is_wider_than_the_window(visit, window_of, long_program, width):  # noqa: F811
    window_of(width)
    browser = visit(long_program)
    for number in range(len(long_program.seconds)):
        browser.execute_script(f"document.querySelectorAll('#list button')[{number}].click()")
        assert browser.execute_script(OVERFLOWING) == [], number
    inside = browser.execute_script("return document.querySelector('#lanes').clientWidth")
    assert inside - 12 <= max(x + width for x, width in browser.execute_script(BARS)) <= inside


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_light_and_dark(visit, long_program, scheme):
    browser = visit(long_program, "#call=3")
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    try:
        assert browser.execute_script(UNREADABLE) == []
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
