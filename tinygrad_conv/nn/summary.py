"""What a net is made of, at a glance: `print(net.summary((1, 1, 28, 28)))`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..creation import zeros
from ..dtypes import Array, get_default_dtype
from ..engine.modes import no_grad
from ..engine.numpy_calls import tensors_in
from ..engine.registry import if_open
from ..engine.tensor import Tensor
from ..errors import show_shape, show_table
from ..options import is_integers, show_given
from .options import is_plain

Shape = tuple[int, ...]

SIZES_BEHIND: dict[str, Shape] = {"in_channels": (32, 32), "num_features": (32, 32), "in_features": ()}
"""By the option that tells a layer's channels, or features: sizes that may come behind them."""

HEAD = ("layer", "kind", "output", "parameters", "multiply-adds", "memory")


@dataclass(frozen=True)
class Row:
    """One call of a layer."""

    path: str
    kind: str
    output: tuple[Shape, ...]
    parameters: int  # the layer's own, 0 where an earlier row has counted them
    multiply_adds: int
    memory: int  # bytes of its output, 0 where it is a view of the input

    def cells(self) -> tuple[str, ...]:
        """As the table shows it, in the order of `HEAD`."""
        shapes = " ".join(map(show_shape, self.output))
        counts = f"{self.parameters:,}", f"{self.multiply_adds:,}"
        return self.path, self.kind, shapes, *counts, show_bytes(self.memory)


@dataclass(frozen=True)
class Summary:
    """The layers of a net in the order of their calls, and the sums; printing it shows the table.

    multiply_adds: of the layers that know their own, which are convolutions and linear layers. output_memory:
    the bytes of all layers' outputs together, views not counted; parameter_memory: those of the parameters,
    used or not.
    """

    rows: tuple[Row, ...]
    parameters: int
    trainable: int
    parameter_memory: int

    @property
    def multiply_adds(self) -> int:
        """The products summed in one forward."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def output_memory(self) -> int:
        """The bytes of all outputs."""
        return sum(row.memory for row in self.rows)

    def __str__(self) -> str:
        head, *lines = show_table([HEAD, *(row.cells() for row in self.rows)], "<<<>>>")
        rule = "─" * len(head)
        return "\n".join([head, rule, *lines, rule, *self.totals()])

    __repr__ = __str__

    def _repr_html_(self) -> str | None:
        return if_open("summary_html", self)

    def totals(self) -> list[str]:
        """The lines below the table."""
        parameters = f"{self.parameters:,} ({self.trainable:,} trainable)"
        return [
            f"parameters: {parameters}, {show_bytes(self.parameter_memory)}",
            f"outputs: {show_bytes(self.output_memory)}",
            f"multiply-adds: {self.multiply_adds:,}",
        ]


def summarize(net: Any, input_shapes: tuple[Shape, ...]) -> Summary:
    """Call the net once on zeros, in eval mode and off the tape, and note what each layer gives.

    The net stays as it is.
    """
    check_shapes(net, input_shapes)
    parameters = list(net.parameters())
    dtype = parameters[0].dtype if parameters else get_default_dtype()
    rows: list[Row] = []
    counted: set[Tensor] = set()
    given: dict[Any, list[Array]] = {}  # by layer: its inputs, which an in-place one replaces by its output

    def look(module: Any, inputs: tuple[Any, ...]) -> None:
        given[module] = [tensor.data for tensor in tensors_in(inputs)]

    def note(module: Any, inputs: tuple[Any, ...], output: Any) -> None:
        own = [parameter for parameter in module.parameters(recurse=False) if parameter not in counted]
        counted.update(own)
        rows.append(row_of(module, own, inputs, list(tensors_in(output)), given.pop(module, [])))

    layers = [
        module
        for module in net.modules()
        if not list(module.children()) or list(module.parameters(recurse=False))
    ]
    modes = {module: module.training for module in net.modules()}
    handles = [layer.register_forward_pre_hook(look) for layer in layers]
    handles += [layer.register_forward_hook(note) for layer in layers]
    try:
        with no_grad():
            net.eval()(*(zeros(*shape, dtype=dtype) for shape in input_shapes))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    return Summary(
        tuple(rows),
        sum(parameter.numel() for parameter in parameters),
        sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
        sum(parameter.data.nbytes for parameter in parameters),
    )


def check_shapes(net: Any, input_shapes: tuple[Any, ...]) -> None:
    """Refuse a call without the shape of each input, and say which it could be."""
    wrong = [shape for shape in input_shapes if not (is_plain(shape) and is_integers(shape))]
    if wrong or (not input_shapes and needs_input(net)):
        given = f", not {', '.join(map(show_given, input_shapes))}" if wrong else ""
        example = f"net.summary({example_shape(net)})"
        raise TypeError(
            f"summary: give the whole shape of each input, the batch included, as {example}{given}"
        )


def needs_input(net: Any) -> bool:
    """Whether its forward has an argument that must be given."""
    parameters = inspect.signature(net.forward).parameters.values()
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(each.default is each.empty and each.kind in by_position for each in parameters)


def example_shape(net: Any) -> Shape:
    """A shape that fits the first layer, as far as its options tell."""
    for layer in net.modules():
        for option, rest in SIZES_BEHIND.items():
            if hasattr(layer, option):
                dims = 1 if type(layer).__name__.endswith("1d") else 2
                return (1, getattr(layer, option), *rest[:dims])
    return 1, 3, 32, 32


def row_of(
    module: Any, parameters: list[Any], inputs: tuple[Any, ...], outputs: list[Tensor], given: list[Array]
) -> Row:
    """The row for one call of a layer, with these parameters to count; given: its inputs before the call."""
    work = module.multiply_adds(inputs[0].shape, outputs[0].shape) if inputs and outputs else 0
    made = [y.data for y in outputs if not any(np.may_share_memory(y.data, x) for x in given)]
    return Row(
        module._path,
        type(module).__name__,
        tuple(y.shape for y in outputs),
        sum(parameter.numel() for parameter in parameters),
        work,
        sum(array.nbytes for array in made),
    )


def show_bytes(count: int) -> str:
    """1536 as `1.5 KiB`."""
    size, units = float(count), ["B", "KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.0f} B" if units[0] == "B" else f"{size:.1f} {units[0]}"
