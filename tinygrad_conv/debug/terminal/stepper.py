"""Moving through a recorded backward: on and back, to breakpoints, and where one is."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from ...engine.location import Place, source_lines
from ...errors import show_shape, show_value
from ..page.contents import label_of, params_of
from ..record import Recording
from ..step import Step
from .naming import arguments, closest
from .questions import Questions

AROUND = 5  # lines before and after the current one
SOURCE_COLUMN = 13  # where the rest of a long line of source goes on
OLDEST = "the oldest op: `continue` lets the program go on"
NEWEST = "the newest op: here the backward begins"


class Stepper(Questions):
    """Steps through recordings, one prompt for each.

    Called with one, it returns whether it wants to see the next, too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.breaks: list[str] = []
        self.entered = 0  # the number of the backward that the prompt was last shown in

    def __call__(self, recording: Recording, number: int = 1) -> bool:
        """Show the prompt, unless there are breakpoints and none of them is in this recording.

        number: of the backward, in the program.
        """
        self.recording, self.at = recording, len(recording) - 1
        if self.breaks and not self.breaks_at(self.step) and not self.run_to(self.breaks_at):
            return True
        if self.entered:
            self.say(f"another backward of the program: number {number}, after number {self.entered}")
        self.entered = number
        self.describe()
        self.cmdloop()
        return bool(self.breaks)

    def places(self, text: str, *ignored: Any) -> list[str]:
        """Ops, layers and numbers."""
        names = (name for step in self.recording for name in (step.op, step.where.layer, f"%{step.number}"))
        return sorted({name for name in names if name and name.startswith(text)})

    complete_break = complete_until = places

    def describe(self) -> None:
        """The step in a few lines, as pdb shows a frame."""
        step, terminal = self.step, self.terminal
        self.draw(terminal.bold(terminal.wrapped(f"> {self.call(step)}")))
        self.say(f"  {describe_place(step.where)}: {step.where.source}")
        self.say(f"  dy: {show_value(step.grad_output)}")
        for argument in arguments(step):
            if argument.contribution is not None:
                gradient, label = show_value(argument.contribution), label_of(argument.source, None)
                self.say(f"  d{argument.name}: {gradient}   for {label}")

    def call(self, step: Step) -> str:
        """`%3 = conv2d(x, w)   float32[1,1,2,2]`."""
        given = [label_of(argument.source, argument.value) for argument in arguments(step)]
        made = ", ".join(f"{dtype}{show_shape(shape)}" for shape, dtype in step.shapes)
        return f"%{step.number} = {step.op}({', '.join([*given, *params_of(step)])})   {made}"

    def matches(self, step: Step, pattern: str) -> bool:
        """Whether a step is the one of a number, or of such an op or layer."""
        named = any(fnmatchcase(name, pattern) for name in (step.op, step.where.layer))
        return named or pattern == f"%{step.number}"

    def known(self, pattern: str) -> bool:
        """Whether anything matches; says what does where nothing does."""
        if any(self.matches(step, pattern) for step in self.recording):
            return True
        close = closest(pattern, self.places(""))
        hint = f": did you mean {close}?" if close else "; list all shows it"
        self.say(f"*** no op or layer {pattern!r} on this tape{hint}")
        return False

    def breaks_at(self, step: Step) -> bool:
        return any(self.matches(step, pattern) for pattern in self.breaks)

    def run_to(self, wanted: Callable[[Step], bool]) -> bool:
        """Go on to the next step that is wanted, if there is one."""
        position = next((at for at in range(self.at - 1, -1, -1) if wanted(self.recording[at])), None)
        self.at = self.at if position is None else position
        return position is not None

    def move(self, by: int) -> None:
        """On by so many ops, or back; where there are fewer, to the last of them."""
        there = min(max(self.at - by, 0), len(self.recording) - 1)
        if there == self.at:
            self.say(OLDEST if by > 0 else NEWEST)
            return
        self.at = there
        self.describe()

    def do_next(self, argument: str) -> None:
        """n(ext) [COUNT]: on to the next op of the backward, or COUNT ops on."""
        self.move(count(argument))

    def do_prev(self, argument: str) -> None:
        """prev [COUNT]: back to the op before, or COUNT ops back."""
        self.move(-count(argument))

    def do_break(self, argument: str) -> None:
        """b(reak) [OP | LAYER | %NUMBER]: stop there on `continue`, in later backwards too;

        alone, lists the breakpoints. Patterns may be used: break net.conv*
        """
        if not argument:
            self.say("\n".join(self.breaks) or "no breakpoints")
        elif self.known(argument):
            self.breaks.append(argument)
            self.say(f"breakpoint at {argument}")

    def do_clear(self, argument: str) -> None:
        """clear [WHAT]: forget a breakpoint, or all of them."""
        if argument and argument not in self.breaks:
            there = ", ".join(self.breaks) or "none"
            raise ValueError(f"there is no breakpoint at {argument}; there are {there}")
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

    def do_list(self, argument: str) -> None:
        """l(ist) [all]: the tape around the current op, or all of it.

        `->` is where we are, B a breakpoint.
        """
        first, last = max(0, self.at - AROUND), self.at + AROUND + 1
        for step in self.recording if argument == "all" else self.recording[first:last]:
            mark = "->" if step is self.step else "B " if self.breaks_at(step) else "  "
            self.say(f"{mark} {self.call(step)}   {step.where.at}   {step.where.layer}".rstrip())

    def do_where(self, argument: str) -> None:
        """w(here): the lines around the call in the forward, and the rules of this op."""
        place = self.step.where
        self.say(describe_place(place))
        first = max(0, place.line - 1 - AROUND)
        for number, text in enumerate(source_lines(place.file)[first : place.line + AROUND], first + 1):
            mark = "->" if number == place.line else "  "
            self.say(f"{number:5d} {mark} {text.rstrip()}".rstrip(), SOURCE_COLUMN)
        for name, rule in self.step.rule.items():
            self.say(f"d{name}: {rule}")


def describe_place(place: Place) -> str:
    """`net.py:12 in net.conv1`."""
    return f"{place.at}{place.layer and ' in '}{place.layer}"


def count(argument: str) -> int:
    """How many ops to move: 1 if nothing is said."""
    if argument and not argument.isdigit():
        raise ValueError(f"{argument!r} is no number of ops")
    return int(argument or 1)
