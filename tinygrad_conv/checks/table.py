"""`python -m tinygrad_conv check`: checks ops, the package's own or those of a file, and prints a table."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..engine.op import Op
from ..engine.registry import OPS
from ..errors import GradcheckError
from .cases import Case, Sample
from .fault import Fault
from .guess import cases_of
from .op_check import check_dtypes, check_gradients, check_layouts, check_scalars

CHECKS: dict[str, Callable[[Case, Sample], Any]] = {
    "gradients": check_gradients,
    "dtypes": check_dtypes,
    "layouts": check_layouts,
}
GUESSED = "inputs guessed"
WIDTHS = (24, 14, 9, 11, 9, 9)


@dataclass
class Report:
    """What checking an op gave: how many samples it ran on, and for each check the message of the first
    failure.
    """

    op: Op
    samples: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def cells(self) -> list[str]:
        """The op's line in the table."""
        rules = " ".join(name for name, rule in zip(self.op.inputs, self.op.rules) if rule) or "-"
        verdicts = [
            "-" if not self.samples else "WRONG" if name in self.failures else "ok" for name in CHECKS
        ]
        return [self.op.name, rules, str(self.samples), *verdicts, "; ".join(self.notes)]


def check_op(op: Op) -> Report:
    """Check an op on all samples of its cases."""
    report = Report(op)
    cases, guessed = cases_of(op)
    if not cases:
        report.failures["gradients"] = (
            f"{op.name}: no inputs could be guessed; declare one with case({op.name}, …)"
        )
        report.notes.append("no case")
    elif guessed:
        report.notes.append(GUESSED)
    if op.once:
        report.notes.append("order 1 only")
    for case in cases:
        for sample in list(case.samples())[: 1 if guessed else None]:
            report.samples += 1
            for name, check in CHECKS.items():
                note_failure(report, name, lambda: check(case, sample))  # noqa: B023 — called at once
    note_failure(report, "dtypes", lambda: check_scalars(op))
    return report


def note_failure(report: Report, name: str, check: Callable[[], Any]) -> None:
    """Run a check; the message of its first failure goes into the report."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is NaN, as it should be
            check()
    except (GradcheckError, Fault) as error:
        report.failures.setdefault(name, str(error))
    except Exception as error:  # whatever an op does wrong, the table goes on
        report.failures.setdefault(name, f"{report.op.name} fails: {type(error).__name__}: {error}")


def print_table(reports: Iterator[Report]) -> int:
    """Print a line for each op as it is checked, then what is wrong; return how many are."""
    print(row(["op", "rules", "samples", *CHECKS, ""]))
    wrong = []
    for report in reports:
        print(row(report.cells()), flush=True)
        if report.failures:
            wrong.append(report)
    for report in wrong:
        print("\n" + "\n".join(dict.fromkeys(report.failures.values())))
        if GUESSED in report.notes:
            print(
                f"  (the inputs were guessed; say which it is made for: case({report.op.name}, normal('n m'), …), see --help)"
            )
    return len(wrong)


def row(cells: list[str]) -> str:
    """A line of the table."""
    return " ".join(cell.ljust(width) for cell, width in zip(cells, (*WIDTHS, 0))).rstrip()


def ops_of_file(path: Path) -> list[Op]:
    """Import a file, and give the ops that it registers."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"check: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    before = dict(OPS)
    sys.path.insert(0, str(path.parent.resolve()))  # it may import what lies beside it
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return [op for name, op in OPS.items() if before.get(name) is not op]


def ops_named(names: list[str]) -> list[Op]:
    """The ops of these names, and those that these files register. Ends with a message for a name that is
    neither.
    """
    found: list[Op] = []
    for name in names:
        if name in OPS:
            found.append(OPS[name])
        elif Path(name).is_file():
            ops = ops_of_file(Path(name))
            if not ops:
                raise SystemExit(f"check: {name} registers no op: decorate a forward with @primitive")
            found.extend(ops)
        else:
            close = get_close_matches(name, OPS)
            hint = f"; did you mean {' or '.join(close)}?" if close else "; --all checks every op there is"
            raise SystemExit(f"check: {name} is neither an op nor a file{hint}")
    return found


def add_command(commands: Any) -> None:
    """Add `check` to the command line."""
    command: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="are the gradients of ops right? prints a table",
        description="Check gradients at order 1 and 2 against finite differences, dtypes and memory layouts. A file's own "
        "ops are checked on the cases it declares: `from tinygrad_conv.checks import case, normal`, then "
        "`case(my_op, normal('n m'))` below the rules; without one, inputs are guessed.",
    )
    command.add_argument(
        "names", nargs="*", metavar="OP | FILE.py", help="ops by name, or files that declare ops"
    )
    command.add_argument("--all", action="store_true", help="every registered op")
    command.set_defaults(run=lambda arguments: run(arguments, command))


def run(arguments: argparse.Namespace, command: argparse.ArgumentParser) -> int:
    """Run the command; the exit status is 1 where something is wrong."""
    from . import samples  # noqa: F401 — the cases of the package's own ops

    if not arguments.names and not arguments.all:
        command.print_help()
        return 2
    own = list(OPS.values()) if arguments.all else []
    named = ops_named(arguments.names)
    ops = list(dict.fromkeys([*own, *named]))
    wrong = print_table(map(check_op, ops))
    counted, verdict = (
        "1 op" if len(ops) == 1 else f"{len(ops)} ops",
        f"{wrong} wrong" if wrong else "all right",
    )
    print(f"\n{counted} checked, {verdict}")
    return int(wrong > 0)
