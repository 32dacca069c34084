"""The ops, by family: in each file a forward and, beside it, its rules."""

from . import conv, elementwise, index, linalg, loss, pool, reduce, shape  # noqa: F401 (importing declares them)
