"""What a call gives, and what to write for it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import nn
from ..absent.array_methods import METHODS
from ..absent.array_rewriting import instead_of, is_silent, means_the_same
from ..absent.instead import INSTEAD
from ..engine.op import Op
from ..engine.tensor import Tensor
from .kinds import (
    ARRAY,
    FALSE,
    OTHER,
    TENSOR,
    UNKNOWN,
    Kind,
    item_of,
    items,
    join,
    join_all,
    members,
    net,
    text,
)
from .namespaces import hint
from .scope import Scope, Script

NO_GPU = ("torch.cuda.is_available", "torch.backends.mps.is_available", "torch.accelerator.is_available")
GPUS = ("cuda", "mps", "xpu", "gpu")
SEVERAL = ("max", "min", "sort", "topk", "split", "chunk", "unbind", "median", "mode", "aminmax")
"""Functions that give several tensors, of those that may."""

NUMBERS = ("item", "tolist", "size", "dim", "numel", "backward", "numpy", "nelement", "register_hook", "type")
"""Methods of tensors that give no tensor."""

LOOKING = ("record", "tape", "steps")  # this package's own

COMMON = {name for of_type in (list, dict, str, set, bytes, object) for name in dir(of_type)} | {
    *dir(np.ndarray)
}
UNMISTAKABLE = {
    name.rpartition(".")[2]
    for name in INSTEAD
    if name.startswith("torch.Tensor.") and ("_" in name[:-1] or name.endswith("_")) and "*" not in name
} - COMMON
"""Methods that only tensors have, and that are not here: said also of values of which nothing is known."""


class Calls:
    """Looks at calls; the other expressions are `Expressions`."""

    def __init__(self, script: Script, scope: Scope) -> None:
        self.script, self.scope = script, scope
        self.looked: dict[Any, tuple[Kind, Any]] = {}  # of the statement that is being looked at
        self.marks: list[tuple[str, int]] = []  # in it: the kinds of what must be otherwise, and the lines
        self.before: list[ast.stmt] = []  # what must be written before it
        self.done: list[Any] = []  # what these change

    def look(self, node: Any) -> tuple[Kind, Any]:
        """See `Expressions`."""
        raise NotImplementedError

    def rebuilt(self, node: Any) -> Any:
        """See `Expressions`."""
        raise NotImplementedError

    def path_of(self, node: Any) -> Any:
        """See `Expressions`."""
        raise NotImplementedError

    def assign(self, target: Any, kind: Kind) -> None:
        """See `Reader`."""
        raise NotImplementedError

    def mark(self, kind: str, node: Any) -> None:
        """The statement must be written otherwise, because of this."""
        self.marks.append((kind, node.lineno))

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        """Names are looked up in another scope."""
        around, self.scope = self.scope, scope
        yield
        self.scope = around

    def look_Call(self, node: ast.Call) -> tuple[Kind, Any]:
        if isinstance(node.func, ast.Attribute) and self.path_of(node.func) is None:
            owner, receiver = self.look(node.func.value)
            return self.look_at_method(node, node.func, owner, receiver)
        kind, _ = self.look(node.func)
        if self.name_of(node.func) in NO_GPU:
            return FALSE, node
        self.note_output(node, kind)
        self.note_tensor_class(node)
        anew = self.rebuilt(self.without_gpu(node))
        return self.result_of(kind, node), anew

    def note_output(self, node: ast.Call, kind: Kind) -> None:
        """`torch.add(x, y, out=z)`: results are new tensors here."""
        given = {option.arg: option.value for option in node.keywords}
        if kind.name == "part" and "out" in given:
            others = [option for option in node.keywords if option.arg != "out"]
            call = ast.unparse(ast.Call(node.func, node.args, others))
            self.script.note(node.lineno, "name", node, f"write {ast.unparse(given['out'])} = {call}")

    def note_tensor_class(self, node: ast.Call) -> None:
        """`torch.Tensor(2, 3)`, sizes, and `torch.Tensor([1, 2])`, floats: here it takes what it is given."""
        array_alone = len(node.args) == 1 and not isinstance(
            node.args[0], (ast.List, ast.Tuple, ast.Constant)
        )
        if self.name_of(node.func) == "torch.Tensor" and node.args and not array_alone:
            floats = ast.unparse(node.func).removesuffix("Tensor") + "FloatTensor"
            call = ast.Call(ast.Name(floats), node.args, node.keywords)
            self.script.note(node.lineno, "name", node, f"write {ast.unparse(call)}")

    def name_of(self, func: Any) -> str:
        """PyTorch's name of a function, or ""."""
        path = self.path_of(func)
        return "" if path is None else ".".join([path[0].detail[0], *path[1]])

    def kinds_of(self, node: ast.Call) -> list[Kind]:
        """What a call is given by position."""
        return [self.look(argument)[0] for argument in node.args]

    def result_of(self, kind: Kind, node: ast.Call) -> Kind:
        """What calling a value gives."""
        kinds = self.kinds_of(node)
        keywords = {each.arg or "**": self.look(each.value)[0] for each in node.keywords}
        if kind.name == "part":
            path, value = kind.detail
            return self.result_of_part(path, value, kinds, [*keywords.values()])
        if kind.name == "builtin":
            return result_of_builtin(kind.detail, kinds)
        if kind.name == "function":
            return self.script.called(kind.detail, kinds, keywords)
        if kind.name == "class":
            return self.instance_of(kind.detail, kinds, keywords)
        if kind.name == "net":
            return self.called_method("forward", kinds, keywords, TENSOR)
        return UNKNOWN

    def result_of_part(self, path: str, value: Any, kinds: list[Kind], keywords: list[Kind]) -> Kind:
        """What a function of PyTorch's gives, or an instance of a class of its."""
        if path == "torch.device":
            return kinds[0] if kinds else OTHER
        if isinstance(value, type):
            if issubclass(value, nn.Module):
                return net()
            return TENSOR if issubclass(value, Tensor) else items(UNKNOWN) if "Loader" in path else UNKNOWN
        module = getattr(value, "__module__", "") or ""
        if module.endswith((".creation", ".randomness.default")):
            return TENSOR if module.endswith(".creation") else OTHER
        if isinstance(value, Op) or ".functional" in module or ".ops" in module:
            given = [
                item_of(kind) if kind.name in ("items", "members") else kind for kind in [*kinds, *keywords]
            ]
            made = TENSOR if TENSOR in given else UNKNOWN if UNKNOWN in given or ARRAY not in given else ARRAY
            several = path.rpartition(".")[2] in SEVERAL and len(given) > 1
            return items(made) if several else made
        return UNKNOWN

    def instance_of(self, node: Any, kinds: list[Kind], keywords: dict[str, Kind]) -> Kind:
        """An object of a class of the script's own."""
        constructor = next((each for each in node.body if getattr(each, "name", "") == "__init__"), None)
        if isinstance(constructor, ast.FunctionDef):
            self.script.called(constructor, kinds, keywords)
        is_net = any(self.is_net(base) for base in node.bases)
        return net(node) if is_net else Kind("object", node)

    def is_net(self, base: Any) -> bool:
        """Whether a base makes a class an nn.Module."""
        kind, _ = self.look(base)
        if kind.name == "class":
            return any(self.is_net(each) for each in kind.detail.bases)
        value = kind.detail[1] if kind.name == "part" else None
        return isinstance(value, type) and issubclass(value, nn.Module)

    def called_method(self, name: str, kinds: list[Kind], keywords: dict[str, Kind], default: Kind) -> Kind:
        """What a method of the script's own gives; default: where nothing is known of it."""
        method = self.script.methods.get(name)
        kind = UNKNOWN if method is None else self.script.called(method, kinds, keywords)
        return default if kind is UNKNOWN else kind

    def look_at_method(
        self, node: ast.Call, func: ast.Attribute, owner: Kind, receiver: Any
    ) -> tuple[Kind, Any]:
        """A call of a method: of an array, a tensor, a net, or of a value that nothing is known of."""
        name = func.attr
        if name == "cuda" and not (node.args and self.look(node.args[0])[0] is FALSE) and owner is not ARRAY:
            self.mark("device", node)
            return owner, receiver
        if owner is ARRAY:
            return self.look_at_array_method(node, name, receiver)
        node = self.without_gpu(node)
        anew, kinds = self.rebuilt(node), self.kinds_of(node)
        keywords = {each.arg or "**": self.look(each.value)[0] for each in node.keywords}
        if owner is TENSOR:
            return self.result_of_tensor_method(node, name, kinds), anew
        if name in self.script.methods and owner.name not in ("numpy", "items", "text"):
            return self.called_method(name, kinds, keywords, UNKNOWN), anew
        if name in UNMISTAKABLE and owner is UNKNOWN and name not in self.script.own_names:
            self.missing(node, name)
        return self.result_of_method(func, name, owner, kinds), anew

    def result_of_tensor_method(self, node: ast.Call, name: str, kinds: list[Kind]) -> Kind:
        """What a method of a tensor gives; a name that tensors have not is noted."""
        if not hasattr(Tensor, name):
            self.missing(node, name)
            return OTHER
        if name in NUMBERS:
            return OTHER
        if name in LOOKING:
            return UNKNOWN
        return items(TENSOR) if name in SEVERAL and kinds else TENSOR

    def missing(self, node: ast.Call, name: str) -> None:
        """Note a method that tensors have not here."""
        self.script.note(node.lineno, "name", node.func, hint(f"torch.Tensor.{name}"))

    def result_of_method(self, func: ast.Attribute, name: str, owner: Kind, kinds: list[Kind]) -> Kind:
        """What a method of anything else gives, by the names that nets, lists and dicts have."""
        if name in ("parameters", "buffers"):
            return items(TENSOR)
        if name in ("named_parameters", "named_buffers"):
            return items(members([OTHER, TENSOR]))
        if owner.name == "items":
            if name == "append" and kinds:
                self.assign(func.value, items(join(item_of(owner), kinds[0])))
            if name == "items":
                return items(members([OTHER, owner.detail]))
            return owner if name in ("values", "copy") else item_of(owner)
        if owner.name == "net":
            return owner if name in ("to", "eval", "train", "float", "double", "half", "cpu") else UNKNOWN
        return OTHER if owner.name in ("numpy", "text") or owner is OTHER else UNKNOWN

    def look_at_array_method(self, node: ast.Call, name: str, receiver: Any) -> tuple[Kind, Any]:
        """A call of a tensor's method on `.data` or `.grad`."""
        kinds = self.kinds_of(node)
        anew = self.rebuilt(node)
        has_it = hasattr(np.ndarray, name)
        if has_it and (name not in METHODS or means_the_same(name, node)):
            return OTHER if name in ("item", "tolist") else ARRAY, anew
        if name not in METHODS:
            return self.as_tensor(node, anew, name, receiver)
        self.mark("silent" if is_silent(name, node) else "array", node)
        call = ast.Call(
            anew.func,
            [as_array(kind, argument) for kind, argument in zip(kinds, anew.args)] + anew.args[len(kinds) :],
            anew.keywords,
        )
        is_operand = bool(kinds) and kinds[0] in (ARRAY, TENSOR)
        statement = instead_of(name, call, receiver, self.is_dtype(node), is_operand)
        if not isinstance(statement, ast.Expr):
            self.before.append(statement)
            self.done.append(receiver)
            return ARRAY, receiver
        several = isinstance(statement.value, ast.Tuple)
        kind = items(ARRAY) if several else ARRAY if METHODS[name].array else OTHER
        return UNKNOWN if UNKNOWN in kinds and name in (
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
        ) else kind, statement.value

    def as_tensor(self, node: ast.Call, anew: Any, name: str, receiver: Any) -> tuple[Kind, Any]:
        """A method that NumPy has nothing like: of a tensor in the same memory, if tensors have it."""
        if not hasattr(Tensor, name):
            self.missing(node, name)
            return OTHER, anew
        self.mark("array", node)
        made = ast.Call(ast.Attribute(ast.Name(self.script.torch), "from_numpy"), [receiver], [])
        return TENSOR, ast.Call(ast.Attribute(made, name), anew.args, anew.keywords)

    def is_dtype(self, node: ast.Call) -> bool:
        """Whether a call of `to` names a dtype, not a device."""
        given = [self.look(each)[0] for each in [*node.args, *(each.value for each in node.keywords)]]
        named = any(each.arg == "dtype" for each in node.keywords)
        return named or any(kind.name == "part" and kind.detail[0] != "torch.device" for kind in given)

    def without_gpu(self, node: ast.Call) -> ast.Call:
        """A call with the CPU in the place of another device, of which there is none."""
        places = [each for each in node.keywords if each.arg in ("device", "map_location", "device_type")]
        wants = self.wants_device(node.func)
        args = [self.on_cpu(each) if wants else each for each in node.args]
        keywords = [
            ast.keyword(each.arg, self.on_cpu(each.value)) if each in places else each
            for each in node.keywords
        ]
        same = all(map(lambda old, new: old is new, node.args, args)) and all(
            old.value is new.value for old, new in zip(node.keywords, keywords)
        )
        return node if same else ast.copy_location(ast.Call(node.func, args, keywords), node)

    def wants_device(self, func: Any) -> bool:
        """Whether a function's arguments may be a device: `x.to(…)`, `torch.device(…)`."""
        is_to = isinstance(func, ast.Attribute) and func.attr == "to"
        kind, _ = (UNKNOWN, None) if is_to else self.look(func)
        return is_to or (kind.name == "part" and kind.detail[0] == "torch.device")

    def on_cpu(self, node: ast.expr) -> ast.expr:
        """A device; where it is another than the CPU, the CPU."""
        kind, _ = self.look(node)
        if kind.name == "text" and kind.detail.partition(":")[0] in GPUS:
            if isinstance(node, (ast.Constant, ast.Name, ast.Attribute)):
                self.mark("device", node)
                return ast.copy_location(ast.Constant("cpu"), node)
        return node


def as_array(kind: Kind, node: ast.expr) -> ast.expr:
    """An argument of NumPy's: of a tensor, its array."""
    return ast.Attribute(node, "data") if kind is TENSOR else node


def result_of_builtin(name: str, kinds: list[Kind]) -> Kind:
    """What a function of Python's own gives."""
    if not hasattr(builtins, name) or name in ("getattr", "next", "super", "eval"):
        return item_of(kinds[0]) if name == "next" and kinds else UNKNOWN
    if name in ("list", "tuple", "set", "sorted", "reversed", "iter", "filter") and kinds:
        return items(join_all(map(item_of, kinds[-1:])))
    if name == "zip":
        return items(members(map(item_of, kinds)))
    if name == "enumerate" and kinds:
        return items(members([OTHER, item_of(kinds[0])]))
    if name in ("sum", "max", "min", "abs", "pow") and kinds:
        return item_of(kinds[0]) if kinds[0].name in ("items", "members") else kinds[0]
    return text("") if name in ("str", "repr") else OTHER
