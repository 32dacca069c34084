"""What tests do in a browser: finding, reading and pressing. The browser is the fixture `chromium`."""

from __future__ import annotations

import time


def find(browser, selector):
    return browser.find_element("css selector", selector)


def texts(browser, selector):
    """What such elements say, read in one go: between finding and reading them the page may have drawn them
    anew.
    """
    script = (
        "return [...document.querySelectorAll(arguments[0])]"
        ".map(element => element.innerText ?? element.textContent)"
    )
    return [shown.strip().replace("\t", " ") for shown in browser.execute_script(script, selector)]


def text(browser, selector):
    return texts(browser, selector)[0]


def until(true, seconds=10.0):
    """Wait for what the browser does when it has time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def press(browser, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def click_cell(browser, canvas, x, y):
    """A real click at a place in an element, in pixels from its top left."""
    from selenium.webdriver.common.action_chains import ActionChains

    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    width, height = canvas.size["width"], canvas.size["height"]
    ActionChains(browser).move_to_element_with_offset(
        canvas, x - width // 2, y - height // 2
    ).click().perform()
