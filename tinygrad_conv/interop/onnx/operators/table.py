"""The table of ONNX's operators, which the other files here fill."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from ..reading.node import Node

Function = Callable[..., Any]
Preparation = Callable[[Node], Function]


class Operator(NamedTuple):
    """How an operator is computed.

    prepare: takes a node when a model is loaded, refuses what is not supported, and gives the function of the
        node's inputs (None for one that is left out) that makes its output, or a tuple of them
    versions: of the operator that are known, the opsets in which it changed
    constants: the places of inputs through which nothing is learned, such as a shape or a bound
    statistics: the places of inputs that follow a training without being learned, each with the place of the
        output that it becomes
    trains: whether the function also takes `training`
    """

    prepare: Preparation
    versions: tuple[int, ...]
    constants: frozenset[int]
    statistics: Mapping[int, int]
    trains: bool


OPERATORS: dict[str, Operator] = {}


def operator(
    op_type: str,
    versions: tuple[int, ...],
    constants: Collection[int] = (),
    statistics: Mapping[int, int] = MappingProxyType({}),
    trains: bool = False,
) -> Callable[[Preparation], Preparation]:
    """Enter a function that prepares a node into the table."""

    def enter(prepare: Preparation) -> Preparation:
        OPERATORS[op_type] = Operator(prepare, versions, frozenset(constants), dict(statistics), trains)
        return prepare

    return enter


def plain(
    op_type: str,
    versions: tuple[int, ...],
    function: Function,
    constants: Collection[int] = (),
    **attributes: str,
) -> None:
    """Enter an operator that is a function of ours as it is.

    attributes: by the names of the function's options, the node's attributes that they are.
    """

    def prepare(node: Node) -> Function:
        return partial(function, **{option: node.get(name) for option, name in attributes.items()})

    operator(op_type, versions, constants)(prepare)
