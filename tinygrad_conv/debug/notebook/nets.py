"""A module as a tree with its parameters, a summary as a table."""

from __future__ import annotations

from typing import Any

from ...errors import show_array, show_count
from ...nn.module import Module
from ...nn.summary import HEAD as SUMMARY_HEAD
from ...nn.summary import Summary, show_bytes
from ...nn.uninitialized import is_uninitialized
from .markup import block, caption, table

TREE_HEAD = ("layer", "what it is", "its parameters", "numbers")
INDENT = "\u00a0\u00a0"  # spaces that HTML keeps
LONGEST = 160  # letters of a layer's options


def show_module(module: Module) -> str:
    """A module: each layer with its options, and its own parameters with dtype, shape and size."""
    if type(module).__repr__ is not Module.__repr__:  # a class of its own mind
        return block(repr(module))
    if not any(True for _ in module.children()):
        own = show_parameters(module)
        return f"{block(repr(module))}{caption(f'{own}; {show_totals(module)}') if own else ''}"
    rows = [tree_row(path, layer) for path, layer in module.named_modules(remove_duplicate=False)]
    return f"{table(TREE_HEAD, rows, words=(0, 1, 2))}{caption(show_totals(module))}"


def tree_row(path: str, module: Any) -> tuple[str, ...]:
    """A layer's line: its name, indented by its depth."""
    *outer, name = path.split(".")
    indented = f"{INDENT * (len(outer) + 1)}{name}" if path else "the whole"
    parameters = module.parameters(recurse=False)
    count = sum(parameter.data.size for parameter in parameters if not is_uninitialized(parameter))
    return indented, show_options(module), show_parameters(module), f"{count:,}" if count else ""


def show_options(module: Any) -> str:
    """What a layer is, without the layers in it."""
    has_layers = any(True for _ in module.children())
    text = f"{type(module).__name__}({module.extra_repr()})" if has_layers else repr(module)
    line = " ".join(text.removesuffix("()").split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def show_parameters(module: Any) -> str:
    """A layer's own parameters: `weight float32[8,1,3,3], bias float32[8]`."""
    own = module.named_parameters(recurse=False)
    return ", ".join(f"{name} {show_parameter(parameter)}" for name, parameter in own)


def show_parameter(parameter: Any) -> str:
    """A parameter's dtype and shape; what is not trained says so."""
    if is_uninitialized(parameter):
        return "not known yet"
    return f"{show_array(parameter.data)}{'' if parameter.requires_grad else ' (frozen)'}"


def show_totals(module: Module) -> str:
    """How many numbers a module has, each counted once, and its mode."""
    parameters = [parameter for parameter in module.parameters() if not is_uninitialized(parameter)]
    count = sum(parameter.data.size for parameter in parameters)
    trained = sum(parameter.data.size for parameter in parameters if parameter.requires_grad)
    nbytes = show_bytes(sum(parameter.data.nbytes for parameter in parameters))
    frozen = "" if trained == count else f", {trained:,} of them trained"
    mode = "train()" if module.training else "eval()"
    return f"{type(module).__name__}: {show_count(count, 'parameter')}{frozen}, {nbytes}; in {mode} mode"


def show_summary(summary: Summary) -> str:
    """The layers of a net in the order of their calls, and the sums."""
    rows = [row.cells() for row in summary.rows]
    return f"{table(SUMMARY_HEAD, rows, words=(0, 1, 2))}{''.join(map(caption, summary.totals()))}"
