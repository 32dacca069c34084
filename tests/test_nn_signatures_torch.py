"""The arguments of layers against PyTorch's: names, order, defaults, and what may come by position."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

ELSEWHERE = {
    *("max_norm", "norm_type", "scale_grad_by_freq", "sparse", "_weight", "_freeze"),  # of Embedding
    "device",
    "dtype",
    "rng",
    "size_average",
    "reduce",
    "min_value",
    "max_value",
}
SAID = [
    name for name in nn.__all__ if inspect.isclass(getattr(nn, name)) and name not in ("Module", "Parameter")
]


@pytest.mark.parametrize("name", SAID)
def test_arguments_their_order_and_defaults_are_pytorchs(name):
    """But for devices, dtypes and what PyTorch has deprecated."""
    ours, theirs = (
        [
            (parameter.name, parameter.default)
            for parameter in inspect.signature(getattr(place, name)).parameters.values()
            if parameter.name not in ELSEWHERE
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        for place in (nn, torch.nn)
    )
    assert ours == theirs


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_a_list_of_one_size_is_for_both_axes(name):
    ours, theirs = (
        getattr(place, name)(2, 3, 3, stride=[2], padding=(1,), dilation=[2]) for place in (nn, torch.nn)
    )
    ours.load_state_dict(theirs.state_dict())
    x = np.sin(np.arange(2 * 2 * 9 * 8)).reshape(2, 2, 9, 8).astype(np.float32)
    np.testing.assert_allclose(
        ours(tg.tensor(x)).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6
    )


def by_position(place, name):
    """The arguments of a layer that may come by position, as its signature names them."""
    parameters = inspect.signature(getattr(place, name)).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind == parameter.POSITIONAL_OR_KEYWORD]


HAS_DTYPE = [name for name in SAID if "dtype" in inspect.signature(getattr(nn, name)).parameters]


@pytest.mark.parametrize("name", sorted({*HAS_DTYPE} - {"Embedding", "UninitializedParameter"}))
def test_device_and_dtype_come_last_by_position(name):
    assert by_position(torch.nn, name) == [*by_position(nn, name), "device", "dtype"]
    given = {"num_features": 2, "num_parameters": 1, "num_channels": 2, "normalized_shape": 2}
    defaults = inspect.signature(getattr(nn, name)).parameters
    arguments = [
        defaults[argument].default
        if defaults[argument].default is not inspect.Parameter.empty
        else given.get(argument, 1)
        for argument in by_position(nn, name)
    ]
    layer = getattr(nn, name)(*arguments, "cpu", tg.float64)
    assert all(parameter.dtype == tg.float64 for parameter in layer.parameters())
    with pytest.raises(ValueError, match=f"{name}: device must be 'cpu'"):
        getattr(nn, name)(*arguments, "cuda")
    with pytest.raises(TypeError, match=f"{name}: dtype is given twice"):
        getattr(nn, name)(*arguments, None, tg.float64, dtype=tg.float64)
