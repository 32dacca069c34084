"""Replays of random nets, and of the examples' for many steps: equal to eager to the bit."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import same_as_eager

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SIDE = 8


class Residual(nn.Module):
    """x + body(x)."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Any) -> Any:
        return x + self.body(x)


class Functions(nn.Module):
    """Views, arithmetic and reductions between layers."""

    def forward(self, x: Any) -> Any:
        scaled = (x * 0.5 - x.mean(dim=0, keepdim=True)) / (1 + x.abs().amax())
        left, right = tg.split(scaled, [1, scaled.shape[1] - 1], dim=1)
        joined = tg.cat([right, left], dim=1).clamp(-1.0, 0.5)
        return tg.where(x > 0, joined, x.flip(0) * 0.1)


def activation(rng: np.random.Generator) -> Any:
    """One at random."""
    kinds = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Hardtanh)
    kind = kinds[rng.integers(len(kinds))]
    return kind(inplace=True) if kind in (nn.ReLU, nn.ELU, nn.Hardtanh) and rng.random() < 0.3 else kind()


def random_net(rng: np.random.Generator) -> tuple[Any, int]:
    """A net for images [N, C, 8, 8], and their channels."""
    inputs = channels = int(rng.integers(1, 4))
    side, layers = SIDE, []
    for _ in range(rng.integers(1, 4)):
        kernel, stride = int(rng.integers(1, 4)), int(rng.choice([1, 1, 1, 2]))
        outputs = int(rng.choice([1, 2, 4, 6]))
        groups = channels if rng.random() < 0.2 and outputs % channels == 0 else 1
        padding = int(rng.integers(0, kernel))
        if (side + 2 * padding - kernel) // stride + 1 < 1:
            break
        bias = bool(rng.random() < 0.7)
        layers.append(nn.Conv2d(channels, outputs, kernel, stride, padding, groups=groups, bias=bias))
        channels, side = outputs, (side + 2 * padding - kernel) // stride + 1
        norms = [nn.BatchNorm2d(channels), nn.GroupNorm(1, channels), nn.BatchNorm2d(channels, momentum=None)]
        if side > 1 and rng.random() < 0.5:
            layers.append(norms[rng.integers(3)])
        layers.append(activation(rng))
        if channels > 1 and rng.random() < 0.3:
            layers.append(Functions())
        if rng.random() < 0.3:
            layers.append(
                Residual(nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), activation(rng)))
            )
        if side >= 2 and rng.random() < 0.5:
            pool = nn.MaxPool2d(2) if rng.random() < 0.7 else nn.AvgPool2d(2)
            layers.append(nn.MaxPool2d(3, 1, 1) if rng.random() < 0.2 else pool)
            side = side if isinstance(layers[-1], nn.MaxPool2d) and layers[-1].stride == 1 else side // 2
        if rng.random() < 0.2:
            layers.append(nn.Dropout2d(0.2))
    features = channels * side * side
    layers.append(nn.Flatten())
    if rng.random() < 0.5:
        layers += [nn.Linear(features, 7), activation(rng), nn.Dropout(0.1)]
        layers += [nn.LayerNorm(7)] if rng.random() < 0.4 else []
        features = 7
    return nn.Sequential(*layers, nn.Linear(features, 3)), inputs


def random_optimizer(rng: np.random.Generator, net: Any) -> Any:
    """One at random, some with two groups."""
    params: Any = list(net.parameters())
    if rng.random() < 0.3 and len(params) > 1:
        params = [{"params": params[:1], "lr": 0.002}, {"params": params[1:]}]
    makers = (
        lambda: optim.SGD(params, lr=0.01),
        lambda: optim.SGD(params, lr=0.01, momentum=0.9, weight_decay=0.01),
        lambda: optim.Adam(params, lr=0.01),
        lambda: optim.AdamW(params, lr=0.01, amsgrad=True),
        lambda: optim.RMSprop(params, lr=0.001),
    )
    return makers[rng.integers(len(makers))]()


def random_training(seed: int) -> Any:
    """A maker of a training of a random net."""

    def make() -> Any:
        rng = np.random.default_rng(seed)
        tg.manual_seed(seed)
        net, channels = random_net(rng)
        optimizer = random_optimizer(rng, net)
        classes, clipped, noisy = rng.random() < 0.5, rng.random() < 0.3, rng.random() < 0.2
        samples = int(rng.integers(2, 6))

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            logits = net(x + 0.01 * tg.randn_like(x) if noisy else x)
            loss = tg.cross_entropy(logits, y) if classes else tg.mse_loss(logits, y)
            loss.backward()
            if clipped:
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            return loss, logits.detach()

        calls = []
        for _ in range(7):
            x = rng.standard_normal((samples, channels, SIDE, SIDE), np.float32)
            y = rng.integers(0, 3, samples) if classes else rng.standard_normal((samples, 3), np.float32)
            calls.append((tg.tensor(x), tg.tensor(y)))
        return [net, optimizer], step, calls

    return make


@pytest.mark.parametrize("seed", range(5))
def test_random_nets(seed: int) -> None:
    same_as_eager(random_training(seed), at_least=5)


@pytest.mark.exhaustive
@pytest.mark.parametrize("block", range(8))
def test_200_random_nets(block: int) -> None:
    for seed in range(5 + 25 * block, 5 + 25 * (block + 1)):
        same_as_eager(random_training(seed), at_least=5, check=seed % 10 == 0)


def example(name: str) -> Any:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def images(count: int, samples: int, side: int, classes: int) -> list[Any]:
    """Batches that come round again and again, in the order of their random numbers."""
    rng = np.random.default_rng(1)
    known = []
    for _ in range(4):
        x = rng.standard_normal((samples, 1, side, side), np.float32)
        known.append(
            (tg.tensor(x), tg.tensor(np.eye(classes, dtype=np.float32)[rng.integers(0, classes, samples)]))
        )
    return [known[place] for place in rng.integers(0, 4, count)]


def training(net: Any, optimizer: Any, calls: list[Any]) -> Any:
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = tg.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return [net, optimizer], step, calls


def train_shapes(count: int) -> Any:
    tg.manual_seed(0)
    net = example("train_shapes").Net(8, 4)
    return training(net, optim.Adam(net.parameters(), lr=3e-3), images(count, 4, 8, 4))


def learn_a_kernel(count: int) -> Any:
    layer = nn.Conv2d(1, 1, kernel_size=3, bias=False)
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((4, 1, 6, 6), np.float32))
    target = tg.conv2d(x, tg.tensor(rng.standard_normal((1, 1, 3, 3), np.float32)))
    return training(layer, optim.SGD(layer.parameters(), lr=0.1), [(x, target)] * count)


def article(count: int) -> Any:
    x = tg.tensor([[[[1.0, 2, 0], [0, 1, 1], [1, 0, 1]]]])
    w = nn.Parameter(tg.tensor([[[[1.0, 0], [0, 1]]]]))
    optimizer = optim.SGD([w], lr=0.001)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = 0.5 * ((tg.conv2d(x, w) - 1) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss

    return [w, optimizer], step, [(x,)] * count


def train_digits(count: int) -> Any:
    tg.manual_seed(0)
    net = example("train_digits").Net()
    optimizer = optim.Adam(net.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=count)

    def step(x: Any, y: Any) -> Any:
        scores = net(x)
        loss = tg.cross_entropy(scores, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss, scores.detach()

    return [net, optimizer], step, images(count, 8, 8, 10)


def train_mnist(count: int) -> Any:
    tg.manual_seed(0)
    net = example("train_mnist").Net(12, 12)
    return training(net, optim.Adam(net.parameters(), lr=5e-3), images(count, 4, 12, 10))


def train_parallel(count: int) -> Any:
    net = example("train_parallel").make_net()
    return training(net, optim.SGD(net.parameters(), lr=0.1, momentum=0.9), images(count, 4, 8, 2))


def involution(count: int) -> Any:
    tg.manual_seed(0)
    module = example("involution")
    layer = module.Involution2d(2, kernel_size=3)
    optimizer = optim.Adam(layer.parameters(), lr=0.02)
    x, wanted = map(tg.tensor, module.neighbours(np.random.default_rng(0), 8))

    def step(x: Any, wanted: Any) -> Any:
        optimizer.zero_grad()
        loss = tg.mse_loss(layer(x)[:, :1], wanted)
        loss.backward()
        optimizer.step()
        return loss

    return [layer, optimizer], step, [(x, wanted)] * count


def conv_bias_relu(count: int) -> Any:
    op = example("conv_bias_relu").conv_bias_relu
    tg.manual_seed(0)
    layer = nn.Conv2d(1, 4, 3)
    optimizer = optim.SGD(layer.parameters(), lr=0.01)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = tg.mse_loss(op(x, layer.weight, layer.bias, stride=2, padding=1).mean(dim=(2, 3)), y)
        loss.backward()
        optimizer.step()
        return loss

    return [layer, optimizer], step, images(count, 4, 8, 4)


def custom_op(count: int) -> Any:
    op = example("custom_op").smooth_relu
    x = tg.tensor(np.linspace(-4, 4, 9, dtype=np.float32), requires_grad=True)
    optimizer = optim.SGD([x], lr=0.1)

    def step() -> Any:
        optimizer.zero_grad()
        loss = op(x).sum()
        loss.backward()
        optimizer.step()
        return loss

    return [x, optimizer], step, [()] * count


TRAININGS = [
    *(train_shapes, train_digits, train_mnist, train_parallel),
    *(learn_a_kernel, article, involution, conv_bias_relu, custom_op),
]


@pytest.mark.parametrize(
    "count", [25, pytest.param(500, marks=pytest.mark.exhaustive)], ids=["25 steps", "500 steps"]
)
@pytest.mark.parametrize("make", TRAININGS, ids=lambda make: make.__name__)
def test_the_trainings_of_the_examples(
    make: Any, count: int, scratch_ops: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)  # one of them imports another
    same_as_eager(lambda: make(count), at_least=count - 2)
