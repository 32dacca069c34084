"""The examples, run as a newcomer runs them, and the README's code: what they print is what they promise."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from .helpers import INSTALLED, more
from .tools.names import rewritten

PROJECT = Path(__file__).resolve().parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def run(folder: Path, *arguments: str, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, working in the folder; `path` comes before everything installed."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (*path, INSTALLED))),
            "PYTHONIOENCODING": "utf-8",
            "PYTHONBREAKPOINT": "0",
        },
        timeout=300,
    )


def example(folder: Path, name: str, *arguments: str, path: tuple[Path, ...] = ()) -> str:
    """What an example prints."""
    done = run(folder, str(PROJECT / "examples" / name), *arguments, path=path)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def printed_by(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """What an example without arguments prints, which several tests look at."""
    return cache(lambda name: example(tmp_path_factory.mktemp("example"), name))


def without_extras(folder: Path) -> tuple[Path]:
    """A folder in which the optional packages are found, and cannot be imported."""
    for package in ("matplotlib", "sklearn"):
        (folder / f"{package}.py").write_text("raise ImportError('not installed')\n")
    return (folder,)


def test_the_article_s_sums_are_written_out(tmp_path: Path) -> None:
    printed = example(tmp_path, "article.py")
    sums = dict(re.findall(r"^    (\w+\[\d,\d\]) = .* = (-?\d+)$", printed, re.MULTILINE))
    assert [int(sums[f"Y[{i},{j}]"]) for i in range(2) for j in range(2)] == [2, 3, 0, 2]
    assert [int(sums[f"dW[{i},{j}]"]) for i in range(2) for j in range(2)] == [6, 2, 1, 4]
    assert [int(sums[f"dX[{i},{j}]"]) for i in range(3) for j in range(3)] == [1, 2, 0, -1, 2, 2, 0, -1, 1]
    assert "Y[0,1] = 2·1 + 0·0 + 1·0 + 1·1 = 3" in printed
    assert "correlation    convolution" in printed
    assert re.search(r"0\.4 +-0\.2.*\n.*-0\.1 +0\.6", printed)
    assert "All three agree" in printed
    of_k = [1, 4, 4, 2, 9, 10, -3, -1, 4]
    assert [int(sums[f"dX_of_K[{i},{j}]"]) for i in range(3) for j in range(3)] == of_k
    assert max(map(len, printed.splitlines())) <= 80


WITHOUT_THE_FLIP = """
import article
import tinygrad_conv as tg

conv = tg.ops.conv
right = conv.conv2d_input_grad
conv.conv2d_input_grad = lambda dy, w, **geometry: right(dy, tg.flip(w, (2, 3)), **geometry)
article.three_ways_agree()
"""


def test_the_article_s_second_kernel_finds_a_rule_without_the_flip(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", WITHOUT_THE_FLIP, path=(PROJECT / "examples",))
    printed, error = done.stdout, done.stderr
    assert "All three agree" in printed, error  # W is its own flip, and finds nothing
    assert "np.array_equal(engine_dx, EXPECTED_DX_OF_K)" in error and "AssertionError" in error


def test_a_kernel_is_learned(tmp_path: Path) -> None:
    printed = example(tmp_path, "learn_a_kernel.py")
    assert float(re.search(r"largest difference: (\S+)", printed)[1]) < 1e-3
    assert re.search(r"2\.000 +-?0\.000 +-2\.000 +2 +0 +-2", printed)


def test_the_own_op_passes_its_check(tmp_path: Path) -> None:
    printed = example(tmp_path, "custom_op.py")
    assert "gradcheck: the gradient is right" in printed
    assert re.search(r"^ +0\.0 +0\.693147 +0\.500000$", printed, re.MULTILINE)


@pytest.mark.exhaustive
def test_the_fused_op_is_conv2d_followed_by_relu(printed_by: Callable[[str], str]) -> None:
    printed = printed_by("conv_bias_relu.py")
    assert "gradcheck: the gradients of x, w and b are right" in printed
    differences = re.findall(r"^    (?:output|d[xwb]) +(\S+)$", printed, re.MULTILINE)
    assert len(differences) == 4 and max(map(float, differences)) < 1e-12


@pytest.mark.exhaustive
def test_involution_learns_what_no_convolution_can(printed_by: Callable[[str], str]) -> None:
    printed = printed_by("involution.py")
    assert "gradcheck: the gradients of x and kernel are right" in printed
    assert float(re.search(r"convolution 3×3 +(\S+)", printed)[1]) > 0.4
    assert float(re.search(r"involution 3×3 +(\S+)", printed)[1]) < 1e-3


LITERAL_INVOLUTION = """
import numpy as np
import involution as example

rng = np.random.default_rng(0)
settings = [
    (2, 2, 3, 3, 4, 5), (1, 1, 1, 1, 2, 2), (1, 3, 1, 7, 2, 1), (2, 1, 2, 5, 3, 3), (0, 1, 1, 3, 4, 4)
]
for n, g, shared, k, height, width in settings:
    x = rng.standard_normal((n, g * shared, height, width))
    kernel = rng.standard_normal((n, g, k, k, height, width))
    y = np.zeros_like(x)
    for (sample, c, i, j), _ in np.ndenumerate(x):
        for a, b in np.ndindex(k, k):
            row, column = i + a - k // 2, j + b - k // 2
            if 0 <= row < height and 0 <= column < width:
                y[sample, c, i, j] += kernel[sample, c // shared, a, b, i, j] * x[sample, c, row, column]
    np.testing.assert_allclose(example.involution(x, kernel), y, atol=1e-12)
print("equal")
"""


@pytest.mark.exhaustive
def test_involution_is_its_formula(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", LITERAL_INVOLUTION, path=(PROJECT / "examples",))
    assert done.stdout == "equal\n", done.stderr


@pytest.mark.exhaustive
def test_the_debugger_s_example_runs_through(tmp_path: Path) -> None:
    printed = example(tmp_path, "step_through_conv.py")
    assert "dW = [[6.0, 2.0], [1.0, 4.0]]" in printed
    assert "dX = [[1.0, 2.0, 0.0], [-1.0, 2.0, 2.0], [0.0, -1.0, 1.0]]" in printed
    assert "dX of k = [[1.0, 4.0, 4.0], [2.0, 9.0, 10.0], [-3.0, -1.0, 4.0]]" in printed


def accuracy(printed: str) -> float:
    """The number in the last line."""
    match = re.fullmatch(r"test accuracy: (\d+\.\d) %", printed.splitlines()[-1])
    assert match, printed
    return float(match[1])


@pytest.mark.exhaustive
def test_shapes_are_learned(tmp_path: Path) -> None:
    printed = example(tmp_path, "train_shapes.py")
    assert accuracy(printed) >= 97
    assert (
        len(re.findall(r"^epoch +\d+/10   loss 0\.\d{4}   accuracy +\d+\.\d %$", printed, re.MULTILINE)) == 10
    )
    rows = re.findall(r"^ +(?:circle|square|triangle|cross) +((?:\d+ *){4})$", printed, re.MULTILINE)
    confusion = [list(map(int, row.split())) for row in rows]
    assert [sum(row) for row in confusion] == [250] * 4
    assert sum(confusion[at][at] for at in range(4)) / 10 == accuracy(printed)
    assert "█" in printed
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.exhaustive
def test_bars_are_learned(tmp_path: Path) -> None:
    assert accuracy(example(tmp_path, "train_shapes.py", "--data", "bars")) >= 97


@pytest.mark.extras
def test_real_digits_are_learned(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    assert accuracy(example(tmp_path, "train_shapes.py", "--data", "digits")) >= 96


@pytest.mark.exhaustive
def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    options = ("--data", "bars", "--epochs", "1", "--seed")
    first, again, other = (example(tmp_path, "train_shapes.py", *options, seed) for seed in ("3", "3", "4"))
    assert first == again != other


@pytest.mark.extras
def test_the_pictures_are_saved_where_they_can_be_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert "saved bars.png" in example(tmp_path, "train_shapes.py", "--data", "bars", "--epochs", "1")
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.exhaustive
def test_without_the_extras_shapes_are_learned_all_the_same(tmp_path: Path) -> None:
    printed = example(tmp_path, "train_shapes.py", "--epochs", "0", path=without_extras(tmp_path))
    assert "pip install 'tinygrad_conv[examples]'" in printed
    assert accuracy(printed) < 60
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--epochs", "-1"), "argument --epochs: invalid count value: '-1'"),
        (("--seed", "x"), "argument --seed: invalid count value: 'x'"),
        (("--data", "cats"), "argument --data: invalid choice"),
        (("--data", "digits"), "pip install 'tinygrad_conv[examples]'"),
        (("--html", "missing/a.html"), "argument --html: there is no folder missing to write a.html to"),
        (("--html", "/proc/a.html"), "argument --html: nothing can be written to the folder /proc: "),
        (("--html", "."), "argument --html: . is a folder; name a file in it"),
        (("--html", ""), "argument --html: . is a folder; name a file in it"),
        (("--html", "matplotlib.py/a.html"), "argument --html: there is no folder matplotlib.py to write"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    script = str(PROJECT / "examples" / "train_shapes.py")
    done = run(tmp_path, script, *arguments, path=without_extras(tmp_path))
    assert done.returncode != 0
    assert message in done.stderr.splitlines()[-1] and "epoch " not in done.stdout


@pytest.mark.exhaustive
def test_the_working_directory_is_tried_too_where_no_file_is_named() -> None:
    done = run(Path("/proc"), str(PROJECT / "examples" / "train_shapes.py"), "--html")
    assert "argument --html: nothing can be written to the folder .: " in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "name", "title"),
    [
        (["--html", "{a page}.html"], "{a page}.html", "A backward through the untrained net"),
        *(
            pytest.param(*case, marks=pytest.mark.exhaustive)
            for case in (
                (["--html"], "bars.html", "A backward through the untrained net"),
                (["--html", "--epochs", "1"], "bars.html", "The last backward of 1 epoch"),
                (["--html", "page.html", "--epochs", "2"], "page.html", "The last backward of 2 epochs"),
            )
        ),
    ],
)
@pytest.mark.exhaustive
def test_the_training_s_page_is_written_and_named(
    tmp_path: Path, arguments: list[str], name: str, title: str
) -> None:
    printed = example(tmp_path, "train_shapes.py", "--data", "bars", "--epochs", "0", *arguments)
    page = tmp_path / name
    assert f"saved {name} ({page.stat().st_size / 1000:,.0f} kB): open it in a browser\n" in printed
    assert f"<title>{title}</title>" in page.read_text(encoding="utf-8")


SECTIONS = [
    "\n".join(blocks)
    for section in re.split(r"^## ", README, flags=re.MULTILINE)
    if (blocks := re.findall(r"```python\n(.*?)```", section, re.DOTALL))
]
"""The README's code by its sections: a block goes on where the block before it in its section has ended."""

COMMANDS = re.findall(r"^    ((?:python|mkdir|mpiexec|PYTHONBREAKPOINT|\.venv).*)$", README, re.MULTILINE)


@pytest.mark.exhaustive
@pytest.mark.parametrize("code", SECTIONS)
def test_the_readme_s_code_prints_what_its_comments_say(tmp_path: Path, code: str) -> None:
    done = run(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    promised = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert promised and done.stdout.splitlines() == promised


def test_every_block_of_the_readme_is_tried_somewhere() -> None:
    """Each fence is Python, a session, or printed text that a test compares; each indented line a command."""
    assert {*re.findall(r"^```(\w*)$", README, re.MULTILINE)} == {"", "python", "pycon"}
    assert sum(code.count("import tinygrad_conv as tg") >= 1 for code in SECTIONS) == len(SECTIONS) == 6
    assert all("tg.manual_seed(" in code for code in SECTIONS if "optim." in code)  # no luck in it
    indented = re.findall(r"^    (\S.*)$", re.sub(r"```.*?```", "", README, flags=re.DOTALL), re.MULTILINE)
    assert indented == COMMANDS and len(COMMANDS) >= 5


@pytest.mark.exhaustive
@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_s_commands_are_there(tmp_path: Path, command: str) -> None:
    parsed = subprocess.run(["sh", "-n", "-c", command], capture_output=True, text=True)
    assert parsed.returncode == 0, parsed.stderr
    for path in re.findall(r"examples/\w+\.py", command):
        assert (PROJECT / path).is_file()
    for name in re.findall(r"python -m tinygrad_conv (\w+)", command):
        done = run(tmp_path, "-m", "tinygrad_conv", name, "--help")
        assert done.returncode == 0 and "usage" in done.stdout, done.stderr


def test_the_readme_lists_every_name() -> None:
    assert rewritten(README) == README, "the list is old: python -m tests.tools.names writes it anew"


def test_the_readme_s_session_goes_as_it_says() -> None:
    failed, tried = doctest.testfile(str(PROJECT / "README.md"), module_relative=False, encoding="utf-8")
    assert tried >= 5 and not failed


def test_the_judge_says_what_the_readme_says_it_says(tmp_path: Path) -> None:
    op = next(
        block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "smooth_relu" in block
    )
    broken = tmp_path / "my_op.py"
    broken.write_text(op.replace("return dy *", "return 2 * dy *"), encoding="utf-8")
    message = re.search(r"```\n(gradcheck of smooth_relu fails.*?)```", README, re.DOTALL)[1]
    said = run(tmp_path, "my_op.py").stderr.replace(f"{tmp_path}{os.sep}", "")
    assert message.strip() in said


@pytest.mark.parametrize("name", ["conv_bias_relu.py", *more("involution.py")])
def test_the_readme_shows_what_an_op_s_example_prints(printed_by: Callable[[str], str], name: str) -> None:
    assert f"```\n{printed_by(name)}```" in README


def test_the_readme_names_every_example() -> None:
    files = {path.name for path in (PROJECT / "examples").iterdir() if path.suffix in (".py", ".ipynb")}
    assert set(re.findall(r"`examples/(\w+\.(?:py|ipynb))`", README)) == files
