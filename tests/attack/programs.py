"""Random programs, here and in PyTorch: the same values, first and second gradients, shapes, and aliases.

A program is a list of instructions on numbered variables. Some change a variable in place, some run under
no_grad. What PyTorch refuses, ours refuses; where views of what is to change are held, ours may refuse
what PyTorch does, and nothing else.
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
VIEWS = ("reshape", "permute", "getitem")
LARGEST_ANGLE = 1e4
IN_PLACE = ("relu_", "tanh_", "sin_", "neg_", "mul_", "add_", "sub_", "clamp_", "fill_")
AUGMENTED = ("+=", "-=", "*=")


@dataclass(frozen=True)
class Instruction:
    """target = name(operands, arguments); in place, the target is the first operand."""

    name: str
    operands: tuple[int, ...]
    arguments: tuple[Any, ...] = ()
    no_grad: bool = False

    @property
    def changes(self) -> bool:
        """Whether it changes its first operand, instead of making another variable."""
        return self.name in (*IN_PLACE, *AUGMENTED, "setitem", *(f"item {symbol}" for symbol in AUGMENTED))

    @property
    def makes_view(self) -> bool:
        """Whether it makes a view; one that had to be copied counts as one, here at least."""
        if self.name == "getitem":
            return not isinstance(self.arguments[0], list)
        return self.name in ("reshape", "detach") or (self.name == "permute" and self.arguments != ())


@dataclass
class Program:
    """Leaves by their shapes (and which require a gradient), and what is done with them."""

    leaves: tuple[tuple[tuple[int, ...], bool], ...]
    instructions: tuple[Instruction, ...] = field(default=())
    seed: int = 0


def draw_index(random: np.random.Generator, shape: tuple[int, ...], repeats: bool = False) -> Any:
    """An index for a tensor of this shape: a number, a slice, or whole numbers, which may repeat if so said.

    Of numbers that are written to one place the last remains, and it alone has a gradient; PyTorch gives all
    of them one. So they repeat where they are read alone.
    """
    size = shape[0]
    choice = random.integers(4)
    if choice == 0 and size:
        return int(random.integers(-size, size))
    if choice == 1:
        return slice(None, None, int(random.integers(1, 3)))
    if choice == 2 and len(shape) > 1 and shape[1]:
        return (slice(None), int(random.integers(shape[1])))
    if not size:
        return ...
    count = int(random.integers(1, 4))
    rows = random.integers(0, size, size=count) if repeats else random.permutation(size)[:count]
    return [int(row) for row in rows]


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
        return Instruction("getitem", (first,), (draw_index(random, shape, repeats=True),), no_grad)
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
    def operands(instruction: Instruction, operands: list[Any]) -> list[Any]:
        return operands

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

    @staticmethod
    def operands(instruction: Instruction, operands: list[Any]) -> list[Any]:
        """As PyTorch computes with them what is meant.

        A view made under no_grad would say that it requires a gradient, and what is computed from it as well;
        an operand that shows a part of what is changed would be refused.
        """
        first, *others = operands
        if instruction.no_grad and instruction.name in VIEWS:
            return [first.detach(), *others]
        if not instruction.changes:
            return operands
        memory = first.untyped_storage().data_ptr()  # 0 for all that are empty, which share none
        return [first] + [
            other.clone() if memory and other.untyped_storage().data_ptr() == memory else other
            for other in others
        ]

    def gradients(self, output: Any, inputs: list[Any], create_graph: bool = False) -> list[Any]:
        return list(
            self.torch.autograd.grad(
                output, inputs, create_graph=create_graph, allow_unused=True, retain_graph=True
            )
        )


def leaves(program: Program, framework: Any) -> list[Any]:
    """The variables that a program begins with."""
    random = np.random.default_rng(program.seed)
    return [
        framework.leaf(random.normal(size=shape), requires_grad) for shape, requires_grad in program.leaves
    ]


def refusal(instruction: Instruction, variables: list[Any], framework: Any) -> Exception | None:
    """Execute an instruction; the error with which it is refused."""
    try:
        execute(instruction, variables, framework)
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        return error
    return None


def execute(instruction: Instruction, variables: list[Any], framework: Any) -> None:
    """Run an instruction; what it makes is a new variable, or takes the place of the changed one."""
    operands = framework.operands(instruction, [variables[number] for number in instruction.operands])
    with framework.no_grad() if instruction.no_grad else nullcontext():
        result = apply(instruction, operands)
    if instruction.changes:
        variables[instruction.operands[0]] = result
    else:
        variables.append(result)


def apply(instruction: Instruction, operands: list[Any]) -> Any:
    """What an instruction makes; its first operand, where it changes that."""
    name, arguments, x = instruction.name, instruction.arguments, operands[0]
    if name in ITEMS:
        return ITEMS[name](x, *operands[1:], *arguments)
    if name in AUGMENTED:
        scope = {"x": x, "y": operands[1]}
        exec(f"x {name} y", scope)
        return scope["x"]
    if name in IN_PLACE:
        return getattr(x, name)(
            *{"clamp_": (-0.5, 0.5), "fill_": (0.25,)}.get(name, (1.5,) if name in FACTORS else ())
        )
    if name == "permute":
        return x.permute(*arguments) if arguments else x.clone()
    return getattr(x, name)(*operands[1:], *arguments)


FACTORS = ("mul_", "add_", "sub_")


def setitem(x: Any, value: Any, index: Any) -> Any:
    """x[index] = value."""
    x[index] = value
    return x


def change_item(symbol: str) -> Callable[[Any, Any], Any]:
    """x[index] += 1.5, and its kin."""

    def change(x: Any, index: Any) -> Any:
        exec(f"x[index] {symbol} 1.5", {"x": x, "index": index})
        return x

    return change


ITEMS: dict[str, Any] = {
    "getitem": lambda x, index: x[index],
    "setitem": setitem,
    **{f"item {symbol}": change_item(symbol) for symbol in AUGMENTED},
}


class Programs(Campaign):
    """What PyTorch computes or refuses, so does ours; it may refuse to tear views apart, and nothing else."""

    def make(self, random: np.random.Generator) -> Program:
        count = int(random.integers(1, 4))
        shapes = [((), True)] + [
            (SHAPES[random.integers(len(SHAPES))], bool(random.random() < 0.8)) for _ in range(count)
        ]
        program = Program(tuple(shapes), (), int(random.integers(2**31)))
        variables = leaves(program, Theirs())
        for _ in range(int(random.integers(1, 14))):
            instruction = draw_instruction(random, [tuple(variable.shape) for variable in variables])
            if has_no_digits_left(instruction, variables):
                continue
            error = refusal(instruction, variables, Theirs())
            if error is None or instruction.changes:  # what makes no variable would leave a gap
                program = replace(program, instructions=(*program.instructions, instruction))
        return program

    def check(self, program: Program) -> None:
        ours, theirs = leaves(program, Ours()), leaves(program, Theirs())
        bases = list(range(len(ours)))
        for instruction in program.instructions:
            execute_in_both(instruction, ours, theirs, bases)
        compare("variable", ours, theirs)
        for number, (variable, expected) in enumerate(zip(ours, theirs, strict=True)):
            if variable.requires_grad != expected.requires_grad:
                raise AssertionError(f"variable {number}: requires_grad is {variable.requires_grad}")
        if all(np.isfinite(variable.detach().numpy()).all() for variable in theirs):
            check_gradients(program, ours, theirs)  # of Inf and NaN: tests/test_special_values_torch.py

    def smaller(self, program: Program) -> Iterable[Program]:
        """Without one of the instructions, the last ones first."""
        for position in range(len(program.instructions) - 1, -1, -1):
            instructions = program.instructions[:position] + program.instructions[position + 1 :]
            fewer = replace(program, instructions=instructions)
            if makes_its_variables(fewer):
                yield fewer


def has_no_digits_left(instruction: Instruction, variables: list[Any]) -> bool:
    """Whether it is the sine of a number so large that its rounding, in which libraries differ, turns it."""
    argument = variables[instruction.operands[0]].detach().numpy()
    return instruction.name in ("sin", "sin_") and bool(np.abs(argument).max(initial=0) > LARGEST_ANGLE)


def makes_its_variables(program: Program) -> bool:
    """Whether PyTorch refuses no instruction that makes one."""
    variables = leaves(program, Theirs())
    errors = [refusal(instruction, variables, Theirs()) for instruction in program.instructions]
    return all(
        error is None or instruction.changes for instruction, error in zip(program.instructions, errors)
    )


def execute_in_both(instruction: Instruction, ours: list[Any], theirs: list[Any], bases: list[int]) -> None:
    """Execute an instruction here and in PyTorch, or in neither; fail where one of them alone refuses it.

    Ours may refuse to change what has views or is one. bases: for each variable, the one it is a view of.
    """
    base = bases[instruction.operands[0]]
    error = refusal(instruction, ours, Ours())
    if isinstance(error, MutationError) and bases.count(base) > 1:
        return
    expected = refusal(instruction, theirs, Theirs())
    if (error is None) != (expected is None):
        raise AssertionError(f"{instruction}: {error or 'taken'}; in PyTorch: {expected or 'taken'}")
    if not instruction.changes:
        bases.append(base if instruction.makes_view else len(bases))


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
