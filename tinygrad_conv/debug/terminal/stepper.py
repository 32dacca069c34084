"""The prompt: pdb's letters, for a recorded backward."""

from __future__ import annotations

import cmd
import linecache
import pdb
import shutil
import sys
from bdb import BdbQuit
from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.location import show_path
from ...errors import show_shape, show_value
from .. import page
from ..page.contents import label_of, params_of
from ..record import Recording, load
from ..rerun import node_of, placeholders_of
from ..step import Step
from .naming import NamingError, arguments, find, names, own_names
from .pictures import Terminal, picture

LETTERS = {
    "n": "next",
    "b": "break",
    "c": "continue",
    "cont": "continue",
    "unt": "until",
    "l": "list",
    "w": "where",
}
LETTERS |= {"p": "print", "s": "show", "h": "help", "q": "quit", "EOF": "quit", "?": "help"}

AROUND = 5  # lines before and after the current one


class Stepper(cmd.Cmd):
    """Steps through recordings, one prompt for each. Called with one, it returns whether it wants to see the
    next, too.
    """

    prompt = "(step) "
    doc_header = "commands; `help COMMAND` says more, Enter repeats the last one"

    def __init__(self) -> None:
        super().__init__(stdin=sys.stdin, stdout=sys.stdout)
        self.use_rawinput = sys.stdin.isatty()  # with line editing; a pipe is read line by line
        self.breaks: list[str] = []
        self.recording: Recording
        self.at = 0  # in the recording: the newest op is its last

    def __call__(self, recording: Recording) -> bool:
        """Show the prompt, unless there are breakpoints and none of them is in this recording."""
        self.recording, self.at = recording, len(recording) - 1
        if self.breaks and not self.breaks_at(self.step) and not self.run_to(self.breaks_at):
            return True
        self.describe()
        self.cmdloop()
        return bool(self.breaks)

    @property
    def step(self) -> Step:
        return self.recording[self.at]

    @property
    def terminal(self) -> Terminal:
        return Terminal(self.stdout, shutil.get_terminal_size().columns)

    def say(self, text: str) -> None:
        print(text, file=self.stdout)

    # What cmd asks for

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
        self.say(
            f"*** no command {word!r}" + (f": did you mean {close[0]}?" if close else "; help lists them")
        )

    def commands(self) -> list[str]:
        return [name[3:] for name in self.get_names() if name.startswith("do_")]

    def completedefault(self, text: str, line: str, begin: int, end: int) -> list[str]:
        """Names of arrays."""
        return [name for name in dict(names(self.step, self.recording)) if name.startswith(text)]

    def completenames(self, text: str, *ignored: Any) -> list[str]:
        return [name for name in self.commands() if name.startswith(text)]

    def places(self, text: str, *ignored: Any) -> list[str]:
        """Ops, layers and numbers."""
        names = (name for step in self.recording for name in (step.op, step.where.layer, f"%{step.number}"))
        return sorted({name for name in names if name and name.startswith(text)})

    complete_break = complete_until = places

    # Where we are

    def describe(self) -> None:
        """The step in a few lines, as pdb shows a frame."""
        step, terminal = self.step, self.terminal
        place = f"{show_path(step.where.file)}:{step.where.line}"
        self.say(terminal.bold(terminal.fit(f"> {self.call(step)}")))
        self.say(
            terminal.fit(f"  {place}{step.where.layer and ' in '}{step.where.layer}: {step.where.source}")
        )
        self.say(terminal.fit(f"  dy: {show_value(step.grad_output)}"))
        for name, _, grad, source in arguments(step):
            if grad is not None:
                self.say(terminal.fit(f"  d{name}: {show_value(grad)}   for {label_of(source, None)}"))

    def call(self, step: Step) -> str:
        """`%3 = conv2d(x, w)   float32[1,1,2,2]`."""
        given = [label_of(source, value) for _, value, _, source in arguments(step)]
        made = ", ".join(f"{dtype}{show_shape(shape)}" for shape, dtype in step.shapes)
        return f"%{step.number} = {step.op}({', '.join([*given, *params_of(step)])})   {made}"

    def matches(self, step: Step, pattern: str) -> bool:
        """Whether a step is the one of a number, or of such an op or layer."""
        return f"%{step.number}" == pattern or any(
            fnmatchcase(name, pattern) for name in (step.op, step.where.layer)
        )

    def breaks_at(self, step: Step) -> bool:
        return any(self.matches(step, pattern) for pattern in self.breaks)

    def run_to(self, wanted: Callable[[Step], bool]) -> bool:
        """Go on to the next step that is wanted, if there is one."""
        position = next((at for at in range(self.at - 1, -1, -1) if wanted(self.recording[at])), None)
        self.at = self.at if position is None else position
        return position is not None

    def move(self, by: int) -> None:
        there = min(max(self.at - by, 0), len(self.recording) - 1)
        if there == self.at:
            self.say(
                "the oldest op: `continue` lets the program go on"
                if by > 0
                else "the newest op: here the backward begins"
            )
            return
        self.at = there
        self.describe()

    # Commands

    def do_next(self, argument: str) -> None:
        """n(ext) [COUNT]: on to the next op of the backward, or COUNT ops on."""
        self.move(count(argument))

    def do_prev(self, argument: str) -> None:
        """prev [COUNT]: back to the op before, or COUNT ops back."""
        self.move(-count(argument))

    def do_break(self, argument: str) -> None:
        """b(reak) [OP | LAYER | %NUMBER]: stop there on `continue`, in later backwards too; alone, lists the
        breakpoints. Patterns may be used: break net.conv*"""
        if not argument:
            self.say("\n".join(self.breaks) or "no breakpoints")
        elif self.known(argument):
            self.breaks.append(argument)
            self.say(f"breakpoint at {argument}")

    def do_clear(self, argument: str) -> None:
        """clear [WHAT]: forget a breakpoint, or all of them."""
        if argument and argument not in self.breaks:
            raise ValueError(
                f"there is no breakpoint at {argument}; there are {', '.join(self.breaks) or 'none'}"
            )
        self.breaks = [pattern for pattern in self.breaks if argument and pattern != argument]

    def do_continue(self, argument: str) -> bool:
        """c(ontinue): on to the next breakpoint; where there is none, let the program go on."""
        if self.breaks and self.run_to(self.breaks_at):
            self.describe()
            return False
        return True

    def do_until(self, argument: str) -> None:
        """unt(il) OP | LAYER | %NUMBER: on to that op."""
        if not argument:
            raise ValueError("until which op? until conv2d, until net.conv1, until %3")
        if self.known(argument):
            if not self.run_to(lambda step: self.matches(step, argument)):
                raise ValueError(f"{argument} has been passed already; prev goes back")
            self.describe()

    def known(self, pattern: str) -> bool:
        """Whether anything matches; says what does where nothing does."""
        if any(self.matches(step, pattern) for step in self.recording):
            return True
        close = get_close_matches(pattern, self.places(""), n=1)
        hint = f": did you mean {close[0]}?" if close else "; list all shows it"
        self.say(f"*** no op or layer {pattern!r} on this tape{hint}")
        return False

    def do_list(self, argument: str) -> None:
        """l(ist) [all]: the tape around the current op, or all of it. `->` is where we are, B a
        breakpoint.
        """
        first, last = max(0, self.at - AROUND), self.at + AROUND + 1
        for step in self.recording if argument == "all" else self.recording[first:last]:
            mark = "->" if step is self.step else "B " if self.breaks_at(step) else "  "
            place = f"{show_path(step.where.file)}:{step.where.line}"
            self.say(self.terminal.fit(f"{mark} {self.call(step)}   {place}   {step.where.layer}".rstrip()))

    def do_where(self, argument: str) -> None:
        """w(here): the lines around the call in the forward, and the rules of this op."""
        place = self.step.where
        self.say(f"{show_path(place.file)}:{place.line}{place.layer and ' in '}{place.layer}")
        first = max(0, place.line - 1 - AROUND)
        for number, text in enumerate(linecache.getlines(place.file)[first : place.line + AROUND], first + 1):
            self.say(
                self.terminal.fit(
                    f"{number:5d} {'->' if number == place.line else '  '} {text.rstrip()}".rstrip()
                )
            )
        for name, rule in self.step.rule.items():
            self.say(f"d{name}: {rule}")

    def do_print(self, argument: str) -> None:
        """p(rint) NAME[INDEX]: numbers. NAME is an argument of the op (x), y, a leaf (conv1.weight) or a
        result (%3); with a d before it, its gradient: print dw[0, 0]; or an option (stride) or a kept value.
        Alone, lists what this op has."""
        if not argument:
            self.say(", ".join(own_names(self.step)))
            return
        operand = find(argument, self.step, self.recording)
        if not isinstance(operand.array, np.ndarray):
            self.say(show_value(operand.array))
            return
        edges = 3 if operand.part.ndim <= 2 else 2
        self.say(
            np.array2string(
                operand.part, precision=6, threshold=400, edgeitems=edges, max_line_width=self.terminal.width
            )
        )

    def do_show(self, argument: str) -> None:
        """s(how) NAME[INDEX]: a picture of it, in colour where the terminal has it. Alone, all that this op
        has.
        """
        for name in [argument] if argument else own_names(self.step):
            try:
                operand = find(name, self.step, self.recording)
            except NamingError:
                if argument:
                    raise
                continue  # not known
            drawn = isinstance(operand.array, np.ndarray)
            words = self.terminal.fit(f"{name}   {show_value(operand.array)}")
            self.say(picture(name, operand.part, self.terminal) if drawn else words)

    def do_explain(self, argument: str) -> None:
        """explain NAME[INDEX]: the products that add up to one number of a gradient: explain dw[0, 0, 1,
        1]
        """
        number = self.number(argument)
        self.say(repr(self.recording.explain(number.source, number.place)))

    def do_trace(self, argument: str) -> None:
        """trace NAME[INDEX]: where a number comes from, and where its gradient does: trace x[0, 0, 2, 1]"""
        number = self.number(argument)
        self.say(repr(self.recording.trace(number.source, number.place)))

    def number(self, argument: str) -> Any:
        """What `explain` and `trace` are asked about: it must be on the tape, and have a whole index."""
        operand = find(argument, self.step, self.recording)
        if operand.source is None:
            raise ValueError(f"{operand.name} is a constant: no gradient goes to it")
        if len(operand.place) != operand.array.ndim or any(
            isinstance(index, slice) for index in operand.place
        ):
            zeros = ", ".join("0" * operand.array.ndim)
            raise ValueError(
                f"one number of {operand.name} has an index of {operand.array.ndim}: {operand.name}[{zeros}]"
            )
        return operand

    def do_check(self, argument: str) -> None:
        """check: every rule beside its numerical derivative and the literal kernels."""
        self.say(repr(self.recording.check()))

    def do_save(self, argument: str) -> None:
        """save FILE.tgrec.npz: write this recording, for `diff` or tg.debug.load."""
        self.recording.save(filename(argument))

    def do_diff(self, argument: str) -> None:
        """diff FILE.tgrec.npz: the first place at which this run parts from a saved one."""
        difference = self.recording.diff(load(filename(argument)))
        self.say("no difference" if difference is None else repr(difference))

    def do_html(self, argument: str) -> None:
        """html FILE.html: write a page for the browser that shows this backward."""
        path = Path(filename(argument))
        page.write(self.recording, path)
        self.say(f"wrote {path} ({path.stat().st_size / 1000:,.0f} kB)")

    def do_pdb(self, argument: str) -> None:
        """pdb [ARGUMENT]: into the rule of this op (for that argument), in pdb. `continue` or `quit` there
        leads back.
        """
        node = node_of(self.step, placeholders_of(self.step))
        rules = {rule.argument: rule for rule in node.op.rules if rule.argument in self.step.grad_inputs}
        if argument and argument not in rules:
            raise ValueError(
                f"{self.step.op} has no gradient rule for {argument!r} here; there is {', '.join(rules)}"
            )
        rule = rules[argument] if argument else next(iter(rules.values()))
        values, params = rule.arguments(node.saved, node.params)
        debugger = pdb.Pdb(
            stdin=None if self.use_rawinput else self.stdin, stdout=None if self.use_rawinput else self.stdout
        )
        with suppress(BdbQuit):
            debugger.runcall(rule.function, self.step.grad_output, *values, **params)
        self.say("back in the recording")

    def do_quit(self, argument: str) -> bool:
        """q(uit): end the program."""
        raise SystemExit(0)

    def do_help(self, argument: str) -> None:
        """h(elp) [COMMAND]: what can be said here."""
        command = LETTERS.get(argument, argument)
        if command and command not in self.commands():
            self.default(command)
            return
        for name in [command] if command else self.commands():
            text = " ".join((getattr(self, f"do_{name}").__doc__ or "").split())
            self.say(
                text if command else self.terminal.fit(text.split(": ")[0].ljust(34) + text.split(": ", 1)[1])
            )


def count(argument: str) -> int:
    """How many ops to move: 1 if nothing is said."""
    if argument and not argument.isdigit():
        raise ValueError(f"{argument!r} is no number of ops")
    return int(argument or 1)


def filename(argument: str) -> str:
    if not argument:
        raise ValueError("name a file")
    return argument
