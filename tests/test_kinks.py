"""Gradients at kinks, ties and other special places, where finite differences say nothing: as PyTorch 2.13
gives them.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS

from .helpers import assert_gradients, gradient_cases

INF = np.inf

KINKS = [  # op, inputs, params, the gradients of the sum
    ("relu", [[0.0, -0.0]], {}, [[0.0, 0.0]]),
    ("abs", [[0.0, -2.0]], {}, [[0.0, -1.0]]),
    ("maximum", [[1.0, 2.0], [1.0, 3.0]], {}, [[0.5, 0.0], [0.5, 1.0]]),
    ("minimum", [[1.0, 2.0], [1.0, 3.0]], {}, [[0.5, 1.0], [0.5, 0.0]]),
    ("clamp_min", [[-1.0, 1.0], [-1.0, 2.0]], {}, [[1.0, 0.0], [0.0, 1.0]]),
    ("clamp_max", [[-1.0, 1.0], [-1.0, 0.0]], {}, [[1.0, 0.0], [0.0, 1.0]]),
    ("hardtanh", [[-1.0, 1.0, 0.0]], {}, [[0.0, 0.0, 1.0]]),
    ("leaky_relu", [[0.0, 1.0]], {"negative_slope": 0.1}, [[0.1, 1.0]]),
    ("prelu", [[[0.0]], [0.25]], {}, [[[0.25]], [0.0]]),
    ("elu", [[0.0]], {"alpha": 2.0}, [[2.0]]),
    ("selu", [[0.0]], {}, [[1.7580993408473766]]),
    (
        "softplus",
        [[2.0, 2.1, 1.9]],
        {"beta": 2.0, "threshold": 4.0},
        [[0.9820137900379085, 1.0, 0.9781187290638695]],
    ),
    (
        "pow",
        [[0.0, 0.0, 0.0, 2.0], [0.0, 1.0, 2.0, 0.0]],
        {},
        [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, np.log(2)]],
    ),
    ("pow", [[0.0], [0.5]], {}, [[INF], [0.0]]),
    ("vector_norm", [[0.0, 0.0]], {}, [[0.0, 0.0]]),
    ("vector_norm", [[0.0, 2.0]], {"p": 1}, [[0.0, 1.0]]),
    ("vector_norm", [[0.0, 0.0]], {"p": 3}, [[0.0, 0.0]]),
    ("vector_norm", [[2.0, -2.0, 1.0]], {"p": INF}, [[0.5, -0.5, 0.0]]),
    ("std", [[1.0, 1.0]], {}, [[0.0, 0.0]]),
    ("logsumexp", [[-INF, 0.0]], {"dim": 0}, [[0.0, 1.0]]),
    ("amax", [[2.0, 2.0, 1.0]], {}, [[0.5, 0.5, 0.0]]),
    ("amin", [[1.0, 1.0, 2.0]], {}, [[0.5, 0.5, 0.0]]),
    ("max_pool2d", [[[[1.0, 2.0], [2.0, 0.0]]]], {"kernel_size": 2}, [[[[0.0, 1.0], [0.0, 0.0]]]]),
    ("l1_loss", [[1.0], [1.0]], {"reduction": "sum"}, [[0.0], [0.0]]),
    ("smooth_l1_loss", [[1.0, 0.0], [0.0, 1.0]], {"reduction": "sum"}, [[1.0, -1.0], [-1.0, 1.0]]),
    ("huber_loss", [[2.0, 3.0], [0.0, 0.0]], {"reduction": "sum", "delta": 2.0}, [[2.0, 2.0], [-2.0, -2.0]]),
]


@gradient_cases(KINKS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_gradient_at_a_special_place(op, inputs, params, expected):
    assert_gradients(op, inputs, params, expected)


def test_a_tie_along_a_dimension_goes_to_the_first():
    x = tg.Tensor(np.array([2.0, 2.0, 1.0]), requires_grad=True)
    values, indices = x.max(0)
    values.backward()
    assert x.grad.tolist() == [1.0, 0.0, 0.0]
    assert indices.item() == 0


def test_binary_cross_entropy_at_0_and_1_is_bounded():
    """A logarithm is at least -100, as in PyTorch; dt follows the bounded one, where PyTorch's is
    infinite.
    """
    x = tg.Tensor(np.array([0.0, 1.0]), requires_grad=True)
    t = tg.Tensor(np.array([1.0, 0.0]), requires_grad=True)
    with np.errstate(divide="ignore"):
        OPS["binary_cross_entropy"](x, t, reduction="sum").backward()
    np.testing.assert_allclose(x.grad, [-1e12, 1e12], rtol=1e-12)
    assert t.grad.tolist() == [100.0, -100.0]
