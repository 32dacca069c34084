"""Normalisations against PyTorch: running statistics over many batches, few digits, nothing to normalise."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.torch
functional = torch.nn.functional

DIGITS = {np.float16: 2e-3, np.float32: 1e-5, np.float64: 1e-12}


def numbers(*shape, dtype=np.float64, seed=0):
    """Normal numbers, off centre, as a normalisation expects them."""
    return (np.random.default_rng(seed).standard_normal(shape) * 2 + 3).astype(dtype)


def compare(name, arrays, *args, digits=1e-12, **options):
    """Value and gradients, ours and PyTorch's in float64; arrays are the input, weight and bias."""
    mine = [tg.tensor(array, requires_grad=True) for array in arrays]
    other = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]
    names = dict(zip(("weight", "bias"), range(1, len(arrays))))
    y = getattr(tg, name)(
        mine[0], *args, **{parameter: mine[at] for parameter, at in names.items()}, **options
    )
    z = getattr(functional, name)(
        other[0], *args, **{parameter: other[at] for parameter, at in names.items()}, **options
    )
    assert y.data.dtype == arrays[0].dtype
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=digits, atol=digits)
    dy = numbers(*y.shape, seed=1).astype(y.dtype)
    y.backward(dy)
    z.backward(torch.tensor(dy, dtype=torch.float64))
    for ours, theirs in zip(mine, other):
        bound = 1 + np.abs(theirs.grad.numpy()).max(initial=0)
        np.testing.assert_allclose(ours.grad / bound, theirs.grad.numpy() / bound, rtol=digits, atol=digits)


@pytest.mark.parametrize("dtype", DIGITS, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize(
    "shape", [(4, 6), (1, 6, 5), (2, 6, 3, 4), (0, 6, 3, 4), (2, 6, 0, 4), (2, 6, 2, 1, 2)]
)
def test_dtypes_and_sizes(shape, dtype):
    arrays = [numbers(*shape, dtype=dtype), numbers(6, dtype=dtype), numbers(6, dtype=dtype)]
    digits = DIGITS[dtype]
    compare("batch_norm", arrays, None, None, training=True, digits=digits)
    affine = [numbers(*shape[1:], dtype=dtype, seed=seed) for seed in (1, 2)]
    compare("layer_norm", [arrays[0], *affine], shape[1:], digits=digits)
    if shape[0] > 0:
        compare("group_norm", arrays, 3, digits=digits)
    if len(shape) > 2 and 0 not in shape:
        compare("instance_norm", arrays, digits=digits)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", DIGITS, ids=lambda dtype: dtype.__name__)
def test_running_statistics_of_batch_norm(dtype, training):
    mean, variance = numbers(3, dtype=dtype), np.abs(numbers(3, dtype=dtype))
    mine, other = [tg.tensor(mean), tg.tensor(variance)], [torch.tensor(mean), torch.tensor(variance)]
    for seed in range(5):
        x = numbers(4, 3, 2, 2, dtype=dtype, seed=seed)
        y = tg.batch_norm(tg.tensor(x), *mine, training=training, momentum=0.3)
        z = functional.batch_norm(torch.tensor(x), *other, training=training, momentum=0.3)
        np.testing.assert_allclose(y.data, z.numpy(), rtol=DIGITS[dtype], atol=DIGITS[dtype])
        for ours, theirs in zip(mine, other):
            assert ours.dtype == dtype
            np.testing.assert_allclose(ours.data, theirs.numpy(), rtol=DIGITS[dtype])


@pytest.mark.parametrize("use_input_stats", [True, False])
def test_running_statistics_of_instance_norm(use_input_stats):
    mean, variance = numbers(3), np.abs(numbers(3))
    mine, other = [tg.tensor(mean), tg.tensor(variance)], [torch.tensor(mean), torch.tensor(variance)]
    for seed in range(3):
        x = numbers(4, 3, 5, seed=seed)
        y = tg.instance_norm(tg.tensor(x), *mine, use_input_stats=use_input_stats)
        z = functional.instance_norm(torch.tensor(x), *other, use_input_stats=use_input_stats)
        np.testing.assert_allclose(y.data, z.numpy(), rtol=1e-12, atol=1e-14)
        for ours, theirs in zip(mine, other):
            np.testing.assert_allclose(ours.data, theirs.numpy(), rtol=1e-12)


def test_an_empty_batch_leaves_running_statistics_alone():
    mean, variance = tg.zeros(3), tg.ones(3)
    tg.batch_norm(tg.zeros(0, 3, 2, 2), mean, variance, training=True)
    np.testing.assert_array_equal(mean.data, np.zeros(3))
    np.testing.assert_array_equal(variance.data, np.ones(3))


def test_a_large_offset_costs_no_digits():
    """Variance is computed about the mean: E[x²] - E[x]² would have lost everything here."""
    x = (np.random.default_rng(0).standard_normal((8, 3, 4, 4)) + 1e4).astype(np.float32)
    exact = functional.batch_norm(torch.tensor(x.astype(np.float64)), None, None, training=True).numpy()
    np.testing.assert_allclose(tg.batch_norm(tg.tensor(x), None, None, training=True).data, exact, atol=2e-3)


def test_large_float16_numbers_do_not_overflow():
    x = np.full((64, 2, 8, 8), 6e4, np.float16)
    x[::2] = 0
    y = tg.batch_norm(tg.tensor(x), None, None, training=True).data
    np.testing.assert_allclose(y[:2, 0, 0, 0], [-1, 1], rtol=1e-3)
