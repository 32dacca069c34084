"""What breaking the rules of networks' ops showed to be untested: each test here notices a broken rule that
no other did.

The expected gradients are literal formulas, or those of PyTorch 2.13 at a special place.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import ShapeError

from .helpers import leaf


def variable(values):
    """A leaf of these numbers in float64."""
    return tg.Tensor(np.array(values, np.float64), requires_grad=True)


@pytest.mark.parametrize("weight_shape", [(), (1,)])
@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (2, 3, 4, 5)])
def test_one_weight_of_prelu_for_all_channels(shape, weight_shape):
    x, w = leaf(*shape), tg.Tensor(np.full(weight_shape, 0.25), requires_grad=True)
    y = tg.prelu(x, w)
    y.sum().backward()
    assert y.shape == x.grad.shape == shape
    np.testing.assert_array_equal(x.grad, np.where(x.data > 0, 1, 0.25))
    np.testing.assert_allclose(w.grad, np.full(weight_shape, np.minimum(x.data, 0).sum()), rtol=1e-12)


def test_interpolate_with_nothing_to_resize():
    x = leaf(2, 3)
    y = OPS["interpolate"](x, size=())
    y.backward(2 * x.data)
    np.testing.assert_array_equal(y.data, x.data)
    np.testing.assert_array_equal(x.grad, 2 * x.data)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("shape", [(0, 3, 2, 2), (2, 0, 2, 2)])
def test_interpolate_of_no_images_or_channels(shape, mode):
    assert tg.interpolate(leaf(*shape), size=(1, 4), mode=mode).shape == (*shape[:2], 1, 4)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1, 1, 0, 3), (4, 4)), ((1, 1, 3, 0), (4, 4)), ((1, 1, 3, 3), (0, 4)), ((1, 1, 3, 3), (4, 0))],
)
def test_interpolate_needs_rows_and_columns(shape, size):
    with pytest.raises(ShapeError, match="interpolate: sizes must be positive"):
        tg.interpolate(np.zeros(shape), size=size)


@pytest.mark.parametrize("op", [tg.adaptive_avg_pool2d, tg.adaptive_max_pool2d])
class TestAdaptivePooling:
    @pytest.mark.parametrize("shape", [(1, 2, 0, 3), (1, 2, 3, 0), (2, 0, 3), (2, 3, 0)])
    def test_an_image_needs_rows_and_columns(self, op, shape):
        with pytest.raises(ShapeError, match="with rows and columns"):
            op(np.zeros(shape), 2)

    @pytest.mark.parametrize("size", [(3, 3, 3), ()])
    def test_an_output_size_is_one_number_or_a_pair(self, op, size):
        with pytest.raises(ValueError, match="output_size must be an int or a pair of ints"):
            op(np.zeros((1, 2, 4, 4)), size)

    @pytest.mark.parametrize("size", [-1, (2, -1)])
    def test_there_are_no_fewer_cells_than_none(self, op, size):
        with pytest.raises(ValueError, match="output_size must be at least 0"):
            op(np.zeros((1, 2, 4, 4)), size)

    @pytest.mark.parametrize("size", [(0, 2), (2, 0), (0, 0)])
    def test_no_cells_take_from_no_place(self, op, size):
        x = leaf(2, 3, 4, 5)
        y = op(x, size)
        y.sum().backward()
        assert y.shape == (2, 3, *size)
        np.testing.assert_array_equal(x.grad, np.zeros(x.shape))

    def test_an_image_without_a_batch(self, op):
        x, alone = leaf(1, 3, 5, 4), leaf(3, 5, 4)
        for images in (x, alone):
            op(images, (2, 3)).pow(2).sum().backward()
        np.testing.assert_array_equal(alone.grad, x.grad[0])


LOSSES = ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "binary_cross_entropy", "cross_entropy"]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 3, 2)])
def test_the_gradient_of_a_mean_over_nothing_does_not_divide_by_zero(name, shape):
    x, target = leaf(*shape), leaf(*shape)
    loss = getattr(tg, name)(x, target)
    with np.errstate(all="raise"):
        loss.backward()
    assert x.grad.shape == target.grad.shape == shape


def test_the_denominator_of_binary_cross_entropy_where_it_is_its_bound():
    """The bound is not yet in force there: ∂/∂x of -1 / x, the slope for a target of 1, is 1 / x²."""
    near = 1e-12 + 1e-24
    places = [near + steps * np.spacing(near) for steps in range(-9, 10)]
    x = variable(next(place for place in places if place * (1 - place) == 1e-12))
    (dx,) = tg.grad(tg.binary_cross_entropy(x, np.array(1.0)), x, create_graph=True)
    (ddx,) = tg.grad(dx, x)
    np.testing.assert_allclose(ddx.data, x.data**-2, rtol=1e-9)


def test_the_logarithm_of_binary_cross_entropy_where_it_is_its_bound():
    """The bound is not yet in force there: ∂/∂x of ln(1 - x) - ln x, the slope of the target, is -1 / (1 - x)
    - 1 / x.
    """
    x, target = variable(np.exp(-100.0)), variable(0.0)
    assert np.log(x.data) == -100
    (dtarget,) = tg.grad(tg.binary_cross_entropy(x, target), target, create_graph=True)
    (dx,) = tg.grad(dtarget, x)
    np.testing.assert_allclose(dx.data, -1 / (1 - x.data) - 1 / x.data, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("chance", [0.0, 1.0])
@pytest.mark.parametrize("wanted", [0.0, 1.0])
def test_binary_cross_entropy_of_what_is_certain(chance, wanted):
    """A logarithm is at least -100, a denominator at least 10⁻¹²; in PyTorch the target's slope is infinite
    instead.
    """
    x, target = variable(chance), variable(wanted)
    tg.binary_cross_entropy(x, target).backward()
    assert x.grad == (chance - wanted) / 1e-12
    assert target.grad == (100 if chance == 0 else -100)


def class_gradient(x, wanted, weight):
    """softmax(x) Σ_c w_c q_c - w q, for x [N, C] and the distributions q [N, C] that are wanted."""
    chances = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    return chances * (weight * wanted).sum(1, keepdims=True) - weight * wanted


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
def test_cross_entropy_of_probabilities_by_its_formulas(smoothing):
    random = np.random.default_rng(2)
    x, target = leaf(5, 4), tg.Tensor(random.dirichlet(np.ones(4), 5), requires_grad=True)
    weight = random.uniform(0.5, 2, 4)
    tg.cross_entropy(x, target, weight, label_smoothing=smoothing).backward()
    smoothed = (1 - smoothing) * target.data + smoothing / 4
    logarithms = x.data - np.log(np.exp(x.data).sum(1, keepdims=True))
    np.testing.assert_allclose(x.grad, class_gradient(x.data, smoothed, weight) / 5, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(target.grad, -(1 - smoothing) * weight * logarithms / 5, rtol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
def test_cross_entropy_of_labels_by_its_formula(smoothing):
    x, labels, weight = leaf(5, 4), np.array([0, 3, 3, 1, 2]), np.array([0.5, 1.0, 2.0, 1.5])
    tg.cross_entropy(x, labels, weight, label_smoothing=smoothing).backward()
    smoothed = (1 - smoothing) * np.eye(4)[labels] + smoothing / 4
    expected = class_gradient(x.data, smoothed, weight) / weight[labels].sum()
    np.testing.assert_allclose(x.grad, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (3, 4, 2), (3, 4, 2, 5)])
def test_weights_of_classes_meet_the_dimension_of_the_classes(shape):
    """Probabilities that name one class each are its labels; the mean is over samples, so it is the sum over
    them / count.
    """
    x, weight = leaf(*shape), np.array([0.5, 1.0, 2.0, 1.5])
    dim = min(1, x.ndim - 1)
    labels = np.random.default_rng(0).integers(0, 4, shape[:dim] + shape[dim + 1 :])
    certain = tg.Tensor(np.moveaxis(np.eye(4)[labels], -1, dim).copy(), requires_grad=True)
    tg.cross_entropy(x, certain, weight).backward()
    other = leaf(*shape)
    tg.cross_entropy(other, labels, weight, reduction="sum").backward()
    np.testing.assert_allclose(x.grad, other.grad / labels.size, rtol=1e-12)
    column = weight.reshape(-1, *(1,) * (x.ndim - 1 - dim))
    logarithms = x.data - np.log(np.exp(x.data).sum(dim, keepdims=True))
    np.testing.assert_allclose(certain.grad, -column * logarithms / labels.size, rtol=1e-12)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_where_all_labels_are_ignored_nothing_gets_a_gradient(name):
    """The loss is 0 / 0; PyTorch's gradient is 0 too."""
    x = leaf(2, 3)
    loss = getattr(tg, name)(x, np.array([-100, -100]))
    loss.backward()
    assert np.isnan(loss.item())
    np.testing.assert_array_equal(x.grad, np.zeros((2, 3)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_smoothed_label_without_weight_points_to_the_other_class():
    """The loss, x / 0, is infinite; less of it still is towards the class that has a weight. PyTorch: NaN."""
    x = variable([[1.0, 2.0]])
    loss = tg.cross_entropy(x, np.array([0]), np.array([0.0, 1.0]), label_smoothing=0.5)
    loss.backward()
    assert loss.item() == np.inf
    assert x.grad[0, 0] > 0 > x.grad[0, 1]


normal = np.random.default_rng(3).standard_normal

IMPLICIT = [  # equation without an arrow, operands, what it is
    ("ij,jk", [normal((2, 3)), normal((3, 4))], lambda a, b: a @ b),
    ("ba", [normal((2, 3))], lambda a: a.T),
    ("ii", [normal((3, 3))], np.trace),
    ("i,j", [normal(2), normal(3)], np.outer),
    ("i,i", [normal(3), normal(3)], np.dot),
    ("...", [normal((2, 3))], lambda a: a),
    ("i...", [normal((2, 3, 4))], lambda a: np.moveaxis(a, 0, -1)),
    ("...ij,...jk", [normal((5, 2, 3)), normal((5, 3, 4))], lambda a, b: a @ b),
    ("b...,...", [normal((2, 3, 4)), normal((3, 4))], lambda a, b: np.moveaxis(a * b, 0, -1)),
    ("...i,i", [normal((2, 5, 3)), normal(3)], lambda a, b: a @ b),
]


@pytest.mark.parametrize(("equation", "operands", "meaning"), IMPLICIT, ids=[case[0] for case in IMPLICIT])
def test_einsum_without_an_arrow(equation, operands, meaning):
    np.testing.assert_allclose(tg.einsum(equation, *operands).data, meaning(*operands), rtol=1e-12)


EXPLICIT = [  # equation, operands, what it is
    ("...->...", [normal((2, 3, 4, 5))], lambda a: a),
    ("...i->i...", [normal((2, 3, 4, 5))], lambda a: np.moveaxis(a, -1, 0)),
    ("...i,i->...", [normal((2, 3, 4, 5)), normal(5)], lambda a, b: a @ b),
    ("ij->...i", [normal((2, 3))], lambda a: a.sum(1)),
    ("ij,ij->ij", [normal((2, 3)), normal((2, 1))], lambda a, b: a * b),
    ("ij,ij->ij", [normal((2, 1)), normal((2, 3))], lambda a, b: a * b),
    ("ij,ij->i", [normal((2, 3)), normal((1, 3))], lambda a, b: (a * b).sum(1)),
    ("iij,i->j", [normal((3, 3, 2)), normal(3)], lambda a, b: b @ a[[0, 1, 2], [0, 1, 2]]),
]


@pytest.mark.parametrize(("equation", "operands", "meaning"), EXPLICIT, ids=[case[0] for case in EXPLICIT])
def test_einsum_and_its_gradient_by_what_it_means(equation, operands, meaning):
    """It is linear in each operand x: <dX, v> = <dY, Y(v)> for any v in the place of x."""
    leaves = [tg.Tensor(operand, requires_grad=True) for operand in operands]
    y = tg.einsum(equation, *leaves)
    np.testing.assert_allclose(y.data, meaning(*operands), rtol=1e-12, atol=1e-14)
    dy = normal(y.shape)
    y.backward(dy)
    for position, tensor in enumerate(leaves):
        v = normal(tensor.shape)
        moved = meaning(*operands[:position], v, *operands[position + 1 :])
        np.testing.assert_allclose((tensor.grad * v).sum(), (dy * moved).sum(), rtol=1e-9)


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("norm", [tg.batch_norm, tg.instance_norm])
def test_running_statistics_follow_whether_or_not_the_call_is_recorded(norm, recorded):
    x = tg.Tensor(np.random.default_rng(0).standard_normal((3, 2, 4, 5)), requires_grad=recorded)
    mean, variance = tg.Tensor(np.zeros(2)), tg.Tensor(np.zeros(2))
    options = {"training": True} if norm is tg.batch_norm else {}
    norm(x, mean, variance, momentum=0.5, **options)
    dims = (0, 2, 3) if norm is tg.batch_norm else (2, 3)
    expected = x.data.mean(dims), x.data.var(dims, ddof=1)
    if norm is tg.instance_norm:
        expected = [statistic.mean(0) for statistic in expected]  # averaged over the samples
    np.testing.assert_allclose(mean.data, 0.5 * expected[0], rtol=1e-12)
    np.testing.assert_allclose(variance.data, 0.5 * expected[1], rtol=1e-12)
