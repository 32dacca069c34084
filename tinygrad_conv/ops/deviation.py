"""How far numbers lie from the mean of their group, x - μ: what gradients of normalisations are made of.

A group is what μ (`center`) is stretched over when it is broadcast against x; whatever else there is one of
for each group has the shape of μ. Both are linear in everything but x and μ taken together, so their rules
are themselves in small pieces.
"""

from __future__ import annotations

from .. import kernels
from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from .arguments.norms import check_deviations
from .conversion import wide
from .reduce import sum_to


@primitive
def deviation_dot(dy, x, center):
    """Σ dY (x - center), how much of dY lies along the deviation, for each group → the shape of center.

    Raises ShapeError where dy has another shape than x, or center does not broadcast against it axis by axis.
    """
    check_deviations("deviation_dot", dy, x, center)
    return kernels.deviation_dot(wide(dy), wide(x), wide(center)).astype(x.dtype, copy=False)


@deviation_dot.grad("dy")
def deviation_dot_ddy(v, x, center):
    """∂/∂dY = x - center."""
    return v * (x - center)


@deviation_dot.grad("x")
def deviation_dot_dx(v, dy):
    """∂/∂x = dY."""
    return v * dy


@deviation_dot.grad("center")
def deviation_dot_dcenter(v, dy, center_shape):
    """∂/∂center = -Σ dY over the group."""
    return -v * sum_to(dy, shape=center_shape)


@primitive(broadcasting=True)
def deviation_removed(dy, mean, x, center, along, factor):
    """(dY - mean - (x - center) · along) · factor: dY less what would shift or stretch its group.

    Raises ShapeError where shapes do not broadcast.
    """
    arrays = dy, mean, x, center, along, factor
    try:
        return kernels.deviation_removed(*map(wide, arrays)).astype(x.dtype, copy=False)
    except ValueError:
        shapes = ", ".join(show_shape(array.shape) for array in arrays)
        names = "dy, mean, x, center, along and factor"
        raise ShapeError(f"deviation_removed: {names} do not broadcast: {shapes}") from None


@deviation_removed.grad("dy")
def deviation_removed_ddy(v, factor):
    """∂/∂dY = factor."""
    return v * factor


@deviation_removed.grad("mean")
def deviation_removed_dmean(v, factor):
    """∂/∂mean = -factor."""
    return -v * factor


@deviation_removed.grad("x")
def deviation_removed_dx(v, along, factor):
    """∂/∂x = -along · factor."""
    return -v * (along * factor)


@deviation_removed.grad("center")
def deviation_removed_dcenter(v, along, factor):
    """∂/∂center = along · factor."""
    return v * (along * factor)


@deviation_removed.grad("along")
def deviation_removed_dalong(v, x, center, factor):
    """∂/∂along = -(x - center) · factor."""
    return -v * (x - center) * factor


@deviation_removed.grad("factor")
def deviation_removed_dfactor(v, dy, mean, x, center, along):
    """∂/∂factor = dY - mean - (x - center) · along."""
    return v * (dy - mean - (x - center) * along)
