"""Where Python reads numbers of a Tensor: `item`, `if x:`, `.data`, `print(x)` …; for observers that ask.

While such an observer is there, these methods and attributes of Tensor are others, which tell it, and give
what the ordinary ones give. While there is none, they are the ordinary ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any

from .observed import OBSERVATION
from .tensor import Tensor

METHODS = (
    *("item", "tolist", "numpy", "__float__", "__int__", "__bool__", "__index__", "__format__", "__repr__"),
    *("__array__", "_array_function", "__dlpack__", "__contains__", "__reduce__", "_repr_html_"),
    "detach",  # hands out the very array, in another tensor
)
ATTRIBUTES = ("data", "grad")
WRITES = {"data": "data = …", "grad": "grad = …"}

_LOCK = RLock()
_ordinary: dict[str, Any] = {}  # what Tensor itself has by these names, while they are watched
_watching = 0  # how many observers ask
_ABSENT = object()


def watch_reads() -> None:
    """One more observer asks."""
    global _watching
    with _LOCK:
        _watching += 1
        if _watching == 1:
            _ordinary.update({name: vars(Tensor).get(name, _ABSENT) for name in (*METHODS, *ATTRIBUTES)})
            for name in METHODS:
                setattr(Tensor, name, watched_method(name, getattr(Tensor, name)))
            for name in ATTRIBUTES:
                setattr(Tensor, name, watched_attribute(name, getattr(Tensor, name)))


def unwatch_reads() -> None:
    """One observer less."""
    global _watching
    with _LOCK:
        _watching -= 1
        if _watching == 0:
            for name, ordinary in _ordinary.items():
                if ordinary is _ABSENT:
                    delattr(Tensor, name)
                else:
                    setattr(Tensor, name, ordinary)
            _ordinary.clear()


def tell(tensor: Tensor, name: str, value: Any) -> Any:
    """Tell those who observe, and hand the value on."""
    observation = OBSERVATION.get()
    if observation is not None:
        observation.read(tensor, name, value)
    return value


def watched_method(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that reads, and tells."""

    @wraps(method)
    def read(tensor: Tensor, *arguments: Any, **options: Any) -> Any:
        return tell(tensor, name, method(tensor, *arguments, **options))

    return read


def watched_attribute(name: str, attribute: Any) -> Any:
    """An attribute that tells when it is read or set."""

    def read(tensor: Tensor) -> Any:
        return tell(tensor, name, attribute.__get__(tensor, type(tensor)))

    def write(tensor: Tensor, value: Any) -> None:
        attribute.__set__(tensor, value)
        tell(tensor, WRITES[name], value)

    def delete(tensor: Tensor) -> None:
        attribute.__delete__(tensor)

    return property(read, write, delete, attribute.__doc__)
