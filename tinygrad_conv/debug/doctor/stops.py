"""What a training says that stops with an exception."""

from __future__ import annotations

import linecache
import os
import traceback
from collections.abc import Iterator

from ...engine.location import PACKAGE_FOLDER, Place
from .finding import Finding
from .seen import History

LIBRARY = os.path.dirname(os.__file__) + os.sep  # Python's own files, and packages that are installed

REASONS = (
    (
        "labels must be",
        "labels_outside",
        "labels are off by one, or outside of the outputs",
        "labels go from 0 to the number of classes - 1; give the last layer as many outputs",
    ),
    ("labels must be integers", "label_dtype", "labels have the wrong dtype", ""),
    (
        "got no parameters",
        "no_parameters",
        "the optimiser got no parameters: layers in a plain list are not found, and an iterator such "
        "as model.parameters() is exhausted once it was gone through",
        "give it list(model.parameters()); layers in nn.ModuleList",
    ),
    (
        "already consumed",
        "old_graph",
        "a second backward through an old graph: something is carried over from an earlier step",
        "total += loss.item(), hidden = hidden.detach(); a new forward for each backward",
    ),
    (
        "needs no gradient",
        "cut_tape",
        "backward has nothing to go through: the tape is cut, or all parameters are frozen",
        "no .detach(), .data, .item(), numpy or no_grad between parameters and loss",
    ),
    (
        "must be probabilities",
        "not_probabilities",
        "binary_cross_entropy is given scores (logits); it needs probabilities",
        "F.binary_cross_entropy_with_logits(scores, target)",
    ),
    (
        "more than one value for each channel",
        "batch_of_one",
        "batch norm in training sees a batch of one sample",
        "larger batches (drop_last=True for the last one), or model.eval()",
    ),
    ("changed in place", "changed_in_place", "what a backward would read was changed in place before", ""),
    (
        "were changed after the forward",
        "changed_in_place",
        "what a backward would read was changed before: step or update stands before backward",
        "",
    ),
    ("not a leaf", "not_a_leaf", "the optimiser is given a result, not a leaf", ""),
    (
        "can optimise leaves alone",
        "not_a_leaf",
        "the optimiser is given a result, not a leaf",
        "make the tensor first, then requires_grad_()",
    ),
    (
        "given twice",
        "given_twice",
        "a parameter is given to the optimiser twice",
        "each layer once in the lists that are added together",
    ),
    (
        "needs the gradient to begin with",
        "not_a_scalar",
        "backward begins at many numbers: the loss is no scalar",
        "loss.mean().backward()",
    ),
)
"""(part of the message, kind, what it is, what to do; "" where the message says it)."""


def examine(history: History) -> Iterator[Finding]:
    """The exception that ended the program."""
    error = history.error
    if error is None:
        return
    message = f"{type(error).__name__}: {error}".splitlines()[0]
    place = users_line(error)
    for part, kind, what, advice in REASONS:
        if part in str(error):
            yield Finding(
                kind,
                f"the training stops: {what}",
                message,
                advice or "as the message says",
                place,
                weight=99,
            )
            return
    yield Finding(
        "stopped",
        f"the program stops with {type(error).__name__}",
        message,
        "as the message says, at this line",
        place,
        weight=99,
    )


def users_line(error: BaseException) -> Place | None:
    """The innermost line outside the package and the standard library's runner."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((PACKAGE_FOLDER, LIBRARY, "<"))
    ]
    if not frames:
        return None
    frame, line = frames[-1], frames[-1].lineno or 0
    return Place(frame.filename, line, linecache.getline(frame.filename, line).strip(), "")
