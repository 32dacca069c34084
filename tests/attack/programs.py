"""Random programs, here and in PyTorch: the same values, first and second gradients, shapes, and aliases.

A program is a list of instructions on numbered variables. Some change a variable in place, some run under
no_grad; where another variable shows the same memory, ours may refuse what PyTorch does, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.errors import MutationError

from .campaign import Campaign

SHAPES = ((), (3,), (2, 3), (1, 3), (2, 1), (2, 2, 3), (0, 3), (4, 1, 2))
TOLERANCE = 1e-8  # all is in float64

UNARY = ("sin", "tanh", "sigmoid", "relu", "exp", "abs", "neg", "clone", "detach")
BINARY = ("add", "sub", "mul")
REDUCTIONS = ("sum", "mean")
IN_PLACE = ("relu_", "tanh_", "sin_", "neg_", "mul_", "add_", "sub_", "clamp_", "fill_")
AUGMENTED = ("+=", "-=", "*=")


@dataclass(frozen=True)
class Instruction:
    """target = name(operands, arguments); in place, the target is the first operand."""

    name: str
    operands: tuple[int, ...]
    arguments: tuple[Any, ...] = ()
    no_grad: bool = False


@dataclass
class Program:
    """Leaves by their shapes (and which require a gradient), and what is done with them."""

    leaves: tuple[tuple[tuple[int, ...], bool], ...]
    instructions: tuple[Instruction, ...] = field(default=())
    seed: int = 0


class Refused(Exception):
    """Ours refuses to change a tensor in place that others show the memory of, or a leaf."""


def draw_index(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """An index for a tensor of this shape: a number, a slice, or whole numbers that may repeat."""
    size = shape[0]
    choice = random.integers(4)
    if choice == 0 and size:
        return int(random.integers(-size, size))
    if choice == 1:
        return slice(None, None, int(random.integers(1, 3)))
    if choice == 2 and len(shape) > 1 and shape[1]:
        return (slice(None), int(random.integers(shape[1])))
    return [int(each) for each in random.integers(0, size, size=int(random.integers(1, 4)))] if size else ...


def draw_instruction(random: np.random.Generator, shapes: list[tuple[int, ...]]) -> Instruction:
    """An instruction on variables of these shapes."""
    first = int(random.integers(len(shapes)))
    shape, choice = shapes[first], random.random()
    no_grad = random.random() < 0.1
    fitting = [other for other, known in enumerate(shapes) if fits(known, shape)]
    second = int(random.choice(fitting))
    if choice < 0.2:
        return Instruction(str(random.choice(UNARY)), (first,), (), no_grad)
    if choice < 0.35:
        return Instruction(str(random.choice(BINARY)), (first, second), (), no_grad)
    if choice < 0.42:
        dim = int(random.integers(-1, len(shape))) if shape else -1
        arguments = () if dim < 0 else (dim, bool(random.integers(2)))
        return Instruction(str(random.choice(REDUCTIONS)), (first,), arguments, no_grad)
    if choice < 0.5:
        return Instruction("reshape", (first,), ((-1,) if math.prod(shape) else shape,), no_grad)
    if choice < 0.55:
        return Instruction("permute", (first,), tuple(int(dim) for dim in random.permutation(len(shape))))
    if choice < 0.65 and shape:
        return Instruction("getitem", (first,), (draw_index(random, shape),), no_grad)
    if choice < 0.75 and shape:
        return Instruction(
            "setitem", (first, scalar_of(random, shapes)), (draw_index(random, shape),), no_grad
        )
    if choice < 0.82 and shape:
        symbol = str(random.choice(AUGMENTED))
        return Instruction(f"item {symbol}", (first,), (draw_index(random, shape),), no_grad)
    if choice < 0.9:
        return Instruction(str(random.choice(AUGMENTED)), (first, second), (), no_grad)
    return Instruction(str(random.choice(IN_PLACE)), (first,), (), no_grad)


def fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another one."""
    return len(shape) <= len(into) and all(a in (1, b) for a, b in zip(shape[::-1], into[::-1]))


def scalar_of(random: np.random.Generator, shapes: list[tuple[int, ...]]) -> int:
    """A variable without dimensions; there always is one."""
    return int(random.choice([number for number, shape in enumerate(shapes) if shape == ()]))


class Ours:
    """How a program is run here."""

    no_grad = staticmethod(tg.no_grad)

    @staticmethod
    def leaf(array: np.ndarray, requires_grad: bool) -> Any:
        return tg.tensor(array).requires_grad_(requires_grad)

    @staticmethod
    def gradients(output: Any, inputs: list[Any], create_graph: bool = False) -> list[Any]:
        return list(tg.grad(output, inputs, create_graph=create_graph, allow_unused=True))


class Theirs:
    """How a program is run in PyTorch."""

    def __init__(self) -> None:
        import torch

        self.torch, self.no_grad = torch, torch.no_grad

    def leaf(self, array: np.ndarray, requires_grad: bool) -> Any:
        return self.torch.tensor(array).requires_grad_(requires_grad)

    def gradients(self, output: Any, inputs: list[Any], create_graph: bool = False) -> list[Any]:
        return list(
            self.torch.autograd.grad(
                output, inputs, create_graph=create_graph, allow_unused=True, retain_graph=True
            )
        )


def execute(instruction: Instruction, variables: list[Any], framework: Any) -> None:
    """Run an instruction; what it makes is a new variable, or takes the place of the changed one."""
    operands = [variables[number] for number in instruction.operands]
    with framework.no_grad() if instruction.no_grad else nullcontext():
        result, changes = apply(instruction, operands)
    if changes:
        variables[instruction.operands[0]] = result
    else:
        variables.append(result)


def apply(instruction: Instruction, operands: list[Any]) -> tuple[Any, bool]:
    """What an instruction makes, and whether it has changed its first operand in place."""
    name, arguments, x = instruction.name, instruction.arguments, operands[0]
    if name in ITEMS:
        return ITEMS[name](x, *operands[1:], *arguments)
    if name in AUGMENTED:
        scope = {"x": x, "y": operands[1]}
        exec(f"x {name} y", scope)
        return scope["x"], True
    if name in IN_PLACE:
        return getattr(x, name)(
            *{"clamp_": (-0.5, 0.5), "fill_": (0.25,)}.get(name, (1.5,) if name in FACTORS else ())
        ), True
    if name == "permute":
        return x.permute(*arguments) if arguments else x.clone(), False
    return getattr(x, name)(*operands[1:], *arguments), False


FACTORS = ("mul_", "add_", "sub_")


def setitem(x: Any, value: Any, index: Any) -> tuple[Any, bool]:
    """x[index] = value."""
    x[index] = value
    return x, True


def change_item(symbol: str) -> Callable[[Any, Any], tuple[Any, bool]]:
    """x[index] += 1.5, and its kin."""

    def change(x: Any, index: Any) -> tuple[Any, bool]:
        exec(f"x[index] {symbol} 1.5", {"x": x, "index": index})
        return x, True

    return change


ITEMS: dict[str, Any] = {
    "getitem": lambda x, index: (x[index], False),
    "setitem": setitem,
    **{f"item {symbol}": change_item(symbol) for symbol in AUGMENTED},
}


class Programs(Campaign):
    """What ours computes, PyTorch computes; ours may refuse to tear views apart, and nothing else."""

    def make(self, random: np.random.Generator) -> Program:
        count = int(random.integers(1, 4))
        leaves = [((), True)] + [
            (SHAPES[random.integers(len(SHAPES))], bool(random.random() < 0.8)) for _ in range(count)
        ]
        program = Program(tuple(leaves), (), int(random.integers(2**31)))
        shapes = [shape for shape, _ in leaves]
        for _ in range(int(random.integers(1, 14))):
            instruction = draw_instruction(random, shapes)
            longer = replace(program, instructions=(*program.instructions, instruction))
            try:
                variables = run(longer, Theirs())
            except (RuntimeError, IndexError):
                continue  # PyTorch refuses it
            program, shapes = longer, [tuple(variable.shape) for variable in variables]
        return program

    def check(self, program: Program) -> None:
        try:
            ours = run(program, Ours())
        except MutationError:
            return  # another tensor would have to change as well
        theirs = run(program, Theirs())
        compare("variable", ours, theirs)
        for number, (variable, expected) in enumerate(zip(ours, theirs, strict=True)):
            # a view of a leaf, made under no_grad, says in PyTorch that it requires a gradient; it gets none
            wanted = expected.requires_grad and (expected.grad_fn is not None or variable.requires_grad)
            if variable.requires_grad != wanted:
                raise AssertionError(f"variable {number}: requires_grad is {variable.requires_grad}")
        check_gradients(program, ours, theirs)

    def smaller(self, program: Program) -> Iterable[Program]:
        """Without one of the instructions, the last ones first."""
        for position in range(len(program.instructions) - 1, -1, -1):
            instructions = program.instructions[:position] + program.instructions[position + 1 :]
            fewer = replace(program, instructions=instructions)
            try:
                run(fewer, Theirs())
            except (RuntimeError, IndexError, TypeError):
                continue
            yield fewer


def run(program: Program, framework: Any) -> list[Any]:
    """The variables after a program: the leaves first."""
    random = np.random.default_rng(program.seed)
    variables = [
        framework.leaf(random.normal(size=shape), requires_grad) for shape, requires_grad in program.leaves
    ]
    for instruction in program.instructions:
        execute(instruction, variables, framework)
    return variables


def check_gradients(program: Program, ours: list[Any], theirs: list[Any]) -> None:
    """Compare the gradients of the sum of squares of all variables, and of theirs."""
    count = len(program.leaves)
    wanted = [number for number in range(count) if theirs[number].is_leaf and theirs[number].requires_grad]
    outputs = [loss_of(variables) for variables in (ours, theirs)]
    inputs = [[variables[number] for number in wanted] for variables in (ours, theirs)]
    if not wanted or not outputs[1].requires_grad:
        return
    try:
        expected = Theirs().gradients(outputs[1], inputs[1], create_graph=True)
    except RuntimeError:
        return  # it had to keep an array that was changed in place since; ours keeps the old one
    found = Ours.gradients(outputs[0], inputs[0], create_graph=True)
    compare("gradient", found, expected)
    seconds = [loss_of([each for each in gradients if each is not None]) for gradients in (found, expected)]
    if not seconds[1].requires_grad:
        return
    try:
        expected = Theirs().gradients(seconds[1], inputs[1])
    except RuntimeError:
        return
    compare("second gradient", Ours.gradients(seconds[0], inputs[0]), expected)


def loss_of(variables: list[Any]) -> Any:
    """A number that depends on each of them, and in which their elements differ."""
    return sum((variable * variable * (number + 1)).sum() for number, variable in enumerate(variables))


def compare(what: str, ours: list[Any], theirs: list[Any]) -> None:
    """Refuse another number, shape or lack; an unused gradient may be zeros instead of None."""
    for number, (variable, expected) in enumerate(zip(ours, theirs, strict=True)):
        array = None if variable is None else variable.detach().numpy()
        other = None if expected is None else expected.detach().numpy()
        if array is None or other is None:
            given = other if array is None else array
            assert given is None or not given.any(), f"{what} {number} is {array}, in PyTorch {other}"
            continue
        message = f"{what} {number}"
        np.testing.assert_allclose(array, other, TOLERANCE, TOLERANCE, err_msg=message)
        assert array.shape == other.shape, message


CAMPAIGN = Programs()
