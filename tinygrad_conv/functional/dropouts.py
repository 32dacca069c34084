"""Dropout, of elements and of whole channels, with the random numbers of `manual_seed`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array
from ..engine.location import warn_user
from ..engine.observed import observable
from ..errors import ShapeError, show_shape
from ..ops import arithmetic, dropouts
from ..ops.activations import SELU_ALPHA, SELU_SCALE
from ..options import checked
from ..randomness.default import generator
from .arguments import Operand, in_place


@checked()
def dropout(input: Operand, p: float = 0.5, training: bool = True, inplace: bool = False) -> Operand:
    """In training each element is 0 with probability p, and divided by 1 - p otherwise. Else the input.

    `tg.manual_seed` makes the choice repeatable. Raises ValueError for a p outside of [0, 1].
    """
    return dropped(dropout, input, p, training, inplace, input.shape)


@checked()
def dropout2d(input: Operand, p: float = 0.5, training: bool = True, inplace: bool = False) -> Operand:
    """In training each channel of a sample is 0 with probability p, and divided by 1 - p otherwise.

    Else it is the input: [N, C, H, W], [N, C, L], or [N, C] with a warning, for it is dropout then.
    `tg.manual_seed` makes the choice repeatable. Raises ShapeError for other shapes, ValueError for a p
    outside of [0, 1].
    """
    if input.ndim == 2:
        warn_user("dropout2d: of [N, C] it drops single numbers, as dropout does; write nn.Dropout for that")
    elif input.ndim not in (3, 4):
        raise ShapeError(f"dropout2d: input must be [N, C, H, W] or [N, C, L], not {show_shape(input.shape)}")
    return dropped(dropout2d, input, p, training, inplace, (*input.shape[:2], *(1,) * (input.ndim - 2)))


@checked()
def dropout1d(input: Operand, p: float = 0.5, training: bool = True, inplace: bool = False) -> Operand:
    """In training each channel of a sample is 0 with probability p, and divided by 1 - p otherwise.

    Else it is the input: [N, C, L] or [C, L]. `tg.manual_seed` makes the choice repeatable. Raises ShapeError
    for other shapes, ValueError for a p outside of [0, 1].
    """
    if input.ndim not in (2, 3):
        raise ShapeError(f"dropout1d: input must be [N, C, L] or [C, L], not {show_shape(input.shape)}")
    return dropped(dropout1d, input, p, training, inplace, (*input.shape[:-1], 1))


@checked()
def dropout3d(input: Operand, p: float = 0.5, training: bool = True, inplace: bool = False) -> Operand:
    """In training each channel of a sample is 0 with probability p, and divided by 1 - p otherwise.

    Else it is the input: [N, C, D, H, W] or [C, D, H, W]. `tg.manual_seed` makes the choice repeatable.
    Raises ShapeError for other shapes, ValueError for a p outside of [0, 1].
    """
    if input.ndim not in (4, 5):
        shapes = f"[N, C, D, H, W] or [C, D, H, W], not {show_shape(input.shape)}"
        raise ShapeError(f"dropout3d: input must be {shapes}")
    return dropped(dropout3d, input, p, training, inplace, (*input.shape[:-3], 1, 1, 1))


@checked()
def alpha_dropout(input: Operand, p: float = 0.5, training: bool = False, inplace: bool = False) -> Operand:
    """In training each element is -λα, where selu ends, with probability p; then all are scaled and moved.

    They are so that mean 0 and variance 1 stay what they are (Klambauer et al. 2017). Else it is the input.
    `tg.manual_seed` makes the choice repeatable. Raises ValueError for a p outside of [0, 1].
    """
    if inplace and training and p != 0:
        return in_place(alpha_dropout, inplace, input, p, training)
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0
    end = -SELU_SCALE * SELU_ALPHA
    scale = ((1 - p) * (1 + p * end**2)) ** -0.5
    kept = drawn_mask(input.shape, p)
    return arithmetic.where(input, end, condition=kept) * scale - scale * p * end


def dropped(
    function: Callable[..., Any],
    input: Operand,
    p: float,
    training: bool,
    inplace: bool,
    choices: tuple[int, ...],
) -> Operand:
    """The input after chance has decided for each of the `choices`, a shape that broadcasts to it."""
    if not 0 <= p <= 1:
        raise ValueError(f"{function.__name__}: p must be a probability, from 0 to 1, not {p}")
    if not training or p == 0:
        return input
    if inplace:
        return in_place(function, inplace, input, p, training)
    return dropouts.dropout(input, kept=drawn_mask(choices, p), p=p)


@observable
def drawn_mask(shape: tuple[int, ...], p: float) -> Array:
    """What stays, by chance: each with the probability 1 - p."""
    return generator().random(shape, dtype=np.float32) >= p
