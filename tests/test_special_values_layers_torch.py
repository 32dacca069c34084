"""Every normalisation at ±0, Inf, NaN, denormals, numbers far out and ties, and products, convolutions and
poolings of denormals: values and gradients, as PyTorch has them. What differs is named, with the reason.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg

from .test_special_values_torch import INF, NAN, POOLINGS, TINY, results

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::RuntimeWarning")]
functional = torch.nn.functional

GROUPS = [
    [1, 2, 3, 4],
    [0, -0.0, 0, 0],
    [5, 5, 5, 5],
    [INF, 1, 2, 3],
    [-INF, 1, 2, 3],
    [INF, -INF, 0, 1],
    [INF, INF, INF, INF],
    [NAN, 1, 2, 3],
    [NAN, NAN, NAN, NAN],
    [NAN, INF, 1, 2],
    [TINY, -TINY, TINY, 0],
    [TINY, 1, 2, 3],
    [1e-30, 2e-30, 3e-30, 0],
    [1e18, -1e18, 1, 2],
    [1e30, 1, 2, 3],
]
GROUPS = np.array(GROUPS, np.float32)
COUNT = len(GROUPS)
WEIGHTS = [np.linspace(low, 2, COUNT, dtype=np.float32) for low in (0.5, -1)]
FEATURE_WEIGHTS = [np.array(values, np.float32) for values in ([0.5, 1, 2, 3], [-1, 0, 1, 2])]
OVERFLOWING = (GROUPS == np.float32(1e30)).any(1)  # the variance


def batch_norms(training):
    """Ours and PyTorch's."""

    def normalized(module, tensor):
        mean, variance = np.full(COUNT, 0.5, np.float32), np.full(COUNT, 2, np.float32)
        return lambda x, w, b: module.batch_norm(x, tensor(mean), tensor(variance), w, b, training)

    return normalized(tg, tg.tensor), normalized(functional, torch.tensor)


def of_both(call):
    """The same call of ours and of PyTorch's functions."""
    return [lambda *tensors, module=module: call(module, *tensors) for module in (tg, functional)]


CHANNELS = np.stack([GROUPS, GROUPS])
NORMS = {
    "batch_norm, training": (batch_norms(True), [CHANNELS, *WEIGHTS]),
    "batch_norm": (batch_norms(False), [CHANNELS, *WEIGHTS]),
    "instance_norm": (
        of_both(lambda module, x, w, b: module.instance_norm(x, weight=w, bias=b)),
        [CHANNELS, *WEIGHTS],
    ),
    "group_norm": (of_both(lambda module, x, w, b: module.group_norm(x, COUNT, w, b)), [CHANNELS, *WEIGHTS]),
    "layer_norm": (of_both(lambda module, x: module.layer_norm(x, (4,))), [GROUPS]),
    "layer_norm, weights": (
        of_both(lambda module, x, w, b: module.layer_norm(x, (4,), w, b)),
        [GROUPS, *FEATURE_WEIGHTS],
    ),
}
NAN_OF_AN_OVERFLOW = {"group_norm", "layer_norm", "layer_norm, weights"}  # in PyTorch, as in `ops.norm`


@pytest.mark.parametrize("dy", [1.0, TINY, INF])
@pytest.mark.parametrize("name", NORMS)
def test_norms(name, dy):
    functions, arrays = NORMS[name]
    for ours, theirs in results(functions, arrays, dy):
        differing = ~np.isclose(
            ours, theirs, rtol=2e-5, atol=2e-4, equal_nan=True
        )  # PyTorch rounds b - μ w / √eps
        if name in NAN_OF_AN_OVERFLOW:
            differing &= ~np.isnan(theirs)
        assert not differing.any(), (ours[differing], theirs[differing])


@pytest.mark.parametrize("name", NORMS)
def test_where_the_variance_overflows(name):
    functions, arrays = NORMS[name]
    x = tg.tensor(arrays[0], requires_grad=True)
    neutral = [] if len(arrays) == 1 else [np.ones_like(arrays[1]), np.zeros_like(arrays[2])]
    y = functions[0](x, *map(tg.tensor, neutral))
    tg.sum(y).backward()
    if name != "batch_norm":
        assert not y.data[..., OVERFLOWING, :].any()
        assert not x.grad[..., OVERFLOWING, :].any()
    if name in NAN_OF_AN_OVERFLOW:
        theirs = functions[1](*map(torch.tensor, [arrays[0], *neutral])).numpy()
        assert np.isnan(theirs[..., OVERFLOWING, :]).all()


def integers(*shape):
    """Numbers of -5 to 5."""
    return np.random.default_rng(0).integers(-5, 6, shape).astype(np.float32)


PRODUCTS = {
    "matmul": ((tg.matmul, torch.matmul), [(3, 4), (4, 5)]),
    "linear": (of_both(lambda module, *tensors: module.linear(*tensors)), [(3, 4), (5, 4), (5,)]),
    "conv2d": (of_both(lambda module, x, w: module.conv2d(x, w, padding=1)), [(1, 2, 9, 9), (3, 2, 3, 3)]),
    "conv2d, winograd": (
        of_both(lambda module, x, w: module.conv2d(x, w, padding=1)),
        [(4, 16, 16, 16), (16, 16, 3, 3)],
    ),
    "conv2d, 1x1": (of_both(lambda module, x, w: module.conv2d(x, w)), [(1, 2, 4, 4), (3, 2, 1, 1)]),
    "conv2d, groups": (
        of_both(lambda module, x, w: module.conv2d(x, w, groups=2, stride=2)),
        [(1, 2, 9, 9), (4, 1, 3, 3)],
    ),
    **{
        name: (
            of_both(lambda module, x, name=name: getattr(module, name)(x, **POOLINGS[name])),
            [(1, 2, 4, 4)],
        )
        for name in POOLINGS
    },
}


@pytest.mark.parametrize("dy", [1.0, TINY])
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_and_poolings_of_denormals(name, dy):
    functions, shapes = PRODUCTS[name]
    arrays = [integers(*shape) for shape in shapes]
    arrays[0] *= np.float32(TINY)
    roundings = 4 * arrays[0].size if name.startswith("conv2d") else 4  # of the smallest denormal
    for ours, theirs in results(functions, arrays, dy):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1.5e-45 * roundings)
        assert np.array_equal(ours != 0, theirs != 0) or roundings > 4
