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
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tinygrad_conv", description=__doc__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add_command in COMMANDS:
        add_command(commands)
    chosen = parser.parse_args(arguments)
    return int(chosen.run(chosen))


if __name__ == "__main__":
    sys.exit(main())
