"""Everything that can be asked of a recording, none of which may fail once it has been loaded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_conv import debug
from tinygrad_conv.debug.terminal.stepper import Stepper
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import GraphError

MOST_STEPS = 40  # that are gone through one by one


def use_to_the_end(recording: debug.Recording, original: debug.Recording, folder: Path) -> None:
    """Ask everything."""
    look(recording)
    recording.to_html(folder / "page.html")
    recording.save(folder / "again.npz")
    assert repr(debug.load(folder / "again.npz")) == repr(recording)
    with refusals(recording):
        recording.diff(original)
        original.diff(recording)
    with refusals(recording):
        repr(recording.check())
    for step in recording[:MOST_STEPS]:
        with refusals(recording):
            recording.rerun(step, step.grad_output)
        with refusals(recording):
            recording.rerun(step, zeros_like(step.grad_output))
    for name in recording.grads:
        ask_about(recording, name)
    for step in recording[:MOST_STEPS]:
        ask_about(recording, step)
    walk(recording)


@contextmanager
def refusals(recording: debug.Recording) -> Iterator[None]:
    """What may be refused: to run an op that is not declared here, or a hook that is not there any more; and
    the derivative of a rule that has none.
    """
    try:
        yield
    except KeyError as error:
        missing = any(step.op not in OPS for step in recording)
        if not missing or "is not declared here" not in str(error):
            raise
    except RuntimeError as error:
        hook = recording.hooked and "hook" in str(error)
        if not hook and type(error) is not GraphError:
            raise


def look(recording: debug.Recording) -> None:
    """What runs no op."""
    assert repr(recording) and recording._repr_html_()
    recording.find("*", "*")
    for step in recording:
        assert repr(step) and step._repr_html_()
        assert isinstance(recording.users(step), list)
        recording.grad_of(step)


def zeros_like(gradient: Any) -> Any:
    """Another gradient for a rerun."""
    if isinstance(gradient, tuple):
        return tuple(None if array is None else np.zeros_like(array) for array in gradient)
    return np.zeros_like(gradient)


def ask_about(recording: debug.Recording, of: Any) -> None:
    """The products and the ways of the first number and of the last."""
    shape = recording.grad_of(of).shape
    if 0 in shape:
        return
    for index in {tuple(0 for _ in shape), tuple(size - 1 for size in shape)}:
        with refusals(recording):
            repr(recording.explain(of, index))
        with refusals(recording):
            repr(recording.trace(of, index))


def walk(recording: debug.Recording) -> None:
    """At the prompt, from the newest op to the oldest."""
    if not len(recording):
        return
    stepper = Stepper()
    stepper.stdout = io.StringIO()
    stepper.recording, stepper.at = recording, len(recording) - 1
    for _ in recording[:MOST_STEPS]:
        for command in (stepper.do_list, stepper.do_where, stepper.do_print, stepper.do_show):
            command("")
        stepper.do_next("")
