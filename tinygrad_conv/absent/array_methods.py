"""Methods of PyTorch's tensors on `.data` and `.grad`, which are NumPy's arrays here.

Each has PyTorch's arguments, and what to write instead: an expression, or a statement for a change in place.
In it A is the array, arguments stand under their names, and `rest` for any number of them; an argument that
was not given is left out, and its keyword with it.
"""

from __future__ import annotations

import ast
from functools import cache
from typing import NamedTuple


class Method(NamedTuple):
    """A method that must be written otherwise."""

    arguments: str
    instead: str
    silent: bool = False  # the array's own method of this name means something else: other numbers
    array: bool = True  # what comes of it is an array, else a number, a shape …


def table(arguments: str, instead: str, *names: str, **options: bool) -> dict[str, Method]:
    """The same for several methods; NAME stands for theirs, without a _ at its end."""
    return {name: Method(arguments, instead.replace("NAME", name.rstrip("_")), **options) for name in names}


POINTWISE = (
    *("abs", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "sign", "floor", "ceil"),
    *("square", "log1p", "expm1", "trunc", "log2", "log10", "exp2", "reciprocal", "isnan", "isinf"),
    *("isfinite", "logical_not"),
)
EXTREMES = "(A.NAME(dim, keepdims=keepdim), A.argNAME(dim, keepdims=keepdim))"
SPREAD = "A.NAME(dim, ddof=1, keepdims=keepdim)"

METHODS: dict[str, Method] = {
    # of these names arrays have methods too, which mean something else
    **table("dim keepdim", EXTREMES, "max", "min", silent=True),
    **table("dim unbiased keepdim", SPREAD, "std", "var", silent=True),
    "transpose": Method("dim0 dim1", "A.swapaxes(dim0, dim1)", silent=True),
    "repeat": Method("rest", "np.tile(A, (rest))", silent=True),
    "nonzero": Method("", "np.argwhere(A)", silent=True),
    "sort": Method("dim descending", "(np.sort(A, dim), np.argsort(A, dim))", silent=True),
    # of these, which take other arguments
    **table("dim keepdim", "A.NAME(dim, keepdims=keepdim)", "sum", "mean", "prod", "all", "any"),
    **table("dim keepdim", "A.NAME(dim, keepdims=keepdim)", "argmax", "argmin"),
    **table("dim", "A.NAME(dim)", "cumsum", "cumprod", "squeeze"),
    "argsort": Method("dim descending", "np.argsort(A, dim)"),
    "flatten": Method("start_dim", "A.reshape(*A.shape[:start_dim], -1)"),
    "view": Method("rest", "A.reshape(rest)"),
    "size": Method("dim", "A.shape[dim]", array=False),
    # and these arrays have not
    **table("", "A", "detach", "detach_", "cpu", "cuda", "contiguous", "requires_grad_", "pin_memory"),
    "numpy": Method("", "A", array=False),
    "clone": Method("", "A.copy()"),
    "new_zeros": Method("rest", "np.zeros((rest), A.dtype)"),
    "new_ones": Method("rest", "np.ones((rest), A.dtype)"),
    "new_full": Method("size fill_value", "np.full(size, fill_value, A.dtype)"),
    **table("rest", "np.empty((rest), A.dtype)", "new", "new_empty"),
    "float": Method("", "A.astype(np.float32)"),
    "double": Method("", "A.astype(np.float64)"),
    "half": Method("", "A.astype(np.float16)"),
    "long": Method("", "A.astype(np.int64)"),
    "int": Method("", "A.astype(np.int32)"),
    "bool": Method("", "A.astype(bool)"),
    "byte": Method("", "A.astype(np.uint8)"),
    **table("dtype", "A.astype(dtype)", "to", "type"),
    "type_as": Method("other", "A.astype(other.dtype)"),
    **table("", "A.size", "numel", "nelement", array=False),
    **table("", "A.ndim", "dim", "ndimension", array=False),
    "t": Method("", "A.T"),
    "permute": Method("rest", "A.transpose(rest)"),
    "unsqueeze": Method("dim", "np.expand_dims(A, dim)"),
    "expand": Method("rest", "np.broadcast_to(A, (rest))"),
    "expand_as": Method("other", "np.broadcast_to(A, other.shape)"),
    **table("other", "A.reshape(other.shape)", "view_as", "reshape_as"),
    "flip": Method("dims", "np.flip(A, dims)"),
    "roll": Method("shifts dims", "np.roll(A, shifts, dims)"),
    "norm": Method("p dim keepdim", "np.linalg.norm(A, p, dim, keepdims=keepdim)"),
    **table("dim keepdim", "A.max(dim, keepdims=keepdim)", "amax"),
    **table("dim keepdim", "A.min(dim, keepdims=keepdim)", "amin"),
    **table("", "np.NAME(A)", *POINTWISE),
    "absolute": Method("", "np.abs(A)"),
    "neg": Method("", "-A"),
    "sigmoid": Method("", "1 / (1 + np.exp(-A))"),
    "relu": Method("", "np.maximum(A, 0)"),
    "rsqrt": Method("", "1 / np.sqrt(A)"),
    "pow": Method("exponent", "A ** exponent"),
    "add": Method("other alpha", "A + alpha * other"),
    "sub": Method("other alpha", "A - alpha * other"),
    **table("other", "A * other", "mul", "multiply"),
    **table("other", "A / other", "div", "true_divide"),
    **table("other", "A @ other", "matmul", "mm", "mv", "bmm"),
    **table("other", "np.NAME(A, other)", "outer", "maximum", "minimum", "allclose", "isclose"),
    "equal": Method("other", "np.array_equal(A, other)", array=False),
    "eq": Method("other", "A == other"),
    "ne": Method("other", "A != other"),
    "lt": Method("other", "A < other"),
    "le": Method("other", "A <= other"),
    "gt": Method("other", "A > other"),
    "ge": Method("other", "A >= other"),
    "clamp": Method("min max", "np.clip(A, min, max)"),
    "clamp_min": Method("min", "np.maximum(A, min)"),
    "clamp_max": Method("max", "np.minimum(A, max)"),
    "index_select": Method("dim index", "np.take(A, index, dim)"),
    "gather": Method("dim index", "np.take_along_axis(A, index, dim)"),
    "masked_select": Method("mask", "A[mask]"),
    "masked_fill": Method("mask value", "np.where(mask, value, A)"),
    "unique": Method("", "np.unique(A)"),
    "count_nonzero": Method("dim", "np.count_nonzero(A, dim)"),
    "argwhere": Method("", "np.argwhere(A)"),
    **table("diagonal", "np.NAME(A, diagonal)", "tril", "triu", "diag"),
    "element_size": Method("", "A.itemsize", array=False),
    # changes in place
    "zero_": Method("", "A[...] = 0"),
    "fill_": Method("value", "A[...] = value"),
    "copy_": Method("src", "A[...] = src"),
    "add_": Method("other alpha", "A += alpha * other"),
    "sub_": Method("other alpha", "A -= alpha * other"),
    "mul_": Method("other", "A *= other"),
    "div_": Method("other", "A /= other"),
    "pow_": Method("exponent", "A **= exponent"),
    "neg_": Method("", "A *= -1"),
    "addcmul_": Method("first second value", "A += value * first * second"),
    "addcdiv_": Method("first second value", "A += value * first / second"),
    "lerp_": Method("end weight", "A += weight * (end - A)"),
    "normal_": Method("mean std", "A[...] = np.random.normal(loc=mean, scale=std, size=A.shape)"),
    "uniform_": Method("low high", "A[...] = np.random.uniform(low=low, high=high, size=A.shape)"),
    "bernoulli_": Method("p", "A[...] = np.random.random(A.shape) < p"),
    "clamp_": Method("min max", "np.clip(A, min, max, out=A)"),
    "clamp_min_": Method("min", "np.maximum(A, min, out=A)"),
    "clamp_max_": Method("max", "np.minimum(A, max, out=A)"),
    "relu_": Method("", "np.maximum(A, 0, out=A)"),
    "round_": Method("", "np.round(A, out=A)"),
    **table("", "np.NAME(A, out=A)", *(f"{name}_" for name in POINTWISE)),
    "masked_fill_": Method("mask value", "A[mask] = value"),
    "scatter_": Method("dim index value", "np.put_along_axis(A, index, value, dim)"),
    "fill_diagonal_": Method("value", "np.fill_diagonal(A, value)"),
}

OTHERWISE: dict[tuple[str, frozenset[str]], str] = {
    ("norm", frozenset({"p"})): "np.linalg.norm(A.ravel(), p)",
    ("norm", frozenset({"dim"})): "np.linalg.norm(A, axis=dim)",
    ("norm", frozenset({"dim", "keepdim"})): "np.linalg.norm(A, axis=dim, keepdims=keepdim)",
    ("size", frozenset()): "A.shape",
    ("flatten", frozenset()): "A.flatten()",
    ("clamp", frozenset({"min"})): "np.maximum(A, min)",
    ("clamp", frozenset({"max"})): "np.minimum(A, max)",
    ("clamp_", frozenset({"min"})): "np.maximum(A, min, out=A)",
    ("clamp_", frozenset({"max"})): "np.minimum(A, max, out=A)",
    ("sort", frozenset({"descending"})): "(-np.sort(-A), np.argsort(-A))",
    ("sort", frozenset({"dim", "descending"})): "(-np.sort(-A, dim), np.argsort(-A, dim))",
    ("argsort", frozenset({"descending"})): "np.argsort(-A)",
    ("argsort", frozenset({"dim", "descending"})): "np.argsort(-A, dim)",
    **{
        (name, frozenset({"other"})): f"A {symbol} other"
        for name, symbol in (("add", "+"), ("sub", "-"), ("add_", "+="), ("sub_", "-="))
    },
    ("addcmul_", frozenset({"first", "second"})): "A += first * second",
    ("addcdiv_", frozenset({"first", "second"})): "A += first / second",
    ("lerp_", frozenset({"end", "weight"})): "A += weight * (end - A)",
    ("bernoulli_", frozenset()): "A[...] = np.random.random(A.shape) < 0.5",
}
"""By method and the arguments that were given: what to write then."""

OTHER_NAMES = {"from": "low", "a": "low", "to": "high", "b": "high", "axis": "dim", "keepdims": "keepdim"}
OTHER_NAMES |= {"tensor1": "first", "tensor2": "second", "size": "rest", "source": "src"}
OTHER_NAMES |= {"correction": "unbiased"}
"""Keywords under which arguments come too."""


@cache
def parsed(instead: str) -> ast.stmt:
    """What to write, as a syntax tree."""
    return ast.parse(instead).body[0]
