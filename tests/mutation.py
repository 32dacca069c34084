"""Mutation testing of the gradient rules and the kernels: `python -m tests.mutation rules|kernels [NAME …]
[--sample N]`.

Every function is broken in standard ways, one at a time: a sign, a factor, a number one off, a dropped term,
a comparison, an argument left out or exchanged, a condition turned round. A mutant that the tests do not
notice is a survivor: a gap in the tests. A change that changes nothing is not one: `equivalents*.py` name
these, each with its reason, and they are listed apart. So are changes of what decides, in kernels, how fast
something is computed (`speed_alone`): they are tried like all others, but no test may assert a time. Each
mutant runs in a process of its own (a child of this one), so nothing is started anew, and one that loops or
crashes is caught too. A rule first meets the checks of the ops that use it, then test files, and last the
comparison with PyTorch's own samples of those ops, where torch is installed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import inspect
import io
import os
import pkgutil
import random
import signal
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import pytest

from tinygrad_conv import kernels
from tinygrad_conv.checks import samples  # noqa: F401 — declares the cases
from tinygrad_conv.checks.cases import CASES
from tinygrad_conv.checks.command.table import CHECKS
from tinygrad_conv.checks.diagnosis.rule_source import all_rules
from tinygrad_conv.kernels import choice

try:
    import torch  # here, so that the children need not import it again
except ImportError:
    torch = None  # type: ignore[assignment]

SECONDS = 120  # after which a mutant counts as caught: it loops
TESTS = os.path.dirname(os.path.abspath(__file__))
KERNEL_TESTS = [
    *sorted(
        name
        for name in os.listdir(TESTS)
        if name.startswith("test_kernels") and not name.endswith("_torch.py")
    ),
    "test_conv.py",
]
SERVES = {line.serves for table in choice.TABLES.values() for line in table}
TIMES = {"product_time", "correlation_time", "guessed_time"}
GUESSES = {
    *TIMES,
    "shares",
    "rows_together",
    "rows_at_once",
    "pieces",
    "tile",
    "serves",
    "_is_lowered",
}  # of what is fastest
AMOUNTS = {"time", "multiplications", "ahead", "together", "row_bytes"}  # variables
BOUNDS = (
    "CACHE_",
    "LARGE",
    "LONGEST_",
    "LOW",
    "NARROWEST",
    "WORKSPACE_",
    "WORTH_",
)  # beginnings of constants
SYMMETRIC = ("add", "max", "min", "maximum", "minimum", "swapaxes", "gcd", "result_type")
RULE_TESTS = [
    *sorted(name for name in os.listdir(TESTS) if name.startswith("test_rules_")),
    "test_kinks.py",
    "test_ops.py",
    "test_conv.py",
    "test_losses.py",
    "test_norms.py",
    "test_nn_layers.py",
]
EQUIVALENT: dict[str, str] = {
    key: reason
    for entry in pkgutil.iter_modules([TESTS])
    if entry.name.startswith("equivalents")
    for key, reason in importlib.import_module(f"{__package__}.{entry.name}").EQUIVALENT.items()
}
COUNTERPARTS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


class Mutant(NamedTuple):
    """A function, broken in one place."""

    function: FunctionType
    line: int
    before: str
    after: str
    code: CodeType
    speed: str = ""  # why it may change nothing but the speed

    def __str__(self) -> str:
        path = os.path.relpath(self.function.__code__.co_filename)
        return f"{path}:{self.line} {self.function.__name__}: {self.before}  →  {self.after}"

    @property
    def key(self) -> str:
        """Which mutant it is, wherever its line has moved to."""
        file = os.path.basename(self.function.__code__.co_filename)
        return f"{file} {self.function.__name__}: {self.before} → {self.after}"

    @property
    def verdict(self) -> str:
        """What is to be said of it where no test notices it."""
        if self.key in EQUIVALENT:
            return f"equivalent: {self} ({EQUIVALENT[self.key]})"
        return f"speed alone: {self} ({self.speed})" if self.speed else f"survives: {self}"


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What a node may be replaced by."""
    if isinstance(node, ast.BinOp):
        yield node.left
        if type(node.op) in COUNTERPARTS:
            yield ast.BinOp(node.left, COUNTERPARTS[type(node.op)](), node.right)
        if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
            yield node.right
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COUNTERPARTS:
        yield ast.Compare(node.left, [COUNTERPARTS[type(node.ops[0])](), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.If):
        yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.Call):
        for at in range(len(node.keywords)):
            yield ast.Call(node.func, node.args, node.keywords[:at] + node.keywords[at + 1 :])
        if len(node.args) == 2 and ast.unparse(node.func).rpartition(".")[2] not in SYMMETRIC:
            yield ast.Call(node.func, node.args[::-1], node.keywords)
    elif isinstance(node, ast.Return) and isinstance(node.value, (ast.Call, ast.BinOp, ast.Name)):
        if ast.unparse(node.value).startswith("np.zeros("):
            return  # -0 and 2 · 0 are 0
        yield ast.Return(ast.UnaryOp(ast.USub(), node.value))
        yield ast.Return(ast.BinOp(ast.Constant(2), ast.Mult(), node.value))


def speed_alone(function: FunctionType, path: list[ast.AST]) -> str:
    """Why a change at the end of a path of nodes decides nothing but how fast a kernel is; "" if it may
    decide more.
    """
    wish = function.__module__ == choice.__name__ and [*inspect.signature(function).parameters] == ["problem"]
    if (wish and function not in SERVES) or function.__name__ in GUESSES:
        return "which of the ways that serve, or how much at once"
    for outer, inner in pairwise(path):
        if isinstance(outer, ast.Assign) and ast.unparse(outer.targets[0]) in AMOUNTS:
            return "how much at once, or by how many"
        if isinstance(outer, ast.Call) and ast.unparse(outer.func) == "share" and inner is outer.args[2]:
            return "a guess of the time it takes"
        if isinstance(outer, (ast.If, ast.IfExp)) and inner is outer.test and names_a_bound(inner):
            return "a measured bound, with the same numbers on both sides"
        if isinstance(inner, ast.keyword) and inner.arg in ("copy", "large", "passes"):
            return "whether memory is copied, or work shared"
    return (
        "a measured bound, with the same numbers on both sides"
        if names_a_bound(getattr(path[-1], "test", None))
        else ""
    )


def is_left_over(path: list[ast.AST], variant: ast.AST) -> bool:
    """Whether it makes -2 of the -1 in `array.reshape(-1, …)`: NumPy takes any negative number for the size
    that is left.
    """
    calls = [one for one in path if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
    negative = isinstance(path[-2], ast.UnaryOp) and isinstance(variant, ast.Constant) and variant.value == 2
    return negative and bool(calls) and calls[-1].func.attr == "reshape"


def names_a_bound(test: ast.AST | None) -> bool:
    """Whether a condition compares with one of the kernels' measured bounds."""
    names = [one.id for one in ast.walk(test) if isinstance(one, ast.Name)] if test else []
    return any(name.startswith(BOUNDS) for name in names)


def mutable(path: list[ast.AST]) -> Iterator[list[ast.AST]]:
    """The paths to the nodes below the last of these that are worth changing: no messages, annotations or
    defaults.
    """
    node = path[-1]
    for name, value in ast.iter_fields(node):
        if name in ("args", "annotation", "returns", "decorator_list") and isinstance(
            node, (ast.FunctionDef, ast.AnnAssign)
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, (ast.Raise, ast.JoinedStr, ast.Assert)):
                continue
            yield [*path, child]
            yield from mutable([*path, child])


def mutants(function: FunctionType) -> Iterator[Mutant]:
    """A function, broken in each way once."""
    lines, first = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    for path in list(mutable(tree.body[:1])):
        node = path[-1]
        for variant in variants(node):
            if is_left_over(path, variant):
                continue
            copies: dict[int, Any] = {}
            broken = copy.deepcopy(tree, copies)
            replace(broken, copies[id(node)], variant)
            ast.fix_missing_locations(broken)
            dropped = [
                one for one in getattr(node, "keywords", []) if one not in getattr(variant, "keywords", [])
            ]
            speed = (
                speed_alone(function, [*path, *dropped])
                if function.__module__.startswith(kernels.__name__)
                else ""
            )
            line = first + getattr(node, "lineno", 1) - 1
            with contextlib.suppress(SyntaxError, ValueError):
                code = compiled(broken, function)
                yield Mutant(function, line, ast.unparse(node), ast.unparse(variant), code, speed)


def replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put one node in the place of another."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(one is old for one in value):
                setattr(parent, name, [new if one is old else one for one in value])


def compiled(tree: ast.Module, function: FunctionType) -> CodeType:
    """The code of the function that a tree defines."""
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    module = compile(tree, function.__code__.co_filename, "exec", dont_inherit=True)
    return next(
        one for one in module.co_consts if isinstance(one, CodeType) and one.co_name == function.__name__
    )


def rule_functions() -> dict[FunctionType, list[str]]:
    """Every rule, and every helper that a rule calls, with the ops that use it."""
    found: dict[FunctionType, list[str]] = {}
    for op, rule in all_rules():
        ahead, seen = [rule.function], set()
        while ahead:
            function = ahead.pop()
            seen.add(function)
            if op.name not in found.setdefault(function, []):
                found[function].append(op.name)
            called = [uncached(function.__globals__.get(name)) for name in function.__code__.co_names]
            own = [
                one
                for one in called
                if isinstance(one, FunctionType) and ".ops." in one.__module__ and one not in seen
            ]
            ahead.extend(one for one in own if not one.__name__.startswith(("check", "show")))
    return found


def uncached(value: Any) -> Any:
    """The function within an lru_cache; anything else as it is."""
    return value.__wrapped__ if hasattr(value, "cache_info") else value


def kernel_functions() -> dict[FunctionType, list[str]]:
    """Every function of the kernels."""
    found: dict[FunctionType, list[str]] = {}
    for entry in pkgutil.iter_modules(kernels.__path__):
        module = importlib.import_module(f"{kernels.__name__}.{entry.name}")
        for value in vars(module).values():
            value = inspect.unwrap(value) if callable(value) else value
            if isinstance(value, FunctionType) and value.__module__ == module.__name__:
                found[value] = []
    return found


def caught(mutant: Mutant, ops: list[str], files: list[str]) -> int:
    """Where the tests notice the mutant, see `noticed`; in a child process, which ends with that number."""
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        try:
            status = noticed(mutant, ops, files)
        except BaseException:  # whatever it breaks, it is noticed
            status = 1
        os._exit(status)
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 1


def noticed(mutant: Mutant, ops: list[str], files: list[str]) -> int:
    """Put the mutant in the function's place, and run the tests: 0 if they all pass, 2, 3, … for the file
    that fails, else 1.
    """
    mutant.function.__code__ = mutant.code
    forget()
    warnings.simplefilter("ignore")
    if any(fails(name) for name in ops):
        return 1
    failing = next((at for at, name in enumerate(files, 2) if tests_fail([name])), 0)
    return failing or int(bool(ops and torch) and tests_fail(["test_opdb_torch.py"], "-k", " or ".join(ops)))


def forget() -> None:
    """Empty the package's caches: what they hold was worked out before the mutant took its place."""
    for name, module in list(sys.modules.items()):
        for value in (
            list(vars(module).values()) if name.startswith(kernels.__package__.partition(".")[0]) else []
        ):
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def tests_fail(files: list[str], *options: str) -> bool:
    """Whether pytest finds a failure in these files."""
    paths = [os.path.join(TESTS, name) for name in files]
    with contextlib.redirect_stdout(io.StringIO()):
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *options, *paths])
    return code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def fails(name: str) -> bool:
    """Whether the checks of an op find anything wrong; at the first thing, they end."""
    for case in CASES[name]:
        for sample in case.samples():
            for check in CHECKS.values():
                try:
                    check(case, sample)
                except Exception:
                    return True
    return False


def check_baseline(chosen: list[tuple[Mutant, list[str]]], files: list[str]) -> None:
    """End with a message where the tests fail although nothing is broken: then every mutant would count as
    caught.
    """
    function = chosen[0][0].function
    ops = sorted({name for _, names in chosen for name in names})
    if caught(Mutant(function, 0, "", "", function.__code__), ops, files):
        raise SystemExit("mutation: the tests fail without a mutant already; mend that first")


def survivors(chosen: list[tuple[Mutant, list[str]]], files: list[str]) -> Iterator[Mutant]:
    """Run the mutants one after another; those that nobody notices, equivalent ones among them.

    The file that noticed the last one comes first for the next: neighbours are noticed by the same.
    """
    files = list(files)
    for number, (mutant, ops) in enumerate(chosen, 1):
        where = caught(mutant, ops, files)
        if where == 0:
            print(mutant.verdict, flush=True)
            yield mutant
        elif where >= 2:
            files.insert(0, files.pop(where - 2))
        if sys.stdout.isatty():
            print(f"\r{number} of {len(chosen)}", end="", flush=True)


def names_of(function: FunctionType, ops: list[str]) -> set[str]:
    """By what a function may be asked for."""
    return {function.__name__, os.path.basename(function.__code__.co_filename), *ops}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("what", choices=["rules", "kernels"])
    parser.add_argument("names", nargs="*", help="functions, ops or files; all of them unless given")
    parser.add_argument("--sample", type=int, help="this many mutants, drawn at random (seed 0)")
    arguments = parser.parse_args()
    functions = rule_functions() if arguments.what == "rules" else kernel_functions()
    files = RULE_TESTS if arguments.what == "rules" else KERNEL_TESTS
    if arguments.names:
        functions = {
            function: ops
            for function, ops in functions.items()
            if names_of(function, ops) & set(arguments.names)
        }
    chosen = [(mutant, ops) for function, ops in functions.items() for mutant in mutants(function)]
    if not chosen:
        raise SystemExit(f"mutation: no function, op or file is called {' or '.join(arguments.names)}")
    if arguments.sample and arguments.sample < len(chosen):
        chosen = random.Random(0).sample(chosen, arguments.sample)
    tests_fail(files, "--collect-only")  # imports them, so that the children need not
    check_baseline(chosen, files)
    start, uncaught = time.monotonic(), list(survivors(chosen, files))
    killed, seconds = len(chosen) - len(uncaught), time.monotonic() - start
    equivalent = [mutant for mutant in uncaught if mutant.key in EQUIVALENT]
    speed = [mutant for mutant in uncaught if mutant.speed and mutant not in equivalent]
    alive = [mutant for mutant in uncaught if mutant not in equivalent and mutant not in speed]
    print(
        f"{killed} of {len(chosen)} mutants of {arguments.what} caught ({100 * killed / len(chosen):.1f} %), "
        f"{len(equivalent)} equivalent, {len(speed)} change speed alone, {len(alive)} survive, {seconds:.0f} s"
    )
    for key in sorted(
        EQUIVALENT.keys() & {mutant.key for mutant, _ in chosen} - {mutant.key for mutant in uncaught}
    ):
        print(f"caught, so not equivalent any more: {key}")
    for name, count in Counter(mutant.function.__name__ for mutant in alive).most_common():
        print(f"  {count:3} in {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
