"""A prompt with pdb's letters, on a terminal or in a pipe: reads commands, and says what they answer."""

from __future__ import annotations

import cmd
import shutil
import sys
from difflib import get_close_matches
from typing import Any

from .pictures import Terminal

LETTERS = {
    "n": "next",
    "b": "break",
    "c": "continue",
    "cont": "continue",
    "unt": "until",
    "l": "list",
    "w": "where",
    "p": "print",
    "s": "show",
    "h": "help",
    "q": "quit",
    "EOF": "quit",
    "?": "help",
}

HELP_COLUMN = 34  # where `help` says what a command does


class Prompt(cmd.Cmd):
    """Reads commands, one a line, and says what they answer."""

    prompt = "(step) "
    doc_header = "commands; `help COMMAND` says more, Enter repeats the last one"

    def __init__(self) -> None:
        super().__init__(stdin=sys.stdin, stdout=sys.stdout)
        self.use_rawinput = sys.stdin.isatty()  # with line editing; a pipe is read line by line

    @property
    def terminal(self) -> Terminal:
        return Terminal(self.stdout, shutil.get_terminal_size().columns)

    def draw(self, text: str) -> None:
        """Say something whose lines are as wide as they must be."""
        print(text, file=self.stdout)

    def say(self, text: str, column: int = 0) -> None:
        """Say something in lines of the terminal's width; what is too long goes on in a column."""
        self.draw(self.terminal.wrapped(text, column))

    def onecmd(self, line: str) -> bool:
        """Run one line; what a command refuses is said, and the prompt comes back."""
        try:
            return bool(super().onecmd(line))
        except (LookupError, ValueError, TypeError, OSError, RuntimeError) as error:
            self.say(f"*** {error.args[0] if isinstance(error, LookupError) and error.args else error}")
            return False

    def parseline(self, line: str) -> Any:
        """Letters are short for commands."""
        command, argument, line = super().parseline(line)
        return LETTERS.get(command or "", command), argument, line

    def default(self, line: str) -> None:
        word = line.split()[0]
        close = get_close_matches(word, self.commands(), n=1)
        hint = f": did you mean {close[0]}?" if close else "; help lists them"
        self.say(f"*** no command {word!r}{hint}")

    def commands(self) -> list[str]:
        return [name.removeprefix("do_") for name in self.get_names() if name.startswith("do_")]

    def completenames(self, text: str, *ignored: Any) -> list[str]:
        return [name for name in self.commands() if name.startswith(text)]

    def do_quit(self, argument: str) -> bool:
        """q(uit): end the program."""
        raise SystemExit(0)

    def do_help(self, argument: str) -> None:
        """h(elp) [COMMAND]: what can be said here."""
        command = LETTERS.get(argument, argument)
        if not command:
            for name in self.commands():
                usage, meaning = self.help_of(name).split(": ", 1)
                self.say(usage.ljust(HELP_COLUMN) + meaning, HELP_COLUMN)
        elif command in self.commands():
            self.say(self.help_of(command))
        else:
            self.default(command)

    def help_of(self, command: str) -> str:
        """What a command says of itself, on one line."""
        return " ".join((getattr(self, f"do_{command}").__doc__ or "").split())
