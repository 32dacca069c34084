"""The command line of `check`, and which ops are meant."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from contextlib import nullcontext, redirect_stdout
from difflib import get_close_matches
from pathlib import Path
from traceback import walk_tb
from typing import Any

from ...engine.op import Op
from ...engine.registry import OPS
from .. import samples  # noqa: F401 — the cases of the package's own ops
from .report import Asked, Report, report_on
from .table import print_table

DESCRIPTION = """Check gradients at order 1 and 2 against finite differences, dtypes and memory layouts.
A file's own ops are checked on the cases it declares: `from tinygrad_conv.checks import case, normal`, then
`case(my_op, normal('n m'))` below the rules. Without one, on what `@my_op.example` returns (a tuple of
inputs, or a dict of inputs and params by name), and on inputs of the shapes in the forward's docstring,
`x [N, C]`; else on shapes that are guessed, several that the forward takes. An op that is right for some of
the guessed and not for others is not checked: say what it is made for."""

EXIT_CODES = """exit codes: 0 all right; 1 something is wrong, or a file stopped before its end; 2 nothing is
known to be wrong, but something was not checked, or there was nothing to check."""


def add_command(commands: Any) -> None:
    """Add `check` to the command line."""
    command: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="are the gradients of ops right? prints a table",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
    )
    command.add_argument(
        "names", nargs="*", metavar="OP | FILE.py", help="ops by name, or files that declare ops"
    )
    command.add_argument("--all", action="store_true", help="every registered op")
    command.add_argument(
        "--order", type=int, choices=(1, 2), default=2, help="2, the default: the gradient's own gradient too"
    )
    command.add_argument(
        "--repair",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="of a wrong rule, look for the edit that makes it right (up to five seconds; by default)",
    )
    command.add_argument(
        "--adequacy",
        action="store_true",
        help="of right rules, say which wrong ones would have passed too (some seconds for each rule)",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object, for machines")
    command.set_defaults(run=lambda arguments: run(arguments, command))


def run(arguments: argparse.Namespace, command: argparse.ArgumentParser) -> int:
    """Run the command; the exit status is 1 where something is wrong, a file that did not run included, and
    2 where something was not checked.
    """
    if not arguments.names and not arguments.all:
        command.print_help()
        return 2
    asked = Asked(arguments.order, arguments.repair, arguments.adequacy)
    own = list(OPS.values()) if arguments.all else []
    stops: list[str] = []
    with redirect_stdout(sys.stderr) if arguments.json else nullcontext():  # a file may print what it likes
        named = [op for name in arguments.names for op in ops_meant(name, stops)]
        ops = list(dict.fromkeys([*own, *named]))
        if arguments.json:
            reports = [report_on(op, asked) for op in ops]
    if not arguments.json:
        reports = print_table(report_on(op, asked) for op in ops)
        print("\n" + "\n".join([*stops, summary(reports)]))
    status = exit_status(reports, stops)
    if arguments.json:
        ops_as_json = [report.as_json() for report in reports]
        print(json.dumps({"ops": ops_as_json, "stops": stops, "exit_code": status}, ensure_ascii=False))
    return status


def summary(reports: list[Report]) -> str:
    """How many ops were checked, and what came of it."""
    count = "1 op" if len(reports) == 1 else f"{len(reports)} ops"
    verdicts = [report.verdict for report in reports]
    told = [
        f"{verdicts.count(verdict)} {verdict}" for verdict in ("wrong", "not checked") if verdict in verdicts
    ]
    return f"{count} checked, {', '.join(told) or 'all right'}"


def exit_status(reports: list[Report], stops: list[str]) -> int:
    """See EXIT_CODES."""
    verdicts = {report.verdict for report in reports}
    if "wrong" in verdicts or stops:
        return 1
    return 2 if "not checked" in verdicts else 0


def ops_meant(name: str, stops: list[str]) -> list[Op]:
    """The op of this name, or those that this file registers. Ends with a message where it is neither.

    stops: where a file stopped before its end, which is added to it.
    """
    if name in OPS:
        return [OPS[name]]
    if Path(name).is_file():
        ops, stop = ops_of_file(Path(name))
        if not ops:
            missing = f"registers no op before it stops: {stop}" if stop else "registers no op"
            raise SystemExit(f"check: {name} {missing}: decorate a forward with @primitive")
        stops += [f"{stop}; the ops declared before it were checked"] if stop else []
        return ops
    close = get_close_matches(name, OPS)
    hint = f"; did you mean {' or '.join(close)}?" if close else "; --all checks every op there is"
    raise SystemExit(f"check: {name} is neither an op nor a file{hint}")


def ops_of_file(path: Path) -> tuple[list[Op], str]:
    """Import a file, and give the ops that it registers; and where it stopped, if it did before its end."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"check: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    before, stop = dict(OPS), ""
    sys.path.insert(0, str(path.parent.resolve()))  # it may import what lies beside it
    try:
        spec.loader.exec_module(module)
    except SystemExit as end:
        stop = "" if end.code in (None, 0) else show_stop(path, end)
    except Exception as error:  # the check in it that fails, or the use of an op that is wrong: that is told
        stop = show_stop(path, error)
    finally:
        sys.path.pop(0)
    return [op for name, op in OPS.items() if before.get(name) is not op], stop


def show_stop(path: Path, error: BaseException) -> str:
    """Where a file stopped, and with which error: `my_op.py stopped at line 24: ValueError: …`."""
    file = os.path.abspath(path)
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    line = lines[0] if lines else getattr(error, "lineno", None)  # of a SyntaxError
    place = f"line {line}" if line else "its beginning"
    text = next(iter(str(error).splitlines()), "")
    return f"{path} stopped at {place}: {type(error).__name__}{text and ': '}{text}"
