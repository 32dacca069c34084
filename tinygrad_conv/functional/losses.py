"""Losses that are made of other functions. Most are ops: ops/loss.py and ops/classification.py have them."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..errors import ShapeError
from ..ops import arithmetic, functions, reduce
from ..ops.arguments.dtypes import check_float
from ..options import ARRAY, checked, choice
from .arguments import Operand
from .distances import common_shape


@checked(target=ARRAY, reduction=choice("none", "batchmean", "sum", "mean"))
def kl_div(input: Operand, target: Operand, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (ln t - x), for x = ln q the divergence of q from t (Kullback & Leibler 1951), 0 where t is.

    reduction: 'none', 'sum', 'mean' over all elements, or 'batchmean', the sum divided by the number of
    samples, which is the divergence. log_target: target holds ln t. Raises ShapeError where input and target
    do not broadcast, DtypeError for integers.
    """
    check_float("kl_div", input=input, target=target)
    common_shape("kl_div", input, target)
    if log_target:
        values = functions.exp(target) * (target - input)
    else:
        logarithm = functions.log(arithmetic.where(target, 1.0, condition=target != 0))
        values = arithmetic.sub(arithmetic.mul(target, logarithm), arithmetic.mul(target, input))
    if reduction != "batchmean":
        return reduced(values, reduction)
    if not values.ndim:
        raise ShapeError("kl_div: 'batchmean' needs a batch, not a number; use 'sum'")
    return arithmetic.div(reduce.sum(values), input.shape[0] if input.ndim else 1)


def reduced(values: Operand, reduction: str) -> Tensor:
    """Losses of single elements as 'none', 'sum' or 'mean' of them."""
    if reduction == "none":
        return values
    return reduce.sum(values) if reduction == "sum" else reduce.mean(values)
