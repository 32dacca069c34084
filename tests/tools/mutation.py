"""Mutation testing of the gradient rules and the kernels:

    python -m tests.tools.mutation rules|kernels [NAME …] [--sample N]
    python -m tests.tools.mutation stale [--rekey]

Every function is broken in standard ways, one at a time: a sign, a factor, a number one off, a dropped term,
a comparison, an argument left out or exchanged, a condition turned round (`mutants.py`). A mutant that the
tests do not notice is a survivor: a gap in the tests. A change that changes nothing is not one:
`equivalents/` names these, each with its reason, and they are listed apart. So are changes of what decides,
in kernels, how fast something is computed (`speed.py`): they are tried like all others, but no test may
assert a time. Each mutant runs in a process of its own (a child of this one), so nothing is started anew, and
one that loops or crashes is caught too. A rule first meets the checks of the ops that use it, then test
files, and last the comparison with PyTorch's own samples of those ops, where torch is installed.

`stale` lists the excuses that match no mutant any more, with what comes nearest, and where a function has
moved or has a new name, its place now; `--rekey` writes that into `equivalents/`, where it is certain.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import os
import random
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from types import FunctionType

import pytest

from tinygrad_conv.checks import samples  # noqa: F401 — declares the cases
from tinygrad_conv.checks.cases import CASES
from tinygrad_conv.checks.command.report import CHECKS

from . import equivalents
from .mutants import Mutant, kernel_functions, mutants, rule_functions

try:
    import torch  # so that the children need not import it again
except ImportError:
    torch = None  # type: ignore[assignment]

PATIENCE = 4  # times as long as the tests take without a mutant, after which one counts as caught: it loops
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KERNEL_TESTS = [
    *sorted(
        name
        for name in os.listdir(TESTS)
        if name.startswith("test_kernels") and not name.endswith("_torch.py")
    ),
    "test_conv.py",
    "test_sums.py",
]
RULE_TESTS = [
    *sorted(name for name in os.listdir(TESTS) if name.startswith("test_rules_")),
    "test_kinks.py",
    "test_ops.py",
    "test_conv.py",
    "test_losses.py",
    "test_norms.py",
    "test_nn_layers.py",
]


def caught(mutant: Mutant, ops: list[str], files: list[str], seconds: float) -> int:
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
    ends = time.monotonic() + seconds
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
    own = [module for name, module in sys.modules.items() if name.startswith("tinygrad_conv")]
    for value in [value for module in own for value in vars(module).values()]:
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


def seconds_without(chosen: list[tuple[Mutant, list[str]]], files: list[str]) -> float:
    """How long the tests take where nothing is broken.

    Ends with a message where they fail: then every mutant would count as caught.
    """
    function = chosen[0][0].function
    ops = sorted({name for _, names in chosen for name in names})
    start = time.monotonic()
    if caught(Mutant(function, 0, "", function.__code__), ops, files, math.inf):
        raise SystemExit("mutation: the tests fail without a mutant already; mend that first")
    return time.monotonic() - start


def survivors(chosen: list[tuple[Mutant, list[str]]], files: list[str], seconds: float) -> Iterator[Mutant]:
    """Run the mutants one after another; those that nobody notices, equivalent ones among them.

    The file that noticed the last one comes first for the next: neighbours are noticed by the same.
    """
    files = list(files)
    for number, (mutant, ops) in enumerate(chosen, 1):
        where = caught(mutant, ops, files, seconds)
        if where == 0:
            print(verdict(mutant), flush=True)
            yield mutant
        elif where >= 2:
            files.insert(0, files.pop(where - 2))
        if sys.stdout.isatty():
            print(f"\r{number} of {len(chosen)}", end="", flush=True)


def names_of(function: FunctionType, ops: list[str]) -> set[str]:
    """By what a function may be asked for."""
    return {function.__name__, os.path.basename(function.__code__.co_filename), *ops}


def verdict(mutant: Mutant) -> str:
    """What is to be said of a mutant that no test notices."""
    reason = equivalents.excuse(mutant)
    if reason:
        return f"equivalent: {mutant} ({reason})"
    return f"speed alone: {mutant} ({mutant.speed})" if mutant.speed else f"survives: {mutant}"


def main() -> int:
    summary, _, details = str(__doc__).partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.mutation",
        description=summary.rstrip(":") + ".",
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=["rules", "kernels", "stale"])
    parser.add_argument("names", nargs="*", help="functions, ops or files; all of them unless given")
    parser.add_argument("--sample", type=int, help="this many mutants, drawn at random (seed 0)")
    parser.add_argument("--rekey", action="store_true", help="write the new places of moved functions")
    arguments = parser.parse_args()
    if arguments.what == "stale":
        return list_stale(arguments.rekey)
    return try_mutants(arguments.what, set(arguments.names), arguments.sample)


def list_stale(rekey: bool) -> int:
    """Print which excuses match no mutant, after giving those of moved functions their new place if told to;
    1 if there are any.
    """
    functions = list(dict.fromkeys([*rule_functions(), *kernel_functions()]))
    stale = equivalents.stale(functions)
    for place in dict.fromkeys(place for place, _ in stale) if rekey else ():
        new = equivalents.moves(place, functions)
        if len(new) == 1:
            equivalents.rekey(place, *new)
            print(f"{place} is {new[0]} now")
            stale = [excuse for excuse in stale if excuse[0] != place]
    if stale:
        print(equivalents.told(stale, functions))
    print(f"{len(stale)} of {sum(map(len, equivalents.EQUIVALENT.values()))} excuses match no mutant")
    return int(bool(stale))


def try_mutants(what: str, names: set[str], sample: int | None) -> int:
    """Run the tests on the mutants of all rules or kernels, or of those named, and print what they miss."""
    functions = rule_functions() if what == "rules" else kernel_functions()
    files = RULE_TESTS if what == "rules" else KERNEL_TESTS
    if names:
        functions = {function: ops for function, ops in functions.items() if names_of(function, ops) & names}
    chosen = [(mutant, ops) for function, ops in functions.items() for mutant in mutants(function)]
    if not chosen:
        raise SystemExit(f"mutation: no function, op or file is called {' or '.join(sorted(names))}")
    if sample and sample < len(chosen):
        chosen = random.Random(0).sample(chosen, sample)
    tests_fail(files, "--collect-only")  # imports them, so that the children need not
    seconds = PATIENCE * seconds_without(chosen, files)
    start = time.monotonic()
    uncaught = list(survivors(chosen, files, seconds))
    report(what, [mutant for mutant, _ in chosen], uncaught, time.monotonic() - start)
    return 0


def report(what: str, chosen: list[Mutant], uncaught: list[Mutant], seconds: float) -> None:
    """Print how many mutants were caught, which excuses no longer hold, and where the survivors are."""
    killed = len(chosen) - len(uncaught)
    equivalent = [mutant for mutant in uncaught if equivalents.excuse(mutant)]
    speed = [mutant for mutant in uncaught if mutant.speed and mutant not in equivalent]
    alive = [mutant for mutant in uncaught if mutant not in equivalent and mutant not in speed]
    print(
        f"{killed} of {len(chosen)} mutants of {what} caught ({100 * killed / len(chosen):.1f} %), "
        f"{len(equivalent)} equivalent, {len(speed)} change speed alone, {len(alive)} survive, "
        f"{seconds:.0f} s"
    )
    holding = {(mutant.function, mutant.change) for mutant in equivalent}
    for mutant in chosen:
        if equivalents.excuse(mutant) and (mutant.function, mutant.change) not in holding:
            print(f"caught, so not equivalent any more: {mutant}")
    for name, count in Counter(mutant.function.__name__ for mutant in alive).most_common():
        print(f"  {count:3} in {name}")


if __name__ == "__main__":
    sys.exit(main())
