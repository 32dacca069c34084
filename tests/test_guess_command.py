"""`check FILE` and its options, on a file whose op declares no inputs."""

from __future__ import annotations

import json

import pytest

from tinygrad_conv.__main__ import main
from tinygrad_conv.checks.cases import CASES

pytestmark = pytest.mark.usefixtures("scratch_ops")

FILE = """
import numpy as np
import tinygrad_conv as tg

print("a file may print")

@tg.primitive
def squares(x):
    return x * x

@squares.grad("x")
def squares_dx(dy, x):
    return RULE
"""


@pytest.fixture
def run(tmp_path, capsys):
    """Runs check on the file with a rule; its exit status and what it printed."""
    known = dict(CASES)

    def command(rule, *options):
        path = tmp_path / "squares.py"
        path.write_text(FILE.replace("RULE", rule))
        status = main(["check", str(path), *options])
        return status, capsys.readouterr().out

    yield command
    CASES.clear()
    CASES.update(known)


@pytest.mark.parametrize("rule, status", [("2 * dy * x", 0), ("3 * dy * x", 1), ("tg.sum(dy * x)", 2)])
def test_the_exit_status_and_json(run, rule, status):
    code, out = run(rule, "--json", "--no-repair")
    told = json.loads(out)  # what the file prints is not in it
    assert code == told["exit_code"] == status
    (op,) = told["ops"]
    assert op["op"] == "squares" and op["verdict"] == ["right", "wrong", "not checked"][status]
    assert op["inputs"][0] == "x [2,3]" and bool(op["failures"]) == (status == 1)
    assert bool(op["not_checked_because"]) == (status == 2)


def test_the_table_says_what_was_used_and_why_not(run):
    status, out = run("tg.sum(dy * x)")
    assert status == 2 and out.splitlines()[-1] == "1 op checked, 1 not checked"
    assert "squares: checked on x [2,3]; x [3]" in out
    assert "squares: not checked, because it is right for none of the inputs that were guessed" in out


@pytest.mark.exhaustive
def test_repair_is_tried_unless_it_is_not_wanted(run):
    assert "an edit that makes it right" in run("3 * dy * x")[1]
    assert "an edit that makes it right" not in run("3 * dy * x", "--no-repair")[1]


def test_order_1_looks_at_nothing_more(run):
    constant = "2 * dy * (x if isinstance(x, np.ndarray) else tg.tensor(x.data))"
    assert run(constant, "--no-repair")[0] == 1
    assert run(constant, "--order", "1")[0] == 0


def test_adequacy_is_told_below_the_table(run, tmp_path, capsys):
    path = tmp_path / "means.py"
    path.write_text(
        FILE.replace("squares", "means")
        .replace("x * x", "x.mean(0)")
        .replace("RULE", "0 * x + dy / x.shape[0]")
        + "\nfrom tinygrad_conv.checks import case, normal\ncase(means, normal('n n'), linear=True)\n"
    )
    assert main(["check", str(path), "--adequacy"]) == 0
    out = capsys.readouterr().out
    assert "means: these inputs cannot tell the rule from wrong ones; try x [2," in out
    assert "means.py:13   0 * x + dy / x.shape[0]  as  0 * x + dy / dy.shape[0]" in out


def test_help_documents_the_exit_codes(capsys):
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    for text in (
        "exit codes: 0 all right; 1 something is wrong",
        "--order",
        "--no-repair",
        "--adequacy",
        "--json",
    ):
        assert text in out
