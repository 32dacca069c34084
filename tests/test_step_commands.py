"""What the commands of `python -m tinygrad_conv step` answer, through a real pipe."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tinygrad_conv import debug

from .step_programs import ARTICLE, NET, NORMED


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


@pytest.mark.exhaustive
def test_breakpoints(drive):
    lines = ["break conv2d", "break net.fc", "b", "c", "c", "clear net.fc", "c", "clear", "c"]
    (_, *answers), done = drive(NET, *lines, options=["--nth", "2"], arguments=["--rate", "1"])
    assert answers[2] == "conv2d\nnet.fc\n"
    assert answers[3].startswith("> %4 = linear(%3, fc.weight, fc.bias)")
    assert answers[4].startswith("> %1 = conv2d(")
    assert answers[6].startswith(
        "loss 1 ['--rate', '1']\nanother backward of the program: number 3, after number 2\n> %1 = conv2d("
    )  # the third backward has the breakpoint too
    assert answers[8] == "loss 2 ['--rate', '1']\n"
    assert "backward" not in "".join([*answers[:6], answers[7]])
    assert done.stdout.startswith("loss 0 ['--rate', '1']\n> %5 = mse_loss(")


@pytest.mark.exhaustive
def test_what_was_meant_is_suggested(drive):
    lines = ["until conv1", "b CONV1", "until net.conv2", "until fcc", "p weight", "until nothing", "c"]
    (_, *answers), _ = drive(NET, *lines)
    assert [answer.strip() for answer in answers[:6]] == [
        "*** no op or layer 'conv1' on this tape: did you mean net.conv1?",
        "*** no op or layer 'CONV1' on this tape: did you mean net.conv1?",
        "*** no op or layer 'net.conv2' on this tape: did you mean net.conv1?",
        "*** no op or layer 'fcc' on this tape: did you mean net.fc?",
        "*** nothing is called 'weight': did you mean fc.weight?",
        "*** no op or layer 'nothing' on this tape; list all shows it",
    ]


@pytest.mark.exhaustive
def test_nothing_is_cut_and_large_arrays_are_abbreviated(drive):
    wide = NET.replace("nn.Linear(2 * 4 * 4, 3)", "nn.Linear(2 * 4 * 4, 300)").replace("(2, 3)", "(2, 300)")
    name = "a_long_name_of_a_layer_that_somebody_has_chosen_" * 3
    (_, listing, numbers, pictures, *_), _ = drive(
        wide.replace("self.fc", f"self.{name}"), "list all", f"p {name}.weight", "until linear\nshow", "c"
    )
    assert f"net.{name}" in listing and "…" not in listing
    assert len(numbers.splitlines()) < 12 and "..." in numbers
    assert len(pictures.splitlines()) < 20


@pytest.mark.exhaustive
def test_the_end_is_told_in_singular_and_plural(drive):
    _, done = drive(ARTICLE, options=["--nth", "3"])
    ended = "step: the script ended after {}, so there was no number {} to stop in\n"
    assert done.stdout.endswith(ended.format("1 backward", 3))
    _, done = drive(NET, options=["--nth", "9"])
    assert done.stdout.endswith(ended.format("3 backwards", 9))
    (_, _, answer, *_), _ = drive(ARTICLE, "until %2", "explain dx[0, 0, 0, 0]", "c")
    assert "the sum of 1 product\n" in answer


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
def test_files(drive, tmp_path):
    lines = [
        "save run.tgrec.npz",
        "diff run.tgrec.npz",
        "html page.html",
        "html /no/such/folder/page.html",
        "diff",
    ]
    (_, *answers), _ = drive(ARTICLE, *lines, "c")
    size = (tmp_path / "run.tgrec.npz").stat().st_size / 1000
    assert answers[0] == f"wrote run.tgrec.npz ({size:.1f} kB)\n"
    assert answers[1] == "no difference\n"
    assert answers[2].startswith("wrote page.html (") and "<script" in (tmp_path / "page.html").read_text(
        encoding="utf-8"
    )
    assert answers[3].startswith("*** [Errno 2]") and answers[4] == "*** name a file\n"
    np.testing.assert_array_equal(debug.load(tmp_path / "run.tgrec.npz").grads["w"], [[[[6, 2], [1, 4]]]])


@pytest.mark.exhaustive
def test_a_difference_is_found(drive, tmp_path):
    drive(ARTICLE, "save run.tgrec.npz", "c")
    lines = ["diff run.tgrec.npz", "diff run.tgrec.npz both.html", "diff", "diff both.html", "c"]
    (_, *answers), _ = drive(ARTICLE.replace("2.0, 0.0]", "2.5, 0.0]"), *lines)
    assert answers[0].startswith("%1 conv2d: inputs['x'] at [0, 0, 0, 1] is 2.5 here, 2.0 there")
    assert answers[1].startswith(answers[0]) and "wrote both.html (" in answers[1]
    assert (tmp_path / "both.html").stat().st_size > 20_000
    assert answers[2] == answers[3] == "*** name a file\n"


@pytest.mark.exhaustive
def test_pdb_in_the_rule(drive):
    (_, *answers), done = drive(ARTICLE, "until %1", "pdb w", "p dy.tolist()", "quit", "pdb z", "next", "c")
    said = "".join(answers)
    assert re.search(r"ops/conv\.py\(\d+\)conv2d_dw\(\)\n-> return conv2d_weight_grad\(", said)
    assert "(Pdb) [[[[1.0, 2.0], [-1.0, 1.0]]]]" in said and "back in the recording" in said
    assert "*** conv2d has no gradient rule for 'z' here; there is x, w" in said
    assert done.stdout.endswith("dW [[6.0, 2.0], [1.0, 4.0]]\n")


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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
        "flow",
        "film",
        "doctor",
    }
    assert words == moving | looking
    assert more[0].startswith("explain NAME[INDEX]: the products") and more[1] == listing
