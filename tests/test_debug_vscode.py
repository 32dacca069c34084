"""debugpy, driven over its socket as VS Code drives it: breakpoints in a rule, with and without
justMyCode.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug import debugger

pytestmark = pytest.mark.extras

PACKAGE = Path(tg.__file__).resolve().parent
RULE = "conv2d_dw"

SCRIPT = """
import tinygrad_conv as tg

{first}
x = tg.tensor([[[[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]]])
w = tg.tensor([[[[1.0, 0.0], [0.0, 1.0]]]], requires_grad=True, name="w")
tg.conv2d(x, w).backward([[[[1.0, 2.0], [-1.0, 1.0]]]])
"""


NET = """
import tinygrad_conv as tg
from tinygrad_conv import nn

net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten())
x = tg.ones(1, 1, 3, 3)
with tg.profile() as profile:
    y = net(x)
    loss = tg.mse_loss(y, tg.zeros(1, 8))
    loss.backward()
events = len(profile.events)
print(events)
"""


class Editor:
    """The editor's side of the debug adapter protocol: requests, and the events that come in between."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.stream = self.socket.makefile("rb")
        self.sent = 0
        self.events: list[dict[str, Any]] = []

    def send(self, command: str, **arguments: Any) -> int:
        self.sent += 1
        body = json.dumps(
            {"seq": self.sent, "type": "request", "command": command, "arguments": arguments}
        ).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return self.sent

    def receive(self) -> dict[str, Any]:
        length = 0
        while line := self.stream.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.stream.read(length))

    def answer(self, number: int) -> dict[str, Any]:
        """The answer to a request."""
        while True:
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)
            elif message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return message.get("body", {})

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        return self.answer(self.send(command, **arguments))

    def wait(self, *names: str) -> dict[str, Any]:
        """The next event of one of these kinds."""
        while True:
            for event in self.events:
                if event["event"] in names:
                    self.events.remove(event)
                    return event
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Any]:
    """Start a program under debugpy with a breakpoint in the rule, the package being installed or not."""
    pytest.importorskip("debugpy")
    processes, editors = [], []

    def start(
        installed: bool, first: str = "", program: str = SCRIPT, stop_at: str = "", **configuration: Any
    ) -> Editor:
        """stop_at: the line of the program to stop at, in the place of the rule's."""
        place = (
            tmp_path / "site-packages" if installed else PACKAGE.parent
        )  # debuggers know libraries by that name
        if installed:
            shutil.copytree(PACKAGE, place / "tinygrad_conv", ignore=shutil.ignore_patterns("__pycache__"))
        script = tmp_path / "net.py"
        script.write_text(program.format(first=first))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "debugpy",
            "--listen",
            f"127.0.0.1:{port}",
            "--wait-for-client",
            str(script),
        ]
        environment = {**os.environ, "PYTHONPATH": str(place), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        processes.append(
            subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        )
        editor = connected(port)
        editors.append(editor)
        editor.ask("initialize", adapterID="tests", pathFormat="path")
        attached = editor.send("attach", connect={"host": "127.0.0.1", "port": port}, **configuration)
        editor.wait("initialized")
        source = script if stop_at else place / "tinygrad_conv" / "ops" / "conv.py"
        line = script.read_text().splitlines().index(stop_at) + 1 if stop_at else line_of_rule(source)
        editor.ask("setBreakpoints", source={"path": str(source)}, breakpoints=[{"line": line}])
        editor.ask("configurationDone")
        editor.answer(attached)
        return editor

    yield start
    for editor in editors:
        editor.stream.close()
        editor.socket.close()
    for process in processes:
        process.kill()
        process.wait()


def connected(port: int) -> Editor:
    """An editor connected to a debugger that is about to listen."""
    for _ in range(600):
        try:
            return Editor(port)
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("debugpy does not listen")


def line_of_rule(source: Path) -> int:
    """The line of the rule's return."""
    lines = source.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"def {RULE}("))
    return next(number for number in range(start, len(lines)) if "return" in lines[number]) + 1


def assert_in_the_rule(editor: Editor) -> None:
    stopped = editor.wait("stopped", "terminated")
    assert stopped["event"] == "stopped" and stopped["body"]["reason"] == "breakpoint"
    frames = editor.ask("stackTrace", threadId=stopped["body"]["threadId"])["stackFrames"]
    names = [frame["name"] for frame in frames]
    assert names[0] == RULE and "<module>" in names
    scope = editor.ask("scopes", frameId=frames[0]["id"])["scopes"][0]
    variables = editor.ask("variables", variablesReference=scope["variablesReference"])["variables"]
    named = {variable["name"]: variable for variable in variables}
    assert named["dy"]["type"] == named["x"]["type"] == "ndarray" and "2." in named["dy"]["value"]
    expression = "__import__('tinygrad_conv').debug.where_am_i()"
    where = editor.ask("evaluate", expression=expression, frameId=frames[0]["id"], context="repl")["result"]
    assert f"in rule {RULE}" in where and "net.py:7" in where
    while stopped["event"] == "stopped":  # a statement of several lines may come by its first one twice
        editor.send("continue", threadId=stopped["body"]["threadId"])
        stopped = editor.wait("stopped", "terminated")


def test_in_a_checkout_a_breakpoint_in_a_rule_is_hit(run: Any) -> None:
    assert_in_the_rule(run(installed=False))


def test_installed_and_with_the_default_settings_it_is_not(run: Any) -> None:
    assert run(installed=True).wait("stopped", "terminated")["event"] == "terminated"


def test_installed_it_is_hit_without_just_my_code(run: Any) -> None:
    assert_in_the_rule(run(installed=True, justMyCode=False))


def test_installed_it_is_hit_with_a_rule_for_this_package(run: Any) -> None:
    assert_in_the_rule(run(installed=True, rules=[{"path": "**/tinygrad_conv/**", "include": True}]))


def test_installed_it_is_hit_after_breakpoints_here(run: Any) -> None:
    assert_in_the_rule(run(installed=True, first="tg.debug.breakpoints_here()"))


@pytest.mark.exhaustive
def test_breakpoints_here_without_a_debugger() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import tinygrad_conv as tg; tg.debug.breakpoints_here()"],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "neither debugpy nor PyCharm's debugger is running" in done.stderr


def step_in(editor: Editor, stopped: dict[str, Any], times: int) -> list[tuple[str, str]]:
    """(function, file) where F11 leads, press by press."""
    places = []
    for _ in range(times):
        editor.ask("stepIn", threadId=stopped["body"]["threadId"])
        stopped = editor.wait("stopped", "terminated")
        assert stopped["event"] == "stopped", places
        top = editor.ask("stackTrace", threadId=stopped["body"]["threadId"])["stackFrames"][0]
        places.append((top["name"], Path(top["source"]["path"]).name))
    return places


@pytest.mark.parametrize("installed", [True, False], ids=["installed", "checkout"])
def test_one_press_leads_from_backward_into_the_first_rule(run: Any, installed: bool) -> None:
    program = NET.replace("    loss.backward()", "    pass\nloss.backward()")
    editor = run(installed, program=program, stop_at="loss.backward()", rules=debugger.rules())
    (place,) = step_in(editor, editor.wait("stopped"), 1)
    assert place == ("mse_loss_dx", "loss.py")


@pytest.mark.parametrize("installed", [True, False], ids=["installed", "checkout"])
def test_one_press_leads_from_a_net_to_its_first_op_and_another_from_the_arithmetic_into_the_kernel(
    run: Any, installed: bool
) -> None:
    program = NET.replace("    y = net(x)", "    pass\ny = net(x)\nif y is not None:")
    editor = run(installed, program=program, stop_at="y = net(x)", rules=debugger.rules())
    head, window, kernel = step_in(editor, editor.wait("stopped"), 3)
    assert head == window == ("conv2d", "conv.py")
    assert kernel == ("correlate", "im2col.py")


@pytest.mark.exhaustive
def test_a_press_leads_past_shapes_and_into_the_formula_of_an_update(run: Any) -> None:
    lines = "width = x.shape[3]\noptimizer.zero_grad(False)\noptimizer.step()\n"
    program = f"{NET}optimizer = tg.optim.SGD(net.parameters(), lr=0.1)\n{lines}"
    editor = run(True, program=program, stop_at="width = x.shape[3]", rules=debugger.rules())
    *past, formula = step_in(editor, editor.wait("stopped"), 3)
    assert past == [("<module>", "net.py")] * 2
    assert formula == ("updated", "sgd.py")


def test_unfolding_a_tensor_applies_no_op(run: Any) -> None:
    editor = run(False, program=NET, stop_at="    loss.backward()", rules=debugger.rules())
    stopped = editor.wait("stopped")
    frame = editor.ask("stackTrace", threadId=stopped["body"]["threadId"])["stackFrames"][0]
    scope = editor.ask("scopes", frameId=frame["id"])["scopes"][0]
    unfolded = 0
    for variable in editor.ask("variables", variablesReference=scope["variablesReference"])["variables"]:
        if variable["name"] in ("x", "y", "loss"):
            shown = editor.ask("variables", variablesReference=variable["variablesReference"])["variables"]
            names = {each["name"] for each in shown}
            assert {"data", "grad", "shape"} <= names and "T" not in names
            unfolded += 1
    assert unfolded == 3
    events = editor.ask("evaluate", expression="[each.op for each in profile.events]", frameId=frame["id"])
    assert events["result"] == "['conv2d', 'relu', 'flatten', 'mse_loss']"


@pytest.mark.exhaustive
def test_the_command_prints_the_launch_configuration() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_conv", "vscode"],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert json.loads(done.stdout) == debugger.launch_configuration()
