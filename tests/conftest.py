"""Fixtures for the whole suite."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys

import pytest

from tinygrad_conv.engine.registry import OPS

from .step_programs import environment

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as a shell leaves it that starts something in the background; programs that tests interrupt inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def scratch_ops():
    """Ops that a test declares, gone after it."""
    known = dict(OPS)
    yield
    OPS.clear()
    OPS.update(known)


@pytest.fixture
def ax():
    """Axes of matplotlib; what cannot be drawn in them fails when the test is over."""
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(layout="constrained")
    yield axes
    figure.canvas.draw()
    pyplot.close(figure)


@pytest.fixture
def drive(tmp_path):
    """Runs a script under the stepper with these lines in a pipe; returns what it said after each, and how it
    ended.
    """

    def drive(script, *lines, options=(), arguments=()):
        path = tmp_path / "a_net.py"
        path.write_text(script.lstrip("\n"), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "tinygrad_conv", "step", *options, str(path), *arguments],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env=environment(COLUMNS="100"),
            timeout=120,
        )
        return done.stdout.split("(step) "), done

    return drive


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A headless Chromium, driven as a person would."""
    selenium = pytest.importorskip("selenium.webdriver")
    binary, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if not binary or not driver:
        pytest.skip("needs chromium and chromedriver")
    options = selenium.ChromeOptions()
    options.binary_location = binary
    quiet = ["background-networking", "component-update", "sync", "gpu", "quic"]
    flags = [
        "headless",
        "no-sandbox",
        "no-first-run",
        "window-size=1400,1000",
        *(f"disable-{feature}" for feature in quiet),
    ]
    for flag in [*flags, f"user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.fixture
def visit(chromium, tmp_path):
    """Opens the page of a recording, a difference or a film.

    At the end, nothing may have been complained about or asked for.
    """
    urls = []

    def visit(shown, address=""):
        path = tmp_path / f"page{len(urls)}.html"
        shown.to_html(path)
        urls.append(path.as_uri())
        chromium.get(path.as_uri() + address)
        return chromium

    chromium.get("about:blank")
    for log in ("browser", "performance"):
        chromium.get_log(log)
    yield visit
    assert chromium.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert set(asked) <= {*urls}
