"""What kinds of objects a step may read from, and the names by which it does: for outside.py."""

from __future__ import annotations

import sys
from collections import ChainMap, UserDict, UserList, deque
from functools import lru_cache
from operator import attrgetter
from types import GetSetDescriptorType, MemberDescriptorType, MethodWrapperType, WrapperDescriptorType
from typing import Any

from .facts import DICTS

# Objects
CONTAINERS = (*DICTS, list, tuple, set, frozenset, deque)
INSIDE: dict[type, str] = {UserDict: "data", UserList: "data", ChainMap: "maps"}  # where their members are
VIEWS: tuple[Any, ...] = (
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)  # of a dict, which change with it
MEMOISED = type(lru_cache(len))
DESCRIPTORS = (MemberDescriptorType, GetSetDescriptorType)  # of attributes that are in no dict
READING_BY_NAME = (attrgetter, MethodWrapperType, WrapperDescriptorType)
BUILTIN_BY_NAME = set(map(id, (getattr, setattr, delattr, vars)))
NOT_THE_USERS = ("builtins", "numpy", "tinygrad_conv", "typing", "abc")  # packages of classes
FOR_DATA = ("numpy", "tinygrad_conv.data")
BOOKS = {"_path", "_persistent", "_pre_hooks", "_hooks"}  # of a module, about its members

# Names in the step's functions
BY_NAME = frozenset(  # these read or set what a function does not name
    {"getattr", "vars", "__dict__", "setattr", "delattr", "__setattr__", "attrgetter", "asdict", "astuple"}
    | {"__getattribute__", "getattr_static", "getmembers", "format", "format_map", "dumps"}
)
BY_TEXT = frozenset({"import_module", "__import__"})  # who names these may import any module
OPTIONS_BY = frozenset({"param_groups", "get_last_lr", "get_lr"})  # who names these may read or set a rate
ENVIRONMENT = frozenset({"environ", "getenv"})
QUERIES = frozenset({"locked", "qsize", "empty", "full"})  # methods that ask how a lock or a queue is
OF_TENSORS = frozenset({"name", "_version"})  # what may change beside a tensor's numbers and form
OF_RANDOM = frozenset({"bit_generator", "get_state", "n_children_spawned"})  # these ask where generators are


def is_of_a_library(kind: type) -> bool:
    """Whether a class is of a library whose functions are not looked at: the standard one, or for data."""
    module = kind.__module__
    return module.startswith(FOR_DATA) or module.partition(".")[0] in sys.stdlib_module_names


def is_memory(value: Any) -> bool:
    """Whether an object is bytes that may change: a bytearray, an array, a number of ctypes."""
    try:
        memoryview(value).release()
    except (TypeError, ValueError):  # it has none, or none any more
        return False
    return True


def slotted_attributes(kind: type) -> set[str]:
    """The attributes of a class's objects that have places of their own."""
    members = {name: member for base in kind.__mro__ for name, member in vars(base).items()}
    return {name for name, member in members.items() if isinstance(member, MemberDescriptorType)}
