"""The ops, by family: in each file a forward and, beside it, its rules."""

from . import activations, arithmetic, classification, comparisons, conv, extremes, functions, index, labels, linalg, loss, pool, reduce, shape, softmax  # noqa: F401 (importing declares them)
