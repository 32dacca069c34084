"""A module as a tree: what is in it and in the modules below it, by their keys and paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

from ..engine.tensor import Tensor
from ..options import SWITCH, TEXT, check_option
from .parameter import Parameter

Self = TypeVar("Self", bound="ModuleTree")
PATH = TEXT._replace(in_range=bool, limits="name a module below this one")


class Members(dict[str, Any]):
    """Members by name, as PyTorch's scripts look them up: a copy, in which a change would be lost."""

    def _refuse(self, *arguments: Any, **options: Any) -> NoReturn:
        raise TypeError(
            "_modules, _parameters and _buffers of a module are copies to be read; write "
            "setattr(net, name, …), delattr(net, name), or net.set_submodule(path, module)"
        )

    __setitem__ = __delitem__ = __ior__ = pop = popitem = clear = update = setdefault = _refuse


class ModuleTree:
    """What of a module is about the modules, parameters and buffers in it."""

    _persistent: dict[str, bool]  # name → whether the state dict has it

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """(path, module) for this module and all below it, outer before inner.

        Each comes once, unless told otherwise.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._own_modules().items():
            yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Any]:
        """This module and all below it, outer before inner; each once, unless told otherwise."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    @property
    def _modules(self) -> Members:
        return Members(self._entries())

    @property
    def _parameters(self) -> Members:
        return Members(self._own_parameters())

    @property
    def _buffers(self) -> Members:
        return Members(self._own_buffers())

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """(name, module) for the modules directly below, each once."""
        seen: set[Any] = set()
        for name, child in self._own_modules().items():
            if child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Any]:
        """The modules directly below."""
        return (child for _, child in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(key, parameter), own ones first; each once, unless told otherwise."""
        return self._named(ModuleTree._own_parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module, and of those below it if `recurse`; each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(key, buffer), own ones first; each once, unless told otherwise."""
        return self._named(ModuleTree._own_buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module, and of those below it if `recurse`; each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named(
        self, own: Callable[[Any], dict[str, Any]], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        """(key, tensor) of what `own` finds in each module."""
        seen: set[Tensor] = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, tensor in own(module).items():
                if tensor in seen:
                    continue
                if remove_duplicate:
                    seen.add(tensor)
                yield f"{path}.{name}" if path else name, tensor

    def _own_modules(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if isinstance(value, ModuleTree)}

    def _entries(self) -> dict[str, Any]:
        """The modules directly below, by name; in containers None as well, where a place was left empty."""
        return self._own_modules()

    def _own_parameters(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Parameter)}

    def _own_buffers(self) -> dict[str, Any]:
        return {name: vars(self)[name] for name in self._persistent if vars(self)[name] is not None}

    def _own_state(self) -> dict[str, Any]:
        """What the state dict has of this module alone."""
        buffers = {name: buffer for name, buffer in self._own_buffers().items() if self._persistent[name]}
        return self._own_parameters() | buffers

    def get_submodule(self, target: str) -> Any:
        """The module at a path below this one, such as `features.0`; this one for an empty path."""
        return self._at("get_submodule", target, "module", dict(self.named_modules(remove_duplicate=False)))

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Put a module at a path, such as `features.0`, in the place of the one there or as a new one.

        strict: raise AttributeError where there is none yet.
        """
        check_option("set_submodule", "strict", SWITCH, strict)
        check_option("set_submodule", "target", PATH, target)
        if strict:
            self.get_submodule(target)
        above, _, name = target.rpartition(".")
        self.get_submodule(above).add_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a key, such as `features.0.weight`."""
        named = dict(self.named_parameters(remove_duplicate=False))
        parameter: Parameter = self._at("get_parameter", target, "parameter", named)
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a key, such as `features.1.running_mean`."""
        buffer: Tensor = self._at(
            "get_buffer", target, "buffer", dict(self.named_buffers(remove_duplicate=False))
        )
        return buffer

    def _at(self, method: str, target: str, member: str, members: dict[str, Any]) -> Any:
        """What has a key; else an error that lists all keys."""
        check_option(method, "target", TEXT, target)
        if target not in members:
            keys = [key for key in members if key]
            raise AttributeError(f"{type(self).__name__} has no {member} {target!r}; it has {keys}")
        return members[target]

    def _check_ways(self, method: str, ways: dict[str, str]) -> None:
        """Refuse a call of `method` that PyTorch would do by a class's own way, here or below."""
        for path, module in self.named_modules():
            check_ways(method, path, module, ways)

    def apply(self: Self, fn: Callable[[Any], Any]) -> Self:
        """Call `fn` with every module, inner before outer, as for initialisation."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self


def check_ways(method: str, path: str, module: Any, ways: dict[str, str]) -> None:
    """Refuse a call of `method` that PyTorch would do by the class's own way, which is not called here.

    ways: by the name of such a way, what to do instead.
    """
    for name in ways:
        if hasattr(type(module), name):
            where = f"{type(module).__name__}.{name}" + (f" (of {path})" if path else "")
            raise TypeError(f"{method}: {where} would not be called; {ways[name]}")
