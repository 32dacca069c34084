"""`Op`: how an op is applied to Tensors, and recorded on the tape. How one is declared is in declare.py.

A call goes in this order: `bind` sorts the arguments, where inputs come by name or params by position;
`unwrap` takes the arrays out of the inputs, and `unwrap_params` those out of the params; the forward
computes; `wrap` makes Tensors of what it returned; and where a gradient is wanted, `record` puts them on the
tape. `wanted` are the positions of the inputs that require a gradient, and decide what is saved.
Arrays alone take a short way, `on_arrays`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from ..dtypes import CODES, FLOATS, BeyondHalf, promote, promote_beside_number
from ..errors import RuleError
from ..foreign import is_own
from ..options import ARRAY, Option, settled_option
from .half import apply_in_float32
from .location import show_place, user_where
from .memory import Contents, read_only
from .modes import GRAD
from .node import Node, output_of
from .observed import LAYER, OBSERVATION
from .refusal import (
    check_arguments,
    check_given_once,
    check_inputs,
    check_output,
    check_positions,
    explained,
    rule_for,
)
from .rule import Rule
from .saved import (
    PLAIN,
    PLAIN_OR_TUPLE,
    SavePlan,
    is_plain_index,
    name_constants,
    own_copy_of_param,
    save_input,
)
from .tensor import Tensor, tensor_of, view_of

ndarray = np.ndarray


class Op:
    """A primitive: a forward on ndarrays, and one rule for each differentiable input.

    Called with at least one Tensor it returns Tensors, and is recorded where a gradient is wanted. Called
    with ndarrays alone it runs its forward straight away: so a rule that is written with ops works on arrays
    and on Tensors.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        names: tuple[str, ...] = (),
        broadcasting: bool = False,
        keeps: tuple[str, ...] = (),
        differentiable: bool = True,
        once: bool = False,
        view: bool = False,
    ) -> None:
        update_wrapper(self, forward)  # its name, module and docstring
        self.name, self.forward, self.is_user_defined = forward.__name__, forward, not is_own(forward)
        self.broadcasting, self.keeps = broadcasting, tuple(keeps)
        self.differentiable, self.once, self.view = differentiable, once, view
        parameters = list(inspect.signature(forward).parameters.values())
        inputs = [parameter for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
        params = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
        variadic = [parameter.name for parameter in inputs if parameter.kind is parameter.VAR_POSITIONAL]
        self.inputs = tuple(parameter.name for parameter in inputs)
        self.params = tuple(parameter.name for parameter in params)
        self.defaults = {param.name: param.default for param in params if param.default is not param.empty}
        self.allowed_params: dict[str, Option] = {}  # by param: what it may be, where that was declared
        self.plain = dict.fromkeys(self.params, PLAIN_OR_TUPLE)  # by param: types that need no look
        self.arity = len(inputs)
        self.variadic = variadic[0] if variadic else None
        self.optional = tuple(parameter.name for parameter in inputs if parameter.default is None)
        self.required = len(inputs) - len(self.optional)
        self.may_be_none = range(self.required, self.arity)  # the positions of optional inputs
        self.array_types = frozenset({ndarray, type(None)} if self.optional else {ndarray})
        self.aliases = dict(zip(names, self.inputs))  # by the name that callers may use: the forward's
        self.input_names = frozenset([*self.inputs, *self.aliases])
        self.__signature__ = signature_for_callers(self)
        self.rules: list[Rule | None] = [None] * len(self.inputs)  # for each input
        self.derivations: dict[str, Rule] = {}  # how kept floats follow from what rules may read
        self.replays: dict[Any, Any] = {}  # by input, None for the forward, and what follows: @op.replayed
        self._plans: dict[tuple[int, ...], SavePlan] = {}  # by the positions that want a gradient

    def restrict_params(self, allowed: dict[str, Option]) -> None:
        """What the params may be: whatever else they are is refused."""
        self.allowed_params = {name: allowed[name] for name in self.params if name in allowed}
        self.plain.update({name: option.plain for name, option in self.allowed_params.items()})

    @property
    def readable(self) -> list[str]:
        """What rules may read beside the params."""
        return [*self.inputs, "y", *self.keeps, *(f"{name}_shape" for name in self.inputs)]

    def __repr__(self) -> str:
        return f"<op {self.name}{self.__signature__}>"

    def __reduce__(self) -> str:
        return self.forward.__qualname__  # pickled and copied as what it is: a name in its module

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        observation = OBSERVATION.get()
        if observation is not None:
            return observation.apply(self, inputs, params)
        try:
            if len(inputs) != self.arity and self.variadic is None:
                inputs, params = self.bind(inputs, params)
            if inputs and type(inputs[0]) is ndarray and self.array_types.issuperset(map(type, inputs)):
                return self.on_arrays(inputs, params)
            arrays, edges, wanted, any_tensor = self.unwrap(inputs)
            mutable = self.unwrap_params(params) if params else ()
            returned = self.forward(*arrays, **params)
            y, kept = self.split_kept(returned) if self.keeps else (returned, ())
            if not any_tensor:
                return y
            if type(y) is tuple:
                outputs: Any = tuple([self.wrap(output, inputs, arrays) for output in y])
            else:
                outputs = self.wrap(y, inputs, arrays)
            if wanted and self.differentiable and GRAD.get():
                for name in mutable:  # the arrays in them are their owner's to change
                    params[name] = own_copy_of_param(params[name])
                self.record(inputs, arrays, edges, tuple(wanted), params, kept, outputs)
            return outputs
        except BeyondHalf:
            pass  # float16 cannot hold an operand, as in x / 1e5. Applied again in float32 below, outside: an
            # error there is not to be chained to this one
        except Exception as error:
            explanation = explained(self, inputs, params, error)
            if explanation is error:
                raise
            raise explanation from error
        return apply_in_float32(self, inputs, params)

    def bind(self, inputs: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A call as anyone may write it, `conv2d(input=x, weight=w)` or `conv2d(x, w, b, 2)`, in the one form
        that forwards have: every input by position (None: an optional one was left out), params by keyword.
        """
        if self.required <= len(inputs) < self.arity and self.input_names.isdisjoint(params):
            return inputs + (None,) * (self.arity - len(inputs)), params  # optional ones were left out
        check_positions(self, inputs)
        given = dict(zip(self.inputs + self.params, inputs))
        for name, value in params.items():
            own_name = self.aliases.get(name, name)
            check_given_once(self, name, own_name, given)
            given[own_name] = value
        check_arguments(self, given)
        return tuple(given.pop(name, None) for name in self.inputs), given

    def on_arrays(self, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """A call on arrays alone, as rules make them. Raises DtypeError for a dtype that no Tensor has."""
        for array in inputs:
            if array is not None and array.dtype.char not in CODES:
                check_inputs(self, list(inputs))
        if params:
            self.unwrap_params(params)
        # the same fast way out as in `unwrap`
        if self.broadcasting and (inputs[0].dtype is not inputs[-1].dtype or len(inputs) > 2):
            inputs = tuple(promote(list(inputs), [False] * len(inputs), check_half=True))
        returned = self.forward(*inputs, **params)
        return self.split_kept(returned)[0] if self.keeps else returned

    def unwrap(self, inputs: tuple[Any, ...]) -> tuple[list[Any], list[Any], list[int], bool]:
        """The inputs as arrays, brought to one dtype if the op broadcasts; the edges of those that require a
        gradient, and their positions; and whether any is a Tensor.
        """
        arrays: list[Any] = []
        edges: list[Any] = []
        wanted: list[int] = []
        any_tensor = unusual = False  # unusual: a number, as in `2 * x`, or what no input may be
        for position, value in enumerate(inputs):
            edge = None
            if isinstance(value, Tensor):
                any_tensor = True
                if value._requires_grad:
                    edge = value._edge or value
                    wanted.append(position)
                value = value._data
            elif type(value) is ndarray:
                unusual = unusual or value.dtype.char not in CODES
            elif value is not None or position not in self.may_be_none:
                unusual = True
            arrays.append(value)
            edges.append(edge)
        promoted = promote_beside_number(arrays) if unusual and self.broadcasting else None
        if promoted is not None:  # nearly always
            arrays, unusual = promoted, False
        if unusual:
            check_inputs(self, arrays)
        # a fast way out: two arrays with the very same dtype object need no promoting
        if self.broadcasting and (unusual or arrays[0].dtype is not arrays[-1].dtype or len(arrays) > 2):
            arrays = promote(arrays, [any_tensor and is_scalar(value) for value in inputs], check_half=True)
        if self.is_user_defined:  # whose forwards and rules might write to a leaf
            arrays = [read_only(array) if type(array) is ndarray else array for array in arrays]
        return arrays, edges, wanted, any_tensor

    def unwrap_params(self, params: dict[str, Any]) -> list[str]:
        """Take the Tensors out of the params, in place. Returns the names of those that somebody could change
        later on.
        """
        mutable: list[str] = []
        plain = self.plain
        for name, value in params.items():
            its_type = type(value)
            if its_type in plain[name]:  # nearly always: a number, a text, or a tuple of them
                if its_type is not tuple:
                    continue
                for item in value:  # a loop: half of what all() or a set takes for a pair
                    if type(item) is not int and type(item) not in PLAIN:
                        break
                else:
                    continue
            # an array where one is due, a mask or the taps of a pool: it stays, and is copied when recorded
            if its_type is ndarray and value.dtype.char in CODES and self.allowed_params.get(name) is ARRAY:
                mutable.append(name)
                continue
            params[name] = self.without_tensors(name, value)
            if name in self.allowed_params:
                params[name] = settled_option(self.name, name, self.allowed_params[name], params[name])
            if its_type not in PLAIN and not is_plain_index(value):
                mutable.append(name)
        return mutable

    def without_tensors(self, name: str, value: Any) -> Any:
        """A param with arrays in the place of Tensors."""
        if type(value) in (tuple, list):
            return type(value)([self.without_tensors(name, item) for item in value])
        if not isinstance(value, Tensor):
            return value
        if value.requires_grad:
            raise RuleError(
                f"{self.name}: {name} is a param, so no gradient flows to it, but it requires one; "
                f"pass {name}.detach()"
            )
        return value._data

    def split_kept(self, returned: Any) -> tuple[Any, tuple[Any, ...]]:
        """What a forward that keeps values returned: the output, and the kept ones."""
        if type(returned) is not tuple or len(returned) != 1 + len(self.keeps):
            keeps = ", ".join(self.keeps)
            raise RuleError(
                f"op {self.name} ({show_place(self.forward)}) keeps {keeps}, so its forward must return "
                f"(y, {keeps})"
            )
        return returned[0], returned[1:]

    def wrap(self, output: Any, inputs: tuple[Any, ...], arrays: list[Any]) -> Tensor:
        """An output as a Tensor: read-only, and aware of whose memory it shows if it is a view."""
        usual = type(output) is np.ndarray and output.dtype.char in CODES and not self.is_user_defined
        array: Any = output if usual else self.as_array(output)
        base = array.base
        viewed: Tensor | None = None  # an input that it is itself, is a view of, or shares a base with
        for value, given in zip(inputs, arrays):
            if array is given or (
                base is not None and given is not None and (base is given or base is given.base)
            ):
                array = array.view()  # what is made read-only below is not the caller's own array
                if isinstance(value, Tensor):
                    viewed = value
        array.setflags(False)  # read-only; `write=` by keyword would take twice as long
        if viewed is not None:
            return view_of(array, viewed)
        if self.view and isinstance(inputs[0], Tensor):
            return view_of(array, inputs[0], copied=True)
        return tensor_of(array)

    def as_array(self, output: Any) -> Any:
        """What a forward returned, a NumPy number perhaps, as an array."""
        check_output(self, output)
        return np.asarray(output)

    def record(
        self,
        inputs: tuple[Any, ...],
        arrays: list[Any],
        edges: list[Any],
        wanted: tuple[int, ...],
        params: dict[str, Any],
        kept: tuple[Any, ...],
        outputs: Any,
    ) -> None:
        """Put the outputs on the tape: their node holds what the rules read, and knows where gradients go."""
        plan = self._plans.get(wanted) or self.plan_for(wanted)
        several = type(outputs) is tuple
        saved: dict[str, Any] = {}
        contents: list[Contents] = []
        if self.variadic is not None:
            self.save_variadic(saved, contents, plan, inputs, arrays)
            edges = [edges]
        else:
            for name, position in plan.inputs:
                saved[name] = save_input(inputs[position], arrays[position], contents)
            for name, position in plan.shapes:
                saved[name] = None if arrays[position] is None else arrays[position].shape
        if plan.output:
            saved["y"] = tuple([output._data for output in outputs]) if several else outputs._data
        for name, place in plan.kept:
            saved[name] = kept[place]
        constants = name_constants(inputs, plan.constants) if plan.constants else None
        params = {**self.defaults, **params}
        where = user_where(skip=2)  # record and __call__ are ours
        node = Node(self, edges, saved, params, several, contents, constants, LAYER.get(), where)
        for slot, output in enumerate(outputs if several else (outputs,)):
            array = output._data
            node.outputs.append((array.shape, array.dtype))
            if array.dtype in FLOATS:
                output._edge = output_of((node, slot))
                output._requires_grad = True

    def save_variadic(
        self,
        saved: dict[str, Any],
        contents: list[Contents],
        plan: SavePlan,
        inputs: tuple[Any, ...],
        arrays: list[Any],
    ) -> None:
        """Save the inputs of a variadic op, or their shapes, as tuples under its one name."""
        for name, _ in plan.inputs:
            saved[name] = tuple([save_input(value, array, contents) for value, array in zip(inputs, arrays)])
        for name, _ in plan.shapes:
            saved[name] = tuple([array.shape for array in arrays])

    def plan_for(self, wanted: tuple[int, ...]) -> SavePlan:
        """What to save where the inputs at these positions want a gradient."""
        wanted_rules = range(len(self.rules)) if self.variadic else wanted
        rules = [rule_for(self, position) for position in wanted_rules]
        reads = {name for rule in [*rules, *self.derivations.values()] for name in rule.reads}
        positions = list(enumerate(self.inputs))
        self._plans[wanted] = SavePlan(
            inputs=[(name, position) for position, name in positions if name in reads],
            shapes=[(f"{name}_shape", position) for position, name in positions if f"{name}_shape" in reads],
            kept=[(name, place) for place, name in enumerate(self.keeps) if name in reads],
            output="y" in reads,
            constants=[position for position, _ in positions if position not in wanted_rules],
        )
        return self._plans[wanted]

    def derive(self, name: str, values: dict[str, Any], params: dict[str, Any]) -> Any:
        """A kept float from the Tensors it follows from."""
        if name not in self.derivations:
            raise RuleError(
                f"{self.name} keeps the float {name!r}, so to differentiate its rules they must know how it "
                f"follows from the inputs: declare @{self.name}.kept({name!r})"
            )
        derivation = self.derivations[name]
        arguments, named = derivation.arguments(values, params)
        return derivation.function(*arguments, **named)


def signature_for_callers(op: Op) -> inspect.Signature:
    """A forward's signature, with the inputs under the other names that callers may give them by."""
    signature = inspect.signature(op.forward)
    names = {own: other for other, own in op.aliases.items()}
    parameters = signature.parameters.values()
    renamed = [each.replace(name=names.get(each.name, each.name)) for each in parameters]
    return signature.replace(parameters=renamed)


def is_scalar(value: Any) -> bool:
    """Whether an operand takes the other's dtype: a Python or NumPy number, an array without dimensions."""
    return not isinstance(value, Tensor) and np.ndim(value) == 0
