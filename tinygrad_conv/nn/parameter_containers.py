"""Lists and dicts of parameters, which a net finds in them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..engine.commit import Changes
from ..engine.tensor import Tensor
from ..errors import show_array
from .module import Module
from .parameter import Parameter


class ParameterContainer(Module):
    """What both share: their parameters by name, and how they look in print. Tensors become parameters."""

    def _put(self, members: Mapping[str, Any]) -> None:
        """Have parameters of these names: all, or where one cannot be, none."""
        parameters = {name: self._parameter_of(name, value) for name, value in members.items()}
        for name in parameters:
            self._check_name(name)
        buffers = {name: kept for name, kept in self._persistent.items() if name not in parameters}
        changes = Changes()
        changes.update(vars(self), parameters)
        changes.refill(self._persistent, buffers)
        changes.commit()
        self._settle()

    def _parameter_of(self, name: str, value: Any) -> Parameter | None:
        """A value as a parameter."""
        if isinstance(value, Tensor) and not isinstance(value, Parameter):
            return Parameter(value)
        if not (value is None or isinstance(value, Parameter)):
            given = type(value).__name__
            raise TypeError(f"{type(self).__name__}: {name} must be an nn.Parameter or None, not {given}")
        return value

    def __len__(self) -> int:
        return len(self._own_parameters())

    def __repr__(self) -> str:
        own = self._own_parameters().items()
        lines = [f"    ({name}): Parameter containing: [{show_array(value.data)}]" for name, value in own]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"]) if lines else f"{type(self).__name__}()"


class ParameterList(ParameterContainer):
    """Parameters called '0', '1', …, used like a list."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def append(self, value: Any) -> ParameterList:
        """Add a parameter at the end."""
        return self.extend((value,))

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add parameters at the end."""
        self._put({str(number): value for number, value in enumerate(values, len(self))})
        return self

    __iadd__ = extend

    def __iter__(self) -> Iterator[Any]:
        return iter(self._own_parameters().values())

    def __getitem__(self, index: Any) -> Any:
        chosen = list(self)[index]
        return ParameterList(chosen) if isinstance(index, slice) else chosen

    def __setitem__(self, index: int, value: Any) -> None:
        self._put({list(self._own_parameters())[index]: value})


class ParameterDict(ParameterContainer):
    """Parameters by name, used like a dict."""

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def update(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add or replace parameters, from pairs or an OrderedDict in their order, from a dict in that of the
        names: as in PyTorch, so that an optimiser numbers them alike.
        """
        pairs: Iterable[tuple[str, Any]] = dict(parameters).items()
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs, key=lambda pair: str(pair[0]))
        self._put(dict(pairs))

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of a name, or `default`."""
        return self._own_parameters().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter of a name, which is `default` where there was none."""
        if key not in self:
            self[key] = default
        return self.get(key)

    def pop(self, key: str) -> Any:
        """Take a parameter out."""
        taken = self[key]
        del self[key]
        return taken

    def popitem(self) -> tuple[str, Any]:
        """Take the last (name, parameter) out."""
        if not len(self):
            raise KeyError("ParameterDict.popitem: it is empty")
        name = list(self)[-1]
        return name, self.pop(name)

    def clear(self) -> None:
        """Take all parameters out."""
        own = self._own_parameters()
        changes = Changes()
        changes.refill(vars(self), {name: value for name, value in vars(self).items() if name not in own})
        changes.commit()

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._own_parameters().keys()

    def values(self) -> Iterable[Any]:
        """The parameters."""
        return self._own_parameters().values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """(name, parameter)."""
        return self._own_parameters().items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._own_parameters())

    def __contains__(self, name: object) -> bool:
        return name in self._own_parameters()

    def __getitem__(self, name: str) -> Any:
        return self._own_parameters()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._put({name: value})

    def __delitem__(self, name: str) -> None:
        delattr(self, name)
