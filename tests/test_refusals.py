"""Calls that cannot be: the error names the op, the argument, what came and what is expected."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.allocation import check_fits, memory_size
from tinygrad_conv.errors import DtypeError, SizeError

pytestmark = pytest.mark.usefixtures("scratch_ops")

X = tg.tensor(np.linspace(0.1, 0.9, 12).reshape(3, 4), requires_grad=True)
IMAGE = tg.tensor(np.random.default_rng(0).standard_normal((1, 2, 8, 8)), requires_grad=True)
ROW = tg.reshape(IMAGE, shape=(1, 2, 64))
FIVES = np.full((3, 4), 5, np.longdouble)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: tg.elu(X, None), TypeError, "elu: alpha must be a number, not None"),
        (
            lambda: tg.layer_norm(X, (4,), eps=-5),
            ValueError,
            "layer_norm: eps must be a finite number from 0",
        ),
        (lambda: tg.batch_norm(X, None, None, training="no"), TypeError, "batch_norm: training must be True"),
        (
            lambda: tg.dropout(X, training="no"),
            TypeError,
            "dropout: training must be True or False, not 'no'",
        ),
        (lambda: tg.randperm(-5), ValueError, "randperm: n must be an int from 0, not -5"),
        (lambda: tg.zeros(2, -3), ValueError, r"zeros: size must be ints from 0, not \(2, -3\)"),
        (lambda: tg.zeros(2, requires_grad="no"), TypeError, "zeros: requires_grad must be True or False"),
        (lambda: tg.data.DataLoader([1], drop_last="no"), TypeError, "DataLoader: drop_last must be True"),
        (
            lambda: X.sum(dim=1.5),
            TypeError,
            "sum: dim must be an int or a sequence of ints, or None, not 1.5",
        ),
        (lambda: X.sum(keepdim="no"), TypeError, "sum: keepdim must be True or False, not 'no'"),
        (lambda: X.reshape(2.5), TypeError, "reshape: shape must be an int or a sequence of ints"),
        (lambda: tg.conv1d("a", X), TypeError, "conv1d: input must be a Tensor or an ndarray"),
        (
            lambda: tg.clamp(None, 1),
            TypeError,
            "clamp: input must be a Tensor, an ndarray or a number, not None",
        ),
        (lambda: tg.ops.softmax(X), TypeError, "softmax takes .*; dim is missing"),
        (lambda: tg.ops.softmax(X, dims=1), TypeError, "softmax takes .*; there is no dims|dim is missing"),
        (lambda: tg.layer_norm(np.float32(1), 3.5), TypeError, "layer_norm: normalized_shape must be an int"),
    ],
)
def test_the_argument_at_fault_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: X * FIVES,
        lambda: X + np.longdouble(5),
        lambda: tg.maximum(FIVES, X),
        lambda: tg.matmul(X, FIVES.T),
        lambda: tg.linear(X, FIVES),
        lambda: tg.conv2d(X[None, None], FIVES[None, None]),
        lambda: tg.cat([X, FIVES]),
        lambda: tg.stack([X, FIVES]),
        lambda: tg.where(FIVES > 3, X, FIVES),
        lambda: tg.mse_loss(X, FIVES),
        lambda: tg.cross_entropy(X, FIVES),
        lambda: tg.binary_cross_entropy(X, FIVES),
        lambda: tg.ops.to(X, dtype=np.longdouble),
        lambda: X * np.ones((3, 4), complex),
        lambda: tg.cat([X, np.full((3, 4), None)]),
    ],
)
def test_a_foreign_dtype_is_refused_where_its_gradient_would_be_lost(call):
    with pytest.raises(DtypeError, match="float16, float32 or float64|floating-point"):
        call()


def test_a_forward_that_returns_a_foreign_dtype_is_refused():
    @tg.primitive(override=True)
    def wider(x):
        return x.astype(np.longdouble)

    with pytest.raises(RuntimeError, match="the forward of wider .* returned"):
        wider(X)


def test_what_a_users_forward_raises_stays_what_it_is():
    class Mine(Exception):
        pass

    @tg.primitive(override=True)
    def moody(x, *, mood=0):
        raise Mine("not today")

    with pytest.raises(Mine, match="not today") as caught:
        moody(X, mood=3)
    assert str(caught.value) == "not today"
    notes = getattr(caught.value, "__notes__", ["in the op moody, given x float64[3,4], mood 3"])
    assert notes == ["in the op moody, given x float64[3,4], mood 3"]


@pytest.mark.parametrize(
    "call, name",
    [
        (lambda: tg.adaptive_avg_pool2d(IMAGE, 10**9), "adaptive_avg_pool2d: output_size"),
        (lambda: tg.adaptive_max_pool2d(IMAGE, 10**9), "adaptive_max_pool2d: output_size"),
        (lambda: tg.conv2d(IMAGE, np.ones((1, 2, 3, 3)), padding=10**9), "conv2d: padding"),
        (lambda: tg.conv_transpose2d(IMAGE, np.ones((2, 1, 3, 3)), stride=10**9), "conv_transpose2d: stride"),
        (lambda: tg.unfold(IMAGE, 10**6, padding=5 * 10**6), "unfold: padding"),
        (lambda: tg.pad(X, (10**13, 0)), "pad: sides"),
        (lambda: X.repeat(10**9, 10**9), "repeat: repeats"),
        (lambda: tg.one_hot(np.zeros(2, int), 10**13), "one_hot: num_classes"),
        (lambda: tg.interpolate(IMAGE, scale_factor=1e9), "interpolate: size"),
        (lambda: tg.zeros(10**9, 10**9), "zeros: size"),
        (lambda: tg.randn(10**13), "randn: size"),
        (lambda: tg.full((10**13,), 1.0), "full: size"),
        (lambda: tg.eye(10**8), "eye: n"),
        (lambda: tg.arange(10**14), "arange: end"),
        (lambda: tg.randperm(10**14), "randperm: n"),
        (lambda: tg.linspace(0, 1, 10**14), "linspace: steps"),
        (lambda: tg.data.bars(10**12), "bars: n and size"),
    ],
)
def test_what_no_memory_holds_is_refused_before_it_is_allocated(call, name):
    with pytest.raises(SizeError, match=f"{name}.* asks for an array .* of memory"):
        call()


def test_memory_has_a_size():
    assert 2**20 < memory_size() <= 2**47
    check_fits("f", "n", 3, (3,), 8)


def test_a_window_far_larger_than_its_input_reads_all_of_it():
    pooled = tg.max_pool2d(IMAGE, 10**6, padding=5 * 10**5)
    np.testing.assert_array_equal(pooled.data, IMAGE.data.max(axis=(2, 3), keepdims=True))
    means = tg.avg_pool1d(ROW, 10**7, 1, 5 * 10**6)
    assert means.shape == (1, 2, 65)
    np.testing.assert_allclose(means.data[..., 32], ROW.data.sum(axis=-1) / 10**7, rtol=1e-4)


@pytest.mark.torch
@pytest.mark.parametrize(
    "kernel_size, stride, padding, dilation",
    [(9, 2, 4, 1), (11, 1, 5, 1), (20, 3, 10, 1), (13, 5, 6, 1), ((3, 12), 1, (1, 6), 1), (10, 4, 5, 1)],
)
def test_large_windows_are_pytorchs(kernel_size, stride, padding, dilation):
    torch = pytest.importorskip("torch")
    given = (kernel_size, stride, padding, dilation)
    x, leaf = torch.tensor(IMAGE.data, requires_grad=True), tg.tensor(IMAGE.data, requires_grad=True)
    want, places = torch.nn.functional.max_pool2d(x, *given, return_indices=True)
    y, index = tg.max_pool2d(leaf, *given, return_indices=True)
    np.testing.assert_array_equal(y.data, want.detach())
    np.testing.assert_array_equal(index.data, places)
    for counted in (True, False):
        want = want + torch.nn.functional.avg_pool2d(x, kernel_size, stride, padding, False, counted)
        y = y + tg.avg_pool2d(leaf, kernel_size, stride, padding, False, counted)
    np.testing.assert_allclose(y.data, want.detach(), atol=1e-5)
    want.sum().backward()
    y.sum().backward()
    np.testing.assert_allclose(leaf.grad, x.grad, atol=1e-5)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: tg.grad(5, X), "grad: outputs must be a Tensor or a sequence of them, not 5"),
        (lambda: tg.grad(X.sum(), [1.0]), "grad: inputs must be a Tensor or a sequence of them, not 1.0"),
        (
            lambda: tg.autograd.backward("loss"),
            "backward: tensors must be a Tensor or a sequence of them, not",
        ),
        (
            lambda: tg.triplet_margin_loss([1.0], X, X),
            "triplet_margin_loss: anchor must be a Tensor or an nd",
        ),
        (lambda: tg.addmm(X, 5, X), "addmm: mat1 must be a Tensor or an ndarray, not 5"),
        (lambda: tg.hstack([1.0, 2.0]), r"hstack: each of tensors must be a Tensor or an ndarray, not \[1.0"),
        (lambda: tg.cumsum(X, (0, 1)), r"cumsum: dim must be an int, not \(0, 1\)"),
        (lambda: tg.broadcast_to(X, 5), "broadcast_to: size must be a sequence, not 5"),
        (
            lambda: tg.bitwise_and(X, X),
            r"bitwise_and: it is not defined for a float64\[3,4\] and b float64\[3,4\]",
        ),
        (lambda: ~X, r"bitwise_not: x must be of integers or bools, not float64\[3,4\]"),
        (lambda: tg.equal(X, "X"), "equal: other must be a Tensor, an ndarray or a number, not 'X'"),
        (
            lambda: tg.optim.SGD(tg.nn.Linear(1, 1).named_parameters()),
            "SGD: params must be .*not tuple; pass net",
        ),
    ],
)
def test_what_python_says_of_a_type_is_said_of_the_argument(call, message):
    with pytest.raises(TypeError, match=f"^{message}"):
        call()


LAYERS_THAT_LOOK_FIRST = [
    tg.nn.BatchNorm1d(2),
    tg.nn.BatchNorm2d(2),
    tg.nn.InstanceNorm1d(2),
    tg.nn.LazyLinear(2),
    tg.nn.LazyConv2d(2, 3),
    tg.nn.Softmax2d(),
]


@pytest.mark.parametrize("layer", LAYERS_THAT_LOOK_FIRST, ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("given", [5, [[1.0]], "a", None])
def test_a_layer_says_what_is_no_input(layer, given):
    name = type(layer).__name__
    for net in (layer, tg.nn.Sequential(layer)):
        with pytest.raises(TypeError, match=f"^{name}: the input must be a Tensor or an ndarray .*, not "):
            net(given)


def test_what_a_users_layer_misses_in_its_input_is_its_own_to_say():
    class Own(tg.nn.Module):
        def forward(self, x):
            return x.shape

    for net in (Own(), tg.nn.Sequential(Own())):
        with pytest.raises(AttributeError, match="'list' object has no attribute 'shape'"):
            net([1.0])


def test_a_layer_given_a_number_does_not_say_that_it_is_none():
    with pytest.raises(TypeError, match="linear: x must be a Tensor or an ndarray, not int"):
        tg.nn.Linear(2, 2)(5)
