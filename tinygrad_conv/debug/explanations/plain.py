"""Ops that change no number, or move them: in words, for their arithmetic is to put things back."""

from __future__ import annotations

from ..step import Step
from .pieces import StepExplanation
from .registry import explains_ops, subject_of

SAME = "no number changes, so dx is dy in the shape of x"
MOVED = "numbers change their places alone, so each dy goes back to where its number came from"
CUT = "x was cut, so the gradients of the pieces are joined again"
ADDED = "each number was added at a place, and gets the dy of that place"
MIXED = "a number is in every result that it was mixed into, with its weight there"
ABOUTS = {
    **dict.fromkeys(("reshape", "flatten", "flatten_input_grad", "squeeze", "unsqueeze", "clone"), SAME),
    **dict.fromkeys(("permute", "transpose", "flip", "roll", "pixel_shuffle", "pixel_unshuffle"), MOVED),
    "to": "the same numbers in another dtype, so dx is dy, in the dtype of x",
    "cat": "inputs were joined, so dy is cut where they were joined: each gets its own piece",
    "stack": "inputs were joined along a new dimension: each gets its own slice of dy",
    **dict.fromkeys(("chunk", "split", "unbind"), CUT),
    "getitem": "what was picked gets its dy at its place, the rest 0; what was picked twice gets both",
    "gather": "each dy goes to the place that was read; what was read several times gets the sum",
    **dict.fromkeys(("put_add", "scatter_add", "fold"), ADDED),
    "scatter_extreme": "the largest, or smallest, that arrived at a place gets its dy; equal ones share it",
    "setitem": "what was written over gets no gradient: the dy of those places goes to the value",
    **dict.fromkeys(("expand", "repeat"), "x was repeated, so the gradients of its copies add up"),
    "sum_to": "what was summed gets the dy of its sum",
    "cumsum": "a number is in its own sum and in all later ones, so it gets the dy of all these",
    "pad": "the border is cut off dy again; what a border repeats gets the dy of its copies too",
    "unfold": "a number is in every window that covers it, so the dy of all these add up",
    **dict.fromkeys(("interpolate", "mix"), MIXED),
    "einsum": "each operand gets dy contracted with all the others",
    "transposed_matmul": "each operand gets dy times the other",
    **dict.fromkeys(
        ("scatter_taps", "gather_taps", "spread_windows", "sum_windows"),
        "windows were read, or written to: the gradient goes the same ways back",
    ),
    **dict.fromkeys(
        ("deviation_dot", "deviation_removed"), "a part of the rule of a normalisation, differentiated itself"
    ),
    **dict.fromkeys(
        ("conv2d", "conv2d_input_grad", "conv2d_weight_grad"), "the kernel meets the input place by place"
    ),
}


@explains_ops(*ABOUTS)
def in_words(step: Step) -> StepExplanation:
    """A sentence."""
    return StepExplanation(subject_of(step), ABOUTS[step.op])
