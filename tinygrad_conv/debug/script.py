"""What commands that run a script of the user's ask for on the command line."""

from __future__ import annotations

import argparse


def add_script(command: argparse.ArgumentParser) -> None:
    """Add `SCRIPT …`: a file, and all that follows it."""
    command.add_argument("script", metavar="SCRIPT", help="a Python file")
    command.add_argument("arguments", nargs=argparse.REMAINDER, metavar="…", help="what the script is given")


def positive(text: str) -> int:
    """A whole number from 1 on; argparse turns the ValueError into a message."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number
