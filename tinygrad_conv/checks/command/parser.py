"""The command line of `check`, and which ops are meant."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from difflib import get_close_matches
from pathlib import Path
from traceback import walk_tb
from typing import Any

from ...engine.op import Op
from ...engine.registry import OPS
from .. import samples  # noqa: F401 — the cases of the package's own ops
from .table import print_table, report_on

DESCRIPTION = """Check gradients at order 1 and 2 against finite differences, dtypes and memory layouts.
A file's own ops are checked on the cases it declares: `from tinygrad_conv.checks import case, normal`, then
`case(my_op, normal('n m'))` below the rules; without one, inputs are guessed."""


def add_command(commands: Any) -> None:
    """Add `check` to the command line."""
    command: argparse.ArgumentParser = commands.add_parser(
        "check", help="are the gradients of ops right? prints a table", description=DESCRIPTION
    )
    command.add_argument(
        "names", nargs="*", metavar="OP | FILE.py", help="ops by name, or files that declare ops"
    )
    command.add_argument("--all", action="store_true", help="every registered op")
    command.set_defaults(run=lambda arguments: run(arguments, command))


def run(arguments: argparse.Namespace, command: argparse.ArgumentParser) -> int:
    """Run the command; the exit status is 1 where something is wrong, a file that did not run included."""
    if not arguments.names and not arguments.all:
        command.print_help()
        return 2
    own = list(OPS.values()) if arguments.all else []
    stops: list[str] = []
    named = [op for name in arguments.names for op in ops_meant(name, stops)]
    ops = list(dict.fromkeys([*own, *named]))
    wrong = print_table(map(report_on, ops))
    count = "1 op" if len(ops) == 1 else f"{len(ops)} ops"
    verdict = f"{wrong} wrong" if wrong else "all right"
    print("\n" + "\n".join([*stops, f"{count} checked, {verdict}"]))
    return int(wrong > 0 or bool(stops))


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
