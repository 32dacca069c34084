"""What all optimisers share: parameter groups, their state, and the step over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array
from ..engine.commit import Changes
from ..engine.modes import OBSERVATION, enable_grad
from ..engine.tensor import Tensor, clear_grads
from ..errors import ShapeError, show_array, show_tensor
from .drafts import Drafts, State, any_share_memory, draft_of_state

Group = dict[str, Any]

Ready = tuple[Any, Array, Group]  # a parameter, its gradient, its group

WIDE = np.dtype(np.float32)


NOTHING: State = {}


class Optimizer:
    """The base of all optimisers: a subclass says in `update` what a step does to one parameter.

    params: an iterable of leaves, or of dicts `{"params": …, "lr": …}` whose options overrule the defaults
    for that group. `state[p]` holds what the optimiser remembers of p: plain arrays in p's dtype, in float32
    where that is float16.

    Raises ValueError for no parameters, for one given twice and for one that is not a leaf, TypeError for
    what is no Tensor.
    """

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                f"{type(self).__name__}: params must be an iterable of tensors, not one tensor; pass [p]"
            )
        self.defaults = defaults
        self.state: dict[Tensor, State] = {}
        self._dtypes: dict[Tensor, np.dtype[Any]] = {}  # in which a parameter's state was last computed
        self.param_groups: list[Group] = []
        groups = list(params)
        if not groups:
            raise ValueError(
                f"{type(self).__name__}: got no parameters; does the model have any? Pass model.parameters()"
            )
        for group in groups if isinstance(groups[0], Mapping) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Optimise more parameters, with options of their own: `{"params": …, "lr": …}`."""
        kind = type(self).__name__
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f"{kind}: a parameter group is a dict with 'params' in it, not {param_group!r}")
        params = param_group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        group = {
            "params": params,
            **self.defaults,
            **{name: option for name, option in param_group.items() if name != "params"},
        }
        known = {"params", "name", "initial_lr", *self.defaults}
        unknown = [name for name in param_group if name not in known]
        if unknown:
            raise ValueError(f"{kind}: no option {', '.join(unknown)}; it has {', '.join(self.defaults)}")
        self.check_options(group)
        taken = set(self.params())
        for param in params:
            check_param(kind, param, taken)
            taken.add(param)
        self.param_groups.append(group)

    def check_options(self, group: Group) -> None:
        """Raise ValueError for an option out of its range."""

    def updated(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        """One step for one parameter: its numbers after it, and what of its state is new, all in new arrays.

        `data`, `grad` and `state` stay as they are.
        """
        kind = type(self).__name__
        raise NotImplementedError(
            f"{kind} has no update: define `def update(self, data, grad, state, group)`"
        )

    def update(self, data: Array, grad: Array, state: State, group: Group) -> None:
        """One step for one parameter: change `data` and `state` in place, leave `grad` as it is.

        Where a subclass defines it, it gets copies, which take effect when the whole step is computed.
        """
        data[...], new_state = self.updated(data, grad, state, group)
        state.update(new_state)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient: all of them or, where anything is raised, none.

        closure: computes the loss again, which is returned.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        ready, changes = self.ready_to_step(), Changes()
        after, settle = self.after_updated, changes.update
        if getattr(self.update, "__func__", None) is not Optimizer.update or any_share_memory(ready):
            after, settle = self.updating_copies(changes, ready), changes.refill
        for param, grad, group in ready:
            state = self.state.get(param)
            numbers, new_state = after(param, grad, NOTHING if state is None else state, group)
            changes.write(param, numbers)
            if state is None:
                changes.update(self.state, {param: new_state})
            elif new_state or state:
                settle(state, new_state)
        changes.commit()
        observation = OBSERVATION.get()
        if observation is not None:
            for param, _, group in ready:
                observation.updated(self, param, group)
        return loss

    def after_updated(self, param: Any, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        """A step by `updated`. In float16 it is computed in float32: squares and eps would be 0 there."""
        data = param.data
        if data.itemsize > 2 and data.ndim:
            return self.updated(data, grad, state, group)
        dtype = state_dtype(param)
        numbers, new_state = self.updated(data.astype(dtype), grad.astype(dtype), state, group)
        arrays = {
            name: np.asarray(value) if isinstance(value, np.generic) else value
            for name, value in new_state.items()
        }
        return np.asarray(numbers, data.dtype), arrays

    def updating_copies(self, changes: Changes, ready: list[Ready]) -> Callable[..., tuple[Array, State]]:
        """A step by `update`, as a function like `after_updated`."""
        drafts = Drafts(any_share_memory(ready))

        def after_update(param: Any, grad: Array, state: State, group: Group) -> tuple[Array, State]:
            numbers, dtype = drafts.of(param.data), state_dtype(param)
            state = draft_of_state(state, self._dtypes.get(param, dtype), dtype)
            if numbers.dtype == dtype:
                self.update(numbers, grad, state, group)
            else:
                wide = numbers.astype(dtype)
                self.update(wide, grad.astype(dtype), state, group)
                numbers[...] = wide
            changes.update(self._dtypes, {param: dtype})
            return numbers, state

        return after_update

    def ready_to_step(self) -> list[Ready]:
        """The parameters that have a gradient, with it and their group, all of them checked."""
        ready = []
        for group in self.param_groups:
            for param in group["params"]:
                grad = param.grad
                if grad is None:
                    continue
                data = param.data
                if type(grad) is not np.ndarray or grad.shape != data.shape or grad.dtype != data.dtype:
                    grad = plain_gradient(param)
                if not data.flags.writeable:
                    check_writable(type(self).__name__, param)
                ready.append((param, grad, group))
        return ready

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        clear_grads(self.params(), set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """Options and state as plain numbers and copied arrays; parameters are numbered, as in PyTorch."""
        numbers = {param: number for number, param in enumerate(self.params())}
        groups = [
            {**group, "params": [numbers[param] for param in group["params"]]} for group in self.param_groups
        ]
        return {
            "state": {numbers[param]: copied(state) for param, state in self.state.items()},
            "param_groups": groups,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state dict.

        Raises ValueError, with everything as it was, where its groups or shapes are others.
        """
        kind, groups, params = type(self).__name__, list(state_dict["param_groups"]), self.params()
        given, own = ([len(group["params"]) for group in those] for those in (groups, self.param_groups))
        if given != own:
            raise ValueError(
                f"{kind}: the state dict has groups of {given} parameters, this optimiser has {own}"
            )
        numbers = [number for group in groups for number in group["params"]]
        states = state_dict["state"]
        state = {
            param: loaded(kind, param, states[number])
            for number, param in zip(numbers, params)
            if number in states
        }
        options = [{name: group[name] for name in group if name != "params"} for group in groups]
        for group in options:
            self.check_options({**self.defaults, **group})
        self.state = state
        for group, option in zip(self.param_groups, options):
            group.update(option)

    def params(self) -> list[Any]:
        """The parameters of all groups, in order."""
        return [param for group in self.param_groups for param in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines += [f"Parameter Group {number}"]
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def check_param(kind: str, param: Any, taken: set[Tensor]) -> None:
    """Refuse what cannot be optimised."""
    if not isinstance(param, Tensor):
        raise TypeError(f"{kind}: params must be Tensors or dicts of them, not {type(param).__name__}")
    if not param.is_leaf:
        raise ValueError(f"{kind}: can optimise leaves alone; {param.grad_fn!r} made this tensor")
    if param in taken:
        raise ValueError(f"{kind}: {show_tensor(param)} is given twice; each step would change it twice")
    check_writable(kind, param)


def check_writable(kind: str, param: Any) -> None:
    """Refuse a parameter whose numbers cannot be changed."""
    if not param.data.flags.writeable:
        reason = "is read-only, for an op or a view made it"
        raise ValueError(f"{kind}: {show_tensor(param)} {reason}; pass tg.tensor(it), a copy")


def remembered(state: State, name: str, data: Array) -> Array:
    """An array of a parameter's state, zeros the first time; in the dtype that the parameter has by now."""
    array: Array | None = state.get(name)
    if array is None:
        return np.zeros_like(data)
    if array.shape != data.shape:
        raise ShapeError(
            f"{name} is {show_array(array)}, but its parameter is {show_array(data)}: it has another shape "
            "than in the steps before. Make a new optimiser for it"
        )
    return array if array.dtype == data.dtype else array.astype(data.dtype)


def check_at_least(kind: str, group: Group, **least: float) -> None:
    """Raise ValueError for an option below its least value, or one that is no number."""
    for name, lowest in least.items():
        if not group[name] >= lowest:
            raise ValueError(f"{kind}: {name} must be at least {lowest}, not {group[name]!r}")


def check_fraction(kind: str, name: str, *values: float) -> None:
    """Raise ValueError for a decay rate outside [0, 1)."""
    for value in values:
        if not 0.0 <= value < 1.0:
            raise ValueError(f"{kind}: {name} must lie in [0, 1), not {value!r}")


def plain_gradient(param: Tensor) -> Array:
    """A gradient that a user has set, as an array. Raises ShapeError where it would broadcast."""
    grad = np.asarray(param.grad.data if isinstance(param.grad, Tensor) else param.grad)
    if grad.shape != param.shape or grad.dtype not in FLOATS:
        raise ShapeError(
            f"the gradient of {show_tensor(param)} is {show_array(grad)}, but it is {show_array(param)}"
        )
    return grad.astype(param.dtype, copy=False)


def copied(state: State) -> State:
    """A parameter's state with its arrays copied."""
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in state.items()}


def loaded(kind: str, param: Tensor, state: Mapping[str, Any]) -> State:
    """A parameter's state out of a state dict: arrays in its dtype, at least float32; counts as ints."""
    own: State = {}
    dtype = np.result_type(param.dtype, np.float32)
    for name, value in state.items():
        if value is None or name == "step":
            own[name] = value if value is None else int(value)
            continue
        array = np.asarray(value.data if isinstance(value, Tensor) else value).astype(dtype)
        if array.shape != param.shape:
            raise ValueError(
                f"{kind}: {name} of {show_tensor(param)} is {show_array(array)} in the state dict"
            )
        own[name] = array
    return own
