"""The command line: `python -m tinygrad_conv COMMAND`."""

from __future__ import annotations

import argparse
import sys

from . import port
from .checks import command
from .debug import debugger, terminal
from .debug.doctor import command as doctor_command

COMMANDS = (
    command.add_command,
    command.new_op.add_command,
    terminal.add_command,
    doctor_command.add_command,
    debugger.add_command,
    port.add_command,
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. Without one, says which there are, and returns 2."""
    parser = argparse.ArgumentParser(
        prog="python -m tinygrad_conv",
        description="Look at gradients, at their ops, and at scripts that train with them.",
        epilog="COMMAND --help tells more of one.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for add_command in COMMANDS:
        add_command(commands)
    chosen = parser.parse_args(arguments)
    if not hasattr(chosen, "run"):  # a wrong command has been refused by now
        parser.print_help(sys.stderr)
        return 2
    return int(chosen.run(chosen))


if __name__ == "__main__":
    sys.exit(main())
