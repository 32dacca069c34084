"""What an expression is, and what to write for it: each `look_…` gives its kind, and the expression anew."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from .calls import Calls
from .kinds import (
    ARRAY,
    FALSE,
    OTHER,
    TENSOR,
    TRUE,
    UNKNOWN,
    Kind,
    item_of,
    items,
    join,
    join_all,
    members,
    part,
    text,
)
from .namespaces import attribute, hint
from .scope import Scope

Looked = tuple[Kind, Any]

PARTS = (ast.keyword, ast.FormattedValue, ast.comprehension)  # of expressions, without being such

CONSTANT_ATTRIBUTES = {"is_cuda": False, "requires_grad": False, "is_leaf": True, "grad_fn": None}
"""What a tensor says that is off the tape, and an array does not."""


PARAMETERS = ("weight", "bias")
"""What layers call theirs: `.data` of such is a tensor's, be there a `self.data` in the script."""


class Expressions(Calls):
    """Looks at expressions in a scope, and marks what must be written otherwise."""

    def look(self, node: Any) -> Looked:
        """What an expression is, and the expression as it should be written."""
        if node not in self.looked:
            self.looked[node] = getattr(self, f"look_{type(node).__name__}", self.look_at_parts)(node)
        return self.looked[node]

    def look_at_parts(self, node: Any) -> Looked:
        """Any other expression."""
        return UNKNOWN, self.rebuilt(node)

    def rebuilt(self, node: Any) -> Any:
        """A node with its parts as they should be written; itself where nothing changes."""
        fields = dict(ast.iter_fields(node))
        changed = {name: self.part_anew(value) for name, value in fields.items()}
        if all(changed[name] is value or changed[name] == value for name, value in fields.items()):
            return node
        return ast.copy_location(type(node)(**{**fields, **changed}), node)

    def part_anew(self, value: Any) -> Any:
        """A field of a node."""
        if isinstance(value, list):
            return [self.part_anew(each) for each in value]
        if isinstance(value, ast.expr):
            return self.look(value)[1]
        return self.rebuilt(value) if isinstance(value, PARTS) else value

    def look_Constant(self, node: ast.Constant) -> Looked:
        if isinstance(node.value, bool):
            return TRUE if node.value else FALSE, node
        return text(node.value) if isinstance(node.value, str) else OTHER, node

    def look_JoinedStr(self, node: ast.JoinedStr) -> Looked:
        return OTHER, self.rebuilt(node)

    def look_Name(self, node: ast.Name) -> Looked:
        kind = self.scope.find(node.id)
        if kind.name == "part" and kind.detail[1] is None:
            self.script.note(node.lineno, "name", node, hint(kind.detail[0]))
            return OTHER, node
        return kind, node

    def look_Attribute(self, node: ast.Attribute) -> Looked:
        path = self.path_of(node)
        if path is not None:
            return self.look_at_path(node, *path)
        kind, base = self.look(node.value)
        if isinstance(base, ast.Tuple) and node.attr in ("values", "indices"):
            return ARRAY, base.elts[node.attr == "indices"]
        anew = base_replaced(node, base)
        if node.attr in ("data", "grad") and kind is ARRAY:
            self.mark("silent", node)
            return ARRAY, base
        if node.attr in ("data", "grad") and self.is_tensor(kind, node):
            return ARRAY, anew
        if kind is ARRAY:
            return self.look_at_attribute_of_array(node, anew)
        if kind is TENSOR:
            return self.look_at_attribute_of_tensor(node, anew)
        if kind.name == "items" and node.attr in ("values", "indices"):
            return kind.detail, anew
        return self.script.known.attributes.get(node.attr, UNKNOWN), anew

    def is_tensor(self, kind: Kind, node: ast.Attribute) -> bool:
        """Whether the `.data` or `.grad` of a value is a tensor's."""
        if kind is not UNKNOWN:
            return kind is TENSOR
        is_layers = isinstance(node.value, ast.Attribute) and node.value.attr in PARAMETERS
        return is_layers or node.attr not in self.script.own_names

    def path_of(self, node: Any) -> tuple[Kind, list[str]] | None:
        """Of `torch.nn.Linear`: what the first name is, and the names behind it; None for what is no such."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
            node = node.value
        kind = self.scope.find(node.id) if isinstance(node, ast.Name) else UNKNOWN
        return (kind, names) if kind.name == "part" else None

    def look_at_path(self, node: ast.Attribute, kind: Kind, names: list[str]) -> Looked:
        """A part of PyTorch's: whether it is here."""
        path, value = kind.detail
        for name in names:
            path, value = f"{path}.{name}", attribute(value, name)
        if value is None and not path.endswith((".grad", ".data", ".__version__")):
            self.script.note(node.lineno, "name", node, hint(path))
            return OTHER, node
        return part(path, value), node

    def look_at_attribute_of_array(self, node: ast.Attribute, anew: Any) -> Looked:
        """An attribute of `.data` or `.grad`, which a tensor has."""
        if node.attr in CONSTANT_ATTRIBUTES:
            self.mark("array", node)
            return OTHER, ast.Constant(CONSTANT_ATTRIBUTES[node.attr])
        if node.attr == "device" and not hasattr(np.ndarray, "device"):
            self.mark("array", node)
            return OTHER, ast.Constant("cpu")
        return ARRAY if node.attr in ("T", "mT", "real", "flat") else OTHER, anew

    def look_at_attribute_of_tensor(self, node: ast.Attribute, anew: Any) -> Looked:
        """An attribute of a tensor."""
        if not hasattr(Tensor, node.attr) and not node.attr.startswith("_"):
            self.script.note(node.lineno, "name", node, hint(f"torch.Tensor.{node.attr}"))
            return OTHER, anew
        return TENSOR if node.attr in ("T", "mT", "H") else OTHER, anew

    def look_Subscript(self, node: ast.Subscript) -> Looked:
        kind, base = self.look(node.value)
        _, index = self.look(node.slice)
        number = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(number, int) and isinstance(base, ast.Tuple) and number < len(base.elts):
            return ARRAY if kind is ARRAY else item_of(kind), base.elts[number]
        if kind.name == "members" and isinstance(number, int) and number < len(kind.detail):
            kind = kind.detail[number]
        elif not (kind.name == "items" and isinstance(node.slice, ast.Slice)):
            kind = item_of(kind)
        same = base is node.value and index is node.slice
        return kind, node if same else ast.copy_location(ast.Subscript(base, index, node.ctx), node)

    def look_BinOp(self, node: ast.BinOp) -> Looked:
        kinds = [self.look(node.left)[0], self.look(node.right)[0]]
        return combined(kinds), self.rebuilt(node)

    def look_UnaryOp(self, node: ast.UnaryOp) -> Looked:
        kind, _ = self.look(node.operand)
        if isinstance(node.op, ast.Not):
            kind = {FALSE: TRUE, TRUE: FALSE}.get(kind, OTHER)
        return kind, self.rebuilt(node)

    def look_BoolOp(self, node: ast.BoolOp) -> Looked:
        ends = FALSE if isinstance(node.op, ast.And) else TRUE
        kinds = []
        for value in node.values:  # what stands behind the end does not run
            kinds.append(self.look(value)[0])
            if kinds[-1] is ends:
                return ends, node
        known = kinds[0] if len(set(kinds)) == 1 else join_all(kind for kind in kinds if kind.name != "truth")
        return known, self.rebuilt(node)

    def look_Compare(self, node: ast.Compare) -> Looked:
        kinds = [self.look(value)[0] for value in (node.left, *node.comparators)]
        anew = self.rebuilt(node)
        if isinstance(node.ops[0], (ast.Is, ast.IsNot, ast.In, ast.NotIn)):
            return OTHER, anew
        return UNKNOWN if UNKNOWN in kinds else combined(kinds), anew

    def look_IfExp(self, node: ast.IfExp) -> Looked:
        test, _ = self.look(node.test)
        if test.name == "truth":
            return self.look(node.body if test.detail else node.orelse)[0], node
        kind = join(self.look(node.body)[0], self.look(node.orelse)[0])
        return kind, self.rebuilt(node)

    def look_Tuple(self, node: ast.Tuple) -> Looked:
        return members(self.look(each)[0] for each in node.elts), self.rebuilt(node)

    def look_List(self, node: ast.List | ast.Set) -> Looked:
        kinds = [self.look(each)[0] for each in node.elts]
        return items(join_all(kinds, OTHER)), self.rebuilt(node)

    look_Set = look_List

    def look_Dict(self, node: ast.Dict) -> Looked:
        return items(join_all([self.look(each)[0] for each in node.values], OTHER)), self.rebuilt(node)

    def look_Starred(self, node: ast.Starred) -> Looked:
        return item_of(self.look(node.value)[0]), self.rebuilt(node)

    def look_NamedExpr(self, node: ast.NamedExpr) -> Looked:
        kind, _ = self.look(node.value)
        self.assign(node.target, kind)
        return kind, self.rebuilt(node)

    def look_Lambda(self, node: ast.Lambda) -> Looked:
        with self.inside(Scope(self.scope)):
            self.scope.names.update((each.arg, UNKNOWN) for each in node.args.args)
            return UNKNOWN, self.rebuilt(node)

    def look_at_comprehension(self, node: Any) -> Looked:
        """A comprehension: its names are its own."""
        with self.inside(Scope(self.scope)):
            for generator in node.generators:
                self.assign(generator.target, item_of(self.look(generator.iter)[0]))
            element = node.value if isinstance(node, ast.DictComp) else node.elt
            kind, _ = self.look(element)
            return items(kind), self.rebuilt(node)

    look_ListComp = look_SetComp = look_DictComp = look_GeneratorExp = look_at_comprehension


def combined(kinds: list[Kind]) -> Kind:
    """What arithmetic makes of operands."""
    for kind in (TENSOR, UNKNOWN, ARRAY):  # what is unknown may be a tensor, and then so is the result
        if kind in kinds:
            return kind
    return kinds[0] if kinds[0].name == "items" else OTHER


def base_replaced(node: ast.Attribute, base: Any) -> ast.Attribute:
    """An attribute of what it should be one of."""
    return node if base is node.value else ast.copy_location(ast.Attribute(base, node.attr, node.ctx), node)
