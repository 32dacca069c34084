"""A note on an AttributeError that nobody caught: `w.grad.zero_()`, where .grad is NumPy's array.

Arrays are of NumPy's own class, to be looked at in debuggers, and raise NumPy's own error. A Tensor's is
Python's: a `__getattr__` would slow down every look at one. So the note is added where an error is shown:
Python asks `sys.excepthook`, which here adds it and hands on to the hook that was there before; IPython tells
of each cell that has run. An error of anything else is shown as ever.
"""

from __future__ import annotations

import ast
import linecache
import sys
from types import TracebackType
from typing import Any

from ..foreign import is_own

ON_ARRAYS = ".data and .grad are NumPy's arrays: "
ARRAYS = ("grad", "data")
DTYPES = ("dtype", "float", "double", "half", "int", "long", "bool")


def note_for(error: BaseException) -> str:
    """What to write instead of a method that an array or a Tensor has not; "" for other errors."""
    if isinstance(error, TypeError) and str(error) == "'int' object is not callable":
        return instead_of_size(error.__traceback__)
    name, owner = getattr(error, "name", None), getattr(error, "obj", None)
    if not isinstance(error, AttributeError) or not isinstance(name, str) or name.startswith("__"):
        return ""
    array = owner.obj if isinstance(owner, memoryview) else owner  # `.data` of an array is its memory
    if type(array) is sys.modules["numpy"].ndarray:
        line = instead_on_array(name, error.__traceback__)
        return line and ON_ARRAYS + line
    ours = [each.__name__ for each in type(owner).__mro__ if is_own(each)]
    if "Tensor" in ours:
        return instead_on_tensor(name)
    return instead_on_module(name) if "Module" in ours else ""


def instead_of_size(place: TracebackType | None) -> str:
    """What to write for `x.data.size(0)`: an array has `size` too, which is a number."""
    line = rewritten("size", place) if any(is_array(call, place) for call in calls_of("size", place)) else ""
    return line and ON_ARRAYS + line


def is_array(call: Any, place: Any) -> bool:
    """Whether it is a method of `….data` or `….grad` that is called, or of a variable that has an array."""
    while place.tb_next is not None:
        place = place.tb_next
    receiver = call.func.value
    variables = {**place.tb_frame.f_globals, **place.tb_frame.f_locals}
    known = variables.get(receiver.id) if isinstance(receiver, ast.Name) else None
    return getattr(receiver, "attr", None) in ARRAYS or type(known) is sys.modules["numpy"].ndarray


def instead_on_tensor(name: str) -> str:
    """What the table says of a method of Tensor, or of a function of the same name."""
    from .instead import write_instead

    return write_instead(f"torch.Tensor.{name}")


def instead_on_module(name: str) -> str:
    """What the table says of a method of Module."""
    from .instead import line_for

    return line_for(f"torch.nn.Module.{name}")


def instead_on_array(name: str, place: TracebackType | None) -> str:
    """The line to write instead, as the user's own where its source can be read."""
    from .array_methods import METHODS

    if name not in METHODS:
        return ""
    return rewritten(name, place) or f"write {METHODS[name].instead}, where A is the array"


def rewritten(name: str, place: TracebackType | None) -> str:
    """The call of this method in the line that failed, as an array takes it."""
    from .array_rewriting import instead_of

    for call in map(WithoutMemory().visit, calls_of(name, place)):
        text = " ".join(map(ast.unparse, (*call.args, *call.keywords)))
        is_dtype = any(dtype in text for dtype in DTYPES)
        receiver = call.func.value
        try:
            return f"write {ast.unparse(instead_of(name, call, receiver, is_dtype, is_operand=False))}"
        except Exception:  # arguments that PyTorch would not take either
            break
    return ""


class WithoutMemory(ast.NodeTransformer):
    """Has `w.grad` where `w.grad.data` stands, the memory of an array."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        of_array = isinstance(node.value, ast.Attribute) and node.value.attr in ARRAYS
        return node.value if node.attr == "data" and of_array else node


def calls_of(name: str, place: TracebackType | None) -> list[ast.Call]:
    """The calls of a method in the line that a traceback ends in."""
    if place is None:
        return []
    while place.tb_next is not None:
        place = place.tb_next
    source = linecache.getlines(place.tb_frame.f_code.co_filename, place.tb_frame.f_globals)
    try:
        nodes = list(ast.walk(ast.parse("".join(source))))
    except SyntaxError:  # a notebook's line with a %
        return []
    return [
        node
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and node.lineno <= place.tb_lineno <= (node.end_lineno or node.lineno)
    ]


def add_note(error: BaseException) -> str:
    """Add the note to the error, where Python has notes (3.11); else it is returned, to be shown after it."""
    note = note_for(error)
    if note and hasattr(error, "add_note"):
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        return ""
    return note


class Hook:
    """A `sys.excepthook` that adds the note, and has the one before it show the error."""

    def __init__(self, before: Any) -> None:
        self.before = before

    def __call__(self, kind: Any, error: BaseException, place: Any) -> None:
        note = add_note(error)
        self.before(kind, error, place)
        if note:
            print(note, file=sys.stderr)


def after_cell(result: Any) -> None:
    """What IPython calls when a cell has run, and its error has been shown."""
    note = note_for(result.error_in_exec)
    if note:
        print(note, file=sys.stderr)


def install() -> None:
    """Have uncaught errors noted from now on, once; in IPython too, where that is what imports this."""
    if type(sys.excepthook).__module__ != __name__:
        sys.excepthook = Hook(sys.excepthook)
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is not None and after_cell not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", after_cell)
