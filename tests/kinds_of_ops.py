"""One small program for each kind of op that the debugger explains, in a dtype that is asked for."""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS

ACTIVATIONS = (
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "hardswish", "hardtanh", "softplus"),
    *("sigmoid", "logsigmoid", "tanh", "normal_cdf", "erf", "exp", "exp2", "expm1", "abs", "sign", "sin"),
    *("cos", "atan", "erfc", "sinh", "cosh", "neg", "floor", "ceil", "round", "trunc", "softsign"),
)
POSITIVE = ("log", "log2", "log10", "log1p", "sqrt")
IN_THE_UNIT = ("asin", "acos", "tan")
LOSSES = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits")
REDUCTIONS = ("sum", "mean", "amax", "amin", "var", "std", "logsumexp", "prod", "vector_norm")


class Draw:
    """Leaves with numbers at random, in one dtype."""

    def __init__(self, seed=0, dtype=np.float64):
        self.rng, self.dtype = np.random.default_rng(seed), dtype

    def __call__(self, *shape, name=""):
        numbers = np.asarray(self.rng.standard_normal(shape)).astype(self.dtype)
        return tg.Tensor(numbers, requires_grad=True, name=name or None)

    def positive(self, *shape):
        return tg.Tensor(np.abs(self(*shape).data) + self.dtype(0.25), requires_grad=True)

    def unit(self, *shape):
        return tg.Tensor(np.tanh(self(*shape).data) * self.dtype(0.9), requires_grad=True)

    def labels(self, classes, *shape):
        return self.rng.integers(0, classes, shape)


def weighted(y, draw):
    """A loss in which each number of y has a gradient of its own."""
    return (y * tg.Tensor(draw(*y.shape).data)).sum()


def pointwise(draw):
    """All functions of one number, each on its own leaf."""
    made = [OPS[name](draw(2, 3)) for name in ACTIVATIONS]
    made += [OPS[name](draw.positive(2, 3)) for name in POSITIVE]
    made += [OPS[name](draw.unit(2, 3)) for name in IN_THE_UNIT]
    made += [tg.nn.functional.prelu(draw(2, 3), draw(3)), tg.nn.functional.prelu(draw(2, 3), draw(1))]
    made.append(tg.nn.functional.dropout(draw(4, 4), 0.5))
    return made


def poolings(draw, shape=(2, 3, 7, 6)):
    """Windows that overlap, with padding, dilation, rounded up; and adaptive ones, in one dimension too."""
    F = tg.nn.functional
    return [
        F.max_pool2d(draw(*shape), 2),
        F.max_pool2d(draw(*shape), 3, 1, 1),
        F.max_pool2d(draw(*shape), (2, 3), (1, 2), dilation=(2, 1)),
        F.max_pool2d(draw(*shape), 3, 2, ceil_mode=True),
        F.avg_pool2d(draw(*shape), 3, 2, 1),
        F.avg_pool2d(draw(*shape), 3, 2, 1, ceil_mode=True, count_include_pad=False),
        F.avg_pool2d(draw(*shape), 2, 1, divisor_override=3),
        F.adaptive_max_pool2d(draw(*shape), (3, 4)),
        F.adaptive_avg_pool2d(draw(*shape), (3, 4)),
        F.max_pool2d(draw(*shape[1:]), 2),
        F.max_pool1d(draw(2, 3, 9), 3, 2),
        F.avg_pool1d(draw(2, 3, 9), 3, 2, 1),
        F.adaptive_avg_pool1d(draw(2, 3, 9), 4),
    ]


def products(draw):
    """linear and matmul, with vectors and batches that broadcast."""
    F = tg.nn.functional
    return [
        F.linear(draw(4, 3), draw(5, 3), draw(5)),
        F.linear(draw(2, 4, 3), draw(5, 3)),
        F.linear(draw(3), draw(5, 3), draw(5)),
        draw(4, 3) @ draw(3, 2),
        draw(2, 4, 3) @ draw(2, 3, 2),
        draw(2, 4, 3) @ draw(3, 2),
        draw(2, 1, 4, 3) @ draw(5, 3, 2),
        draw(4, 3) @ draw(3),
        draw(3) @ draw(2, 3, 4),
        draw(3) @ draw(3),
        draw(1, 1) @ draw(1, 1),
    ]


def norms(draw, shape=(3, 4, 2, 3)):
    """Trained and not, with weights and without, which broadcast along all kinds of dimensions."""
    F, channels = tg.nn.functional, shape[1]
    center, spread = tg.Tensor(draw(channels).data), tg.Tensor(draw.positive(channels).data)
    last = shape[2:]
    return [
        F.batch_norm(draw(*shape), None, None, training=True),
        F.batch_norm(draw(*shape), None, None, draw(channels), draw(channels), training=True),
        F.batch_norm(draw(*shape), center, spread, draw(channels), draw(channels)),
        F.batch_norm(draw(3, channels), None, None, draw(channels), draw(channels), training=True),
        F.layer_norm(draw(*shape), last),
        F.layer_norm(draw(*shape), last, draw(*last), draw(*last)),
        F.layer_norm(draw(*shape), shape[1:], draw(*shape[1:])),
        F.group_norm(draw(*shape), 1),
        F.group_norm(draw(*shape), channels // 2 or 1, draw(channels), draw(channels)),
        F.instance_norm(draw(*shape)),
    ]


def softmaxes(draw):
    """Along each dimension, and the losses of classes."""
    F, weight = tg.nn.functional, np.asarray([1.0, 2.0, 0.5, 1.0], draw.dtype)
    made = [F.softmax(draw(3, 4), dim=1), F.softmax(draw(2, 3, 4), dim=0), F.softmax(draw(4), dim=0)]
    made += [F.log_softmax(draw(3, 4), dim=1), F.log_softmax(draw(2, 3, 4), dim=-2)]
    for reduction in ("mean", "sum", "none"):
        made += [
            F.cross_entropy(draw(3, 4), draw.labels(4, 3), reduction=reduction),
            F.cross_entropy(
                draw(3, 4, 2), draw.labels(4, 3, 2), weight=weight, reduction=reduction, label_smoothing=0.1
            ),
            F.cross_entropy(draw(3, 4), tg.softmax(draw(3, 4), dim=1), reduction=reduction),
            F.nll_loss(draw(3, 4), np.array([0, -100, 3]), weight=weight, reduction=reduction),
        ]
    return [*made, F.cross_entropy(draw(4), np.array(2))]


def losses(draw):
    """Each with each reduction, towards a target that wants a gradient too."""
    F = tg.nn.functional
    made = [
        getattr(F, name)(draw(2, 3), draw(2, 3), reduction=reduction)
        for name in LOSSES
        for reduction in ("mean", "sum", "none")
    ]
    chances = tg.Tensor(np.asarray(draw.rng.random((2, 3))).astype(draw.dtype))
    weights = np.asarray([1.0, 2.0, 0.5], draw.dtype)
    return [
        *made,
        F.huber_loss(draw(2, 3), draw(2, 3), delta=0.3),
        F.smooth_l1_loss(draw(2, 3), draw(2, 3), beta=0.0),
        F.binary_cross_entropy(tg.sigmoid(draw(2, 3)), chances, weight=weights),
        F.binary_cross_entropy_with_logits(draw(2, 3), chances, weight=weights, pos_weight=weights),
    ]


def two_numbers(draw):
    """Operands that broadcast along some dimensions, or all."""
    return [
        draw(2, 3, 4) + draw(3, 1),
        draw(3, 1) - draw(4),
        draw(2, 3) * draw(2, 3),
        draw(2, 1, 3) * draw(),
        draw(1, 3) / draw.positive(2, 1),
        draw.positive(2, 3) ** draw(3),
        draw(2, 3) ** 2,
        2 / draw.positive(3),
        tg.maximum(draw(2, 3), draw(3)),
        tg.minimum(draw(2, 1), draw(1, 3)),
        tg.where(np.eye(3, dtype=bool), draw(3, 3), draw(3)),
        draw(2, 3).clamp(min=0.0, max=0.5),
        draw() + draw(1, 1),
    ]


def reductions(draw):
    """Along some dimensions, all, and with the dimension kept."""
    made = [tg.sum(draw(2, 3, 4), dim=1), tg.mean(draw(2, 3, 4), dim=(0, 2)), tg.mean(draw(2, 3))]
    for name in ("amax", "amin", "var", "std", "logsumexp", "vector_norm"):
        made += [OPS[name](draw(2, 3, 4), dim=1), OPS[name](draw(2, 3), dim=(0, 1), keepdim=True)]
    return [*made, tg.prod(draw(2, 3), dim=1), draw(2, 3).max(1)[0], draw(2, 3).min(0, keepdim=True)[0]]


KINDS = {
    function.__name__: function
    for function in (
        pointwise,
        poolings,
        products,
        norms,
        softmaxes,
        losses,
        two_numbers,
        reductions,
    )
}


class ResidualNet(tg.nn.Module):
    """A CNN with batch norm, a residual connection, groups, pooling of both kinds, and a linear head."""

    def __init__(self):
        super().__init__()
        self.stem = tg.nn.Conv2d(1, 4, 3, padding=1)
        self.norm = tg.nn.BatchNorm2d(4)
        self.branch = tg.nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.head = tg.nn.Linear(4 * 3 * 3, 4)

    def forward(self, x):
        x = tg.max_pool2d(tg.relu(self.norm(self.stem(x))), 3, 2, 1)
        x = x + tg.silu(self.branch(x))
        return self.head(tg.flatten(tg.avg_pool2d(x, 2), 1))


def residual_cnn():
    """Its cross-entropy, and a few more losses on it."""
    tg.manual_seed(0)
    rng = np.random.default_rng(0)
    images = tg.tensor(rng.standard_normal((3, 1, 12, 12)).astype(np.float32), name="images")
    scores, wanted = ResidualNet()(images), np.eye(4, dtype=np.float32)[[0, 3, 1]]
    weight = tg.tensor(rng.standard_normal(4).astype(np.float32), requires_grad=True, name="weight")
    normed = tg.nn.functional.layer_norm(scores, (4,), weight)
    return (
        tg.cross_entropy(scores, np.array([0, 3, 1]))
        + tg.mse_loss(tg.softmax(normed, dim=1), wanted)
        + tg.nn.functional.binary_cross_entropy_with_logits(scores, wanted)
        + (scores**2).mean()
    )
