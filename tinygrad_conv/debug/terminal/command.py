"""The command `step`: runs a script as Python would, and stops in one of its backwards."""

from __future__ import annotations

import argparse
import builtins
import sys
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ...errors import show_count
from ..script import add_script, positive, print_error
from .stepper import Stepper
from .stop import Stop


def add_command(commands: Any) -> None:
    """Add `step` to the command line."""
    command: argparse.ArgumentParser = commands.add_parser(
        "step",
        help="run a script and step through its backward",
        description="Run a script and stop at a prompt in its first backward (or --nth), which is recorded: "
        "forwards and back.",
    )
    command.add_argument(
        "--nth", type=positive, default=1, metavar="N", help="stop in the N-th backward (default: 1)"
    )
    add_script(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; the exit status is the script's."""
    script = Path(options.script)
    if not script.is_file():
        print(f"step: there is no file {options.script}", file=sys.stderr)
        return 2
    stepper = Stepper()
    with Stop(options.nth, stepper) as stop:
        status = run_script(script, options.arguments)
    if not status and not stop.stopped:
        ended = f"the script ended after {show_count(stop.count, 'backward')}"
        print(f"step: {ended}, so there was no number {options.nth} to stop in")
    return status


def run_script(script: Path, arguments: list[str]) -> int:
    """Run a file as `__main__`, its folder first on the path; an exception is shown as Python shows it."""
    module = ModuleType("__main__")
    module.__dict__.update(__file__=str(script), __builtins__=builtins)
    before = sys.argv, sys.path[0], sys.modules["__main__"]
    folder = str(script.resolve().parent)
    sys.argv, sys.path[0], sys.modules["__main__"] = [str(script), *arguments], folder, module
    try:
        code: CodeType = compile(script.read_bytes(), str(script), "exec")
        exec(code, module.__dict__)
    except SystemExit as end:
        return exit_status(end)
    except BaseException as error:
        print_error(error)
        return 1
    finally:
        sys.argv, sys.path[0], sys.modules["__main__"] = before
    return 0


def exit_status(end: SystemExit) -> int:
    """What `sys.exit(…)` means to a shell."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1
