"""How far the layers are from PyTorch's of the same name, in float32 and with the same weights:

python -m tests.tools.layers     prints a line for each layer that both have; needs PyTorch

`to ours` loads PyTorch's state dict here, `to PyTorch` the other way; `gradient` is that of the input and of
every parameter. What is shown is the largest difference, relative to the largest number if that is above 1.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import tinygrad_conv as tg

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((2, 4, 9, 9)).astype(np.float32)
SERIES = RNG.standard_normal((2, 4, 9)).astype(np.float32)
PATCHES = RNG.standard_normal((2, 36, 49)).astype(np.float32)
ROWS, OTHERS, THIRD = RNG.standard_normal((3, 5, 3)).astype(np.float32)
SHARES = RNG.uniform(0.05, 0.95, (5, 3)).astype(np.float32)
SIGNS = np.sign(ROWS)
CLASSES = np.array([2, 0, 1, -100, 2])


class Sample(NamedTuple):
    """A layer that both have, made of either library, and what it is called with."""

    make: Callable[[Any], Any]
    inputs: tuple[Any, ...]
    modes: tuple[bool, ...] = (True, False)  # in training or not, one after the other


def on(inputs: Any, *calls: str, modes: tuple[bool, ...] = (True, False)) -> dict[str, Sample]:
    """Samples by name, of calls such as `Conv2d(4, 6, 3)`."""
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    return {call.partition("(")[0]: Sample(maker(call), inputs, modes) for call in calls}


def maker(call: str) -> Callable[[Any], Any]:
    """What makes a layer of either library."""
    return lambda lib: eval(call, {**vars(lib.nn)})


def net(lib: Any, forward: Callable[..., Any], **members: Any) -> Any:
    """A module with these members."""
    made = type("Net", (lib.nn.Module,), {"forward": forward})()
    for name, member in members.items():
        setattr(made, name, member)
    return made


def unpooled(dims: int) -> Callable[[Any], Any]:
    """A pooling layer, and one that puts the numbers back to where they were."""

    def make(lib: Any) -> Any:
        pool = getattr(lib.nn, f"MaxPool{dims}d")(3, return_indices=True)
        return net(lib, lambda self, x: self.back(*self.pool(x)), pool=pool, back=unpool(lib)(3))

    def unpool(lib: Any) -> Any:
        return getattr(lib.nn, f"MaxUnpool{dims}d")

    return make


def holding(kind: str) -> Callable[[Any], Any]:
    """A container of parameters, and a module that computes with them."""

    def make(lib: Any) -> Any:
        numbers = [lib.nn.Parameter(lib.linspace(-1.0, 1.0, 3)), lib.nn.Parameter(lib.ones(3) * 0.3)]
        keys: Any = ["weight", "bias"] if kind == "ParameterDict" else [0, 1]
        held = dict(zip(keys, numbers)) if kind == "ParameterDict" else numbers
        kept = getattr(lib.nn, kind)(held)
        return net(lib, lambda self, x: x * self.kept[keys[0]] + self.kept[keys[1]], kept=kept)

    return make


SAMPLES: dict[str, Sample] = {
    **on(IMAGES, "CELU(0.5)", "ELU(0.7)", "GELU()", "GLU(1)", "Hardshrink()", "Hardsigmoid()", "Hardswish()"),
    **on(IMAGES, "Hardtanh(-0.5, 0.7)", "LeakyReLU(0.3)", "LogSigmoid()", "Mish()", "PReLU(4)", "ReLU()"),
    **on(IMAGES, "ReLU6()", "SELU()", "SiLU()", "Sigmoid()", "Softplus(2.0)", "Softshrink()", "Softsign()"),
    **on(IMAGES, "Tanh()", "Tanhshrink()", "Threshold(0.1, -2.0)", "Identity()"),
    **on(IMAGES, "LogSoftmax(1)", "Softmax(1)", "Softmin(1)", "Softmax2d()"),
    **on(IMAGES, "Conv2d(4, 6, 3, 2, 1, groups=2)", "ConvTranspose2d(4, 6, 3, 2, 1, 1)", "Linear(9, 5)"),
    **on(SERIES, "Conv1d(4, 6, 3, 2, 1)", "ConvTranspose1d(4, 6, 3, 2, 1, 1)"),
    **on(IMAGES, "LazyConv2d(6, 3)", "LazyConvTranspose2d(6, 3)", "LazyLinear(5)", "LazyBatchNorm2d()"),
    **on(IMAGES, "LazyInstanceNorm2d(affine=True, track_running_stats=True)"),
    **on(SERIES, "LazyConv1d(6, 3)", "LazyConvTranspose1d(6, 3)", "LazyBatchNorm1d()"),
    **on(SERIES, "LazyInstanceNorm1d(affine=True, track_running_stats=True)"),
    **on(IMAGES, "BatchNorm2d(4)", "GroupNorm(2, 4)", "LayerNorm(9)", "LocalResponseNorm(3)"),
    **on(IMAGES, "InstanceNorm2d(4, affine=True, track_running_stats=True)"),
    **on(SERIES, "BatchNorm1d(4)", "InstanceNorm1d(4, affine=True, track_running_stats=True)"),
    **on(IMAGES, "AdaptiveAvgPool2d(4)", "AdaptiveMaxPool2d(4)", "AvgPool2d(3, 2, 1)", "MaxPool2d(3, 2, 1)"),
    **on(SERIES, "AdaptiveAvgPool1d(4)", "AdaptiveMaxPool1d(4)", "AvgPool1d(3, 2, 1)", "MaxPool1d(3, 2, 1)"),
    **on(IMAGES, "CircularPad2d(2)", "ConstantPad2d(2, 1.5)", "ReflectionPad2d(2)", "ReplicationPad2d(2)"),
    **on(IMAGES, "ZeroPad2d(2)", "Flatten()", "Unflatten(1, (2, 2))", "PixelShuffle(2)", "Unfold(3)"),
    **on(IMAGES, "Upsample(scale_factor=2, mode='bilinear')"),
    **on(PATCHES, "Fold(9, 3)"),
    **on(IMAGES, "Dropout(0.5)", "Dropout2d(0.5)", modes=(False,)),
    **on(SERIES, "Dropout1d(0.5)", modes=(False,)),
    **on(np.array([[0, 3], [6, 3]]), "Embedding(7, 5, padding_idx=0)"),
    **on((ROWS, OTHERS), "CosineSimilarity()", "PairwiseDistance()", "MSELoss()", "L1Loss()", "HuberLoss()"),
    **on((ROWS, OTHERS), "SmoothL1Loss()"),
    **on((ROWS, CLASSES), "CrossEntropyLoss(label_smoothing=0.1)", "NLLLoss()"),
    **on((ROWS, SHARES), "BCEWithLogitsLoss()", "KLDivLoss(reduction='batchmean')", "PoissonNLLLoss()"),
    **on((SHARES, SHARES[::-1].copy()), "BCELoss()"),
    **on((ROWS, OTHERS, SHARES), "GaussianNLLLoss()"),
    **on((ROWS, SIGNS), "HingeEmbeddingLoss()", "SoftMarginLoss()"),
    **on((ROWS, OTHERS, SIGNS), "MarginRankingLoss(0.5)"),
    **on((ROWS, OTHERS, SIGNS[:, 0]), "CosineEmbeddingLoss(0.5)"),
    **on((ROWS, OTHERS, THIRD), "TripletMarginLoss()"),
    "MaxUnpool1d": Sample(unpooled(1), (SERIES,)),
    "MaxUnpool2d": Sample(unpooled(2), (IMAGES,)),
    **on(ROWS, "Sequential(Linear(3, 4), ReLU(), Linear(4, 2))"),
    "Module": Sample(lambda lib: net(lib, lambda self, x: self.a(x) * x, a=lib.nn.Linear(3, 3)), (ROWS,)),
    "ModuleDict": Sample(
        lambda lib: net(lib, lambda self, x: self.d["a"](x), d=lib.nn.ModuleDict({"a": lib.nn.Linear(3, 2)})),
        (ROWS,),
    ),
    "ModuleList": Sample(
        lambda lib: net(lib, lambda self, x: self.d[0](x), d=lib.nn.ModuleList([lib.nn.Linear(3, 2)])),
        (ROWS,),
    ),
    "Parameter": Sample(
        lambda lib: net(lib, lambda self, x: x * self.scale, scale=lib.nn.Parameter(lib.ones(3) * 0.7)),
        (ROWS,),
    ),
    "ParameterDict": Sample(holding("ParameterDict"), (ROWS,)),
    "ParameterList": Sample(holding("ParameterList"), (ROWS,)),
    "UninitializedParameter": Sample(
        lambda lib: lib.nn.Sequential(lib.nn.LazyLinear(4), lib.nn.LazyLinear(2)), (ROWS,)
    ),
}
"""By the name of the layer. Dropout in training draws its own numbers in each library."""


class Agreement(NamedTuple):
    """How far a layer is from PyTorch's."""

    name: str
    keys: int  # of the state dict, the same in both
    to_ours: float
    to_torch: float
    gradient: float

    def __str__(self) -> str:
        numbers = (self.to_ours, self.to_torch, self.gradient)
        return f"{self.name:<24}{self.keys:>5}{''.join(f'{number:>13.1e}' for number in numbers)}"


HEADER = f"{'layer':<24}{'keys':>5}{'to ours':>13}{'to PyTorch':>13}{'gradient':>13}"


def shared_names(torch: Any) -> list[str]:
    """The layers and containers that both libraries have."""
    return [
        name
        for name in sorted(tg.nn.__all__)
        if inspect.isclass(getattr(tg.nn, name)) and hasattr(torch.nn, name)
    ]


def agreement(torch: Any, name: str) -> Agreement:
    """Compare a layer with PyTorch's, in both directions and in every mode."""
    torch.manual_seed(0)
    tg.manual_seed(0)
    sample = SAMPLES[name]
    ours, theirs = sample.make(tg), sample.make(torch)
    theirs = with_shapes(torch, theirs, sample)
    ours.load_state_dict(theirs.state_dict())
    keys = list(ours.state_dict())
    assert keys == list(theirs.state_dict())
    to_ours, gradients = differences(torch, ours, theirs, sample)
    other = with_shapes(torch, sample.make(torch), sample)
    other.load_state_dict(tg.interop.to_torch(ours))
    to_torch, other_gradients = differences(torch, ours, other, sample)
    return Agreement(name, len(keys), to_ours, to_torch, max(gradients, other_gradients))


def with_shapes(torch: Any, layer: Any, sample: Sample) -> Any:
    """A layer of PyTorch's after a first call, which gives lazy ones their shapes."""
    layer(*map(torch.tensor, sample.inputs))
    return layer


def differences(torch: Any, ours: Any, theirs: Any, sample: Sample) -> tuple[float, float]:
    """Of outputs and state, and of gradients; the largest."""
    outputs, gradients = [0.0], [0.0]
    ours.zero_grad()
    theirs.zero_grad()
    for training in sample.modes:
        ours.train(training)
        theirs.train(training)
        xs, us = [tg.tensor(array) for array in sample.inputs], [*map(torch.tensor, sample.inputs)]
        if us[0].is_floating_point():
            xs[0].requires_grad, us[0].requires_grad = True, True
        y, v = ours(*xs), theirs(*us)
        outputs.append(difference(y.data, v))
        if v.requires_grad:
            dy = np.random.default_rng(1).standard_normal(y.shape).astype(np.float32)
            y.backward(dy)
            v.backward(torch.from_numpy(np.asarray(dy)))
            leaves = zip([xs[0], *ours.parameters()], [us[0], *theirs.parameters()], strict=True)
            gradients += [difference(x.grad, u.grad) for x, u in leaves if u.grad is not None]
    states = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    outputs += [difference(tensor.data, other) for tensor, other in states]
    return max(outputs), max(gradients)


def difference(ours: Any, theirs: Any) -> float:
    """The largest, relative to the largest number where that is above 1."""
    theirs = theirs.detach().numpy()
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    return float(np.max(np.abs(ours - theirs), initial=0) / np.max(np.abs(theirs), initial=1))


def table(torch: Any) -> Iterator[str]:
    """A line for each layer."""
    yield HEADER
    for name in shared_names(torch):
        yield str(agreement(torch, name))


if __name__ == "__main__":
    import torch

    for line in table(torch):
        print(line)
