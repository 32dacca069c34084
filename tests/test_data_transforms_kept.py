"""Numbers and gradients that a transform cannot keep are refused; nothing is lost in silence."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.data import transforms
from tinygrad_conv.errors import GraphError, MutationError

from .test_data_transforms import EVERY


@pytest.mark.parametrize("name", [name for name in EVERY if name != "normalize"])
def test_a_gradient_is_not_lost_in_silence(name):
    transform, image = EVERY[name](), tg.ones(3, 7, 6, requires_grad=True)
    for img in (image, image * 2):
        with pytest.raises(GraphError, match=r"^\w+: img requires a gradient, .* pass img.detach\(\)"):
            transform(img)
        transform(img.detach())
        with tg.no_grad():
            transform(img)


@pytest.mark.parametrize("shape", [(3, 2, 2), (4, 3, 2, 2)])
@pytest.mark.parametrize("mean, std", [([1.0, 2.0, 3.0], [2.0, 4.0, 5.0]), (0.5, 0.25)])
def test_normalize_is_differentiable(shape, mean, std):
    """An adversarial example is made through it."""
    normalize = transforms.Normalize(mean, std)
    image = tg.randn(*shape, dtype=tg.float64, requires_grad=True)
    y = normalize(image)
    np.testing.assert_array_equal(y.data, normalize(image.detach()).data)
    y.sum().backward()
    right = np.broadcast_to(1 / np.reshape(np.atleast_1d(std), (-1, 1, 1)), shape)
    np.testing.assert_allclose(image.grad, right, rtol=1e-15)


def test_normalize_in_place_on_the_tape():
    normalize = transforms.Normalize(1.0, 2.0, inplace=True)
    leaf = tg.ones(1, 2, 2, requires_grad=True)
    with pytest.raises(MutationError):
        normalize(leaf)
    result = leaf * 3
    assert normalize(result) is result and result.data.tolist() == [[[1, 1], [1, 1]]]
    result.sum().backward()
    assert leaf.grad.tolist() == [[[1.5, 1.5], [1.5, 1.5]]]


FILLED = {
    "erasing": lambda fill: transforms.RandomErasing(1.0, value=fill),
    "pad": lambda fill: transforms.Pad(1, fill),
    "crop": lambda fill: transforms.RandomCrop(11, 1, fill=fill),
    "rotation": lambda fill: transforms.RandomRotation((45, 45), fill=fill),
}


@pytest.mark.parametrize("fill", [300, -1, [0, 0, 256]])
@pytest.mark.parametrize("name", FILLED)
def test_no_filled_number_becomes_another(name, fill):
    pictures = np.full((3, 9, 9), 7, np.uint8)
    with pytest.raises(OverflowError, match=r"^\w+: (fill|value): uint8 holds integers from 0 to 255"):
        FILLED[name](fill)(pictures)
    assert FILLED[name](255)(pictures).max() == 255 and pictures.max() == 7
