"""The questions at the prompt: what one op of a recorded backward was given and made, and why."""

from __future__ import annotations

import pdb
from bdb import BdbQuit
from contextlib import suppress
from pathlib import Path

import numpy as np

from ...dtypes import Array
from ...errors import show_value
from .. import page
from ..flow import SHOWN, FlowTable
from ..record import Recording, load
from ..rerun import node_of, placeholders_of
from ..step import Step
from ..training.film import film
from .naming import Named, NamingError, everything_named, find, own_names
from .pictures import MOST_WRITTEN, picture
from .prompt import Prompt

FILM = """a film is of many steps, and this is one backward. Around the training loop write
    with tg.debug.film(net, every=10, sample=images[:1]) as film:
        …
    film.to_html("film.html")"""

DOCTOR = """the doctor looks at a model, its loss and its optimiser over a few steps. In the script write
    print(tg.debug.doctor(net, images, labels, loss_fn=loss_fn, optimizer=optimizer))
or leave the script as it is: python -m tinygrad_conv doctor SCRIPT"""


class Questions(Prompt):
    """Answers what is asked at one step of a recording."""

    recording: Recording
    at = 0  # in the recording: the newest op is its last

    @property
    def step(self) -> Step:
        """Where we are."""
        return self.recording[self.at]

    def completedefault(self, text: str, line: str, begin: int, end: int) -> list[str]:
        """Names of arrays."""
        known = dict.fromkeys(named.name for named in everything_named(self.step, self.recording))
        return [name for name in known if name.startswith(text)]

    def do_print(self, argument: str) -> None:
        """p(rint) NAME[INDEX]: numbers.

        NAME is an argument of the op (x), y, a leaf (conv1.weight) or a result (%3); with a d before it, its
        gradient: print dw[0, 0]; or an option (stride) or a kept value. Alone, lists what this op has.
        """
        if not argument:
            self.say(", ".join(own_names(self.step)))
            return
        operand = find(argument, self.step, self.recording)
        is_array = isinstance(operand.array, np.ndarray)
        if is_array:
            self.draw(self.numbers(operand.part))
        else:
            self.say(show_value(operand.array))

    def numbers(self, array: Array) -> str:
        """An array as NumPy prints it, without the middle of a large one."""
        edges, width = 3 if array.ndim <= 2 else 2, self.terminal.width
        return np.array2string(
            array, precision=6, threshold=MOST_WRITTEN, edgeitems=edges, max_line_width=width
        )

    def do_show(self, argument: str) -> None:
        """s(how) NAME[INDEX]: a picture of it, in colour where the terminal has it.

        Alone, all that this op has.
        """
        if argument:
            self.show(argument)
            return
        for name in own_names(self.step):
            with suppress(NamingError):  # not known
                self.show(name)

    def show(self, name: str) -> None:
        """A picture of what is named, or words. Raises NamingError."""
        operand = find(name, self.step, self.recording)
        if isinstance(operand.array, np.ndarray):
            self.draw(picture(name, operand.part, self.terminal))
        else:
            self.say(f"{name}   {show_value(operand.array)}")

    def do_explain(self, argument: str) -> None:
        """explain NAME[INDEX]: the products that add up to a number of a gradient: explain dw[0, 0, 1, 1]

        Alone: how the gradients of this op come about, by its kind.
        """
        if not argument:
            self.say(repr(self.recording.explain(self.step)))
            return
        number = self.number(argument)
        self.say(repr(self.recording.explain(number.source, number.place)))

    def do_trace(self, argument: str) -> None:
        """trace NAME[INDEX]: where a number comes from, and where its gradient does: trace x[0, 0, 2, 1]"""
        number = self.number(argument)
        self.say(repr(self.recording.trace(number.source, number.place)))

    def number(self, argument: str) -> Named:
        """What `explain` and `trace` are asked about: it must be on the tape, and have a whole index."""
        operand = find(argument, self.step, self.recording)
        if operand.source is None:
            raise ValueError(f"{operand.name} is a constant: no gradient goes to it")
        name, dims = operand.name, operand.array.ndim
        if len(operand.place) != dims or any(isinstance(index, slice) for index in operand.place):
            zeros = ", ".join("0" * dims)
            raise ValueError(f"one number of {name} has an index of {dims}: {name}[{zeros}]")
        return operand

    def do_check(self, argument: str) -> None:
        """check: every rule beside its numerical derivative and the literal kernels."""
        self.say(repr(self.recording.check()))

    def do_flow(self, argument: str) -> None:
        """flow [all]: how large the numbers are, op by op: what vanishes and what explodes is seen.

        A long tape is shown without its middle, unless it is all.
        """
        shown = FlowTable(self.recording, self.step.number)
        self.draw(shown.shown(self.terminal.width, None if argument == "all" else SHOWN))

    def do_film(self, argument: str) -> None:
        """film [FILE.html]: what a running tg.debug.film has so far, as a page; or how to make one."""
        films = sorted(film.running, key=lambda running: running.step)
        if not films:
            self.say(FILM)
        elif not argument:
            self.say(repr(films[-1]))
        else:
            films[-1].to_html(argument)
            self.say_written(Path(argument))

    def do_doctor(self, argument: str) -> None:
        """doctor: what may be wrong with a training, and how to ask."""
        self.say(DOCTOR)

    def do_save(self, argument: str) -> None:
        """save FILE.tgrec.npz: write this recording, for `diff` or tg.debug.load."""
        path = Path(filename(argument))
        self.recording.save(path)
        self.say_written(path)

    def do_diff(self, argument: str) -> None:
        """diff FILE.tgrec.npz [FILE.html]: the first place at which this run parts from a saved one.

        The page shows both side by side.
        """
        saved, _, written = argument.rpartition(" ") if argument.endswith(".html") else (argument, "", "")
        difference = self.recording.diff(load(filename(saved.strip())))
        self.say("no difference" if difference is None else repr(difference))
        if difference is not None and written:
            difference.to_html(written)
            self.say_written(Path(written))

    def do_html(self, argument: str) -> None:
        """html FILE.html: write a page for the browser that shows this backward."""
        path = Path(filename(argument))
        page.write(self.recording, path)
        self.say_written(path)

    def say_written(self, path: Path) -> None:
        """Say which file has been written, and how large it is."""
        self.say(f"wrote {path} ({path.stat().st_size / 1000:,.1f} kB)")

    def do_pdb(self, argument: str) -> None:
        """pdb [ARGUMENT]: into the rule of this op (for that argument), in pdb.

        `continue` or `quit` there leads back.
        """
        node = node_of(self.step, placeholders_of(self.step))
        rules = {rule.argument: rule for rule in node.op.rules if rule.argument in self.step.grad_inputs}
        if argument and argument not in rules:
            there = ", ".join(rules)
            raise ValueError(f"{self.step.op} has no gradient rule for {argument!r} here; there is {there}")
        rule = rules[argument] if argument else next(iter(rules.values()))
        values, params = rule.arguments(node.saved, node.params)
        debugger = pdb.Pdb() if self.use_rawinput else pdb.Pdb(stdin=self.stdin, stdout=self.stdout)
        with suppress(BdbQuit):
            debugger.runcall(rule.function, self.step.grad_output, *values, **params)
        self.say("back in the recording")


def filename(argument: str) -> str:
    if not argument:
        raise ValueError("name a file")
    return argument
