"""Tensor's methods that are functions with the tensor first: `x.topk(3)` is `tg.topk(x, 3)`; and those that
make it what a function makes of it: after `x.floor_()`, x is `tg.floor(x)`.

Which they are stands here, for people and their editors; `functional/methods.py`, above the ops, enters the
functions under these names. A few that need none are between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .registry import COMPOSITES, OPS

if TYPE_CHECKING:
    from typing_extensions import Self


class FunctionMethods:
    """What a Tensor can do because a function can."""

    __slots__ = ()

    _data: Any

    # Functions of one number
    absolute: Callable[..., Any]
    acos: Callable[..., Any]
    acosh: Callable[..., Any]
    asin: Callable[..., Any]
    asinh: Callable[..., Any]
    atan: Callable[..., Any]
    atanh: Callable[..., Any]
    ceil: Callable[..., Any]
    clip: Callable[..., Any]
    cosh: Callable[..., Any]
    erf: Callable[..., Any]
    erfc: Callable[..., Any]
    exp2: Callable[..., Any]
    expm1: Callable[..., Any]
    floor: Callable[..., Any]
    frac: Callable[..., Any]
    hardshrink: Callable[..., Any]
    log10: Callable[..., Any]
    log1p: Callable[..., Any]
    log2: Callable[..., Any]
    nan_to_num: Callable[..., Any]
    negative: Callable[..., Any]
    prelu: Callable[..., Any]
    reciprocal: Callable[..., Any]
    round: Callable[..., Any]
    rsqrt: Callable[..., Any]
    sinh: Callable[..., Any]
    square: Callable[..., Any]
    tan: Callable[..., Any]
    trunc: Callable[..., Any]

    # Functions of two
    addcdiv: Callable[..., Any]
    addcmul: Callable[..., Any]
    copysign: Callable[..., Any]
    divide: Callable[..., Any]
    floor_divide: Callable[..., Any]
    fmod: Callable[..., Any]
    lerp: Callable[..., Any]
    logaddexp: Callable[..., Any]
    multiply: Callable[..., Any]
    remainder: Callable[..., Any]
    subtract: Callable[..., Any]
    true_divide: Callable[..., Any]
    xlogy: Callable[..., Any]

    # Questions
    all: Callable[..., Any]
    allclose: Callable[..., Any]
    any: Callable[..., Any]
    bitwise_and: Callable[..., Any]
    bitwise_left_shift: Callable[..., Any]
    bitwise_not: Callable[..., Any]
    bitwise_or: Callable[..., Any]
    bitwise_right_shift: Callable[..., Any]
    bitwise_xor: Callable[..., Any]
    equal: Callable[..., Any]
    greater: Callable[..., Any]
    greater_equal: Callable[..., Any]
    is_floating_point: Callable[..., Any]
    isclose: Callable[..., Any]
    isfinite: Callable[..., Any]
    isinf: Callable[..., Any]
    isnan: Callable[..., Any]
    less: Callable[..., Any]
    less_equal: Callable[..., Any]
    logical_and: Callable[..., Any]
    logical_not: Callable[..., Any]
    logical_or: Callable[..., Any]
    logical_xor: Callable[..., Any]
    not_equal: Callable[..., Any]
    signbit: Callable[..., Any]

    # Orders and counts
    argsort: Callable[..., Any]
    argwhere: Callable[..., Any]
    bincount: Callable[..., Any]
    count_nonzero: Callable[..., Any]
    cummax: Callable[..., Any]
    cummin: Callable[..., Any]
    kthvalue: Callable[..., Any]
    median: Callable[..., Any]
    nanquantile: Callable[..., Any]
    quantile: Callable[..., Any]
    nonzero: Callable[..., Any]
    sort: Callable[..., Any]
    topk: Callable[..., Any]
    unique: Callable[..., Any]

    # Sums and products
    addmm: Callable[..., Any]
    addmv: Callable[..., Any]
    baddbmm: Callable[..., Any]
    bmm: Callable[..., Any]
    cumprod: Callable[..., Any]
    diff: Callable[..., Any]
    dot: Callable[..., Any]
    logcumsumexp: Callable[..., Any]
    mm: Callable[..., Any]
    mv: Callable[..., Any]
    outer: Callable[..., Any]
    trace: Callable[..., Any]

    # Shapes and parts
    broadcast_to: Callable[..., Any]
    diag: Callable[..., Any]
    diag_embed: Callable[..., Any]
    diagonal: Callable[..., Any]
    fliplr: Callable[..., Any]
    flipud: Callable[..., Any]
    moveaxis: Callable[..., Any]
    movedim: Callable[..., Any]
    narrow: Callable[..., Any]
    ravel: Callable[..., Any]
    repeat_interleave: Callable[..., Any]
    rot90: Callable[..., Any]
    select: Callable[..., Any]
    swapaxes: Callable[..., Any]
    swapdims: Callable[..., Any]
    tensor_split: Callable[..., Any]
    tril: Callable[..., Any]
    triu: Callable[..., Any]
    unbind: Callable[..., Any]
    unflatten: Callable[..., Any]

    # Places
    index_add: Callable[..., Any]
    index_fill: Callable[..., Any]
    index_select: Callable[..., Any]
    masked_select: Callable[..., Any]
    scatter: Callable[..., Any]
    scatter_reduce: Callable[..., Any]
    take: Callable[..., Any]
    take_along_dim: Callable[..., Any]

    def where(self, condition: Any, other: Any) -> Self:
        return OPS["where"](self, other, condition=condition)

    def tile(self, *args: Any, dims: Any = None) -> Self:
        """As the function, and `x.tile(2, 3)`."""
        return COMPOSITES["tile"](self, (args[0] if len(args) == 1 else args) if dims is None else dims)

    def ndimension(self) -> int:
        return self._data.ndim

    def nelement(self) -> int:
        return self._data.size

    def element_size(self) -> int:
        return self._data.itemsize

    @property
    def itemsize(self) -> int:
        return self._data.itemsize

    @property
    def nbytes(self) -> int:
        return self._data.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """How many elements apart neighbours along each dimension lie in memory."""
        steps = tuple(step // self._data.itemsize for step in self._data.strides)
        return steps if dim is None else steps[dim]

    def is_contiguous(self) -> bool:
        return self._data.flags.c_contiguous

    @property
    def mT(self) -> Self:
        return OPS["transpose"](self, dim0=-2, dim1=-1)


class InPlaceFunctionMethods:
    """What a Tensor can become because a function can make it."""

    __slots__ = ()

    abs_: Callable[..., Any]
    absolute_: Callable[..., Any]
    acos_: Callable[..., Any]
    acosh_: Callable[..., Any]
    addcdiv_: Callable[..., Any]
    addcmul_: Callable[..., Any]
    addmm_: Callable[..., Any]
    addmv_: Callable[..., Any]
    asin_: Callable[..., Any]
    asinh_: Callable[..., Any]
    atan_: Callable[..., Any]
    atanh_: Callable[..., Any]
    baddbmm_: Callable[..., Any]
    bitwise_and_: Callable[..., Any]
    bitwise_left_shift_: Callable[..., Any]
    bitwise_not_: Callable[..., Any]
    bitwise_or_: Callable[..., Any]
    bitwise_right_shift_: Callable[..., Any]
    bitwise_xor_: Callable[..., Any]
    ceil_: Callable[..., Any]
    clamp_: Callable[..., Any]
    clamp_max_: Callable[..., Any]
    clamp_min_: Callable[..., Any]
    clip_: Callable[..., Any]
    copysign_: Callable[..., Any]
    cos_: Callable[..., Any]
    cosh_: Callable[..., Any]
    cumprod_: Callable[..., Any]
    cumsum_: Callable[..., Any]
    divide_: Callable[..., Any]
    eq_: Callable[..., Any]
    erf_: Callable[..., Any]
    erfc_: Callable[..., Any]
    exp2_: Callable[..., Any]
    exp_: Callable[..., Any]
    expm1_: Callable[..., Any]
    floor_: Callable[..., Any]
    floor_divide_: Callable[..., Any]
    fmod_: Callable[..., Any]
    frac_: Callable[..., Any]
    ge_: Callable[..., Any]
    greater_: Callable[..., Any]
    greater_equal_: Callable[..., Any]
    gt_: Callable[..., Any]
    index_add_: Callable[..., Any]
    index_fill_: Callable[..., Any]
    le_: Callable[..., Any]
    lerp_: Callable[..., Any]
    less_: Callable[..., Any]
    less_equal_: Callable[..., Any]
    log10_: Callable[..., Any]
    log1p_: Callable[..., Any]
    log2_: Callable[..., Any]
    log_: Callable[..., Any]
    logical_and_: Callable[..., Any]
    logical_not_: Callable[..., Any]
    logical_or_: Callable[..., Any]
    logical_xor_: Callable[..., Any]
    lt_: Callable[..., Any]
    masked_fill_: Callable[..., Any]
    multiply_: Callable[..., Any]
    nan_to_num_: Callable[..., Any]
    ne_: Callable[..., Any]
    neg_: Callable[..., Any]
    negative_: Callable[..., Any]
    not_equal_: Callable[..., Any]
    pow_: Callable[..., Any]
    reciprocal_: Callable[..., Any]
    relu_: Callable[..., Any]
    remainder_: Callable[..., Any]
    round_: Callable[..., Any]
    rsqrt_: Callable[..., Any]
    scatter_: Callable[..., Any]
    scatter_add_: Callable[..., Any]
    scatter_reduce_: Callable[..., Any]
    sigmoid_: Callable[..., Any]
    sign_: Callable[..., Any]
    sin_: Callable[..., Any]
    sinh_: Callable[..., Any]
    sqrt_: Callable[..., Any]
    square_: Callable[..., Any]
    subtract_: Callable[..., Any]
    tan_: Callable[..., Any]
    tanh_: Callable[..., Any]
    tril_: Callable[..., Any]
    triu_: Callable[..., Any]
    true_divide_: Callable[..., Any]
    trunc_: Callable[..., Any]
    xlogy_: Callable[..., Any]
