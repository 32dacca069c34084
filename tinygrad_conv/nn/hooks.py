"""Hooks on modules: functions that are called with what goes in, what comes out, and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..engine.commit import Changes
from ..engine.hooks import Handle, Hooks
from ..options import SWITCH, Option, checked
from .backward_hooks import BackwardHook, backward_hooks

OFF = Option("False: a hook is not called where the forward fails", lambda value: value in (False, None))
HOOK = Option("a function", callable, at_once=True)
refusing = checked(hook=HOOK, prepend=SWITCH, with_kwargs=SWITCH, always_call=OFF._replace(at_once=True))


class WithOptions(NamedTuple):
    """A hook that is given the keyword arguments of the call too."""

    hook: Callable[..., Any]


class HookedModule:
    """What of a module is about its hooks."""

    _pre_hooks: Hooks
    _hooks: Hooks

    def _before(self, inputs: Any, options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments after the hooks that are called before forward."""
        for hook in tuple(self._pre_hooks.values()):
            if isinstance(hook, WithOptions):
                changed = hook.hook(self, inputs, options)
                inputs, options = (inputs, options) if changed is None else changed
                continue
            changed = hook(self, inputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        return inputs, options

    def _after(self, inputs: tuple[Any, ...], options: dict[str, Any], y: Any) -> Any:
        """The output after the hooks that are called with it."""
        for hook in tuple(self._hooks.values()):
            if isinstance(hook, WithOptions):
                changed = hook.hook(self, inputs, options, y)
            else:
                changed = hook(self, inputs, y)
            y = y if changed is None else changed
        return y

    @refusing
    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """Before each forward call `hook(module, inputs)`; what that returns, if anything, is the inputs.

        prepend: before the hooks there are. with_kwargs: call `hook(module, inputs, kwargs)`, which may
        return both.
        """
        return registered(self._pre_hooks, WithOptions(hook) if with_kwargs else hook, prepend)

    @refusing
    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> Handle:
        """After each forward call `hook(module, inputs, output)`; what that returns is the output.

        prepend: before the hooks there are. with_kwargs: call `hook(module, inputs, kwargs, output)`.
        """
        return registered(self._hooks, WithOptions(hook) if with_kwargs else hook, prepend)

    @refusing
    def register_backward_hook(self, hook: Callable[..., Any]) -> Handle:
        """PyTorch's old name, whose hooks got the gradients of the last op alone: those of the layer here."""
        return self.register_full_backward_hook(hook)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """In each backward through it call `hook(module, grad_input, grad_output)`.

        Both are tuples, with a gradient for each positional input and each output, arrays as in the hooks of
        tensors, None for what needs none. What the hook returns, if anything, takes the place of grad_input.
        """
        return self._hook_backward(hook, prepend, before=False)

    @refusing
    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """In each backward, before it goes through it, call `hook(module, grad_output)`.

        What the hook returns, if anything, takes the place of grad_output.
        """
        return self._hook_backward(hook, prepend, before=True)

    def _hook_backward(self, hook: Callable[..., Any], prepend: bool, before: bool) -> Handle:
        """Register a backward hook; with the first one, the two forward hooks that call them all."""
        if "_backward_hooks" not in vars(self):
            hooks: Hooks = {}
            enter, leave = backward_hooks(hooks)
            registered(self._pre_hooks, enter, False)
            registered(self._hooks, leave, False)
            vars(self)["_backward_hooks"] = hooks
        return registered(vars(self)["_backward_hooks"], BackwardHook(hook, before), prepend)


def registered(hooks: Hooks, hook: Any, prepend: bool) -> Handle:
    """Put a hook behind the others, or before them."""
    handle = Handle(hooks, hook)
    if prepend:
        changes, (*others, last) = Changes(), hooks.items()
        changes.refill(hooks, dict([last, *others]))
        changes.commit()
    return handle
