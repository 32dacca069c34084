"""The ops, by family: in each file a forward and, beside it, its rules."""

from . import activations, adaptive, arithmetic, classification, comparisons, contraction, conv, dropout, extremes, functions, index, labels, linalg, loss, norm, padding, patches, pool, reduce, resample, shape, softmax  # noqa: F401 (importing declares them)
