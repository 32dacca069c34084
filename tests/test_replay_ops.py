"""Ops one by one: their forwards and rules in a replay, those that are prepared for it over many shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.ops import replayed

from .kinds_of_ops import KINDS, Draw
from .replay_steps import batches, same_as_eager

F = tg.nn.functional


class Given(Draw):
    """Hands out leaves that were drawn before, in their order."""

    def __init__(self, leaves: Any, kept: list[Any]) -> None:
        self.leaves, self.kept, self.dtype = iter(leaves), iter(kept), np.float64
        self.rng: Any = self

    def __call__(self, *shape: int, name: str = "") -> Any:
        return next(self.leaves)

    def positive(self, *shape: int) -> Any:
        return next(self.leaves)

    unit = positive

    def labels(self, classes: int, *shape: int) -> Any:
        return next(self.kept)

    def random(self, shape: Any) -> Any:
        return next(self.kept)


class Noted(Draw):
    """Draws, and keeps what it drew."""

    def __init__(self, seed: int, dtype: Any) -> None:
        super().__init__(seed, dtype)
        self.numbers, self.leaves, self.kept = self.rng, [], []
        self.rng = self

    def leaf(self, array: Any) -> Any:
        self.leaves.append(tg.Tensor(np.asarray(array, self.dtype), requires_grad=True))
        return self.leaves[-1]

    def __call__(self, *shape: int, name: str = "") -> Any:
        return self.leaf(self.numbers.standard_normal(shape))

    def positive(self, *shape: int) -> Any:
        return self.leaf(np.abs(self.numbers.standard_normal(shape)) + 0.25)

    def unit(self, *shape: int) -> Any:
        return self.leaf(np.tanh(self.numbers.standard_normal(shape)) * 0.9)

    def labels(self, classes: int, *shape: int) -> Any:
        self.kept.append(self.numbers.integers(0, classes, shape))
        return self.kept[-1]

    def random(self, shape: Any) -> Any:
        self.kept.append(self.numbers.random(shape))
        return self.kept[-1]


def norms(draw: Any) -> list[Any]:
    """Normalisations without running statistics."""
    return [
        F.layer_norm(draw(3, 4), (4,), draw(4), draw(4)),
        F.layer_norm(draw(3, 2, 4), (2, 4)),
        F.group_norm(draw(2, 4, 3), 2, draw(4), draw(4)),
        F.instance_norm(draw(2, 3, 4, 4)),
        F.batch_norm(draw(4, 3, 2, 2), None, None, draw(3), draw(3), training=True),
        F.local_response_norm(draw(2, 5, 3, 3), 3),
    ]


EXHAUSTIVE = [pytest.param(dtype, marks=pytest.mark.exhaustive) for dtype in (np.float64, np.float16)]


@pytest.mark.parametrize("dtype", [np.float32, *EXHAUSTIVE])
@pytest.mark.parametrize("kind", [*(name for name in KINDS if name != "norms"), "own norms"])
def test_all_kinds_of_ops(kind: str, dtype: Any) -> None:
    function = norms if kind == "own norms" else KINDS[kind]

    def make() -> Any:
        drawn = [Noted(seed, dtype) for seed in range(5)]
        for draw in drawn:
            function(draw)
        kept = drawn[0].kept

        def step(*leaves: Any) -> Any:
            made = function(Given(leaves, kept))
            outputs = [
                each for output in made for each in (output if isinstance(output, tuple) else (output,))
            ]
            loss = sum(
                (output.double() * output.double()).sum() for output in outputs if output.requires_grad
            )
            loss.backward()
            return loss, [output.detach() for output in outputs]

        owners = [leaf for draw in drawn for leaf in draw.leaves]
        return owners, step, [tuple(draw.leaves) for draw in drawn]

    same_as_eager(make, at_least=3)


SHAPES = [
    # N, C, H, W, O, kernel, stride, padding, dilation, groups
    (1, 1, 3, 3, 1, 2, 1, 0, 1, 1),
    (4, 2, 5, 6, 3, 3, 1, 1, 1, 1),
    (3, 2, 7, 5, 4, 3, 2, 1, 1, 2),
    (2, 3, 6, 6, 2, 1, 1, 0, 1, 1),
    (1, 48, 6, 6, 48, 1, 1, 0, 1, 1),
    (2, 2, 9, 9, 2, 3, 1, 2, 2, 1),
    (16, 4, 12, 12, 8, 3, 1, 1, 1, 1),
    (8, 16, 16, 16, 32, 3, 1, 1, 1, 1),
    (0, 2, 5, 5, 3, 3, 1, 1, 1, 1),
]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_convolutions_pools_and_linear_layers(shape: Any, bias: bool) -> None:
    n, c, h, w, o, kernel, stride, padding, dilation, groups = shape

    def make() -> Any:
        tg.manual_seed(0)
        conv = tg.nn.Conv2d(c, o, kernel, stride, padding, dilation, groups, bias=bias)
        size = conv(tg.zeros(1, c, h, w)).shape[2:]
        pool = tg.nn.MaxPool2d(2) if min(size) >= 2 else tg.nn.Identity()
        features = pool(conv(tg.zeros(1, c, h, w))).numel() if n else o * (size[0] // 2) * (size[1] // 2)
        linear = tg.nn.Linear(features, 3, bias=bias)
        net = tg.nn.Sequential(conv, tg.nn.ReLU(), pool, tg.nn.Flatten(), linear, tg.nn.Tanh())

        def step(x: Any, target: Any) -> Any:
            net.zero_grad()
            y = net(x)
            loss = tg.mse_loss(y, target) + tg.mse_loss(y, target, reduction="sum") * 0.1
            loss.backward()
            return loss

        rng = np.random.default_rng(1)
        calls = []
        for number in range(6):
            x = rng.standard_normal((n, c, h, w), np.float32)
            if number == 4 and x.size:
                x.flat[0] = np.inf  # kernels look out for it
            target = rng.standard_normal((n, 3), np.float32)
            calls.append((tg.tensor(x).requires_grad_(), tg.tensor(target)))
        return [net, *(x for x, _ in calls)], step, calls

    with np.errstate(all="ignore"):
        same_as_eager(make, at_least=3)


SPECIAL = {
    "relu, tanh and arithmetic": lambda x, y: tg.relu(x) * y + tg.tanh(y) - x,
    "leaky_relu": lambda x, y: F.leaky_relu(x * 1, 0.0) * F.leaky_relu(y * 1, -3e38),
    "div": lambda x, y: (x * 1) / (y * 1) / y[:1],
    "matmul": lambda x, y: (x.reshape(2, 4) @ y.reshape(4, 2)) @ y.reshape(2, 4)[:, :1] @ x[:3].reshape(1, 3),
}


@pytest.mark.parametrize("kind", SPECIAL)
def test_special_values_come_through(kind: str) -> None:
    def make() -> Any:
        values = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3.0, -2.0]

        def step(x: Any, y: Any) -> Any:
            loss = SPECIAL[kind](x, y).sum()
            loss.backward()
            return loss

        rng = np.random.default_rng(0)
        calls = [
            tuple(tg.tensor(rng.permutation(values).astype(np.float32)).requires_grad_() for _ in "xy")
            for _ in range(6)
        ]
        return [tensor for call in calls for tensor in call], step, calls

    with np.errstate(all="ignore"):
        same_as_eager(make, at_least=4)


@pytest.mark.parametrize(
    "options", [{}, {"label_smoothing": 0.1}, {"reduction": "sum"}, {"ignore_index": 2}], ids=str
)
def test_cross_entropy_with_labels_that_do_not_count_in_some_calls(options: Any) -> None:
    def make() -> Any:
        def step(x: Any, labels: Any) -> Any:
            losses = [tg.cross_entropy(x, labels, **options), tg.cross_entropy(x, labels)]
            (losses[0] + 2 * losses[1]).backward()
            return losses

        rng = np.random.default_rng(0)
        calls = []
        for number in range(8):
            labels = rng.integers(0, 3, 5)
            if number in (3, 6) and "ignore_index" not in options:
                labels[number - 3] = -100
            x = rng.standard_normal((5, 3), np.float32)
            if number == 5:
                x[1, 1] = np.inf
            calls.append((tg.tensor(x).requires_grad_(), tg.tensor(labels)))
        return [x for x, _ in calls], step, calls

    with np.errstate(all="ignore"):
        same_as_eager(make, at_least=6)


def test_a_label_that_is_no_class_is_refused_as_in_eager() -> None:
    step = tg.replay(lambda x, labels: tg.cross_entropy(x, labels))
    x = tg.randn(2, 3)
    for _ in range(4):
        step(x, tg.tensor([0, 2]))
    with pytest.raises(ValueError, match="cross_entropy: labels must be at least 0 and below the 3 classes"):
        step(x, tg.tensor([0, 3]))


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_dropout_and_average_pools(training: bool) -> None:
    def make() -> Any:
        tg.manual_seed(0)
        net = tg.nn.Sequential(
            tg.nn.BatchNorm2d(3, affine=False),
            tg.nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
            tg.nn.Conv2d(3, 4, 3, padding=1, bias=False),
            tg.nn.BatchNorm2d(4),
            tg.nn.Dropout(0.3),
            tg.nn.AvgPool2d(2, ceil_mode=True),
            tg.nn.Flatten(),
            tg.nn.BatchNorm1d(36),
            tg.nn.Dropout(0.5),
        ).train(training)

        def step(x: Any) -> Any:
            net.zero_grad()
            y = net(x)
            (y * y).mean().backward()
            return y.detach()

        calls = [(tg.randn(4, 3, 11, 9).requires_grad_(),) for _ in range(6)]
        return [net, *(x for (x,) in calls)], step, calls

    same_as_eager(make, at_least=3)


@pytest.mark.parametrize("samples", [1, 33])
def test_large_batch_norm_between_other_memory_orders(samples: int) -> None:
    """What a convolution writes to has the steps that eager gives an axis of size 1, too; and what comes back
    from a linear layer has not the memory order of what went in.
    """

    def make() -> Any:
        tg.manual_seed(0)
        net = tg.nn.Sequential(
            tg.nn.Conv2d(2, 24, 3, padding=1),
            tg.nn.BatchNorm2d(24),
            tg.nn.MaxPool2d(2),
            tg.nn.Upsample(scale_factor=2),
            tg.nn.BatchNorm2d(24),
            tg.nn.Flatten(),
            tg.nn.Linear(24 * 32 * 32, 3),
        )

        def step(x: Any) -> Any:
            net.zero_grad()
            y = net(x)
            (y * y).mean().backward()
            return y.detach()

        return [net], step, [(tg.randn(samples, 2, 32, 32),) for _ in range(4)]

    same_as_eager(make, at_least=2)


def test_what_is_prepared_is_declared_for_inputs_that_there_are() -> None:
    assert replayed is not None
    prepared = {name: op for name, op in OPS.items() if op.replays}
    expected = (
        "conv2d relu leaky_relu tanh max_pool2d avg_pool2d linear matmul add sub mul div flatten reshape "
        "mse_loss cross_entropy batch_norm dropout"
    )
    assert set(expected.split()) <= set(prepared)
    for op in prepared.values():
        assert all(argument is None or argument in op.inputs for argument, _ in op.replays)


def test_a_hook_of_a_users_op(scratch_ops: None) -> None:
    called: list[str] = []

    @tg.primitive
    def doubled(x: Any) -> Any:
        return 2 * x

    @doubled.grad("x")
    def doubled_dx(dy: Any) -> Any:
        return 2 * dy

    @doubled.replayed()
    def doubled_replayed(out: Any, shared: Any, x: Any) -> Any:
        called.append("prepared")
        return lambda x: np.multiply(x, 2, out=out)

    @doubled.replayed("x")
    def doubled_dx_replayed(out: Any, shared: Any, dy: Any) -> Any:
        return None  # the rule itself

    step = tg.replay(lambda x: doubled(doubled(x)).sum().backward())
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(4):
        step(x)
    assert called == ["prepared"] * 2 and step.replays == 2
    np.testing.assert_array_equal(x.grad, [16, 16])
    with pytest.raises(tg.errors.DeclarationError, match="doubled has"):
        doubled.replayed("w")(doubled_dx_replayed)


def test_numbers_of_numpy_are_numbers_in_a_replay_too() -> None:
    dim, groups = np.int64(1), np.int64(2)
    w = tg.ones(2, 1, 2, 2)
    step = tg.replay(lambda x: F.conv2d(x, w, groups=groups).sum(dim))
    for number in range(1, 5):
        y = step(tg.full((1, 2, 3, 3), float(number)))
        np.testing.assert_array_equal(y, np.full((1, 2, 2), 8 * number))
    assert step.replays == 2


def test_rows_of_a_table_are_looked_up_in_replays_and_looked_at() -> None:
    """A number that names no row is refused in a replay, too, where NumPy would count it from the end."""
    table = nn.Embedding(20, 4)
    rng = np.random.default_rng(0)

    @tg.replay
    def rows(x: Any) -> Any:
        return table(x).detach()

    @tg.replay
    def columns(x: Any) -> Any:
        return tg.index_select(table.weight, 1, x).detach()

    for _ in range(5):
        x, y = rng.integers(0, 20, (3, 2)), rng.integers(0, 4, 5)
        np.testing.assert_array_equal(rows(tg.tensor(x)).data, table.weight.data[x])
        np.testing.assert_array_equal(columns(tg.tensor(y)).data, table.weight.data[:, y])
    assert rows.replays == columns.replays == 3
    with pytest.raises(IndexError, match="embedding: input holds -1 … 1, but weight has the rows 0 … 19"):
        rows(tg.tensor([[0, 1], [0, -1], [0, 1]]))
    with pytest.raises(IndexError, match="index_select: index holds -1 … 3, but x has the places 0 … 3"):
        columns(tg.tensor([0, 1, 2, 3, -1]))
    assert rows.replays == columns.replays == 4


def test_shapes_may_be_asked_for_in_any_way() -> None:
    def make() -> Any:
        scale = tg.full((3, 1), 0.5, requires_grad=True)

        def step(x: Any, y: Any) -> Any:
            scale.grad = None
            gates = scale.expand_as(x[0, 0, :3]).view_as(x[0, 0, :3])
            loss = (gates.reshape(np.shape(gates)) * np.ndim(x)).sum() / np.size(x)
            loss.backward()
            return loss

        return [], step, batches()

    same_as_eager(make, at_least=6)
