"""Every elementwise op, reduction, pooling and loss at ±0, Inf, NaN, numbers near 0 and far out, and ties:
values, and gradients for a dY of 1 and of Inf, as PyTorch has them. What differs is named, with the reason.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::RuntimeWarning")]
functional = torch.nn.functional

INF, NAN = np.inf, np.nan
TINY = 1e-42  # without the leading bit that others have: denormal
PLACES = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    3.0,
    -3.0,
    6.0,
    7.0,
    INF,
    -INF,
    NAN,
    TINY,
    -TINY,
    1e30,
    -1e30,
    100.0,
]
PLACES = np.array([*PLACES, -100.0], np.float32)
PAIRS = [np.ravel(side) for side in np.meshgrid(PLACES, PLACES)]


def both(name):
    """A function of the package, and PyTorch's of that name."""
    return getattr(tg, name), getattr(torch, name, None) or getattr(functional, name)


def same(function):
    """A function that is written alike for both."""
    return function, function


UNARY = {
    **{name: both(name) for name in "exp log sqrt abs sign sin cos tanh sigmoid relu".split()},
    **{
        name: both(name)
        for name in "leaky_relu elu selu silu gelu softplus logsigmoid hardtanh relu6".split()
    },
    **{name: both(name) for name in "log1p expm1 exp2 log2 log10 tan asin acos atan sinh cosh erf".split()},
    **{name: both(name) for name in "floor ceil trunc round frac square rsqrt reciprocal".split()},
    **{name: both(name) for name in "mish hardswish hardsigmoid celu softsign tanhshrink".split()},
    **{name: both(name) for name in "hardshrink softshrink nan_to_num isnan isinf isfinite".split()},
    "threshold": (lambda x: tg.threshold(x, 0.5, -2.0), lambda x: functional.threshold(x, 0.5, -2.0)),
    "gelu, tanh": (
        lambda x: tg.gelu(x, approximate="tanh"),
        lambda x: functional.gelu(x, approximate="tanh"),
    ),
    "clamp": (lambda x: tg.clamp(x, -1.0, 1.0), lambda x: torch.clamp(x, -1.0, 1.0)),
    "neg": same(lambda x: -x),
    **{f"x ** {power}": same(lambda x, power=power: x**power) for power in (0, 1, 2, 3, -1, 0.5, -2)},
    "2 ** x": same(lambda x: 2.0**x),
    "1 / x": same(lambda x: 1 / x),
}
BINARY = {
    **{name: both(name) for name in "add sub mul div pow maximum minimum".split()},
    **{name: both(name) for name in "remainder fmod logical_and logical_or isclose".split()},
    "clamp, min": (lambda a, b: tg.clamp(a, min=b), lambda a, b: torch.clamp(a, min=b)),
    "clamp, max": (lambda a, b: tg.clamp(a, max=b), lambda a, b: torch.clamp(a, max=b)),
    "where": (lambda a, b: tg.where(a > b, a, b), lambda a, b: torch.where(a > b, a, b)),
}
DIFFERENCES = {  # name: reason, where
    "abs": ("the sign of NaN is NaN", lambda dy, x: np.isnan(x)),
    "sign": ("the sign of NaN is NaN", lambda dy, x: np.isnan(x)),
    "hardshrink": ("a NaN is let through, and so is its gradient", lambda dy, x: np.isnan(x)),
    "softshrink": ("a NaN is let through, and so is its gradient", lambda dy, x: np.isnan(x)),
    "nan_to_num": ("0 · ∞ is no part of it", lambda dy, x: np.isinf(dy) & ~np.isfinite(x)),
    "reciprocal": ("1 / x² vanishes there", lambda dy, x: np.isinf(dy) & (np.abs(x) == np.float32(1e30))),
    **dict.fromkeys(
        ("remainder", "fmod"), ("a / b overflows there", lambda dy, a, b: np.abs(b) == np.float32(TINY))
    ),
    "softsign": ("its slope is one quotient, no difference of two", lambda dy, x: np.isinf(dy) | np.isinf(x)),
    "relu": ("a NaN is not greater than 0, so nothing passes", lambda dy, x: np.isnan(x)),
    "sigmoid": ("σ(-100) is more than 0", lambda dy, x: np.isinf(dy) & (x == -100)),
    "mish": ("σ(-100) is more than 0", lambda dy, x: np.isinf(dy) & (x == -100)),
    "silu": ("σ(-100) is more than 0", lambda dy, x: np.isinf(dy) & (x == -100)),
    "gelu, tanh": ("x³ overflows there", lambda dy, x: np.abs(x) == np.float32(1e30)),
    "x ** 0.5": ("a power, there a square root", lambda dy, x: (x == -INF) | ((x == 0) & np.signbit(x))),
    "1 / x": ("1 / x² vanishes there", lambda dy, x: np.isinf(dy) & (np.abs(x) == np.float32(1e30))),
    "div": (
        "a / b² vanishes there",
        lambda dy, a, b: np.isinf(dy) & ((np.abs(b) == np.float32(1e30)) | (np.abs(a) == np.float32(TINY))),
    ),
    "maximum": ("a NaN is not the larger of two", lambda dy, a, b: np.isnan(a) | np.isnan(b)),
    "minimum": ("a NaN is not the smaller of two", lambda dy, a, b: np.isnan(a) | np.isnan(b)),
}
BY_PROCESSOR = {  # where PyTorch's own answers differ: its code for many numbers at once is not that for one
    **dict.fromkeys(("elu", "selu", "celu", "hardswish"), lambda x: np.isnan(x)),
    "gelu": lambda x: np.isinf(x) | np.isnan(x) | (x == -3),
}

ROWS = [
    [0, 0, 1],
    [0, 1e30, 5],
    [INF, 1, 2],
    [-INF, 1, 2],
    [INF, INF, 1],
    [NAN, 1, 2],
    [1, 1, 0],
    [-1, 1, -1],
    [0, 0, 0],
    [INF, -INF, 0],
    [NAN, NAN, 1],
    [INF, NAN, 2],
    [INF, 0, 2],
    [-INF, -INF, -INF],
    [5, 5, 5],
]
ROWS = np.array(ROWS, np.float32).T
ORDERS = (0, 1, 2, 3, -1, -2, 0.5, INF, -INF)
REDUCED_ALIKE = """
    sum mean var std prod amax amin logsumexp softmax log_softmax cumsum cumprod all any count_nonzero
"""
REDUCTIONS = {
    **{
        name: (
            lambda x, name=name: getattr(tg, name)(x, dim=0),
            lambda x, name=name: getattr(torch, name)(x, dim=0),
        )
        for name in REDUCED_ALIKE.split()
    },
    **{
        name: (
            lambda x, name=name: getattr(tg, name)(x, dim=0)[0],
            lambda x, name=name: getattr(torch, name)(x, dim=0)[0],
        )
        for name in ("sort", "median")
    },
    "softmin": (lambda x: tg.softmin(x, dim=0), lambda x: functional.softmin(x, dim=0)),
    "normalize": (lambda x: tg.normalize(x, dim=0), lambda x: functional.normalize(x, dim=0)),
    "max": (lambda x: tg.max(x, dim=0)[0], lambda x: torch.max(x, dim=0)[0]),
    "min": (lambda x: tg.min(x, dim=0)[0], lambda x: torch.min(x, dim=0)[0]),
    **{
        f"norm, p = {p}": (
            lambda x, p=p: tg.norm(x, p, dim=0),
            lambda x, p=p: torch.linalg.vector_norm(x, p, dim=0),
        )
        for p in ORDERS
    },
}
NO_NAN_THERE = "where PyTorch makes NaN of 0 · ∞ or ∞ / ∞"
REDUCTION_DIFFERENCES = {  # name: reason; wherever else PyTorch's gradient is a number, ours is that number
    "prod": NO_NAN_THERE,
    "cumprod": NO_NAN_THERE,
    "amax": NO_NAN_THERE,
    "amin": NO_NAN_THERE,
    "logsumexp": NO_NAN_THERE,
    **{f"norm, p = {p}": NO_NAN_THERE for p in ORDERS if p not in (0, 1)},
}
ZERO_TIMES_INFINITY = {"cumprod"}  # is NaN, in PyTorch 0
SIGN_OF_NAN = {"norm, p = 1", "norm, p = inf", "norm, p = -inf"}  # is NaN, in PyTorch 0
DENORMALS = [
    [TINY, TINY, TINY],
    [TINY, -TINY, 0],
    [TINY, 1, 2],
    [-TINY, -1, 0],
    [TINY, 1e-40, 1e-39],
    [TINY, 2 * TINY, -TINY],
    [TINY, 1e30, 1],
    [TINY, INF, 1],
    [0, TINY, -0.0],
]
DENORMALS = np.array(DENORMALS, np.float32).T

LOSSES = "mse_loss l1_loss huber_loss smooth_l1_loss binary_cross_entropy_with_logits".split()
IMAGE = [[0, 1, INF, 2], [NAN, 1, -INF, 3], [1, 1, -0.0, 0], [2, 2, 100, -100]]
POOLINGS = {
    "max_pool2d": {"kernel_size": 2},
    "avg_pool2d": {"kernel_size": 2, "stride": 1},
    "adaptive_avg_pool2d": {"output_size": 3},
    "adaptive_max_pool2d": {"output_size": 3},
}


def results(functions, arrays, dy):
    """Values and gradients, ours and PyTorch's."""
    ours, theirs = functions
    mine = [tg.tensor(array, requires_grad=True) for array in arrays]
    others = [torch.tensor(array, requires_grad=True) for array in arrays]
    y, z = ours(*mine), theirs(*others)
    if y.requires_grad:
        y.backward(np.full(y.shape, dy, np.float32))
    if z.requires_grad:
        z.backward(torch.full_like(z, dy))
    for tensor, other in zip(mine, others, strict=True):
        zeros = torch.zeros_like(other)
        yield (
            tensor.grad if y.requires_grad else zeros.numpy(),
            (zeros if other.grad is None else other.grad).numpy(),
        )
    yield y.data, z.detach().numpy()


def agree(ours, theirs):
    """Where they are the same, NaN included."""
    return np.isclose(ours, theirs, rtol=2e-5, atol=1e-7, equal_nan=True)


@pytest.mark.parametrize("dy", [1.0, INF])
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_elementwise(name, dy):
    arrays = [PLACES] if name in UNARY else PAIRS
    _, excused = DIFFERENCES.get(name, ("", lambda dy, *arrays: False))
    allowed = excused(np.float32(dy), *arrays)
    if name in BY_PROCESSOR:
        allowed |= BY_PROCESSOR[name](*arrays)
    for ours, theirs in results((UNARY | BINARY)[name], arrays, dy):
        differing = ~agree(ours, theirs) & ~np.asarray(allowed)
        assert not differing.any(), [array[differing] for array in (*arrays, ours, theirs)]


@pytest.mark.parametrize("name", BY_PROCESSOR)
def test_where_pytorchs_answer_depends_on_the_processor_nan_stays_nan(name):
    x = tg.tensor([NAN, INF, -3.0], requires_grad=True)
    y = UNARY[name][0](x)
    y.sum().backward()
    assert np.isnan(y.data[0]) and np.isnan(x.grad[0])
    assert y.data[1] == INF
    exact = UNARY[name][1](torch.tensor(-3.0, dtype=torch.float64)).item()
    assert y.data[2] == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_there(name):
    arrays = [PLACES] if name in UNARY else PAIRS
    pairs = [pair for dy in (1.0, INF) for pair in results((UNARY | BINARY)[name], arrays, dy)]
    assert not all(agree(*pair).all() for pair in pairs)


@pytest.mark.parametrize("dy", [1.0, INF])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, dy):
    *gradients, values = results(REDUCTIONS[name], [ROWS], dy)
    overflows = name in ("std", "normalize", "norm, p = 2", "norm, p = 3")  # PyTorch's own, of (0, 1e30, 5)
    finite = ~(ROWS == np.float32(1e30)).any(0) if overflows else np.full(ROWS.shape[1], True)
    assert np.all(agree(*(array[..., finite] for array in values)))
    for ours, theirs in gradients:
        differing = ~agree(ours, theirs) & finite
        if name in SIGN_OF_NAN:
            differing &= ~np.isnan(ROWS).any(0)
        if name in REDUCTION_DIFFERENCES:
            differing &= ~np.isnan(theirs)
        if name in ZERO_TIMES_INFINITY:
            differing &= ~np.isnan(ours)
        assert not differing.any(), (ROWS[differing], ours[differing], theirs[differing])


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_denormals(name):
    """As PyTorch has them; but of norms in float64, for those of denormals vanish there in float32."""
    is_norm = name.startswith("norm")
    x = tg.tensor(DENORMALS, requires_grad=True)
    other = torch.tensor(DENORMALS, dtype=torch.float64 if is_norm else torch.float32, requires_grad=True)
    y, z = (function(tensor) for function, tensor in zip(REDUCTIONS[name], (x, other), strict=True))
    np.testing.assert_allclose(y.data, z.detach().numpy().astype(np.float32), rtol=2e-5, atol=3e-45)
    if not y.requires_grad:
        return
    tg.sum(y).backward()
    if name != "norm, p = 0":
        z.sum().backward()
    theirs = (torch.zeros_like(other) if other.grad is None else other.grad).numpy().astype(np.float32)
    within = np.isclose(x.grad, theirs, rtol=0.01 if is_norm else 2e-5, atol=1e-7, equal_nan=True)
    vanishing = (np.abs(DENORMALS) == np.float32(TINY)) & (DENORMALS == np.float32(1e30)).any(0)
    assert within[~np.isnan(theirs) & ~(vanishing & (name == "norm, p = 0.5"))].all(), (x.grad, theirs)


@pytest.mark.parametrize("place", PLACES)
def test_prelu_does_not_mix_neighbours(place):
    x, w = np.array([[place, 1, -2]], np.float32), np.array([0.25], np.float32)
    for dy in (1.0, INF):
        for ours, theirs in results((tg.prelu, functional.prelu), [x, w], dy):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dy", [1.0, INF])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, dy):
    targets = np.array([0.0, 1.0, 0.5, -1.0, 100.0], np.float32)
    arrays = [np.ravel(side) for side in np.meshgrid(PLACES, targets)]
    functions = [
        lambda x, t, module=module: getattr(module, name)(x, t, reduction="none")
        for module in (tg, functional)
    ]
    for ours, theirs in results(functions, arrays, dy):
        differing = ~agree(ours, theirs)
        if name == "l1_loss":  # the sign of NaN is NaN
            differing &= ~np.isnan(arrays[0])
        if name == "binary_cross_entropy_with_logits":  # σ(-100) is more than 0
            differing &= ~(np.isinf(dy) & (arrays[0] == -100))
        assert not differing.any(), [array[differing] for array in (*arrays, ours, theirs)]


@pytest.mark.parametrize("dy", [1.0, INF])
@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_losses_of_classes(name, label, dy):
    labels = np.full(ROWS.shape[1], label)
    functions = (
        lambda x: getattr(tg, name)(x, labels, reduction="none"),
        lambda x: getattr(functional, name)(x, torch.tensor(labels), reduction="none"),
    )
    for ours, theirs in results(functions, [ROWS.T.copy()], dy):
        differing = ~agree(ours, theirs)
        if name == "cross_entropy" and dy == INF:  # in PyTorch NaN, as ∞ - ∞
            differing &= ~np.isnan(theirs)
        assert not differing.any(), (ours, theirs)


@pytest.mark.parametrize("dy", [1.0, INF])
@pytest.mark.parametrize("name", POOLINGS)
def test_poolings(name, dy):
    image = np.array([[IMAGE]], np.float32)
    functions = [
        lambda x, module=module: getattr(module, name)(x, **POOLINGS[name]) for module in (tg, functional)
    ]
    for ours, theirs in results(functions, [image], dy):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
