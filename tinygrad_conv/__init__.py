"""The smallest engine in which a convolutional network can be read, stepped through, extended and trained.

`import tinygrad_conv as tg`. The names are PyTorch's; `dir(tg)` lists them, `print(tg.ops)` lists the ops,
`help(tg.conv2d)` tells one with its rules, `help(tg.nn.Conv2d)` a layer; `python -m tinygrad_conv`: commands.

engine/      Tensor, the tape and its sweep, and how an op comes into being: its __init__ has a map
ops/         every op: a forward and, beside it, its gradient rules; conv.py has the derivation
kernels/     the arithmetic on plain arrays: the literal formulas, and the fast ones
functional   the ops under PyTorch's names; creation makes tensors
nn, optim, data, saving    layers, optimisers, data; files: tg.save and tg.load, checkpoints
checks/      is a gradient right, and if not, how wrong; debug/    the backward by steps, recorded, explained
replay/      training steps recorded and replayed fast; parallel/    on several processes; plot/    pictures
interop/     PyTorch's weights and memory, ONNX files; port/    PyTorch's scripts; absent    names not here
errors, dtypes, allocation, members, options    what everything stands on
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from numpy import bool_ as bool
from numpy import (
    dtype,
    e,
    finfo,
    float16,
    float32,
    float64,
    iinfo,
    inf,
    int8,
    int16,
    int32,
    int64,
    nan,
    newaxis,
    pi,
    uint8,
)

from . import errors, functional, kernels, ops
from .absent import notes
from .absent.missing import Hints, refuse
from .creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from .creation_methods import (
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
)
from .devices import Device as device
from .dtypes import get_default_dtype, set_default_dtype
from .engine.declare import primitive
from .engine.differentiate import grad
from .engine.modes import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .engine.printing import set_printoptions
from .engine.registry import DOORS
from .engine.tensor import Tensor, is_tensor
from .functional import *  # noqa: F403
from .kernels import get_num_threads, set_num_threads, use_kernels
from .randomness.default import get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from .randomness.sampling import bernoulli, multinomial, normal
from .size import Size

if TYPE_CHECKING:
    from . import (
        accelerator,
        autograd,
        backends,
        checks,
        cuda,
        data,
        debug,
        interop,
        mps,
        nn,
        optim,
        parallel,
        plot,
        utils,
    )
    from .checks.gradcheck import gradcheck
    from .debug import detect_anomaly, profile
    from .interop import from_dlpack, onnx
    from .randomness.generator import Generator
    from .replay import callable_module as replay
    from .saving import Checkpoints, load, save

__version__ = "0.1.0"

float, double, half = float32, float64, float16
short, int, long = int16, int32, int64

__all__ = [  # noqa: PLE0604
    *functional.__all__,
    "is_tensor",
    "set_printoptions",
    "set_grad_enabled",
    "inference_mode",
    "normal",
    "multinomial",
    "bernoulli",
    "ShortTensor",
    "Size",
    "LongTensor",
    "IntTensor",
    "HalfTensor",
    "FloatTensor",
    "DoubleTensor",
    "CharTensor",
    "ByteTensor",
    "BoolTensor",
    "seed",
    "randint_like",
    "initial_seed",
    "as_tensor",
    "Checkpoints",
    "get_rng_state",
    "set_rng_state",
    "Generator",
    "Tensor",
    "short",
    "pi",
    "newaxis",
    "nan",
    "long",
    "int8",
    "int16",
    "inf",
    "half",
    "e",
    "double",
    "dtype",
    "device",
    "arange",
    "data",
    "empty",
    "empty_like",
    "enable_grad",
    "eye",
    "finfo",
    "iinfo",
    "float16",
    "float32",
    "float64",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "get_default_dtype",
    "get_num_threads",
    "grad",
    "gradcheck",
    "int32",
    "int64",
    "is_grad_enabled",
    "linspace",
    "load",
    "manual_seed",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "ops",
    "optim",
    "primitive",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "replay",
    "save",
    "set_default_dtype",
    "set_num_threads",
    "tensor",
    "uint8",
    "use_kernels",
    "utils",
    "zeros",
    "zeros_like",
]

LATER = {
    "Checkpoints": "saving",
    "Generator": "randomness.generator",
    "accelerator": "accelerator",
    "autograd": "autograd",
    "backends": "backends",
    "checks": "checks",
    "cuda": "cuda",
    "data": "data",
    "debug": "debug",
    "detect_anomaly": "debug",
    "from_dlpack": "interop",
    "gradcheck": "checks",
    "interop": "interop",
    "load": "saving",
    "mps": "mps",
    "nn": "nn",
    "onnx": "interop.onnx",
    "optim": "optim",
    "parallel": "parallel",
    "plot": "plot",
    "profile": "debug",
    "replay": "replay",
    "save": "saving",
    "utils": "utils",
}
"""Names that are here from the first time somebody asks for them, and the package that each is, or is in."""


def __getattr__(name: str) -> Any:
    """What is imported when somebody asks for it: it costs nothing while nobody does."""
    if name in LATER:
        package = import_floor(LATER[name], name)
        globals()[name] = package if name == LATER[name].rpartition(".")[2] else getattr(package, name)
        return globals()[name]
    refuse(__name__, name, depth=2)


def __dir__() -> list[str]:
    """What is public: what a star brings, what comes when it is asked for, and errors and kernels."""
    return sorted({*__all__, *LATER, "errors", "kernels"})


class Package(ModuleType):
    """This module, as pydoc meets it: `help(tg)` would be 4,000 lines if it saw what a star brings."""

    @property
    def __all__(self) -> list[str]:
        asking = sys._getframe(1).f_globals.get("__name__")
        return [] if asking == "pydoc" else vars(self)["__all__"]


sys.modules[__name__].__class__ = Package


def import_floor(floor: str, name: str) -> ModuleType:
    """A part of the package. Raises ImportError, which names it, where somebody has left it out."""
    folders = floor.split(".")
    for depth in range(1, len(folders) + 1):  # outermost first: looking for what is inside imports it
        part = folders[:depth]
        if importlib.util.find_spec(".".join([__name__, *part])) is None:
            path = "/".join([__name__, *part])
            raise ImportError(f"tg.{name}: {path}, which provides it, is not installed here")
    return importlib.import_module(f"{__name__}.{floor}")


def open_door(name: str, *arguments: Any) -> Any:
    """Go through a door of the debugger's for the first time: importing `debug` puts what is behind it in
    this function's place.
    """
    import_floor("debug", name)
    return DOORS[name](*arguments)


if importlib.util.find_spec(f"{__name__}.debug") is not None:
    opened_later = ("cut", "tape", "steps", "record", "explains")
    shown_later = ("tensor_html", "node_html", "module_html", "summary_html", "program_html", "program_page")
    DOORS.update({name: partial(open_door, name) for name in (*opened_later, *shown_later)})

if Hints not in sys.meta_path:
    sys.meta_path.append(Hints)
notes.install()
