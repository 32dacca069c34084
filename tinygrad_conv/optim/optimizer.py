"""What all optimisers share: parameter groups, their state, and the step over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np

from ..dtypes import NUMBERS, Array
from ..engine.backpropagation import clear_grads
from ..engine.commit import Changes
from ..engine.memory import is_expanded
from ..engine.modes import enable_grad
from ..engine.observed import OBSERVATION
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_array, show_tensor
from ..foreign import plain_option
from ..options import NUMBER, Option, check_option, show_given, wrap_constructor
from .drafts import (
    IN_PLACE,
    Drafts,
    State,
    check_alike,
    check_shapes,
    checked_update,
    copied,
    draft_of_state,
    plain_gradient,
    share_memory,
    warn_if_unchanged,
)
from .loading import OF_GROUPS, StateNames, check_layout, check_option_names, loaded_state
from .options import CLOSURE, NOTES, OPTIMIZERS, check_implementation

Group = dict[str, Any]

WIDE = np.dtype(np.float32)
NOTHING: State = {}
PARAMS_OF = itemgetter("params")  # of a group


class Required:
    """What `required` is: scripts have it for the default of an option that must be given."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = Required()


class Optimizer:
    """The base of all optimisers: a subclass says in `update` what a step does to one parameter.

    params: an iterable of leaves, or of dicts `{"params": …, "lr": …}` whose options overrule the defaults
    for that group. `state[p]` holds what the optimiser remembers of p: plain arrays in p's dtype, in float32
    where that is float16. implementation: foreach, fused, capturable and differentiable, which tell PyTorch's
    optimisers how to compute; here they change nothing, and the last two must be False. A subclass may have
    a `step` of its own instead, which changes `p` under `tg.no_grad()`, and remembers Tensors in `state[p]`.

    Raises ValueError for no parameters, for one given twice and for one that is not a leaf, TypeError for
    what is no Tensor, and for an option that it does not have.
    """

    state_names: StateNames | None = None  # what `updated` remembers of a parameter; None: anything
    options: Mapping[str, Option] = {}  # what those of a group may be, where it is known

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.options = wrap_constructor(cls, OPTIMIZERS) or cls.options

    def __init__(self, params: Iterable[Any], defaults: Group, **implementation: Any) -> None:
        check_implementation(type(self).__name__, implementation, defaults)
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            given = "one tensor; pass [p]" if isinstance(params, Tensor) else show_given(params)
            raise TypeError(f"{type(self).__name__}: params must be an iterable of tensors, not {given}")
        self.defaults = defaults
        self.state: defaultdict[Tensor, State] = defaultdict(dict)
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
        known = {*OF_GROUPS, *self.defaults}
        unknown = [name for name in param_group if name not in known]
        if unknown:
            raise ValueError(f"{kind}: no option {', '.join(unknown)}; it has {', '.join(self.defaults)}")
        missing = [name for name, option in group.items() if option is required]
        if missing:
            raise ValueError(f"{kind}: {missing[0]} must be given, to {kind} or in each group")
        self.check_options(group)
        taken = set(self.params())
        for param in params:
            check_param(kind, param, taken)
            taken.add(param)
        self.param_groups.append(group)

    def check_options(self, group: Group) -> None:
        """Raise TypeError for an option of another type, ValueError for one out of its range."""
        noted = {name: option for name, option in NOTES.items() if name in group}
        for name, option in {**self.options, **noted}.items():
            check_option(type(self).__name__, name, option, group[name])

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
            check_option(type(self).__name__, "closure", CLOSURE, closure)
            with enable_grad():
                loss = closure()
        observation = OBSERVATION.get()
        moved = [] if observation is None else self.moved()
        try:
            changes = self.computed_step()
        except Exception:
            self.check_groups()  # the options that somebody has set since, which say more than arithmetic
            raise
        changes.commit()
        if observation is not None:
            observation.stepped(self, moved)
        return loss

    def check_groups(self) -> None:
        """Refuse groups of parameters with an option missing, or one that cannot be."""
        for number, group in enumerate(self.param_groups):
            missing = [name for name in self.defaults if name not in group]
            if missing:
                kind = type(self).__name__
                raise ValueError(f"{kind}: group {number} has no {missing[0]}; add_param_group sets it")
            self.check_options(group)

    def moved(self) -> list[tuple[Any, Group]]:
        """The parameters that a step moves, those that have a gradient, with their groups."""
        return [
            (param, group)
            for group in self.param_groups
            for param in group["params"]
            if param.grad is not None
        ]

    def computed_step(self) -> Changes:
        """What a step changes."""
        if getattr(self.update, "__func__", None) is not Optimizer.update:
            return self.step_on_copies()
        changes = Changes()
        for group in self.param_groups:
            if type(group.get("lr", 0)) not in NUMBERS:
                check_option(type(self).__name__, "lr", NUMBER, group["lr"])  # a list of them would broadcast
            for param in group["params"]:
                grad = getattr(param, "_grad", None)  # .grad, in C
                if grad is not None:  # an uninitialized parameter has no data either
                    self.compute(param, grad, group, changes)
        if type(self).updated not in ELEMENTWISE:  # a user's
            check_shapes(type(self).__name__, changes)
        return self.step_on_copies() if len(changes.arrays) > 1 and share_memory(changes.arrays) else changes

    def compute(self, param: Any, grad: Any, group: Group, changes: Changes) -> None:
        """What a step changes of one parameter goes to `changes`."""
        data, state = param._data, self.state.get(param)
        if type(grad) is not np.ndarray or grad.shape != data.shape or grad.dtype is not data.dtype:
            grad = plain_gradient(param)
        if not data.flags.writeable:
            check_writable(type(self).__name__, param)
        new_data, new_state = self.updated_in_dtype(data, grad, state or NOTHING, group)
        changes.write_leaf(param, new_data)
        if state is None:
            changes.update(self.state, {param: new_state})
        elif new_state:
            changes.update(state, new_state)

    def updated_in_dtype(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        """As `updated`, in the dtype of data whatever the options are."""
        if data.itemsize > 2:
            returned = self.updated(data, grad, state, group)
            if type(returned) is tuple:
                new_data, new_state = returned
                if type(new_data) is np.ndarray and new_data.dtype is data.dtype:
                    return new_data, new_state
        return self.updated_wide(data, grad, state, group)

    def updated_wide(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        """As `updated`, with arrays of no dimensions as such, in the dtypes of data and state whatever the
        options are, and for float16 computed in float32: squares of gradients and eps would be 0 there.
        """
        dtype = state_dtype(data.dtype)
        returned = self.updated(data.astype(dtype), grad.astype(dtype), state, group)
        numbers, new_state = checked_update(type(self).__name__, data, returned)
        arrays = {
            name: np.asarray(value, dtype) if isinstance(value, (np.ndarray, np.generic)) else value
            for name, value in new_state.items()
        }
        return np.asarray(numbers, data.dtype), arrays

    def step_on_copies(self) -> Changes:
        """As `computed_step`, where a subclass has an `update` in place, or where parameters share memory."""
        moved = self.moved()
        gradients = [plain_gradient(param) for param, _ in moved]
        for param, _ in moved:
            check_writable(type(self).__name__, param)
        changes, drafts = Changes(), Drafts([param.data for param, _ in moved])
        for (param, group), grad in zip(moved, gradients):
            numbers, dtype, state = drafts.of(param.data), state_dtype(param.dtype), self.state.get(param)
            new_state = draft_of_state(state or NOTHING, self._dtypes.get(param, dtype), dtype)
            self.update_draft(numbers, grad, new_state, group)
            if state is None and not new_state and group.get("lr", 1):
                warn_if_unchanged(type(self).__name__, param, numbers, grad)
            changes.write(param, numbers)
            if state is None:
                changes.update(self.state, {param: new_state})
            else:
                changes.refill(state, new_state)
            changes.update(self._dtypes, {param: dtype})
        return changes

    def update_draft(self, numbers: Array, grad: Array, state: State, group: Group) -> None:
        """Have `update` change copies, of float16 in float32."""
        shape, dtype = numbers.shape, state_dtype(numbers.dtype)
        wide = numbers.astype(dtype, copy=False)
        returned: Any = self.update(wide, grad.astype(dtype, copy=False), state, group)  # type: ignore[func-returns-value]
        if returned is not None:
            raise TypeError(f"{type(self).__name__}: update returned {show_given(returned)}; {IN_PLACE}")
        check_alike(type(self).__name__, wide, shape, dtype)
        if wide is not numbers:
            numbers[...] = wide

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
            "state": {
                numbers[param]: {name: copied(value) for name, value in state.items()}
                for param, state in self.state.items()
            },
            "param_groups": groups,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state dict, PyTorch's of the same optimiser included.

        Raises ValueError or TypeError, with everything as it was, where its groups, options, states or shapes
        are others, or numbers of its states cannot be (NaN, steps below 0). Parameters of lazy layers may be
        without a shape still; the net's state dict, or its first forward, gives it to them.
        """
        changes = Changes()
        self._load(state_dict, changes)
        changes.commit()

    def _load(self, state_dict: Mapping[str, Any], changes: Changes) -> None:
        """Check a state dict; what it changes goes to `changes`."""
        kind, params = type(self).__name__, self.params()
        check_layout(kind, state_dict, self.param_groups)
        groups, states = state_dict["param_groups"], state_dict["state"]
        options = [
            {name: plain_option(value) for name, value in group.items() if name != "params"}
            for group in groups
        ]
        new_state: dict[Tensor, State] = {}
        place = iter(params)
        for number, (group, option, own) in enumerate(zip(groups, options, self.param_groups)):
            check_option_names(kind, number, option, self.defaults)
            merged = {**own, **option}
            self.check_options(merged)
            for key in group["params"]:
                param = next(place)
                if key in states:
                    names = self.names_of_state()
                    as_tensors = names is None and type(self).step is not Optimizer.step
                    new_state[param] = loaded_state(kind, param, states[key], names, merged, as_tensors)
        changes.refill(self.state, new_state)
        changes.refill(self._dtypes, {param: state_dtype(param.dtype) for param in new_state})
        for own, option in zip(self.param_groups, options):
            changes.update(own, option)

    def names_of_state(self) -> StateNames | None:
        """What `state_names` says, unless a subclass has an `update` of its own, with what it likes."""
        own = getattr(self.update, "__func__", None) is not Optimizer.update
        return None if own else self.state_names

    def params(self) -> list[Any]:
        """The parameters of all groups, in order."""
        groups = self.param_groups
        return [*groups[0]["params"]] if len(groups) == 1 else [*chain.from_iterable(map(PARAMS_OF, groups))]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines += [f"Parameter Group {number}"]
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


ELEMENTWISE: set[Any] = set()
"""The formulas that were declared so."""

Formula = TypeVar("Formula", bound=Callable[..., tuple[Array, State]])


def elementwise(updated: Formula) -> Formula:
    """Declare an `updated` that computes each number of a parameter, and of its state's arrays, of those in
    its place and of plain numbers alone. Then it may be called with the numbers of several parameters as one
    vector.
    """
    ELEMENTWISE.add(updated)
    return updated


def check_param(kind: str, param: Any, taken: set[Tensor]) -> None:
    """Refuse what cannot be optimised."""
    if not isinstance(param, Tensor):
        fix = "; pass net.parameters(), which have no names" if isinstance(param, tuple) else ""
        raise TypeError(f"{kind}: params must be Tensors or dicts of them, not {type(param).__name__}{fix}")
    if not param.is_leaf:
        raise ValueError(f"{kind}: can optimise leaves alone; {param.grad_fn!r} made this tensor")
    if param in taken:
        raise ValueError(f"{kind}: {show_tensor(param)} is given twice; each step would change it twice")
    if not getattr(param, "is_uninitialized", False):  # of a lazy layer, before the first forward
        check_writable(kind, param)


def check_writable(kind: str, param: Any) -> None:
    """Refuse a parameter whose numbers cannot be changed."""
    is_read_only = not param.data.flags.writeable
    if is_read_only or is_expanded(param.data):
        reason = "is read-only, for an op or a view made it" if is_read_only else "is an expanded view"
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


def ascended_and_decayed(grad: Array, data: Array, group: Group) -> Array:
    """A gradient as a step takes it: turned round where it is to go up, and with the decay of the weights."""
    if group["maximize"]:
        grad = -grad
    return grad + group["weight_decay"] * data if group["weight_decay"] else grad


def state_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """In which dtype the state of a parameter is: its own, but float32 for float16."""
    return WIDE if dtype.itemsize <= 2 else dtype
