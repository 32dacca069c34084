"""Which part of the package may import which: a lower floor never imports an upper one, anywhere in its code.

Imports inside functions count like those at the top, and so do module names in strings (`import_module`).
What a lower floor needs of an upper one it finds through a door in `engine/registry.py`.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

import pytest

from .helpers import PACKAGE, all_modules

FLOORS = (
    ("errors",),
    ("dtypes", "allocation", "atomic_write", "members", "spellings", "devices", "size"),
    ("foreign",),
    ("absent", "archive"),
    ("cuda", "mps", "accelerator", "backends"),
    ("options",),
    (
        "engine.location",
        "engine.registry",
        "engine.modes",
        "engine.observed",
        "engine.hooks",
        "engine.printing",
        "engine.next_functions",
    ),
    ("engine.half", "engine.memory", "engine.instructions", "engine.index_order"),
    ("engine.node", "engine.rule"),
    ("engine.backward", "engine.commit"),
    ("engine.in_place",),
    ("engine.in_place_methods", "engine.function_methods"),
    ("engine.operators",),
    ("engine.conversions",),
    ("engine.dlpack",),
    ("engine.numpy_calls",),
    ("engine.grad",),
    ("engine.methods",),
    ("engine.backpropagation",),
    ("engine.tensor",),
    ("engine.differentiate", "engine.reads"),
    ("engine.observe", "engine.refusal", "engine.saved"),
    ("engine.op",),
    ("engine.declare",),
    ("kernels",),
    ("ops",),
    ("randomness.state",),
    ("randomness.generator",),
    ("randomness.default",),
    ("creation",),
    ("randomness.seeds",),
    ("creation_methods", "randomness"),
    ("saving",),
    ("functional",),
    ("nn", "optim", "data", "checks"),
    ("utils", "autograd"),  # what PyTorch has by these names
    ("replay", "interop"),
    ("debug", "parallel", "plot"),
    ("",),  # the package itself: the public names, and the doors it opens
    ("port",),
    ("__main__",),
)
"""From the ground up. Parts that share a floor do not import each other."""

MAY_IMPORT_KERNELS = (
    "kernels",
    "ops",
    "debug",
    "replay",
    "",
)  # the debugger compares kernels, a replay guards which are in use; the package switches them


def floor_of(module: str) -> int:
    """The number of a module's floor. Raises KeyError for one that has none: it needs a place in FLOORS."""
    for number, parts in enumerate(FLOORS):
        for part in parts:
            if module == part or (part and module.startswith(f"{part}.")):
                return number
    if module == "engine":
        return floor_of("engine.location")  # an empty room but for its map
    raise KeyError(f"{module} stands on no floor: give it one in FLOORS")


def part_of(module: str) -> str:
    """Which of the parts of its floor a module belongs to."""
    parts = FLOORS[floor_of(module)]
    return next(
        (part for part in parts if module == part or (part and module.startswith(f"{part}."))), module
    )


def imported_by(module: str, path: Path, modules: dict[str, Path]) -> Iterator[tuple[str, int]]:
    """(module of the package, line) for each import in a file, wherever it stands."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from ((name, node.lineno) for name in names_imported(node, package, modules))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "tinygrad_conv":
                    yield alias.name.partition(".")[2], node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = module_named(node.value, package)
            if name in modules:
                yield name, node.lineno


def module_named(text: str, package: str) -> str | None:
    """The module that a string names, in full or relative to its package (`..repair.adequacy`)."""
    if text.startswith("."):
        try:
            text = resolve_name(text, f"tinygrad_conv.{package}".rstrip("."))
        except ImportError:  # more dots than packages: `...`
            return None
    name = text.removeprefix("tinygrad_conv.")
    return name if name and name != text else None


def names_imported(node: ast.ImportFrom, package: str, modules: dict[str, Path]) -> Iterator[str]:
    """The modules that a `from … import …` loads."""
    if node.level:
        base = package.split(".") if package else []
        origin = ".".join([*base[: len(base) - node.level + 1], *([node.module] if node.module else [])])
    elif node.module and node.module.split(".")[0] == "tinygrad_conv":
        origin = node.module.partition(".")[2]
    else:
        return
    for alias in node.names:
        inner = f"{origin}.{alias.name}" if origin else alias.name
        yield inner if inner in modules else origin


@cache
def every_import() -> list[tuple[str, str, str]]:
    """(importing module, imported module, place) of all there are in the package."""
    modules = all_modules()
    return [
        (module, imported, f"{path.relative_to(PACKAGE)}:{line}")
        for module, path in modules.items()
        for imported, line in imported_by(module, path, modules)
    ]


def test_imports_run_one_way() -> None:
    wrong = []
    for module, imported, place in every_import():
        below = floor_of(imported) < floor_of(module)
        beside = floor_of(imported) == floor_of(module) and part_of(imported) == part_of(module)
        if not (below or beside or module == imported):
            wrong.append(f"{place} imports {imported or 'the package'}")
    assert not wrong, "a lower floor imports an upper one:\n" + "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = all_modules()
    waiting: dict[str, set[str]] = {module: set() for module in modules}
    for module, imported, _ in every_import():
        if imported != module:
            waiting[module].add(imported)
    packages = {module for module, path in modules.items() if path.name == "__init__.py"}
    while free := [module for module, needs in waiting.items() if not needs & waiting.keys() - packages]:
        for module in free:
            del waiting[module]
    assert not waiting, f"these import each other in a circle: {sorted(waiting)}"


def test_kernels_are_imported_by_ops_alone() -> None:
    wrong = [
        place
        for module, imported, place in every_import()
        if part_of(imported) == "kernels" and part_of(module) not in MAY_IMPORT_KERNELS
    ]
    assert not wrong, wrong


def test_kernels_know_no_tensor() -> None:
    modules = all_modules()
    for module, path in modules.items():
        if part_of(module) == "kernels":
            for imported, line in imported_by(module, path, modules):
                assert part_of(imported) in ("kernels", "errors", "members"), (
                    f"{path.name}:{line} imports {imported}"
                )


TRAIN = """
from functools import partial

import numpy as np
import tinygrad_conv as tg

rng = np.random.default_rng(0)
x = tg.Tensor(rng.standard_normal((20, 1, 6, 6)))
target = tg.conv2d(x, tg.Tensor(rng.standard_normal((2, 1, 3, 3))))
w = tg.Tensor(np.zeros((2, 1, 3, 3)), requires_grad=True)
for _ in range(200):
    w.grad = None
    loss = tg.mse_loss(tg.conv2d(x, w), target)
    loss.backward()
    with tg.no_grad():
        w -= 0.5 * w.grad
print(f"loss {loss.item():.2e}")
assert loss.item() < 1e-6
repr(loss), loss._repr_html_()
names = "debug nn optim data gradcheck replay onnx interop parallel plot utils autograd".split()
for ask in (loss.record, loss.tape, loss.steps, *(partial(getattr, tg, name) for name in names)):
    try:
        ask()
    except ImportError as error:
        assert "not installed here" in str(error), error
        print(error)
    else:
        raise AssertionError("an absent part of the package was found")
"""

UPPER_FLOORS = (
    *("debug", "checks", "nn", "data", "optim", "replay"),
    *("interop", "parallel", "plot", "port", "utils", "autograd"),
)


ONLY_THE_COPY = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
"""


def run_in(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """A script beside a copy of the package, which sees no other one that may be installed."""
    return subprocess.run(
        [sys.executable, "-c", ONLY_THE_COPY + script],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def test_the_engine_trains_without_the_upper_floors(tmp_path: Path) -> None:
    copy = tmp_path / "tinygrad_conv"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for part in UPPER_FLOORS:
        shutil.rmtree(copy / part)
    done = run_in(tmp_path, TRAIN)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("loss ")
    assert "tinygrad_conv/debug, which provides it, is not installed here" in done.stdout


@pytest.mark.exhaustive
def test_an_import_error_of_a_part_that_is_there_is_not_swallowed(tmp_path: Path) -> None:
    copy = tmp_path / "tinygrad_conv"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "debug" / "listing.py").write_text("import a_package_that_nobody_has\n")
    done = run_in(tmp_path, "import tinygrad_conv as tg\ntg.Tensor(1.0).tape()")
    assert "No module named 'a_package_that_nobody_has'" in done.stderr


CHECK = """
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv.checks import assert_rule

@tg.primitive
def cube(x):
    return x**3

@cube.grad("x")
def cube_dx(dy, x):
    return 3 * dy * x**2

@tg.primitive
def square(x):
    return x**2

@square.grad("x")
def square_dx(dy, x):
    return 3 * dy * x

x = tg.tensor([1.0, 2.0], requires_grad=True)
assert tg.gradcheck(cube, x, order=2)
assert_rule(cube, np.array([1.0, 2.0]))
tg.gradcheck(square, x)
"""


@pytest.mark.parametrize(
    "deleted",
    [
        pytest.param(("diagnosis",), marks=pytest.mark.exhaustive),
        pytest.param(("repair",), marks=pytest.mark.exhaustive),
        ("diagnosis", "repair"),
    ],
    ids="+".join,
)
def test_gradcheck_needs_neither_diagnosis_nor_repair(deleted: tuple[str, ...], tmp_path: Path) -> None:
    copy = tmp_path / "tinygrad_conv"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for part in deleted:
        shutil.rmtree(copy / "checks" / part)
    done = run_in(tmp_path, CHECK)
    error = done.stderr.partition("GradcheckError: ")[2]
    assert error.startswith("gradcheck of square fails"), done.stderr
    assert "∂y[1] / ∂x[1]: the gradient gives 6, finite differences give 4" in error
    assert ("diagnosis: a constant factor" in error) == ("diagnosis" not in deleted)
    assert "an edit that makes it right" not in error


def test_what_decides_whether_a_gradient_is_right_is_short() -> None:
    pages = ("compare", "pullback", "tolerance", "function", "fault")
    lines = {page: len((PACKAGE / "checks" / f"{page}.py").read_text().splitlines()) for page in pages}
    assert lines["compare"] <= 70 and sum(lines.values()) <= 450, lines
