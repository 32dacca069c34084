"""What commands that run a script of the user's share."""

from __future__ import annotations

import argparse
import traceback

from ..absent.notes import add_note
from ..engine.location import PACKAGE_FOLDER


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


def print_error(error: BaseException) -> None:
    """Show what a script raised as Python shows it: from the script's first frame on."""
    add_note(error)
    place = error.__traceback__
    while place is not None and is_ours(place.tb_frame.f_code.co_filename):
        place = place.tb_next
    traceback.print_exception(type(error), error, place)


def is_ours(file: str) -> bool:
    """Whether it is a file of this package, or of what runs scripts."""
    return file.startswith(PACKAGE_FOLDER) or "runpy" in file
