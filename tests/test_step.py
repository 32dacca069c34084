"""`python -m tinygrad_conv step`, driven through a real pipe and a real pseudo-terminal."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import debug
from tinygrad_conv.debug.terminal.pictures import Terminal, picture

INSTALLED = Path(tg.__file__).resolve().parent.parent
PROJECT = Path(__file__).resolve().parent.parent

NET = """
import sys
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv import nn, optim

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, padding=1)
        self.fc = nn.Linear(2 * 4 * 4, 3)

    def forward(self, x):
        return self.fc(tg.flatten(tg.relu(self.conv1(x)), 1))

tg.manual_seed(0)
net = Net()
optimizer = optim.SGD(net.parameters(), lr=0.1)
x = tg.tensor(np.random.default_rng(0).standard_normal((2, 1, 4, 4)).astype(np.float32))
for step in range(3):
    optimizer.zero_grad()
    loss = tg.mse_loss(net(x), np.zeros((2, 3), np.float32))
    loss.backward()
    optimizer.step()
    print("loss", step, sys.argv[1:])
"""

ARTICLE = """
import tinygrad_conv as tg
x = tg.tensor([[[[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]]], requires_grad=True, name="x")
w = tg.tensor([[[[1.0, 0.0], [0.0, 1.0]]]], requires_grad=True, name="w")
y = tg.conv2d(x, w)
loss = tg.mse_loss(y, tg.ones_like(y), reduction="sum") / 2
loss.backward()
print("dW", w.grad[0, 0].tolist())
"""

NORMED = """
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv import nn
tg.manual_seed(0)
net = nn.Sequential(nn.BatchNorm1d(2, affine=False), nn.Dropout(0.5))
x = tg.tensor([[1.0, 3.0], [2.0, 3.0], [6.0, 3.0]], requires_grad=True, name="x")
weight = tg.tensor([1.0, 2.0, 3.0], requires_grad=True, name="weight")
loss = tg.cross_entropy(net(x) * weight[:2], np.array([0, 1, 1]))
loss.backward()
"""


def environment(**more):
    kept = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM", "COLUMNS")
    }
    return {
        **kept,
        "PYTHONPATH": str(INSTALLED),
        "PYTHONIOENCODING": "utf-8",
        "TERM": "xterm-256color",
        **more,
    }


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


def test_forwards_and_back(drive):
    (start, *answers), done = drive(ARTICLE, "next", "n", "n", "prev", "prev 5", "prev", "n 2", "c")
    assert start.startswith("> %3 = div(%2, 2.0)   float32[]\n  a_net.py:5: loss = ")
    first = [answer.split("\n")[0] for answer in answers]
    mse, conv = (
        "> %2 = mse_loss(%1, float32[1,1,2,2], reduction='sum')   float32[]",
        "> %1 = conv2d(x, w)   float32[1,1,2,2]",
    )
    ends = ["the oldest op: `continue` lets the program go on", "the newest op: here the backward begins"]
    assert first == [
        mse,
        conv,
        ends[0],
        mse,
        start.split("\n")[0],
        ends[1],
        conv,
        "dW [[6.0, 2.0], [1.0, 4.0]]",
    ]
    assert "dw: [[[[6., 2.], [1., 4.]]]]   for w" in answers[1]
    assert done.returncode == 0 and done.stderr == ""


def test_breakpoints(drive):
    lines = ["break conv2d", "break net.fc", "b", "c", "c", "clear net.fc", "c", "clear", "c"]
    (_, *answers), done = drive(NET, *lines, options=["--nth", "2"], arguments=["--rate", "1"])
    assert answers[2] == "conv2d\nnet.fc\n"
    assert answers[3].startswith("> %4 = linear(%3, fc.weight, fc.bias)")
    assert answers[4].startswith("> %1 = conv2d(")
    assert answers[6].startswith(
        "loss 1 ['--rate', '1']\n> %1 = conv2d("
    )  # the third backward has the breakpoint too
    assert answers[8] == "loss 2 ['--rate', '1']\n"
    assert done.stdout.startswith("loss 0 ['--rate', '1']\n> %5 = mse_loss(")


def test_until_list_and_where(drive):
    (_, *answers), _ = drive(NET, "until %3", "until conv2d", "until %4", "list", "where", "c")
    assert answers[0].startswith("> %3 = flatten") and answers[1].startswith("> %1 = conv2d")
    assert answers[2] == "*** %4 has been passed already; prev goes back\n"
    assert re.match(
        r"-> %1 = conv2d\(float32\[2,1,4,4\], conv1.weight, conv1.bias, padding=.*\n   %2 = relu\(%1\)",
        answers[3],
    )
    assert re.search(
        r"^ +13 -> +return self\.fc\(tg\.flatten\(tg\.relu\(self\.conv1\(x\)\), 1\)\)$",
        answers[4],
        re.MULTILINE,
    )
    assert "dw: conv2d_dw (" in answers[4]


def test_numbers_pictures_and_reasons(drive):
    numbers = ["until %1", "p dw", "p dw[0, 0, 1]", "p d%1[0,0,:,0]", "p"]
    asked = [*numbers, "show dx", "explain dw[0, 0, 1, 1]", "explain dw", "trace x[0,0,1,1]", "check"]
    (_, *answers), _ = drive(ARTICLE, *asked, "c")
    assert answers[1] == "[[[[6. 2.]\n   [1. 4.]]]]\n"
    assert answers[2] == "[1. 4.]\n" and answers[3] == "[ 1. -1.]\n"
    assert answers[4] == "x, dx, w, dw, y, dy, stride, padding, dilation, groups\n"
    assert [line.split() for line in answers[5].splitlines()[1:]] == [
        ["1", "2", "0"],
        ["-1", "2", "2"],
        ["0", "-1", "1"],
    ]
    head, largest, *_ = answers[6].splitlines()
    assert head == "gradient of w[0, 0, 1, 1]: 4, the sum of 4 products"
    assert largest.startswith("    +2 = dy[0, 0, 0, 1] 2 × x[0, 0, 1, 2] 1")
    assert answers[7] == "*** one number of dw has an index of 4: dw[0, 0, 0, 0]\n"
    assert "where the gradient comes from" in answers[8]
    assert answers[9].endswith("all agree\n")


def test_options_and_kept_values(drive):
    asked = [
        "p weight",
        "p label_smoothing",
        "p weigth",
        "until dropout",
        "p",
        "p p",
        "p kept[0]",
        "s p",
        "p p[0]",
    ]
    normed = [
        "until batch_norm",
        "p running_mean",
        "p center",
        "p scale",
        "p training",
        "p w",
        "explain center[0]",
        "p cent",
    ]
    (_, *answers), _ = drive(NORMED, *asked, *normed, "c")
    assert answers[0] == "[1. 2. 3.]\n"  # the leaf, not cross_entropy's option, which is None
    assert answers[1] == "0.0\n" and answers[2] == "*** nothing is called 'weigth': did you mean weight?\n"
    assert answers[4] == "x, dx, y, dy, p, kept\n"
    assert answers[5] == "0.5\n" and re.fullmatch(r"\[ ?(True|False) +(True|False)\]\n", answers[6])
    assert answers[7] == "p   0.5\n" and answers[8] == "*** p is 0.5: it has no index\n"
    assert answers[10] == "[0. 0.]\n"
    assert answers[11] == "[[3. 3.]]\n" and answers[12].startswith("[[  0.46")
    assert answers[13] == "True\n" and answers[14].startswith("*** nothing is called 'w'")
    assert answers[15] == "*** center is a constant: no gradient goes to it\n"
    assert answers[16] == "*** nothing is called 'cent': did you mean center?\n"


def test_files(drive, tmp_path):
    lines = [
        "save run.tgrec.npz",
        "diff run.tgrec.npz",
        "html page.html",
        "html /no/such/folder/page.html",
        "diff",
    ]
    (_, *answers), _ = drive(ARTICLE, *lines, "c")
    assert answers[1] == "no difference\n"
    assert answers[2].startswith("wrote page.html (") and "<script" in (tmp_path / "page.html").read_text(
        encoding="utf-8"
    )
    assert answers[3].startswith("*** [Errno 2]") and answers[4] == "*** name a file\n"
    np.testing.assert_array_equal(debug.load(tmp_path / "run.tgrec.npz").grads["w"], [[[[6, 2], [1, 4]]]])


def test_a_difference_is_found(drive, tmp_path):
    drive(ARTICLE, "save run.tgrec.npz", "c")
    (_, answer, *_), _ = drive(ARTICLE.replace("2.0, 0.0]", "2.5, 0.0]"), "diff run.tgrec.npz", "c")
    assert answer.startswith("%1 conv2d: inputs['x'] at [0, 0, 0, 1] is 2.5 here, 2.0 there")


def test_pdb_in_the_rule(drive):
    (_, *answers), done = drive(ARTICLE, "until %1", "pdb w", "p dy.tolist()", "quit", "pdb z", "next", "c")
    said = "".join(answers)
    assert re.search(r"ops/conv\.py\(\d+\)conv2d_dw\(\)\n-> return conv2d_weight_grad\(", said)
    assert "(Pdb) [[[[1.0, 2.0], [-1.0, 1.0]]]]" in said and "back in the recording" in said
    assert "*** conv2d has no gradient rule for 'z' here; there is x, w" in said
    assert done.stdout.endswith("dW [[6.0, 2.0], [1.0, 4.0]]\n")


def test_typos_are_answered(drive):
    lines = [
        "nxt",
        "xyzzy",
        "p dq",
        "b conv3d",
        "until",
        "n two",
        "explain dw[9,9,9,9]",
        "p dw[a]",
        "help nxt",
    ]
    (_, *answers), _ = drive(ARTICLE, *lines, "c")
    assert [answer.strip() for answer in answers[:-1]] == [
        "*** no command 'nxt': did you mean next?",
        "*** no command 'xyzzy'; help lists them",
        "*** nothing is called 'dq': did you mean dy?",
        "*** no op or layer 'conv3d' on this tape: did you mean conv2d?",
        "*** until which op? until conv2d, until net.conv1, until %3",
        "*** 'two' is no number of ops",
        "*** [9, 9, 9, 9] is no index of one number of [1,1,2,2]",
        "*** nothing is called 'dw[a]': did you mean dw?",
        "*** no command 'nxt': did you mean next?",
    ]


def test_help_lists_every_command(drive):
    (_, listing, *more), _ = drive(ARTICLE, "help", "h explain", "?", "quit")
    words = {re.sub(r"[()]", "", line).split()[0] for line in listing.splitlines()}
    moving = {"next", "prev", "break", "clear", "continue", "until", "quit"}
    looking = {
        "list",
        "where",
        "print",
        "show",
        "explain",
        "trace",
        "check",
        "diff",
        "save",
        "html",
        "pdb",
        "help",
    }
    assert words == moving | looking
    assert more[0].startswith("explain NAME[INDEX]: the products") and more[1] == listing


def test_quit_and_the_end_of_the_pipe_end_the_program(drive):
    for lines in (["quit"], []):
        _, done = drive(ARTICLE, *lines)
        assert "dW" not in done.stdout and done.returncode == 0


def test_an_exception_is_shown_as_python_shows_it(drive, tmp_path):
    script = ARTICLE + "def fail():\n    raise ValueError('broken')\nfail()\n"
    _, done = drive(script, "c")
    plain = subprocess.run(
        [sys.executable, str(tmp_path / "a_net.py")], capture_output=True, text=True, env=environment()
    )
    assert done.returncode == plain.returncode == 1
    assert done.stderr == plain.stderr and "ValueError: broken" in done.stderr


def test_syntax_errors_exit_codes_and_missing_files(drive, tmp_path):
    _, done = drive("x = = 1\n")
    assert (
        done.returncode == 1
        and "SyntaxError" in done.stderr
        and "a_net.py" in done.stderr
        and "command.py" not in done.stderr
    )
    _, done = drive("import sys\nsys.exit(7)\n")
    assert done.returncode == 7
    _, done = drive("raise SystemExit('no data')\n")
    assert (done.returncode, done.stderr) == (1, "no data\n")
    (tmp_path / "a_net.py").unlink()
    command = [sys.executable, "-m", "tinygrad_conv", "step", "no.py"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "step: there is no file no.py\n")


def test_a_backward_that_never_comes(drive):
    _, done = drive(ARTICLE, options=["--nth", "2"])
    assert done.stdout.endswith(
        "step: the script ended after 1 backwards, so there was no number 2 to stop in\n"
    )


def test_the_script_is_main_and_finds_its_neighbours(drive, tmp_path):
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    _, done = drive(
        "import beside, sys\nprint(__name__, __file__, beside.NAME, sys.argv)\n",
        arguments=["-v", "--nth", "3"],
    )
    path = str(tmp_path / "a_net.py")
    assert done.stdout.startswith(f"__main__ {path} beside {[path, '-v', '--nth', '3']}\n")


def test_it_is_the_recording_and_hooks_run_once(drive):
    script = NET.replace(
        "x = tg.tensor", "net.fc.weight.register_hook(lambda g: print('hook') or g * 2)\nx = tg.tensor"
    )
    script += "print('sum', float(np.abs(net.fc.weight.grad).sum()))\n"
    _, stepped = drive(script, "n", "c")
    _, alone = drive(script, options=["--nth", "99"])
    assert stepped.stdout.count("hook") == 3
    assert re.findall("sum .*", stepped.stdout) == re.findall("sum .*", alone.stdout)


# A pseudo-terminal


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


def test_no_color_is_respected(screen):
    terminal = screen(ARTICLE, NO_COLOR="1")
    assert "\x1b[1m" not in terminal.read_until("(step) ")
    assert not re.search(r"\x1b\[[\d;]*m", terminal.say("until %1\n") + terminal.say("show dw\n"))


def test_the_width_is_respected(screen):
    terminal = screen(NET, width=44, NO_COLOR="1")
    said = (
        terminal.read_until("(step) ")
        + terminal.say("list all\n")
        + terminal.say("until %1\n")
        + terminal.say("show w\n")
    )
    assert max(len(line) for line in said.splitlines() if "(step)" not in line) <= 44 and "…" in said


def test_tab_completes(screen):
    pytest.importorskip("readline")
    terminal = screen(NET, NO_COLOR="1")
    terminal.read_until("(step) ")
    assert "explain" in terminal.say("expl\t", until="explain")
    assert "fc.bias" in terminal.say(" fc.b\t", until="fc.bias")
    assert "gradient of fc.bias[1]" in terminal.say("[1]\n", until="product")


def test_an_empty_line_repeats(screen):
    terminal = screen(NET, NO_COLOR="1")
    terminal.read_until("(step) ")
    assert "> %4" in terminal.say("n\n") and "> %3" in terminal.say("\n")


def test_pdb_on_a_terminal(screen):
    terminal = screen(ARTICLE, NO_COLOR="1")
    terminal.read_until("(step) ")
    terminal.say("until %1\n")
    assert "conv2d_dw" in terminal.say("pdb w\n", until="(Pdb) ")
    assert "back in the recording" in terminal.say("c\n")


# Pictures


class Stream(io.StringIO):
    encoding = "utf-8"


def test_pictures_without_colour_show_sign_and_size():
    terminal = Terminal(Stream(), 60)
    shown = picture("x", np.linspace(-1, 1, 11 * 11).reshape(11, 11), terminal).splitlines()
    assert shown[0] == "x   float64[11,11], from -1 to 1"
    assert shown[1].startswith("-█") and shown[-1].endswith("██") and len(shown) == 12
    assert shown[6][10:12] in ("  ", "-░", "░░")


def test_pictures_of_odd_arrays():
    terminal = Terminal(Stream(), 40)
    assert picture("s", np.float64(3).reshape(()), terminal).splitlines()[1].strip() == "3"
    assert picture("e", np.zeros((0, 3)), terminal) == "e   float64[0,3]"
    assert "nan" in picture("n", np.array([1, np.nan]), terminal) and "??" in picture(
        "n", np.full((2, 90), np.nan), terminal
    )
    assert "(columns 0 to 19 of 90)" in picture("n", np.ones((2, 90)), terminal)
    assert "(planes 0 to 11 of 50" in picture("p", np.ones((50, 5, 5)), terminal)
