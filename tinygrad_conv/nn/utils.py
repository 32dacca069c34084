"""What is done to the parameters of a net as a whole."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator

import numpy as np

from .. import functional as F
from ..absent.missing import public_names
from ..dtypes import Array, numbers_in, numeric_array
from ..engine.commit import Changes
from ..engine.observed import observable
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..foreign import numbers_of
from ..functional.arguments import rewrite
from ..options import FLAG, NOT_NEGATIVE, checked, is_real, number

__path__: list[str] = []  # a package without modules: an import of one, such as rnn, asks what to write
REAL = number(has_type=is_real)._replace(at_once=True)


@observable
@checked(max_norm=REAL, norm_type=REAL, error_if_nonfinite=FLAG)
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale the gradients, in place, so that as one vector they have at most the norm max_norm.

    Returns the norm before. norm_type: p of the p-norm, or math.inf. Each gradient is multiplied by max_norm
    / (norm + 1e-6) if that is below 1.

    Raises RuntimeError for an infinite norm or NaN if `error_if_nonfinite`; otherwise these spread to all
    gradients.
    """
    given = parameters
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not parameters and isinstance(given, Iterator):
        warnings.warn("clip_grad_norm_: the generator of parameters is empty or used up", stacklevel=2)
    if not grads:
        return Tensor(0.0)
    norm = length_of_all(grads, norm_type)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"clip_grad_norm_: the norm of the gradients is {norm}")
    scale = max_norm / (norm + 1e-6)
    if not scale >= 1:  # NaN spreads too
        changes = Changes()
        for grad in grads:
            changes.write_array(grad, np.asarray(grad * scale, grad.dtype))
        changes.commit()
    return Tensor(np.asarray(norm, np.result_type(grads[0], np.float32)))


def length_of_all(arrays: list[Array], p: float) -> float:
    """The p-norm of all numbers of some arrays as one vector, in float64: that of the arrays' norms."""
    if p == 2:
        with np.errstate(over="ignore"):
            return root_of_squares(np.array([root_of_squares(array.ravel()) for array in arrays]))
    return length(np.array([length(array.ravel(), p) for array in arrays]), p)


def root_of_squares(vector: Array) -> float:
    """The 2-norm as the root of a sum, for np.linalg.norm's dot product would wake the threads of BLAS, which
    go on spinning. Where the squares leave the range of float64, of the numbers' shares of the largest.
    """
    root = math.sqrt(np.add.reduce(np.square(vector, dtype=np.float64)))
    if 0 < root < math.inf or not vector.size:
        return root
    largest = float(np.max(np.abs(vector)))
    return largest * root_of_squares(vector / largest) if 0 < largest < math.inf else root


def length(vector: Array, p: float) -> float:
    """The p-norm of a vector, in float64; 0 of an empty one."""
    return float(np.linalg.norm(vector.astype(np.float64), p)) if vector.size else 0.0


@observable
@checked(clip_value=NOT_NEGATIVE)
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Keep each number of the gradients, in place, between -clip_value and clip_value."""
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    changes = Changes()
    for grad in (parameter.grad for parameter in parameters if parameter.grad is not None):
        changes.write_array(grad, np.clip(grad, -clip_value, clip_value))
    changes.commit()


@checked()
def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All numbers of the parameters in one row, on the tape."""
    rows = [parameter.reshape(-1) for parameter in parameters]
    if not rows:
        raise ValueError("parameters_to_vector: needs at least one parameter")
    return F.cat(rows)


@observable
@checked()
def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the numbers of a row into the parameters, in their order: into all of them, or into none.

    Raises OverflowError for finite numbers that a parameter would hold as Inf.
    """
    parameters = list(parameters)
    numbers = vec.data if isinstance(vec, Tensor) else numeric_array(numbers_of(vec))
    total = sum(parameter.numel() for parameter in parameters)
    if numbers.ndim != 1 or len(numbers) != total:
        given = show_shape(numbers.shape)
        raise ShapeError(f"vector_to_parameters: vec must be [{total}], as the parameters have, not {given}")
    changes, start = Changes(), 0
    for parameter in parameters:
        end = start + parameter.numel()
        part = numbers[start:end].reshape(parameter.shape)
        rewrite(changes, parameter, numbers_in(part, parameter.dtype))
        start = end
    changes.commit()


__getattr__, _ = public_names(__name__)
