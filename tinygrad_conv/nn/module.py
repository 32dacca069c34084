"""`Module`: layers, and nets made of them.

Parameters, buffers and children are ordinary attributes, found by their type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ..engine.backpropagation import clear_grads
from ..engine.commit import Changes
from ..engine.observed import LAYER
from ..engine.registry import if_open
from ..engine.tensor import Tensor
from ..options import SWITCH, TEXT, check_option, checked, optional, wrap_constructor
from .attributes import answer_getattr
from .conversions import Conversions
from .hooks import HookedModule
from .options import DICT, LAYERS, NO_ASSIGNING, OWN, check_inputs, other_names, take_device
from .parameter import Parameter
from .state_dict import LOADING, SAVING, IncompatibleKeys, copied, load
from .summary import Summary, summarize
from .tree import ModuleTree, check_ways
from .uninitialized import set_requires_grad

Self = TypeVar("Self", bound="Module")


class Module(HookedModule, ModuleTree, Conversions):
    """The base of every layer and net: assign parameters and layers to attributes, and write `forward`.

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv2d(1, 8, 3)

            def forward(self, x):
                return F.relu(self.conv1(x))

    Parameters are called by their key relative to the outermost module (`conv1.weight`), modules by their
    path from it (`net.conv1`). What is shared is called by its first place, what was taken out of a module by
    its last.
    """

    training: bool
    _path: str
    _other_names: dict[str, str] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        answer_getattr(cls)
        wrap_constructor(cls, LAYERS, OWN)
        take_device(cls)
        cls._other_names = other_names(cls)

    def __init__(self) -> None:
        path = type(self).__name__.lower()
        vars(self).update(training=True, _path=path, _persistent={}, _pre_hooks={}, _hooks={})

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What calling the module computes."""
        raise NotImplementedError(f"{type(self).__name__} has no forward: define `def forward(self, x)`")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        around = LAYER.get()
        try:
            LAYER.set(self._path)
            if options:
                options = {self._other_names.get(name, name): value for name, value in options.items()}
            if self._pre_hooks:
                inputs, options = self._before(inputs, options)
            # nearly always without options: Python is quicker to call where there are none to hand on
            y = self.forward(*inputs, **options) if options else self.forward(*inputs)
            return self._after(inputs, options, y) if self._hooks else y
        except AttributeError as error:
            check_inputs(self, (*inputs, *options.values()), error)
            raise
        finally:
            LAYER.set(around)

    def __setattr__(self, name: str, value: Any) -> None:
        known = vars(self)
        if "_path" not in known:
            if isinstance(value, (Parameter, Module)):
                raise AttributeError(
                    f"{type(self).__name__}.{name}: call super().__init__() before assigning"
                )
            super().__setattr__(name, value)
            return
        if name == "training":
            check_option(type(self).__name__, name, SWITCH, value)
        self._check_not_inside(name, value)
        before = known.get(name)
        if isinstance(before, (Parameter, Module)) and not (
            value is None or isinstance(value, (Parameter, Module))
        ):
            member = "an nn.Parameter" if isinstance(before, Parameter) else "an nn.Module"
            lost = f"a {type(value).__name__} in its place would be lost to parameters()"
            raise TypeError(
                f"{type(self).__name__}.{name} is {member}; {lost}. "
                f"Assign {member} or None, or change the numbers: {name}.data = …"
            )
        if name in self._persistent and not (value is None or isinstance(value, Tensor)):
            given = type(value).__name__
            raise TypeError(f"{type(self).__name__}.{name} is a buffer: assign a Tensor or None, not {given}")
        super().__setattr__(name, value)
        if isinstance(value, (Parameter, Module)):
            self._persistent.pop(name, None)
            self._settle()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._persistent.pop(name, None)

    def _settle(self) -> None:
        """Tell the modules below their paths, and the parameters and buffers their names."""
        for path, module in self.named_modules(prefix=self._path):
            vars(module)["_path"] = path
        _, _, key = self._path.partition(".")
        for members in (self.named_parameters, self.named_buffers):
            for name, tensor in members(key):
                tensor.name = name

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """As `self.name = param`, for names that are made up at run time."""
        if not (param is None or isinstance(param, Parameter)):
            raise TypeError(
                f"register_parameter: {name} must be an nn.Parameter or None, not {type(param).__name__}"
            )
        self._check_name(name)
        setattr(self, name, param)

    @checked()
    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """A tensor that belongs to the module but is not trained; in the state dict if `persistent`."""
        if not (tensor is None or isinstance(tensor, Tensor)) or isinstance(tensor, Parameter):
            raise TypeError(
                f"register_buffer: {name} must be a plain Tensor or None, not {type(tensor).__name__}"
            )
        self._check_name(name)
        setattr(self, name, tensor)
        self._persistent[name] = persistent
        self._settle()

    def add_module(self, name: str, module: Module | None) -> None:
        """As `self.name = module`, for names that are made up at run time."""
        self._check_name(name)
        self._check_members("add_module", {name: module})
        setattr(self, name, module)

    register_module = add_module

    def _check_members(self, owner: str, members: Mapping[str, Any]) -> None:
        """Refuse what is no module, a name that cannot be, and a module within itself."""
        for name, member in members.items():
            if not (member is None or isinstance(member, Module)):
                raise TypeError(f"{owner}: {name} must be an nn.Module or None, not {type(member).__name__}")
            self._check_name(name)
            self._check_not_inside(name, member)

    def _check_not_inside(self, name: str, value: Any) -> None:
        """Refuse a member that contains this module."""
        if isinstance(value, Module) and self in value.modules():
            raise ValueError(
                f"{type(self).__name__}.{name}: a module cannot contain itself; hold it in a list, "
                "whose modules are not found"
            )

    def _check_name(self, name: str) -> None:
        """Refuse names that state dicts could not hold, or that something else has."""
        if not isinstance(name, str) or name == "" or "." in name:
            raise KeyError(f"{type(self).__name__}: {name!r} cannot be a name; use a string without dots")
        replaceable = (
            vars(self).get(name) is None
            or isinstance(vars(self)[name], (Parameter, Module))
            or name in self._persistent
        )
        if hasattr(self, name) and not (name in vars(self) and replaceable):
            raise KeyError(f"{type(self).__name__}: {name!r} is an attribute already")

    @checked(destination=optional(DICT), prefix=TEXT, keep_vars=SWITCH)
    def state_dict(
        self, *, destination: dict[str, Tensor] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """The parameters and persistent buffers by their keys: copies, which training does not change.

        What a lazy layer has not got yet is there without numbers. destination: a dict to put them into.
        prefix: what all keys begin with, its point included. keep_vars: themselves instead of copies.
        """
        check_ways("state_dict", prefix.removesuffix("."), self, SAVING)
        state = {
            prefix + name: tensor if keep_vars else copied(tensor)
            for name, tensor in self._own_state().items()
        }
        for name, child in self._own_modules().items():  # each by its method: a class may have its own
            child.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        if destination is None:
            return state
        destination.update(state)
        return destination

    @checked(assign=NO_ASSIGNING)
    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy a state dict's numbers into the parameters and buffers, in their dtypes.

        The numbers may be Tensors or arrays, of PyTorch too. Raises RuntimeError, with the module as it was,
        for wrong shapes, numbers that the dtypes cannot hold, and if `strict` for missing or unexpected keys.
        """
        changes = Changes()
        incompatible = self._load(state_dict, changes, strict)
        changes.commit()
        return incompatible

    def _load(self, state_dict: Mapping[str, Any], changes: Changes, strict: bool = True) -> IncompatibleKeys:
        """Check a state dict; what it changes goes to `changes`."""
        self._check_ways("load_state_dict", LOADING)
        own = dict(self._named(Module._own_state, "", True, False))
        return load(own, self._adapted(state_dict, strict), strict, type(self).__name__, changes)

    def _adapted(self, state_dict: Any, strict: bool) -> Any:
        """A state dict as the modules that have a `_load_from_state_dict` of their own change it."""
        if not isinstance(state_dict, Mapping):
            return state_dict  # to be refused
        adapted, errors = dict(state_dict), list[str]()
        for path, module in self.named_modules(remove_duplicate=False):
            if type(module)._load_from_state_dict is not Module._load_from_state_dict:
                prefix = f"{path}." if path else ""
                module._load_from_state_dict(adapted, prefix, {}, strict, [], [], errors)
        if errors:
            raise RuntimeError(f"load_state_dict: nothing was loaded into {type(self).__name__}: {errors}")
        return adapted

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """PyTorch's place for a class that changes a state dict before its part is loaded, old keys to new
        ones: it gets a copy of the whole dict, and the prefix of its part. Nothing by default.
        """

    def train(self: Self, mode: bool = True) -> Self:
        """Put this module and all below it into training mode, or out of it.

        In training dropout drops, and batch norms use their batch. A module below whose class has a `train`
        of its own is given to that, last.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, not {mode!r}")
        alike, others = self._by_train()
        changes = Changes()
        for module in alike:
            changes.update(vars(module), {"training": mode})
        changes.commit()
        for module in others:
            module.train(mode)
        return self

    def _by_train(self) -> tuple[list[Module], list[Module]]:
        """This module and those below that follow it into a mode, and those that have a `train` of their own,
        which are looked into no further.
        """
        alike: list[Module] = [self]
        others: list[Module] = []
        for child in self.children():
            if type(child).train is not Module.train:
                others.append(child)
                continue
            below, own = child._by_train()
            alike += below
            others += own
        return alike, others

    def eval(self: Self) -> Self:
        """As train(False)."""
        return self.train(False)

    @checked(requires_grad=SWITCH)
    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Ask for gradients of all parameters, or freeze them."""
        changes, parameters = Changes(), list(self.parameters())
        for parameter in parameters:
            set_requires_grad(parameter, requires_grad, changes)
        changes.commit()
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        clear_grads(list(self.parameters()), set_to_none)

    def multiply_adds(self, x: tuple[int, ...], y: tuple[int, ...]) -> int:
        """How many products a call sums that takes shape `x` to shape `y`; for the summary."""
        return 0

    def summary(self, *input_shapes: tuple[int, ...]) -> Summary:
        """The layers with their output shapes, parameters, multiply-adds and memory.

        `net.summary((1, 3, 32, 32))`: the whole shape of each input, batch included. The net is called once,
        on zeros, in eval mode, and stays as it is.
        """
        return summarize(self, input_shapes)

    def extra_repr(self) -> str:
        """What a layer says of itself between its brackets."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}" for name, child in self._entries().items()]
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        body = "\n".join([extra, *lines] if extra else lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)"

    def _repr_html_(self) -> str | None:
        return if_open("module_html", self)


def shown(module: Module, *names: str) -> str:
    """Options of a layer, which are attributes of the same names, as its `extra_repr` shows them."""
    return ", ".join(f"{name}={getattr(module, name)!r}" for name in names)
