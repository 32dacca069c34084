"""Constructors refuse what their options cannot be: by name, and at once."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.attack.calls import MAKE, apply, good_call
from tests.attack.good_calls.functions import FUNCTIONS
from tinygrad_conv import data, nn, optim
from tinygrad_conv.checks import samples  # noqa: F401 (importing it enters the cases)
from tinygrad_conv.checks.cases import CASES
from tinygrad_conv.data import DataLoader
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import DtypeError, RuleError, SizeError
from tinygrad_conv.nn.options import LAYERS
from tinygrad_conv.optim import lr_scheduler
from tinygrad_conv.optim.options import OPTIMIZERS, SCHEDULES
from tinygrad_conv.options import OPTIONS

PARAMS = [nn.Parameter(np.ones(2))]

OTHERS = {"modules", "ignored", "options", "padding_mode", "params", "defaults", "optimizer"}
OTHERS |= {"implementation", "values", "parameters"}
"""What constructors look at themselves."""


def classes():
    """All public layers, optimisers and schedules."""
    places = (nn, optim, lr_scheduler)
    found = {value for place in places for value in vars(place).values() if inspect.isclass(value)}
    bases = (nn.Module, optim.Optimizer, lr_scheduler.LRScheduler)
    return sorted((value for value in found if issubclass(value, bases)), key=lambda value: value.__name__)


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_every_option_is_declared(cls):
    known = {*OPTIONS, *LAYERS, *OPTIMIZERS, *SCHEDULES, *OTHERS}
    unknown = ", ".join(sorted(inspect.signature(cls).parameters.keys() - known))
    assert not unknown, f"{cls.__name__}: say in the options.py of its folder what {unknown} may be"


def test_every_constructor_is_attacked():
    bases = {"Module", "Optimizer", "LRScheduler"}
    forgotten = ", ".join(sorted({cls.__name__ for cls in classes()} - bases - MAKE.keys()))
    assert not forgotten, (
        f"{forgotten}: say in tests/attack/ how it is made, in good_calls/layers.py or calls.py"
    )


@pytest.mark.parametrize(
    "make, error, words",
    [
        (
            lambda: nn.MaxPool2d("2"),
            ValueError,
            "MaxPool2d: kernel_size must be an int or a pair of ints, at ",
        ),
        (lambda: nn.MaxPool2d(0), ValueError, "MaxPool2d: kernel_size .* at least 1, not 0"),
        (lambda: nn.MaxPool1d((2, 3)), ValueError, r"MaxPool1d: kernel_size must be an int, at .* \(2, 3\)"),
        (lambda: nn.MaxPool2d(2, stride=1.5), ValueError, "MaxPool2d: stride must be"),
        (lambda: nn.MaxPool2d(2, padding=-1), ValueError, "MaxPool2d: padding must be .* at least 0, not -1"),
        (lambda: nn.MaxPool2d(2, ceil_mode="no"), TypeError, "MaxPool2d: ceil_mode must be True or False, n"),
        (lambda: nn.AvgPool1d((2, 3)), ValueError, "AvgPool1d: kernel_size must be an int, at least 1"),
        (
            lambda: nn.AvgPool2d(2, divisor_override=0),
            ValueError,
            "AvgPool2d: divisor_override must not be 0",
        ),
        (
            lambda: nn.AdaptiveAvgPool2d((1, 2, 3)),
            TypeError,
            "AdaptiveAvgPool2d: output_size must be an int,",
        ),
        (lambda: nn.AdaptiveMaxPool2d(-1), ValueError, "AdaptiveMaxPool2d: output_size .* not -1"),
        (lambda: nn.ReLU("no"), TypeError, "ReLU: inplace must be True or False, not 'no'"),
        (lambda: nn.LeakyReLU("0.1"), TypeError, "LeakyReLU: negative_slope must be a number, not '0.1'"),
        (lambda: nn.GELU("sigmoid"), ValueError, "GELU: approximate must be 'none' or 'tanh', not 'sigmoid'"),
        (lambda: nn.Softplus(threshold=None), TypeError, "Softplus: threshold must be a number, not None"),
        (lambda: nn.Softmax(1.0), TypeError, "Softmax: dim must be an int, or None, not 1.0"),
        (lambda: nn.PReLU(-1), ValueError, "PReLU: num_parameters must be at least 0, not -1"),
        (lambda: nn.Flatten("1"), TypeError, "Flatten: start_dim must be an int, not '1'"),
        (lambda: nn.Upsample(), ValueError, "Upsample: pass one of size and scale_factor"),
        (
            lambda: nn.Upsample(3, mode="cubic"),
            ValueError,
            "Upsample: mode must be 'nearest', .* not 'cubic'",
        ),
        (lambda: nn.Upsample(scale_factor="2"), TypeError, "Upsample: scale_factor must be a number or"),
        (lambda: nn.PixelShuffle(0), ValueError, "PixelShuffle: upscale_factor must be at least 1, not 0"),
        (lambda: nn.Unfold(None), ValueError, "Unfold: kernel_size must be an int or a pair of ints"),
        (lambda: nn.Fold((1, 2, 3), 1), ValueError, "Fold: output_size must be an int or a pair of ints, at"),
        (
            lambda: nn.ZeroPad2d(1.5),
            ValueError,
            "ZeroPad2d: padding must be an int or .left, right, top, bot",
        ),
        (lambda: nn.Dropout(1.5), ValueError, "Dropout: p must be a probability, from 0 to 1, not 1.5"),
        (lambda: nn.Dropout(inplace=1), TypeError, "Dropout: inplace must be True or False, not 1"),
        (lambda: nn.HuberLoss(delta=0), ValueError, "HuberLoss: delta must be positive, not 0"),
        (
            lambda: nn.MSELoss(reduction="avg"),
            ValueError,
            "MSELoss: reduction must be 'none', 'sum' or 'mean', ",
        ),
        (lambda: nn.NLLLoss(ignore_index=1.5), TypeError, "NLLLoss: ignore_index must be an int, not 1.5"),
        (lambda: nn.BCELoss("heavy"), TypeError, "BCELoss: weight must be numbers: a Tensor, .* not 'heavy'"),
        (lambda: nn.Linear(2.5, 2), TypeError, "Linear: in_features must be an int, not 2.5"),
        (lambda: nn.Linear(2, 2, bias="no"), TypeError, "Linear: bias must be True or False, not 'no'"),
        (lambda: nn.Linear(2, 2, dtype=np.int64), DtypeError, "Linear: dtype must be float16, float32 or f"),
        (lambda: nn.Linear(2, 2, rng="seed"), TypeError, "Linear: rng must be a numpy Generator or a seed"),
        (lambda: nn.Linear(10**9, 10**9), SizeError, "Linear: weight .* asks for an array"),
        (lambda: nn.Linear(2), TypeError, "Linear: .*missing 1 required positional argument: 'out_features'"),
        (lambda: nn.Conv2d("1", 2, 3), TypeError, "Conv2d: in_channels must be an int, not '1'"),
        (lambda: nn.BatchNorm2d(-1), ValueError, "BatchNorm2d: num_features must be at least 0, not -1"),
        (
            lambda: nn.BatchNorm2d(2, momentum=-1),
            ValueError,
            "BatchNorm2d: momentum must be at least 0.0, no",
        ),
        (lambda: nn.LayerNorm((2, "3")), TypeError, "LayerNorm: normalized_shape must be an int or a seq"),
        (
            lambda: nn.LayerNorm(3, eps=-5),
            ValueError,
            "LayerNorm: eps must be a finite number from 0, not -5",
        ),
        (lambda: nn.GroupNorm(2, 4, affine="no"), TypeError, "GroupNorm: affine must be True or False"),
        (
            lambda: nn.Sequential(nn.ReLU(), 3),
            TypeError,
            "Sequential: 1 must be an nn.Module or None, not int",
        ),
        (lambda: nn.ModuleList(3), TypeError, "ModuleList: "),
        (lambda: optim.SGD(PARAMS, "0.1"), TypeError, "SGD: lr must be a number, not '0.1'"),
        (lambda: optim.SGD(PARAMS, 10**400), TypeError, "SGD: lr must be a number, not 1000"),
        (lambda: optim.Adam(PARAMS, betas=0.9), ValueError, "Adam: betas must be two numbers, such as"),
        (lambda: optim.AdamW(PARAMS, betas=(0.9, 1)), ValueError, r"AdamW: betas must lie in \[0, 1\), not"),
        (lambda: optim.SGD(3), TypeError, "SGD: params must be an iterable of tensors, not 3"),
        (
            lambda: optim.SGD(PARAMS, momentun=0.9),
            TypeError,
            "SGD: no option momentun; it has lr, momentum, ",
        ),
        (
            lambda: optim.Adam(PARAMS, foreach="no"),
            TypeError,
            "Adam: foreach must be True or False, or None,",
        ),
        (
            lambda: optim.Adam(PARAMS, capturable=True),
            TypeError,
            "Adam: capturable must be False: there is n",
        ),
        (lambda: optim.Adadelta(PARAMS, rho=2), ValueError, r"Adadelta: rho must lie in \[0, 1\], not 2"),
        (
            lambda: lr_scheduler.StepLR(optim.SGD(PARAMS), 0),
            ValueError,
            "StepLR: step_size must be at least 1",
        ),
        (
            lambda: lr_scheduler.ExponentialLR(optim.SGD(PARAMS), "1"),
            TypeError,
            "ExponentialLR: gamma must be",
        ),
        (lambda: nn.init.normal_(3), TypeError, "normal_: tensor must be a Tensor or its .data, not 3"),
        (lambda: nn.init.normal_(tg.ones(2), std=-1), ValueError, "normal_: std must be 0 or more, not -1"),
        (lambda: nn.init.kaiming_normal_(tg.ones(2, 2), mode="in"), ValueError, "kaiming_normal_: mode must"),
        (lambda: nn.utils.clip_grad_norm_(PARAMS, "1"), TypeError, "clip_grad_norm_: max_norm must be a num"),
        (lambda: nn.utils.clip_grad_norm_(3, 1.0), TypeError, "clip_grad_norm_: "),
        (lambda: DataLoader(3), TypeError, r"DataLoader: dataset must be a TensorDataset, or .*, not 3"),
        (lambda: list(DataLoader([abs])), DtypeError, "DataLoader: an example is a builtin_function_or_meth"),
        (lambda: DataLoader([1], 0), ValueError, "DataLoader: batch_size must be at least 1, not 0"),
        (lambda: DataLoader([1], shuffle="no"), TypeError, "DataLoader: shuffle must be True or False, or "),
        (lambda: DataLoader([1], workers=2), TypeError, "DataLoader: there is no option workers"),
        (
            lambda: DataLoader([1], generator="a"),
            TypeError,
            "DataLoader: generator must be a numpy Generator",
        ),
        (
            lambda: data.RandomSampler([1], "no"),
            TypeError,
            "RandomSampler: replacement must be True or False",
        ),
        (
            lambda: data.RandomSampler([1], num_samples=0),
            ValueError,
            "RandomSampler: num_samples must be at l",
        ),
        (lambda: data.Subset([1], 3), TypeError, "Subset: indices must be a sequence of indices, not 3"),
        (
            lambda: data.BatchSampler([1], 1.5, False),
            TypeError,
            "BatchSampler: batch_size must be an int, not",
        ),
        (lambda: data.random_split([1, 2], [1, 2]), ValueError, "random_split: lengths .* the 2 examples"),
        (
            lambda: data.random_split([1, 2], "ab"),
            TypeError,
            "random_split: lengths must be a sequence of co",
        ),
    ],
)
def test_it_is_refused_by_name(make, error, words):
    with pytest.raises(error, match=f"^{words}"):
        make()


def test_a_subclass_is_called_by_its_own_name():
    class Wide(nn.Conv2d):
        def __init__(self, p):  # its own meaning of a name
            super().__init__(1, p, 3)

    assert Wide(5).out_channels == 5
    with pytest.raises(TypeError, match="^Wide: out_channels must be an int, not '5'"):
        Wide("5")


def test_what_users_raise_in_their_own_classes_is_theirs():
    class Own(nn.Module):
        def __init__(self, dim):
            super().__init__()
            if dim == "bad":
                raise ValueError("mine")

    with pytest.raises(ValueError, match="^mine$"):
        Own("bad")

    class Mine(Exception):
        pass

    def parameters():
        raise Mine

    with pytest.raises(Mine):
        optim.SGD(parameters() for _ in range(1))


def test_the_constructors_keep_their_signatures():
    assert list(inspect.signature(nn.Linear).parameters)[:3] == ["in_features", "out_features", "bias"]
    assert inspect.signature(optim.SGD).parameters["lr"].default == 1e-3


def test_what_was_taken_still_is():
    assert nn.MaxPool2d(2, stride=())(tg.ones(1, 1, 4, 4)).shape == (1, 1, 2, 2)
    assert nn.MaxPool2d(3, padding="same")(tg.ones(1, 1, 4, 4)).shape == (1, 1, 2, 2)
    assert nn.MaxPool1d(3, 1, padding=(1, 0))(tg.ones(1, 1, 4)).shape == (1, 1, 3)
    assert nn.LayerNorm(np.array([2, 3]))(tg.ones(1, 2, 3)).shape == (1, 2, 3)
    assert nn.ELU(np.float32(2))(tg.ones(1)).item() == 1
    assert nn.BatchNorm1d(2, affine=0).weight is None
    assert nn.AvgPool1d([2]).kernel_size == 2
    assert nn.CrossEntropyLoss([1.0, 2.0]).weight.shape == (2,)
    assert optim.SGD(PARAMS, lr=np.float32(0.5)).param_groups[0]["lr"] == 0.5
    assert nn.Linear(np.int64(2), 3).weight.shape == (3, 2)
    x = np.arange(6.0).reshape(2, 3)
    mean = tg.zeros(3, dtype=np.float64)
    tg.batch_norm(x, mean, None, training=True, momentum=tg.tensor(0.5))
    assert mean.data.tolist() == [0.75, 1.25, 1.75]


@pytest.mark.parametrize("name", OPS)
def test_every_param_of_an_op_is_declared(name):
    assert set(OPS[name].params) <= set(OPS[name].allowed_params)


OPERANDS = {("max", "dim"), ("min", "dim")}  # where an array is another operand


def arrays_of(result):
    """The numbers that a call returns."""
    if isinstance(result, (tuple, list)):
        return [array for each in result for array in arrays_of(each)]
    return [result.data] if isinstance(result, tg.Tensor) else []


def tensor_of(value):
    """A number as a Tensor without dimensions, in full precision."""
    return tg.from_numpy(np.array(value))


def result_of(function, name, number):
    """What a good call returns, one of whose arguments is given as another kind of number."""
    given = good_call(function, 0)
    tg.manual_seed(0)
    return arrays_of(apply(function, given | {name: number(given[name])}))


@pytest.mark.parametrize("function", [*FUNCTIONS, *(f"ops.{name}" for name in CASES)])
def test_numbers_of_numpy_and_tensors_without_dimensions_are_numbers(function):
    """As options they are, in PyTorch too: `for dim in np.arange(2): x.sum(dim)`."""
    for name, value in good_call(function, 0).items():
        if type(value) not in (int, float) or name.isdigit():
            continue
        expected = result_of(function, name, type(value))
        arrays = () if (function, name) in OPERANDS else (np.array, tensor_of)
        for number in (lambda value: np.array(value)[()], *arrays):
            for array, right in zip(result_of(function, name, number), expected, strict=True):
                np.testing.assert_array_equal(array, right, strict=True)


def test_a_number_of_numpy_is_a_dim():
    x = tg.tensor([[1.0, 5.0], [7.0, 2.0]])
    assert x.max(np.int64(1)).values.tolist() == [5, 7]
    assert x.min(dim=np.int64(0)).indices.tolist() == [0, 1]
    assert x.max(np.array(2.0, np.float32)).tolist() == [[2, 5], [7, 2]]


NO_INTEGERS = {
    "randint: low": lambda no: tg.randint(no, (2,)),
    "cumprod: dim": lambda no: tg.cumprod(X, no),
    "diag: diagonal": lambda no: tg.diag(X, no),
    "diagonal: dim2": lambda no: tg.diagonal(tg.ones(2, 2), 0, 0, no),
    "tril: diagonal": lambda no: tg.tril(tg.ones(2, 2), no),
    "rot90: k": lambda no: tg.rot90(tg.ones(2, 2), no),
    "select: index": lambda no: tg.select(X, 0, no),
    "narrow: length": lambda no: tg.narrow(X, 0, 0, no),
    "embedding: padding_idx": lambda no: tg.embedding(INDEX, tg.ones(2, 2), padding_idx=no),
    "conv1d: stride": lambda no: tg.conv1d(tg.ones(1, 1, 3), tg.ones(1, 1, 2), stride=no),
    "max_unpool1d: stride": lambda no: tg.max_unpool1d(
        tg.ones(1, 1, 1), np.zeros((1, 1, 1), int), 2, no, output_size=(2,)
    ),
    "tensor_split: indices_or_sections": lambda no: tg.tensor_split(X, no),
}


@pytest.mark.parametrize("no", [True, 2.0, 1.5, 2 + 0j, tg.tensor(2.0), np.float32(1)], ids=str)
@pytest.mark.parametrize("option", NO_INTEGERS)
def test_what_is_no_integer_is_not_taken_for_one(option, no):
    function, name = option.split(": ")
    with pytest.raises(TypeError, match=f"{function}: {name} must be an int"):
        NO_INTEGERS[option](no)


@pytest.mark.parametrize("metric", ["2", True])
def test_what_is_no_number_is_no_metric(metric):
    schedule = lr_scheduler.ReduceLROnPlateau(optim.SGD(PARAMS, 0.1))
    with pytest.raises(TypeError, match="step: metrics must be a number"):
        schedule.step(metric)
    assert schedule.last_epoch == 0


def test_layers_keep_numbers_of_python():
    layer = nn.Conv2d(np.int64(1), 2, (np.int64(3), tg.tensor(2)), groups=np.array(1))
    assert repr(layer) == repr(nn.Conv2d(1, 2, (3, 2), groups=1))
    loss = nn.GaussianNLLLoss(eps=tg.tensor(0.5))
    assert type(loss.eps) is float
    assert loss(tg.ones(2), tg.ones(2), tg.full((2,), 0.1)).item() == pytest.approx(np.log(0.5) / 2)


def test_no_gradient_flows_to_the_least_variance():
    x, eps = tg.tensor([1.0, 3.0]), tg.tensor(0.5, requires_grad=True)
    losses = [tg.gaussian_nll_loss(x, 2 * x, x / 10, eps=least).item() for least in (eps, 0.5)]
    assert losses[0] == losses[1]


def test_an_option_that_requires_a_gradient_is_no_number():
    with pytest.raises(RuleError, match="eps is a param, so no gradient flows to it"):
        tg.layer_norm(tg.ones(2), (2,), eps=tg.tensor(0.5, requires_grad=True))


X = tg.ones(2, dtype=tg.float64, requires_grad=True)

FLAGS = {
    "backward: retain_graph": lambda: (X * X).sum().backward(retain_graph="no"),
    "grad: retain_graph": lambda: tg.grad((X * X).sum(), X, retain_graph="no"),
    "grad: create_graph": lambda: tg.grad((X * X).sum(), X, None, False, "no"),
    "grad: allow_unused": lambda: tg.grad((X * X).sum(), X, allow_unused="no"),
    "gradcheck: repair": lambda: tg.gradcheck(tg.exp, X, repair="no"),
    "gradcheck: adequacy": lambda: tg.gradcheck(tg.exp, X, adequacy="no"),
    "numpy: force": lambda: X.numpy(force="no"),
    "Tensor: requires_grad": lambda: setattr(tg.ones(2), "requires_grad", "no"),
    "scatter_reduce: include_self": lambda: tg.scatter_reduce(X, 0, INDEX, X, "sum", include_self="no"),
    "scatter_extreme: include_self": lambda: tg.scatter_reduce(X, 0, INDEX, X, "amax", include_self="no"),
}
INDEX = np.zeros(1, int)


@pytest.mark.parametrize("flag", FLAGS)
def test_a_word_is_no_flag(flag):
    """It would be true, whatever it says."""
    with pytest.raises(TypeError, match="must be True or False(, or None)?, not 'no'") as raised:
        FLAGS[flag]()
    assert flag.split(": ")[1] in str(raised.value)
