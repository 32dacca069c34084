"""How each op is written, by subject. Importing these has entered them into the table."""

from ..table import RULES
from . import (
    activations,
    arithmetic,
    comparisons,
    convolutions,
    elementary,
    gradients,
    indexing,
    linear_algebra,
    losses,
    norms,
    pooling,
    reductions,
    resampling,
    shapes,
)

__all__ = [
    "RULES",
    "activations",
    "arithmetic",
    "comparisons",
    "convolutions",
    "elementary",
    "gradients",
    "indexing",
    "linear_algebra",
    "losses",
    "norms",
    "pooling",
    "reductions",
    "resampling",
    "shapes",
]
