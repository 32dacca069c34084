"""Numbers drawn, into new tensors and into old ones; generators; new tensors of another's dtype."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import leaf
from tinygrad_conv import errors
from tinygrad_conv.randomness import default

FLOATS = [np.float16, np.float32, np.float64]
SHAPES = [(), (0,), (1,), (2, 3)]


# Generators


def test_a_generator_repeats_itself():
    g = tg.Generator()
    first = tg.rand(3, generator=g.manual_seed(7)).tolist()
    assert tg.rand(3, generator=g).tolist() != first
    assert tg.rand(3, generator=g.manual_seed(7)).tolist() == first and g.initial_seed() == 7
    assert tg.Generator().random() == tg.Generator(device="cpu").random() and g.device == tg.device("cpu")
    assert isinstance(g.seed(), int) and g.initial_seed() != 7


def test_a_generator_is_numpys():
    assert tg.Generator().manual_seed(3).random() == np.random.default_rng(3).random()
    assert (
        tg.rand(2, generator=np.random.default_rng(3)).tolist()
        == tg.rand(2, generator=tg.Generator().manual_seed(3)).tolist()
    )
    assert tg.manual_seed(3).random() == np.random.default_rng(3).random()
    assert tg.nn.init.normal_(tg.zeros(3), generator=tg.Generator()).data.any()


def test_a_state_is_gone_on_from():
    g = tg.Generator().manual_seed(1)
    state = g.get_state()
    others = [copy.deepcopy(g), pickle.loads(pickle.dumps(g))]
    expected = g.random()
    g.set_state(state)
    assert g.random() == expected == others[0].random() == others[1].random()
    assert type(others[0]) is type(others[1]) is tg.Generator and others[0].initial_seed() == 1


def test_the_seed_of_this_context():
    tg.manual_seed(5)
    assert tg.initial_seed() == 5
    seed = tg.seed()
    first = tg.rand(2).tolist()
    assert tg.initial_seed() == seed and tg.manual_seed(seed) and tg.rand(2).tolist() == first


DRAWING = {
    "rand": lambda **given: tg.rand(3, **given),
    "randn": lambda **given: tg.randn(3, **given),
    "randint": lambda **given: tg.randint(0, 1000, (3,), **given),
    "randperm": lambda **given: tg.randperm(50, **given),
    "normal": lambda **given: tg.normal(0.0, 1.0, (3,), **given),
    "bernoulli": lambda **given: tg.bernoulli(tg.full((50,), 0.5), **given),
    "multinomial": lambda **given: tg.multinomial(tg.ones(50), 20, **given),
    "normal_": lambda **given: tg.zeros(3).normal_(**given),
    "uniform_": lambda **given: tg.zeros(3).uniform_(**given),
    "bernoulli_": lambda **given: tg.zeros(50).bernoulli_(**given),
    "exponential_": lambda **given: tg.zeros(3).exponential_(**given),
}


@pytest.mark.parametrize("name", DRAWING)
def test_a_generator_is_taken_everywhere(name):
    draw = DRAWING[name]
    g = tg.Generator().manual_seed(2)
    first, second = draw(generator=g).tolist(), draw(generator=g).tolist()
    assert first != second and draw(generator=g.manual_seed(2)).tolist() == first
    tg.manual_seed(2)
    assert draw().tolist() == first and draw(generator=None).tolist() == second
    with pytest.raises(TypeError, match=f"{name}: generator must be a tg.Generator"):
        draw(generator=3)


# Distributions


def test_normal_numbers_of_each_mean_and_deviation():
    mean, std = tg.tensor([0.0, 100.0, -5.0]), tg.tensor([1.0, 2.0, 0.0])
    drawn = tg.stack([tg.normal(mean, std) for _ in range(2000)])
    np.testing.assert_allclose(drawn.data.mean(0), mean.data, atol=0.2)
    np.testing.assert_allclose(drawn.data.std(0), std.data, atol=0.1)
    assert tg.normal(mean, 1.0).shape == tg.normal(0.0, std).shape == (3,)
    assert tg.normal(0, 1, (2, 3), requires_grad=True).requires_grad
    assert tg.normal(0, 1, size=(2, 3)).shape == (2, 3)
    assert tg.normal(mean.double(), std).dtype == np.float64
    with pytest.raises(ValueError, match="normal: std"):
        tg.normal(mean, -1.0)
    with pytest.raises(errors.DtypeError, match="normal: .* not int64"):
        tg.normal(tg.arange(3), 1.0)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_coin_for_each_probability(dtype, shape):
    assert tg.bernoulli(tg.ones(*shape, dtype=dtype)).tolist() == np.ones(shape).tolist()
    assert tg.bernoulli(tg.zeros(*shape, dtype=dtype)).tolist() == np.zeros(shape).tolist()
    assert tg.bernoulli(tg.zeros(*shape, dtype=dtype)).dtype == dtype


def test_coins_as_often_as_their_probability():
    assert abs(tg.bernoulli(tg.full((20000,), 0.3)).data.mean() - 0.3) < 0.02
    for wrong in (tg.tensor([1.5]), tg.tensor([-0.1]), tg.tensor([np.nan])):
        with pytest.raises(ValueError, match=r"bernoulli: probabilities must lie in \[0, 1\]"):
            tg.bernoulli(wrong)
    with pytest.raises(errors.DtypeError, match="bernoulli: input must be floating-point"):
        tg.bernoulli(tg.arange(2))


@pytest.mark.parametrize("replacement", [False, True])
def test_indices_in_proportion_to_weights(replacement):
    weights = tg.tensor([[1.0, 0.0, 3.0], [5.0, 5.0, 0.0]])
    drawn = np.stack([tg.multinomial(weights, 1, replacement).data[:, 0] for _ in range(2000)])
    for row in range(2):
        shares = np.bincount(drawn[:, row], minlength=3) / 2000
        np.testing.assert_allclose(shares, weights.data[row] / weights.data[row].sum(), atol=0.05)
    assert drawn.dtype == np.int64 and tg.multinomial(weights[0], 2, replacement).shape == (2,)


def test_without_replacement_none_comes_twice():
    for _ in range(20):
        assert sorted(tg.multinomial(tg.rand(5) + 0.1, 5).tolist()) == list(range(5))
    assert tg.multinomial(tg.ones(2), 7, replacement=True).shape == (7,)


@pytest.mark.parametrize(
    "weights, count, fault",
    [
        ([1.0, 0.0], 2, "only 1 of a row's weights are positive"),
        ([-1.0, 2.0], 1, "not negative"),
        ([0.0, 0.0], 1, "not all 0"),
        ([np.nan, 1.0], 1, "finite"),
        ([1.0], 0, "num_samples must be at least 1"),
        ([], 1, "must be"),
        ([[[1.0]]], 1, "must be"),
    ],
)
def test_weights_from_which_nothing_can_be_drawn(weights, count, fault):
    with pytest.raises(ValueError, match=f"multinomial: .*{fault}"):
        tg.multinomial(tg.tensor(weights), count)


# In place


@pytest.mark.parametrize("name", ["normal_", "uniform_", "exponential_", "bernoulli_"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_drawn_into_a_leaf_under_no_grad(name, shape, dtype):
    w = tg.full(shape, -9.0, dtype=dtype, requires_grad=True)
    array = w.data
    with tg.no_grad():
        assert getattr(w, name)() is w
    assert w.data is array and w.dtype == dtype and w.requires_grad and w.is_leaf
    assert not (w.data == -9).any()
    with pytest.raises(errors.MutationError, match=f"{name}.*no_grad"):
        getattr(w, name)()


def test_the_numbers_drawn_in_place():
    tg.manual_seed(0)
    x = tg.zeros(20000)
    assert abs(x.normal_(5, 0.1).data.mean() - 5) < 0.01 and abs(x.data.std() - 0.1) < 0.01
    assert -3 <= x.uniform_(-3, -2).data.min() and x.data.max() < -2
    assert abs(x.exponential_(4).data.mean() - 0.25) < 0.02 and x.data.min() >= 0
    assert abs(x.bernoulli_(0.2).data.mean() - 0.2) < 0.02
    assert tg.zeros(2).bernoulli_(tg.tensor([0.0, 1.0])).tolist() == [0, 1]
    assert tg.zeros(2).uniform_(3, 3).tolist() == [3, 3]
    assert tg.zeros(3, dtype=tg.long).bernoulli_(1.0).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "draw, fault",
    [
        (lambda x: x.normal_(0, -1), "normal_: std"),
        (lambda x: x.uniform_(2, 1), "uniform_: low"),
        (lambda x: x.uniform_(0, np.inf), "uniform_: low"),
        (lambda x: x.bernoulli_(2), "bernoulli_: probabilities"),
        (lambda x: x.exponential_(0), "exponential_: lambd"),
        (lambda x: x.long().normal_(), "normal_: x must be floating-point"),
        (lambda x: x.normal_("a"), "normal_: mean must be"),
    ],
)
def test_what_cannot_be_drawn_leaves_everything_as_it_was(draw, fault):
    x = tg.ones(2)
    with pytest.raises((ValueError, TypeError), match=fault):
        draw(x)
    assert x.tolist() == [1, 1]


def test_a_result_drawn_into_has_no_gradient_from_before():
    w = leaf(3)
    y = w * 2
    y.normal_()
    (y + w).sum().backward()
    np.testing.assert_array_equal(w.grad, [1, 1, 1])


def test_sums_in_place_with_a_factor():
    w, other = tg.ones(3, requires_grad=True), tg.tensor([1.0, 2.0, 3.0])
    with tg.no_grad():
        w.add_(other, alpha=-0.5).sub_(other, alpha=2)
    assert w.tolist() == [-1.5, -4.0, -6.5]
    assert w.add(other, alpha=2).tolist() == [0.5, 0, -0.5] and w.sub(1.0, alpha=2).tolist() == [
        -3.5,
        -6,
        -8.5,
    ]
    assert tg.arange(3).add_(1, alpha=2).tolist() == [2, 3, 4]


def test_a_result_leaves_the_tape_in_place():
    w = leaf(3)
    y = w * 2
    assert y.detach_() is y and y.is_leaf and not y.requires_grad
    z = (y * w).sum()
    z.backward()
    np.testing.assert_array_equal(w.grad, y.data)
    assert not leaf(2).detach_().requires_grad
    y = w * 2
    view = y[0]
    with pytest.raises(errors.MutationError, match="detach_"):
        y.detach_()
    assert view.requires_grad and y.requires_grad


# New tensors


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [*FLOATS, np.int64, np.bool_])
def test_new_tensors_of_the_dtype_of_another(shape, dtype):
    x = tg.zeros(4, dtype=dtype)
    for y, value in [
        (x.new_zeros(*shape), 0),
        (x.new_ones(shape), 1),
        (x.new_full(shape, 1), 1),
        (x.new_zeros(size=shape), 0),
    ]:
        assert y.dtype == dtype and y.tolist() == np.full(shape, value, dtype).tolist()
    assert x.new_empty(shape).shape == shape and x.new_tensor([1, 0]).dtype == dtype
    assert x.new_ones(2, dtype=tg.double, device="cpu", requires_grad=True).requires_grad


def test_old_constructors():
    assert tg.FloatTensor([1, 2]).dtype == np.float32 and tg.LongTensor([1, 2]).tolist() == [1, 2]
    assert tg.FloatTensor(2, 3).shape == (2, 3) and tg.FloatTensor().shape == (0,)
    assert tg.ones(2).type(tg.LongTensor).dtype == np.int64 and tg.BoolTensor([0, 2]).tolist() == [
        False,
        True,
    ]
    names = ("Half", "Double", "Int", "Short", "Char", "Byte")
    codes = ("e", "d", "i4", "i2", "i1", "u1")
    for name, code in zip(names, codes, strict=True):
        assert getattr(tg, f"{name}Tensor")([1]).dtype == np.dtype(code)
        assert tg.ones(1).to(np.dtype(code)).type() == f"torch.{name}Tensor"
    with pytest.raises(TypeError, match="FloatTensor: pass data"):
        tg.FloatTensor([1], [2])


def test_as_tensor_shares_and_stays_on_the_tape():
    array, w = np.ones(3), leaf(3)
    assert tg.as_tensor(array).data is array and tg.as_tensor(w) is w
    assert tg.as_tensor(array, dtype=tg.float, device="cpu").dtype == np.float32
    assert tg.as_tensor(w, dtype=tg.half).requires_grad and tg.as_tensor([1, 2]).dtype == np.int64
    assert tg.is_tensor(w) and not tg.is_tensor(array)


def test_sizes_by_keyword():
    for make in (tg.zeros, tg.ones, tg.empty, tg.rand, tg.randn):
        assert make(size=(1, 2)).shape == make(1, 2).shape == make((1, 2)).shape == (1, 2)
        with pytest.raises(TypeError, match="size by position and by keyword"):
            make(2, size=(1, 2))


def test_random_integers_as_pytorch_takes_them():
    assert tg.randint(10, (3,)).shape == tg.randint(0, 10, (3,)).shape == tg.randint(10, size=(3,)).shape
    assert tg.randint(3, 4, (2,), dtype=tg.float).tolist() == [3, 3]
    like = tg.randint_like(tg.zeros(2, 2), 5)
    assert like.shape == (2, 2) and like.dtype == np.float32 and like.data.max() < 5
    assert tg.randint(5, (2,), dtype=tg.double, requires_grad=True).requires_grad


MAKERS = (
    "zeros ones empty rand randn full zeros_like ones_like full_like empty_like rand_like randn_like arange"
)
MAKERS += " linspace eye randint randint_like randperm tensor as_tensor normal"


@pytest.mark.parametrize("name", MAKERS.split())
def test_every_maker_takes_a_device_and_a_dtype(name):
    function = getattr(tg, name)
    parameters = inspect.signature(function).parameters
    assert {"device", "dtype"} <= {*parameters}
    assert name == "as_tensor" or "requires_grad" in parameters
    arguments = {
        "full": ((2,), 1.0),
        "linspace": (0, 1, 3),
        "randint": (0, 5, (2,)),
        "randint_like": (tg.ones(2), 3),
    }
    arguments |= {"normal": (0.0, 1.0, (2,)), "full_like": (tg.ones(2), 1.0)}
    given = arguments.get(name, (tg.ones(2),) if name.endswith(("like", "tensor")) else (3,))
    assert function(*given, device="cpu", dtype=tg.double).dtype == np.float64
    assert function(*given, device=tg.device("cpu")).device == tg.device("cpu")
    with pytest.raises(ValueError, match=f"{name}: device must be 'cpu', the only device there is"):
        function(*given, device="cuda")
    with pytest.raises(TypeError, match=f"{name}: device must be 'cpu'"):
        function(*given, device=3.5)


def test_numpys_random_part_is_not_needed_before_a_number_is_drawn():
    assert "fresh_generator" in vars(default) and "Generator" not in vars(default)
