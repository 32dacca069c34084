"""`Function`: an op as PyTorch's scripts write it, a class with a forward and a backward of Tensors.

Each subclass is an op of the engine, with one variadic input, the Tensors among the arguments, and one rule.
What `save_for_backward` was given of inputs and outputs the rule reads like any other, so it is on the tape
where gradients are differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from ..engine.declare import Primitive, origin
from ..engine.modes import no_grad
from ..engine.registry import OPS
from ..engine.rule import Rule
from ..engine.tensor import Tensor
from ..errors import RuleError
from ..functional.arguments import as_tensor
from ..members import members_of

Backward = TypeVar("Backward", bound=Callable[..., Any])


class Context:
    """What forward leaves for backward, `ctx`: attributes as one likes, and saved tensors."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._saved: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._values: dict[int, Any] = {}  # in a backward: inputs and outputs as its rule reads them, by id

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep Tensors, or None, for `saved_tensors`. Raises TypeError for anything else."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Tensor):
                given = type(tensor).__name__
                raise TypeError(f"save_for_backward: takes Tensors, not {given}; write ctx.name = … for it")
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved."""
        return tuple(self._values.get(id(tensor), tensor) for tensor in self._saved)

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say of outputs that they carry no gradient."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Gradients of outputs that nobody used are zeros here, whatever is asked."""

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Raises RuleError: the arrays of inputs never change here."""
        raise RuleError("mark_dirty: a forward changes no input in place here; return a new tensor")


class FunctionCall:
    """One call of a Function: its class, its arguments, and the context that its backward will read."""

    def __init__(self, function: type[Function], arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments
        self.places = [place for place, value in enumerate(arguments) if isinstance(value, Tensor)]
        self.context: Context | None = None
        self.inputs: list[Tensor] = []
        self.outputs: tuple[Tensor, ...] = ()

    def __deepcopy__(self, memo: Any) -> FunctionCall:
        return self  # nobody else has it

    def __repr__(self) -> str:
        return f"<call of {self.function.__name__}>"

    def run(self, arrays: Sequence[Any]) -> Any:
        """The output arrays. Of several runs, as checks make them, the first leaves its context behind."""
        needs = tuple(isinstance(value, Tensor) and value.requires_grad for value in self.arguments)
        context, inputs = Context(needs), [read_only(array) for array in arrays]
        arguments = list(self.arguments)
        for place, tensor in zip(self.places, inputs):
            arguments[place] = tensor
        with no_grad():
            returned = self.function.compute(context, arguments)
        outputs = members_of(returned)
        check_outputs(self.function, outputs)
        if self.context is None:
            self.context, self.inputs, self.outputs = context, inputs, tuple(outputs)
        arrays = tuple(output._data for output in outputs)
        return arrays if isinstance(returned, tuple) else arrays[0]

    def send_back(self, dy: Any, xs: tuple[Any, ...], y: Any) -> tuple[Any, ...]:
        """The gradients of the inputs: arrays for arrays, Tensors where they are differentiated again."""
        dys = members_of(dy)
        on_arrays = not any(isinstance(each, Tensor) for each in dys)
        if not on_arrays:
            return self.gradients(dys, xs, members_of(y))
        with no_grad():
            tensors = (as_tensors(values) for values in (dys, xs, members_of(y)))
            return tuple(gradient._data for gradient in self.gradients(*tensors))

    def gradients(self, dys: Any, xs: Any, ys: Any) -> tuple[Tensor, ...]:
        """What backward returns for the Tensors among the arguments; zeros for None."""
        assert self.context is not None
        read = [*zip(self.outputs, ys), *zip(self.inputs, xs)]
        self.context._values = {id(tensor): value for tensor, value in read}
        try:
            returned = members_of(self.function.backward(self.context, *dys))
        finally:
            self.context._values = {}
        check_gradients(self.function, returned, len(self.arguments))
        chosen = [returned[place] for place in self.places]
        return tuple(zeros_like(x) if dx is None else as_tensor(dx) for dx, x in zip(chosen, xs))


class Function:
    """A function with a backward of its own, used as `MyFunction.apply(x, 2.0)`:

        class MyFunction(tg.autograd.Function):
            @staticmethod
            def forward(ctx, x, factor):
                ctx.save_for_backward(x)
                ctx.factor = factor
                return x * x * factor

            @staticmethod
            def backward(ctx, dy):
                (x,) = ctx.saved_tensors
                return 2 * dy * x * ctx.factor, None

    Forward gets the arguments of `apply` as they are, backward the gradient of each output; it returns one
    for each argument, None for what is no Tensor. `forward(x, factor)` without ctx goes with
    `setup_context(ctx, inputs, output)`. Backward may be differentiated again, unless `once_differentiable`.
    All inputs and outputs are kept for backward, whether they are saved or not.
    """

    @classmethod
    def apply(cls, *arguments: Any) -> Any:
        """Compute forward, and record it where a gradient is wanted.

        Raises TypeError where forward or backward is no staticmethod, or returns what is no Tensor; RuleError
        for another number of gradients than of arguments.
        """
        call = FunctionCall(cls, arguments)
        tensors = [arguments[place] for place in call.places]
        if not tensors:
            arrays = call.run(())
            return tuple(map(Tensor, arrays)) if isinstance(arrays, tuple) else Tensor(arrays)
        outputs = op_of(cls)(*tensors, call=call)
        constant = {id(tensor) for tensor in call.context._constant} if call.context else set()
        if not constant:
            return outputs
        kept = [
            output.detach() if id(inner) in constant else output
            for output, inner in zip(members_of(outputs), call.outputs)
        ]
        return tuple(kept) if isinstance(outputs, tuple) else kept[0]

    @classmethod
    def compute(cls, context: Context, arguments: Sequence[Any]) -> Any:
        """What forward returns, in either of its forms."""
        check_static(cls)
        if cls.setup_context is Function.setup_context:
            return cls.forward(context, *arguments)
        output = cls.forward(*arguments)
        cls.setup_context(context, tuple(arguments), output)
        return output

    @staticmethod
    def forward(*arguments: Any) -> Any:
        """The output, or a tuple of them; `forward(ctx, …)`."""
        raise NotImplementedError("a Function needs a forward(ctx, …), a staticmethod")

    @staticmethod
    def setup_context(ctx: Context, inputs: tuple[Any, ...], output: Any) -> None:
        """What backward needs, where forward takes no ctx."""

    @staticmethod
    def backward(ctx: Context, *grad_outputs: Any) -> Any:
        """A gradient for each argument of forward."""
        raise NotImplementedError("a Function needs a backward(ctx, …), a staticmethod")


def once_differentiable(backward: Backward) -> Backward:
    """Declare a backward that is not to be differentiated itself, for it leaves the tape."""
    backward.once = True  # type: ignore[attr-defined]
    return backward


def op_of(function: type[Function]) -> Primitive:
    """The op that a Function is, made when it is first applied."""
    if "_op" not in vars(function):

        def forward(*xs: Any, call: FunctionCall) -> Any:
            return call.run(xs)

        forward.__name__, forward.__doc__ = free_name(function), function.__doc__
        forward.__module__, forward.__qualname__ = origin(function)
        op = Primitive(forward, once=getattr(function.backward, "once", False))
        op.rules[0] = Rule(op, "xs", send_back, leading=1)
        function._op = OPS[op.name] = op  # type: ignore[attr-defined]
    return vars(function)["_op"]


def send_back(dy: Any, xs: Any, y: Any, call: FunctionCall) -> Any:
    """The rule of every Function: its backward."""
    return call.send_back(dy, xs, y)


def free_name(function: type[Function]) -> str:
    """The class's name, with underscores behind it while an op from elsewhere has it."""
    name = function.__name__
    while name in OPS and origin(OPS[name]) != origin(function):
        name += "_"
    return name


def read_only(array: Any) -> Tensor:
    """An input as forward gets it: nothing it does changes the caller's numbers."""
    view = array.view()
    view.setflags(write=False)
    return Tensor(view)


def as_tensors(values: Sequence[Any]) -> list[Any]:
    """Arrays as Tensors; None stays."""
    return [None if value is None else as_tensor(value) for value in values]


def zeros_like(x: Tensor) -> Tensor:
    """The gradient where backward returned None."""
    return Tensor(np.zeros_like(x._data))


def check_static(function: type[Function]) -> None:
    """Refuse methods that would get a self."""
    for name in ("forward", "backward", "setup_context"):
        defined = next(vars(cls)[name] for cls in function.__mro__ if name in vars(cls))
        if not isinstance(defined, staticmethod):
            raise TypeError(f"{function.__name__}: write @staticmethod above def {name}(…)")


def check_outputs(function: type[Function], outputs: Sequence[Any]) -> None:
    """Refuse what forward returned unless it is Tensors."""
    for output in outputs:
        if not isinstance(output, Tensor):
            given = type(output).__name__
            raise TypeError(
                f"{function.__name__}.forward returned {given}; return a Tensor, or a tuple of them"
            )


def check_gradients(function: type[Function], returned: Sequence[Any], count: int) -> None:
    """Refuse another number of gradients than of arguments; None beyond them may be left."""
    extra = [gradient for gradient in returned[count:] if gradient is not None]
    if len(returned) < count or extra:
        raise RuleError(
            f"{function.__name__}.backward returned {len(returned)} gradients for {count} arguments of "
            "forward; return one for each, None for what is no Tensor"
        )
