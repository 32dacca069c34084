"""What an initialiser is to the module: a parameter, a statistic that follows the training, or a constant.
And its key in a tree of modules, which is its own name wherever a tree can have that.

ONNX does not say what it is. A parameter is what is floating, has dimensions, and is read where an operator
learns from it, through `Identity` too: a kernel, a bias, a factor. Sizes, bounds, and numbers without
dimensions are constants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import count

from ....dtypes import Array
from ..operators.table import OPERATORS
from .node import Node

PARAMETER, STATISTIC, CONSTANT = "parameter", "statistic", "constant"


def roles_of(initializers: dict[str, Array], nodes: Sequence[Node]) -> dict[str, str]:
    """The role of each initialiser, by name."""
    learned, followed = read_as(nodes)
    roles = {}
    for name, array in initializers.items():
        if array.dtype.kind != "f" or not array.ndim:
            roles[name] = CONSTANT
        elif name in learned:
            roles[name] = PARAMETER
        else:
            roles[name] = STATISTIC if name in followed else CONSTANT
    return roles


def with_parameters(
    roles: dict[str, str], parameters: Collection[str], initializers: dict[str, Array]
) -> dict[str, str]:
    """The roles with these parameters and no others. Raises ValueError for a name that cannot be one."""
    for name in parameters:
        if name not in initializers or initializers[name].dtype.kind != "f":
            floating = [known for known, array in initializers.items() if array.dtype.kind == "f"]
            raise ValueError(f"load: {name!r} is no floating initialiser of the graph; it has {floating}")
    others = {name: STATISTIC if role == PARAMETER else role for name, role in roles.items()}
    return others | dict.fromkeys(parameters, PARAMETER)


def read_as(nodes: Sequence[Node]) -> tuple[set[str], set[str]]:
    """The names that some node learns from, and those that are statistics to some node."""
    learned: set[str] = set()
    followed: set[str] = set()
    for node in reversed(nodes):
        operator = OPERATORS[node.op_type]
        for place, name in enumerate(node.inputs):
            if node.op_type == "Identity":
                passed_on_to(learned, node, name)
                passed_on_to(followed, node, name)
            elif place in operator.statistics:
                followed.add(name)
            elif place not in operator.constants:
                learned.add(name)
    return learned, followed


def passed_on_to(names: set[str], node: Node, name: str) -> None:
    """Enter what `Identity` reads where its output is entered."""
    if node.outputs[0] in names:
        names.add(name)


DEEPEST = 32  # parts of a key

Path = tuple[str, ...]


def keys_of(names: Iterable[str], reserved: Collection[str]) -> dict[str, Path]:
    """The path in the tree of each name: `conv1.weight` is `weight` in `conv1`.

    reserved: what no part may be called. Where a name has an empty or a reserved part, or too many of them,
    or something is there already, its dots become underscores, and if need be a number follows.
    """
    places = Places(reserved)
    return {name: places.take(name) for name in names}


class Places:
    """Which paths of a tree are taken."""

    def __init__(self, reserved: Collection[str]) -> None:
        self.reserved = reserved
        self.tensors: set[Path] = set()
        self.modules: set[Path] = set()
        self.numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(2))

    def take(self, name: str) -> Path:
        """The path for a name, which nothing else gets from now on."""
        path = tuple(name.split("."))
        if not self.is_free(path):
            path = (name.replace(".", "_"),)
        flat = path[0]
        while not self.is_free(path):
            path = (f"{flat}_{next(self.numbers[flat])}",)
        self.tensors.add(path)
        self.modules.update(path[:length] for length in range(1, len(path)))
        return path

    def is_free(self, path: Path) -> bool:
        """Whether a tree can have a tensor there, and has none, nor anything in its way."""
        if len(path) > DEEPEST or any(not part or part in self.reserved for part in path):
            return False
        above = (path[:length] for length in range(1, len(path)))
        return path not in self.tensors and path not in self.modules and self.tensors.isdisjoint(above)
