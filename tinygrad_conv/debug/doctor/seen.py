"""What a doctor has seen of a training: ops, backwards and steps, as numbers.

History     everything, in the order in which it happened
OpSeen      an op that was applied: what it read and made, and later on the gradient that arrived at it
DataSeen    an array that came from outside: inputs, labels
SweepSeen   a backward; GradSeen: what it brought to a leaf
Update      what one step, an optimiser's or one by hand, did to a parameter
StepSeen    a call of `optimizer.step()`
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from ...dtypes import Array
from ...engine.location import Place, Where, place_at
from ...members import grouped

PASSING = {
    *("reshape", "flatten", "squeeze", "unsqueeze", "permute", "transpose", "to", "clone", "expand"),
    *("getitem", "flip", "roll", "chunk", "split", "unbind", "repeat"),
}
"""Ops that pass numbers on as they are."""

WEIGHTED = {"conv2d": "w", "linear": "w", "conv2d_input_grad": "w", "matmul": "b", "einsum": "xs"}
"""Ops with a weight, and which argument that is."""

ACTIVATIONS = {
    *("relu", "sigmoid", "tanh", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "hardswish", "mish"),
    *("softplus", "softsign", "logsigmoid", "hardtanh", "clamp_min", "clamp_max", "maximum", "minimum"),
    "abs",
}
"""Ops that make a net more than linear, number by number."""

LOSSES = {
    *("cross_entropy", "nll_loss", "mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"),
    *("binary_cross_entropy", "binary_cross_entropy_with_logits"),
}
"""Ops that compare with a target."""


class Stats(NamedTuple):
    """An array of floats in five numbers."""

    rms: float
    low: float
    high: float
    zeros: float  # the share of zeros
    finite: bool


def stats_of(array: Array) -> Stats:
    """The numbers of an array; an empty one is all zeros."""
    if not array.size:
        return Stats(0.0, 0.0, 0.0, 0.0, True)
    low, high = float(array.min()), float(array.max())
    if not np.isfinite(low) or not np.isfinite(high):
        return Stats(float("nan"), low, high, 0.0, False)
    zeros = 1 - np.count_nonzero(array) / array.size
    return Stats(norm(array) / array.size**0.5, low, high, zeros, True)


def norm(array: Array) -> float:
    """√Σx², of float16 too, and without overflow. No BLAS, whose threads cost more than this is."""
    numbers = array.reshape(-1)
    if array.dtype.itemsize <= 2:
        numbers = numbers.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = float(np.einsum("i,i->", numbers, numbers))
    if 1e-30 < squares < 1e30:
        return squares**0.5
    largest = float(np.abs(array).max(initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    scaled = numbers.astype(np.float64) / largest
    return largest * float(np.einsum("i,i->", scaled, scaled)) ** 0.5


@dataclass(eq=False)
class DataSeen:
    """An array that came from outside the tape."""

    shape: tuple[int, ...]
    dtype: Any
    digest: int  # the same for the same numbers
    pointer: int  # where its memory is
    stats: Stats
    sample: Array  # its first numbers along each axis, for questions about them
    mean: float = 0.0

    @property
    def is_float(self) -> bool:
        return bool(self.dtype.kind == "f")


@dataclass(eq=False)
class InputSeen:
    """One input of an op: made by another op, a parameter (or another leaf), or data."""

    argument: str
    shape: tuple[int, ...]
    producer: OpSeen | None = None
    leaf: Any = None  # a Tensor that wants a gradient and that no op made
    data: DataSeen | None = None
    wanted: bool = False  # whether a gradient goes there
    value: float | None = None  # of a constant of one number
    inner: bool = False  # made inside of the model, as an initial state is: neither data nor an op made it


@dataclass(eq=False)
class OpSeen:
    """An op that was applied."""

    op: str
    where: Where
    layer: str
    params: dict[str, Any]
    inputs: list[InputSeen]
    shape: tuple[int, ...]
    dtype: Any
    stats: Stats
    round: int  # how many steps had been taken
    recorded: bool  # it is on the tape
    recording: bool  # ops are recorded at the time: it is not under no_grad
    value: float | None = None  # of an output of one number
    quiet_units: Array | None = None  # of an activation: which of its units gave 0 throughout
    saturation: float = 0.0  # of a sigmoid or tanh: the share of outputs at the ends
    row_sums: tuple[float, float] | None = None  # of a loss's input: the range of Σ exp(x) over classes
    index: Array | None = None  # of an embedding: the rows that it picks
    called: Where | None = None  # the line that calls the outermost module, inside of it
    normed: Any = None  # of a batch norm in eval mode: its statistics and those of what arrives
    dy: Stats | None = None
    readers: list[OpSeen] = field(default_factory=list)
    swept: bool = False  # a backward has passed

    @property
    def place(self) -> Place:
        return place_at(self.where, self.layer)

    @property
    def name(self) -> str:
        """What people know it by: its layer, or the op."""
        return self.layer if self.layer and "." in self.layer else self.op

    def input(self, argument: str) -> InputSeen | None:
        return next((given for given in self.inputs if given.argument == argument), None)

    @property
    def ends_the_tape(self) -> bool:
        """Whether it reads what is on the tape, and is not on it."""
        return not self.recorded and any(given.wanted for given in self.inputs)

    @property
    def is_half(self) -> bool:
        """Whether its numbers end at 65504."""
        return bool(self.dtype.itemsize <= 2)

    @property
    def weight(self) -> Any:
        """The parameter that it multiplies with; None for an op that has none."""
        argument = WEIGHTED.get(self.op)
        given = [each for each in self.inputs if each.argument == argument and each.leaf is not None]
        return given[-1].leaf if given else None

    def before(self, argument: str | None = None) -> OpSeen | None:
        """The op that made an input (the first), past those that pass numbers on."""
        given = self.inputs[0] if argument is None and self.inputs else self.input(argument or "")
        maker = given.producer if given is not None else None
        while maker is not None and maker.op in PASSING:
            maker = maker.inputs[0].producer if maker.inputs else None
        return maker


def behind(
    begin: list[OpSeen | None], most: float = math.inf, past: Callable[[OpSeen], bool] = lambda op: True
) -> Iterator[OpSeen]:
    """These ops and those that they read from, through others: each once, the nearest first.

    most: how many; past: which ops it goes on from, if not all.
    """
    waiting, seen = list(begin), set[int]()
    while waiting and len(seen) < most:
        op = waiting.pop(0)
        if op is None or id(op) in seen:
            continue
        seen.add(id(op))
        yield op
        if past(op):
            waiting += [given.producer for given in op.inputs]


def leads_to(
    op: OpSeen, arrives: Callable[[OpSeen], bool], past: Callable[[OpSeen], bool], most: int = 7
) -> bool:
    """Whether what reads an op, or reads that, so many ops on at most, is what is looked for.

    past: which ops it goes on from.
    """
    return any(
        arrives(reader) or (most > 1 and past(reader) and leads_to(reader, arrives, past, most - 1))
        for reader in op.readers
    )


@dataclass
class GradSeen:
    """What a backward brought to a leaf."""

    norm: float
    finite: bool
    weight_norm: float
    stale: bool  # it was added to a gradient that a step had used
    alike: bool  # all units (rows) of weight and gradient are the same
    weight_is_zero: bool


@dataclass(eq=False)
class SweepSeen:
    """A backward."""

    where: Where
    round: int
    roots: list[OpSeen]
    writes: bool  # `.grad`, and not the gradients of tg.grad
    count: int = 0  # nodes that it passed
    grads: dict[Any, GradSeen] = field(default_factory=dict)  # by leaf
    bad: tuple[OpSeen | None, str] | None = None  # the first rule that made NaN or inf, and its name

    @property
    def loss(self) -> float | None:
        return self.roots[0].value if self.roots else None


@dataclass(eq=False)
class Update:
    """What one step did to a parameter."""

    leaf: Any
    optimizer: Any  # None: by hand
    group: dict[str, Any]
    round: int
    where: Where
    weight: float  # |w| before
    moved: float  # |Δw|
    grad: float  # |g| as the step used it
    swept: float  # |g| as the backwards had left it
    along: float  # the cosine of Δw and -g
    stale: bool
    dimensions: int

    @property
    def ratio(self) -> float:
        """|Δw| / |w|; 0 where there was no weight."""
        return self.moved / self.weight if self.weight else 0.0


@dataclass(frozen=True, eq=False)
class StepSeen:
    """A call of `optimizer.step()`."""

    optimizer: Any
    where: Where
    moved: int  # parameters
    round: int


@dataclass(frozen=True, eq=False)
class Hidden:
    """Layers in a plain list or dict, which parameters() does not find."""

    holder: Any
    attribute: str
    container: str
    modules: list[Any]
    place: Place | None


@dataclass(frozen=True, eq=False)
class Loaded:
    """A call of `load_state_dict`."""

    module: Any
    where: Where
    missing: list[str]
    unexpected: list[str]
    others: list[tuple[str, str]]  # (key here, key there) where a known module has the numbers elsewhere
    root: Any  # the module whose keys these are: it, or the outermost around it


@dataclass(frozen=True, eq=False)
class Metric:
    """A call of `step(metric)` of a schedule that waits for a plateau."""

    scheduler: Any
    where: Where
    value: float
    losses: list[float]  # the losses since the call before
    accuracy: bool  # it is computed of a comparison
    rate: float  # the learning rate afterwards


@dataclass(frozen=True, eq=False)
class Scheduled:
    """A call of `step()` of a schedule."""

    scheduler: Any
    where: Where


@dataclass(frozen=True, eq=False)
class Shuffled:
    """Numbers that were put into another order along their first axis."""

    where: Where
    order: object  # the same for the same order
    rows: list[int]  # a digest of each sample, as they stand then


@dataclass(eq=False)
class History:
    """Everything that was seen."""

    ops: list[OpSeen] = field(default_factory=list)
    sweeps: list[SweepSeen] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    steps: list[StepSeen] = field(default_factory=list)
    loads: list[Loaded] = field(default_factory=list)
    models: list[Any] = field(default_factory=list)  # the outermost modules
    optimizers: list[Any] = field(default_factory=list)
    watched: list[Metric] = field(default_factory=list)  # what schedules that wait for a plateau were told
    scheduled: list[Scheduled] = field(default_factory=list)  # steps of the other schedules
    lengths: list[int] = field(default_factory=list)  # of data loaders, in batches
    shuffled: list[Shuffled] = field(default_factory=list)
    begun: dict[Any, Where] = field(default_factory=dict)  # by tensor: the line that initialised it last
    clips: list[Where] = field(default_factory=list)  # lines that clip gradients
    wrapped: dict[int, Where] = field(default_factory=dict)  # by address: lines that wrap an array's memory
    made: WeakKeyDictionary[Any, Where] = field(default_factory=WeakKeyDictionary)  # that made an optimiser
    modules: WeakKeyDictionary[Any, Where] = field(default_factory=WeakKeyDictionary)  # that made a module
    making: Counter[tuple[str, Where]] = field(default_factory=Counter)  # modules, by class and line
    leaf_cuts: list[OpSeen] = field(default_factory=list)  # ops before those leaves that pass no gradient
    leaf_sweeps: list[Where] = field(default_factory=list)  # backwards that began at a leaf
    evals: dict[Any, Where] = field(default_factory=dict)  # by module: the last line that put it in eval mode
    loaders: list[Where] = field(default_factory=list)  # the lines that made data loaders, in order
    cuts: dict[Any, str] = field(default_factory=dict)  # by parameter: the line that cut it off
    eval_sweeps: list[tuple[SweepSeen, list[str]]] = field(default_factory=list)  # layers in eval mode
    aliases: list[int] = field(default_factory=list)  # how many batches share one memory
    hidden: list[Hidden] = field(default_factory=list)
    given: bool = False  # somebody said which models and optimisers there are
    error: BaseException | None = None  # what the script ended with
    rounds: int = 0

    def named(self, *names: str) -> list[OpSeen]:
        """The ops of these names."""
        return [op for op in self.ops if op.op in names]

    def training(self) -> Iterator[OpSeen]:
        """The ops that a backward has passed."""
        return (op for op in self.ops if op.swept)

    def first_not_finite(self) -> OpSeen | None:
        """The first op that gave NaN or an infinity."""
        return next((op for op in self.ops if op.dtype.kind == "f" and not op.stats.finite), None)

    def main_losses(self) -> list[float]:
        """The values that backwards began at, in order: those of the user's line that has most."""
        sweeps = [sweep for sweep in self.sweeps if sweep.writes]
        by_line = grouped((sweep.where, sweep.loss) for sweep in sweeps if sweep.loss is not None)
        return max(by_line.values(), key=len, default=[])

    def optimized(self) -> set[Any]:
        """The parameters that some optimiser has."""
        return {param for optimizer in self.optimizers for param in optimizer.params()}

    def trained(self) -> dict[Any, str]:
        """The parameters of all models, with their keys."""
        keys: dict[Any, str] = {}
        for model in self.models:
            for key, parameter in model.named_parameters():
                keys.setdefault(parameter, key)
        return keys
