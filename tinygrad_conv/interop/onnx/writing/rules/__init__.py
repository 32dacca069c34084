"""How each op is written, by subject."""

from . import (
    activations,
    arithmetic,
    comparisons,
    convolutions,
    elementary,
    gradients,
    indexing,
    labels,
    linear_algebra,
    losses,
    norms,
    pooling,
    reductions,
    resampling,
    shapes,
)

__all__ = [
    "activations",
    "arithmetic",
    "comparisons",
    "convolutions",
    "elementary",
    "gradients",
    "indexing",
    "labels",
    "linear_algebra",
    "losses",
    "norms",
    "pooling",
    "reductions",
    "resampling",
    "shapes",
]
