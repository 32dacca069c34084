"""The ops, by family: in each file a forward and, beside it, its rules."""

from . import activations, arithmetic, comparisons, conv, extremes, functions, index, linalg, loss, pool, reduce, shape, softmax  # noqa: F401 (importing declares them)
