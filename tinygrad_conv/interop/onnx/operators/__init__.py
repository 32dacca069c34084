"""ONNX's operators, each as functions of ours, by subject. A file enters its operators into the table.

table.py            the table, and how an operator is entered
values.py           numbers out of tensors, where a function of ours takes numbers
elementwise.py      arithmetic, functions of one number, comparisons, logic, bits
activations.py      activations, softmax
convolutions.py     convolutions and transposed ones; windows.py, the pads that they ask for
pooling.py          pooling over windows, and over everything
normalization.py    normalisations and dropout
matrices.py         products of matrices, and triangles of them
reductions.py       sums, means, extremes along axes
shapes.py           shapes changed, tensors joined, parted and padded
indexing.py         numbers looked up, written and sorted
constants.py        tensors made of nothing, and dtypes changed
resizing.py         images resized: coordinates.py has where a new pixel looks
losses.py           losses of classifications
"""

from . import (
    activations,
    constants,
    convolutions,
    elementwise,
    indexing,
    losses,
    matrices,
    normalization,
    pooling,
    reductions,
    resizing,
    shapes,
)
from .table import OPERATORS

__all__ = ["OPERATORS"]
