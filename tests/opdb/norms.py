"""Normalisations and dropout on PyTorch's sample inputs."""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg

from .entry import Entry


def has_negative_eps(sample):
    """Whether eps is below 0."""
    return sample.kwargs.get("eps", 0) < 0


def one_dimensional(sample):
    """Whether there is no dimension of channels."""
    return sample.input.ndim == 1


def dropped(result, args, kwargs):
    """Each element is 0 or x / (1 - p), and the gradient is that factor."""
    (x,), p, training = args, kwargs.get("p", 0.5), kwargs.get("training", True)
    if not training:
        return np.testing.assert_array_equal(result.data, x.data)
    factor = result.data / x.data
    gain = 1 / (1 - p) if p < 1 else 0.0
    assert np.all(np.isclose(factor, 0) | np.isclose(factor, gain))
    assert p not in (0.0, 1.0) or np.all(factor == gain)
    (dx,) = tg.grad(result.sum(), x)
    np.testing.assert_allclose(dx.data, factor, rtol=1e-12)
    return factor


def dropped_by_channel(result, args, kwargs):
    """As `dropped`, and all of a channel alike."""
    factor = dropped(result, args, kwargs)
    if factor is not None:
        channels = factor.reshape(*factor.shape[:2], -1)
        np.testing.assert_allclose(channels, np.broadcast_to(channels[..., :1], channels.shape), rtol=1e-12)


def dropped_by_volume(result, args, kwargs):
    """As `dropped`, and all of a channel [D, H, W] alike."""
    factor = dropped(result, args, kwargs)
    if factor is not None:
        channels = factor.reshape(-1, *factor.shape[-3:]).reshape(-1, np.prod(factor.shape[-3:]))
        np.testing.assert_allclose(channels, np.broadcast_to(channels[:, :1], channels.shape), rtol=1e-12)


def dropped_and_moved(result, args, kwargs):
    """What is kept is a x + b, with the gradient a; all else is one number, with none."""
    (x,), p, training = args, kwargs.get("p", 0.5), kwargs.get("training", False)
    if not training or p in (0.0, 1.0):
        return np.testing.assert_array_equal(result.data, x.data * (p < 1 or not training))
    (dx,) = tg.grad(result.sum(), x)
    kept = dx.data != 0
    assert len(np.unique(result.data[~kept])) <= 1
    assert len(np.unique(dx.data[kept])) <= 1
    assert np.allclose(np.diff((result.data - dx.data * x.data)[kept]), 0)


NEGATIVE_EPS = "an eps below 0 is refused: it would be taken away from the variance, whose root may not exist"
NO_CHANNELS = (
    "PyTorch takes [0], which has no channels, because it does not look at the shape of an empty input"
)

TABLE = {
    "nn.functional.batch_norm": Entry(tg.batch_norm, left_out={NO_CHANNELS: one_dimensional}),
    "nn.functional.dropout": Entry(tg.dropout, random=dropped),
    "nn.functional.alpha_dropout": Entry(tg.alpha_dropout, random=dropped_and_moved),
    "nn.functional.dropout2d": Entry(tg.dropout2d, random=dropped_by_channel),
    "nn.functional.dropout3d": Entry(tg.dropout3d, random=dropped_by_volume),
    "nn.functional.group_norm": Entry(tg.group_norm, left_out={NEGATIVE_EPS: has_negative_eps}),
    "nn.functional.instance_norm": Entry(tg.instance_norm),
    "nn.functional.layer_norm": Entry(tg.layer_norm, left_out={NEGATIVE_EPS: has_negative_eps}),
}

LEFT_OUT = {
    "nn.functional.batch_norm.without_cudnn": "foreign hardware: the samples are those of "
    "nn.functional.batch_norm",
}
