"""Arguments by other names: NumPy's `axis` and `keepdims`, and those of formulas."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import functional, nn
from tinygrad_conv.engine.op import Op
from tinygrad_conv.spellings import SPELLINGS

X = np.array([[0.5, -1.5, 2.25], [-0.25, 3.0, -2.0]])
Y = np.array([[2.0, -0.5, 1.5], [1.0, -2.0, 0.75]])
BOOLS = np.array([[True, False, True], [False, False, True]])

ALONG_A_DIMENSION = {  # the arguments beside the tensor and dim
    **dict.fromkeys(
        "all any amax amin argmax argmin logsumexp max mean median min prod std sum var".split(), ()
    ),
    **dict.fromkeys(
        "argsort count_nonzero cumprod cumsum log_softmax softmax sort squeeze unbind".split(), ()
    ),
    **dict.fromkeys("unsqueeze diff unique norm".split(), ()),
    **dict.fromkeys("chunk split topk kthvalue tensor_split repeat_interleave".split(), (2,)),
}
KEEPS = {
    "all",
    "any",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "logsumexp",
    "max",
    "mean",
    "median",
    "min",
    "prod",
}
KEEPS |= {"std", "sum", "var", "norm", "kthvalue"}


def numbers(result):
    """One result or several, as arrays."""
    return [np.asarray(part) for part in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("name", ALONG_A_DIMENSION)
def test_axis_is_dim(name):
    x, others = tg.tensor(np.arange(12.0).reshape(3, 4) % 5), ALONG_A_DIMENSION[name]
    calls = [lambda **options: getattr(tg, name)(x, *others, **options)]
    calls += [lambda **options: getattr(x, name)(*others, **options)]
    names = [{"dim": 1}, {"axis": 1}]
    if name in KEEPS:
        names = [{"dim": 1, "keepdim": True}, {"axis": 1, "keepdims": True}]
    for call in calls:
        for ours, expected in zip(numbers(call(**names[1])), numbers(call(**names[0])), strict=True):
            np.testing.assert_array_equal(ours, expected)
        with pytest.raises(TypeError, match=f"{name}: axis is another name for dim, which was given too"):
            call(dim=1, axis=1)
        with pytest.raises(TypeError, match="nowhere"):
            call(nowhere=1)


def test_axis_after_dim_by_position():
    with pytest.raises(TypeError, match="sum: axis is another name for dim, which was given too"):
        tg.sum(X, 1, axis=0)
    with pytest.raises(TypeError, match="amax: axis is another name for dim, which was given too"):
        tg.tensor(X).amax(1, axis=0)


def test_joining_takes_axis():
    np.testing.assert_array_equal(tg.cat([X, X], axis=1), np.hstack([X, X]))
    np.testing.assert_array_equal(tg.stack(xs=[X, X], axis=-1), np.stack([X, X], -1))
    np.testing.assert_array_equal(tg.gather(X, axis=1, index=np.array([[0], [1]])), [[0.5], [3.0]])


@pytest.mark.parametrize("name", functional.__all__)
@pytest.mark.filterwarnings("ignore:.*without dim it runs", "ignore:invalid value", "ignore:dropout2d")
def test_the_first_argument_comes_as_input_and_as_x(name):
    """A call without the others fails, and says nothing of this one."""
    function = getattr(tg, name)
    names = function.aliases if isinstance(function, Op) else inspect.signature(function).parameters
    if "input" not in names:
        return
    for spelling in ("input", "x"):
        try:
            function(**{spelling: tg.tensor(np.full((3, 3), 0.5))})
        except (TypeError, ValueError) as error:
            assert f"there is no {spelling}" not in str(error)
            assert f"unexpected keyword argument '{spelling}'" not in str(error)


def test_numpy_may_ask_for_no_output():
    assert np.all(tg.tensor(BOOLS)).item() is False
    assert np.any(tg.tensor(BOOLS)).item() is True


def test_every_other_name_is_for_some_function():
    names = {name for each in functional.__all__ for name in inspect.signature(getattr(tg, each)).parameters}
    assert {own for owns in SPELLINGS.values() for own in owns} <= names


def test_the_inputs_of_layers_have_pytorchs_names():
    x, target = tg.ones(2, 3), tg.tensor([0, 2])
    for layer in (nn.Linear(3, 2), nn.BatchNorm1d(3), nn.Sequential(nn.ReLU()), nn.LeakyReLU(0.1)):
        assert layer(input=x).tolist() == layer(x).tolist() == layer(x=x).tolist()
    loss = nn.CrossEntropyLoss()
    assert loss(input=x, target=target).item() == loss(x, target).item()
    assert nn.MarginRankingLoss()(input1=x, input2=x, target=tg.ones(2, 3)).item() == 0
    with pytest.raises(TypeError, match="unexpected keyword argument 'inputs'"):
        nn.Linear(3, 2)(inputs=x)

    class Own(nn.Module):
        def forward(self, x):
            return x

    with pytest.raises(TypeError, match="unexpected keyword argument 'input'"):
        Own()(input=x)
