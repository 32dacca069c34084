"""`python -m tinygrad_conv step` on a pseudo-terminal: colours, width, completion, an empty line, pdb."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from .step_programs import ARTICLE, NET, environment


class Screen:
    """A process on a terminal of its own."""

    def __init__(self, arguments, width, env, folder):
        import fcntl
        import pty
        import struct
        import termios

        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        self.process = subprocess.Popen(
            arguments, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=folder, start_new_session=True
        )
        os.close(slave)

    def read_until(self, text):
        """What has been written, up to and with this text (or the end)."""
        import select

        said = b""
        while text.encode() not in said:
            ready, _, _ = select.select([self.master], [], [], 60)
            assert ready, said.decode(errors="replace")
            try:
                part = os.read(self.master, 65536)
            except OSError:  # the process has ended
                break
            if not part:
                break
            said += part
        return said.decode("utf-8", errors="replace").replace("\r\n", "\n")

    def say(self, line, until="(step) "):
        os.write(self.master, line.encode())
        return self.read_until(until)


@pytest.fixture
def screen(tmp_path):
    pytest.importorskip("pty")
    opened = []

    def screen(script, width=100, **env):
        (tmp_path / "a_net.py").write_text(script.lstrip("\n"), encoding="utf-8")
        arguments = [sys.executable, "-m", "tinygrad_conv", "step", "a_net.py"]
        opened.append(Screen(arguments, width, environment(**env), tmp_path))
        return opened[-1]

    yield screen
    for terminal in opened:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)


@pytest.mark.exhaustive
def test_a_terminal_has_colours(screen):
    terminal = screen(ARTICLE)
    assert "\x1b[1m> %3 = div(%2, 2.0)" in terminal.read_until("(step) ")
    terminal.say("until %1\n")
    shown = terminal.say("show dw\n")
    assert re.search(r"\x1b\[\d+;48;5;\d+m {6}6 \x1b\[0m", shown)
    assert "48;2;254;232;56" in screen(ARTICLE, COLORTERM="truecolor").say(
        "until %1\nshow dw\nc\n", until="dW"
    )
    assert "dW [[6.0" in terminal.say("c\n", until="]]")


@pytest.mark.exhaustive
def test_no_color_is_respected(screen):
    terminal = screen(ARTICLE, NO_COLOR="1")
    assert "\x1b[1m" not in terminal.read_until("(step) ")
    assert not re.search(r"\x1b\[[\d;]*m", terminal.say("until %1\n") + terminal.say("show dw\n"))


@pytest.mark.exhaustive
def test_the_width_is_respected_and_nothing_is_cut(screen):
    terminal = screen(NET, width=44, NO_COLOR="1")
    said = (
        terminal.read_until("(step) ")
        + terminal.say("list all\n")
        + terminal.say("until %1\n")
        + terminal.say("where\n")
        + terminal.say("help\n")
        + terminal.say("show w\n")
    )
    assert max(len(line) for line in said.splitlines() if "(step)" not in line) <= 44

    letters = "".join(said.split())  # without the line ends
    for whole in (
        "-> %5 = mse_loss(%4, float32[2,3]) float32[] a_net.py:21",
        "%1 = conv2d(float32[2,1,4,4], conv1.weight, conv1.bias, padding=(1, 1)) float32[2,2,4,4] "
        "a_net.py:13 net.conv1",
        "13 -> return self.fc(tg.flatten(tg.relu(self.conv1(x)), 1))",
        "l(ist) [all] the tape around the current op, or all of it. `->` is where we are, B a breakpoint.",
    ):
        assert whole.replace(" ", "") in letters
    assert "…" not in said


@pytest.mark.exhaustive
def test_tab_completes(screen):
    pytest.importorskip("readline")
    terminal = screen(NET, NO_COLOR="1")
    terminal.read_until("(step) ")
    assert "explain" in terminal.say("expl\t", until="explain")
    assert "fc.bias" in terminal.say(" fc.b\t", until="fc.bias")
    assert "gradient of fc.bias[1]" in terminal.say("[1]\n", until="product")


@pytest.mark.exhaustive
def test_an_empty_line_repeats(screen):
    terminal = screen(NET, NO_COLOR="1")
    terminal.read_until("(step) ")
    assert "> %4" in terminal.say("n\n") and "> %3" in terminal.say("\n")


@pytest.mark.exhaustive
def test_pdb_on_a_terminal(screen):
    terminal = screen(ARTICLE, NO_COLOR="1")
    terminal.read_until("(step) ")
    terminal.say("until %1\n")
    assert "conv2d_dw" in terminal.say("pdb w\n", until="(Pdb) ")
    assert "back in the recording" in terminal.say("c\n")
