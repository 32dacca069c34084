"""Which line cut the tape: named where a backward finds nothing to go back through, and by `why_no_grad`."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import debug, nn
from tinygrad_conv.errors import GraphError

HEAD = """
import math
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv import nn
import tinygrad_conv.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        h = self.fc(x)
        return F.relu(h)

class Cutting(Net):
    def forward(self, x):
        h = self.fc(x)
        h = h.detach()  # in forward
        return F.relu(h)

class Frozen(Net):
    @tg.no_grad()
    def forward(self, x):
        return self.fc(x)

def features(net, x):
    return tg.tensor(net(x).data)  # in a function

net, x, y = Net(), tg.ones(4, 3), tg.ones(4, 2)
w = net.fc.weight
"""


def line_named(tmp_path, body, question="loss.backward()"):
    """The text of the line that is named where a script's last line asks; "" for none."""
    path = tmp_path / "script.py"
    path.write_text(HEAD + body + question + "\n", encoding="utf-8")
    names = {"__name__": "__main__"}
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
        told = names.get("told", "")
    except GraphError as error:
        told = str(error)
    if " cut the tape (" not in told:
        return ""
    place = told.partition(" cut the tape (")[0].split()[-1]
    line = path.read_text(encoding="utf-8").splitlines()[int(place.rpartition(":")[2]) - 1]
    assert "script.py:" in place and told.endswith(line.strip())
    return line.strip()


CUTS = [
    ("loss = net(x).detach().sum()  # here\n", "# here"),
    ("h = net(x).detach()  # here\nh = F.relu(h)\nloss = h.mean()\n", "# here"),
    ("h = net(x)\nh = h.detach()  # here\nz = h * 2\nloss = ((z - y) ** 2).mean()\n", "# here"),
    ("h = tg.tensor(net(x).tolist())  # here\nloss = h.sum()\n", "# here"),
    ("h = net(x)\nloss = tg.Tensor(h.data).sum()  # here\n", "# here"),
    ("h = net(x)\na = h.detach().numpy()  # here\nb = np.tanh(a)\nloss = tg.from_numpy(b).sum()\n", "# here"),
    ("with tg.no_grad():\n    h = net(x)  # here\nloss = h.sum()\n", "# here"),
    ("with tg.no_grad():\n    if True:\n        loss = net(x).sum()  # here\n", "# here"),
    ("loss = tg.tensor(float(net(x).sum()))  # here\n", "# here"),
    ("l = net(x).sum().item()  # here\nloss = tg.tensor(l * 2)\n", "# here"),
    ("loss = (net(x).argmax(1) == 0).float().mean()  # here\n", "# here"),
    ("pred = net(x).argmax(1)  # here\nloss = (pred == 1).float().sum()\n", "# here"),
    (
        "ls = []\nfor _ in (1, 2):\n    ls.append(net(x)[0, 0].item())  # here\nloss = tg.tensor(sum(ls))\n",
        "# here",
    ),
    (
        "total = 0\nfor i in range(2):\n    total += net(x).sum().item()  # here\nloss = tg.tensor(total)\n",
        "# here",
    ),
    ("net = Cutting()\nloss = net(x).sum()\n", "# in forward"),
    ("net = Frozen()\nloss = net(x).sum()\n", "return self.fc(x)"),
    ("loss = features(net, x).sum()\n", "# in a function"),
    ("def step(loss):\n    loss.backward()\nstep(net(x).detach().sum())  # here\n", "# here"),
    (
        "def run():\n    n = Net()\n    h = n(x).data  # here\n    tg.Tensor(h).sum().backward()\nrun()\n",
        "# here",
    ),
    (
        "nets = [Net(), Net()]\nh = x\nfor each in nets:\n    h = each(x).detach()  # here\nloss = h.sum()\n",
        "# here",
    ),
    ("loss = (w.detach() * 2).sum()  # here\n", "# here"),
    ("loss, other = net(x).detach().sum(), 3  # here\n", "# here"),
    ("hs = [net(x).detach() for i in range(2)]  # here\nloss = sum(hs).sum()\n", "# here"),
]


@pytest.mark.parametrize("body, line", CUTS)
def test_a_backward_names_the_line(tmp_path, body, line):
    asked = body if ".backward()" in body else body + "loss.backward()"
    assert line_named(tmp_path, asked, "").endswith(line)


@pytest.mark.parametrize("body, line", [CUTS[0], CUTS[6]])
def test_why_no_grad_names_it_of_the_result(tmp_path, body, line):
    assert line_named(tmp_path, body, "told = tg.debug.why_no_grad(loss)").endswith(line)


@pytest.mark.parametrize(
    "body, line",
    [
        ("h = net(x).detach()  # here\nother = Net()\nother.fc(tg.ones(2, 3)).sum().backward()\n", "# here"),
        ("with tg.no_grad():\n    h = net(x)  # here\n", "# here"),
        ("h = F.linear(x, w.data)  # here\n", "# here"),
        ("h = x.detach()\n", ""),
        ("first = Net()\nh = first(x).detach()\n", ""),
        ("", ""),
    ],
)
def test_why_no_grad_names_it_of_a_leaf(tmp_path, body, line):
    named = line_named(tmp_path, body, "told = tg.debug.why_no_grad(w)")
    assert named.endswith(line) and bool(named) == bool(line)


@pytest.mark.parametrize(
    "body",
    [
        "loss = x.sum()\n",
        "h = x.detach() * 2\nloss = h.mean()\n",
        "net.requires_grad_(False)\nloss = net(x).sum()\n",
        "loss = tg.tensor(np.ones(3)).sum()\n",
        "loss = eval('tg.ones(2)').sum()\n",
        "loss = tg.zeros_like(net(x)).sum()\n",
    ],
)
def test_where_nothing_was_cut_no_line_is_named(tmp_path, body):
    assert line_named(tmp_path, body) == ""


def test_the_message_says_how():
    layer = nn.Linear(2, 2)
    h = layer(tg.ones(1, 2)).detach()
    with pytest.raises(
        GraphError, match=r"or detached; .*test_debug_cut.py:\d+ cut the tape \(.detach\(\)\): h = layer"
    ):
        h.sum().backward()
    with tg.no_grad():
        y = layer(tg.ones(1, 2))
    with pytest.raises(GraphError, match=r"cut the tape \(under no_grad, from line \d+ on\): y = layer"):
        y.sum().backward()
    assert "cut the tape" in debug.why_no_grad(h)


def test_without_source_nothing_is_named():
    names = {"tg": tg, "w": tg.ones(2, requires_grad=True), "np": np}
    with pytest.raises(GraphError, match="or detached$"):
        exec("w.detach().sum().backward()", names)
