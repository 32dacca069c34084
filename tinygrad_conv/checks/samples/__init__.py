"""Cases of the package's own ops, by family; importing this declares them all."""

from . import arrays, elementwise, layers

__all__ = ["arrays", "elementwise", "layers"]
