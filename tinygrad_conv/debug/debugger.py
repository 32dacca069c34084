"""A debugger that gets past the engine: what it leaves out, and how pdb, IPython and VS Code are told.

One press of `step` from `loss.backward()` is in the first gradient rule; from `net(x)` it is at the head of
the first layer's op, and from the line of arithmetic there in the kernel; from `optimizer.step()` it is in
the formula of the update.
"""

from __future__ import annotations

import argparse
import json
import os
import pdb
import sys
from importlib import import_module
from pkgutil import iter_modules
from types import CodeType, FrameType
from typing import Any

from ..engine.location import PACKAGE_FOLDER

PLUMBING = (
    "tinygrad_conv",  # what imports a part of the package when somebody first asks for it
    "tinygrad_conv.engine.*",  # how an op is applied and recorded, and the sweep
    "tinygrad_conv.functional",  # from PyTorch's arguments to the ops'
    "tinygrad_conv.functional.*",
    "tinygrad_conv.nn.*",  # calling a layer; a Module of yours is in your file, and is not left out
    "tinygrad_conv.optim.optimizer",  # from optimizer.step() to the formula of its update
    "tinygrad_conv.optim.drafts",
    "tinygrad_conv.optim.loading",
    "tinygrad_conv.optim.options",
    "tinygrad_conv.optim.lr_scheduler.*",
    "tinygrad_conv.data.*",  # from a loader to a dataset of yours, if there is one
    "tinygrad_conv.autograd",  # from a Function of yours, or a replayed step, to what you wrote
    "tinygrad_conv.autograd.*",
    "tinygrad_conv.replay",
    "tinygrad_conv.replay.*",
    "tinygrad_conv.parallel.*",
    "tinygrad_conv.interop.*",
    "tinygrad_conv.saving.*",
    "tinygrad_conv.absent.*",
    "tinygrad_conv.accelerator",  # what scripts ask about GPUs, as those that follow
    "tinygrad_conv.backends",
    "tinygrad_conv.backends.*",
    "tinygrad_conv.cuda",
    "tinygrad_conv.mps",
    "tinygrad_conv.allocation",
    "tinygrad_conv.archive",
    "tinygrad_conv.atomic_write",
    "tinygrad_conv.devices",
    "tinygrad_conv.foreign",
    "tinygrad_conv.members",
    "tinygrad_conv.options",
    "tinygrad_conv.options.*",
    "tinygrad_conv.size",
    "tinygrad_conv.spellings",
    "tinygrad_conv.checks",  # the judge: from gradcheck(f, x) into f
    "tinygrad_conv.checks.*",
    "tinygrad_conv.creation",
    "tinygrad_conv.creation_methods",
    "tinygrad_conv.dtypes",
    "tinygrad_conv.errors",
    "tinygrad_conv.randomness.*",
    "tinygrad_conv.ops.arguments.*",  # what refuses arguments, and brings them into one form
    "tinygrad_conv.ops.listing",
    "tinygrad_conv.kernels",  # from here on: which kernel serves a shape, and how its memory lies
    "tinygrad_conv.kernels.blas",
    "tinygrad_conv.kernels.dispatch",
    "tinygrad_conv.kernels.memory_order",
    "tinygrad_conv.kernels.processors",
    "tinygrad_conv.kernels.threads",
    "tinygrad_conv.kernels.window",
    "tinygrad_conv.kernels.workers",
    "tinygrad_conv.kernels.conv.identities",
    "tinygrad_conv.kernels.conv.plans",
    "tinygrad_conv.kernels.conv.problem",
    "tinygrad_conv.debug",  # what looks on, where somebody does
    "tinygrad_conv.debug.*",
)
"""The modules that a step passes by, as patterns of names."""

OTHERS = (
    "numpy",
    "numpy.*",
    "namedtuple_*",  # where the constructors of named tuples say they are
    "threadpoolctl",
    "mpi4py",
    "mpi4py.*",
    "_distutils_hack",  # looks on at imports, with setuptools
    "__editable__*",  # finds what was installed by `pip install -e`, at any import
)
"""What the plumbing and the kernels call in other libraries, beside Python's own."""

PYTHON_S_OWN = os.path.dirname(os.__file__) + os.sep
INSTALLED = tuple(f"{PYTHON_S_OWN}{folder}{os.sep}" for folder in ("site-packages", "dist-packages"))


BESIDE_FORMULAS = ("__init__", "check_options")
"""Functions that are passed by in modules which are not: an optimiser's, beside the formula of its update."""


def is_passed_by(code: CodeType) -> bool:
    """Whether it is of Python's standard library, or one of ours that stands beside what is worth reading.

    VS Code's rules name files alone: there a step leads into these functions of ours.
    """
    file = code.co_filename
    if file.startswith(PACKAGE_FOLDER):
        return code.co_name in BESIDE_FORMULAS
    return file.startswith("<frozen ") or (file.startswith(PYTHON_S_OWN) and not file.startswith(INSTALLED))


def debugger() -> pdb.Pdb:
    """A pdb, IPython's where that is running, which leaves the plumbing out."""
    import_in_advance()
    ipython = sys.modules.get("IPython")
    running = ipython is not None and ipython.get_ipython() is not None
    base = import_module("IPython.core.debugger" if running else "pdb").Pdb
    made: pdb.Pdb = type("Debugger", (StopsAtItsCaller, base), {})(skip=[*PLUMBING, *OTHERS])
    return made


def import_in_advance() -> None:
    """Import what otherwise comes when it is first used, so that no step leads into an import."""
    import_module("numpy.random")
    for part in iter_modules([PACKAGE_FOLDER]):
        if part.name != "__main__":
            import_module(f"tinygrad_conv.{part.name}")


class StopsAtItsCaller:
    """A debugger whose first stop is the line that started it, also in what it leaves out (`break_on`); and
    that leaves out what no name of a module can say.
    """

    caller: FrameType | None = None

    def set_trace(self, frame: FrameType) -> None:
        self.caller = frame
        super().set_trace(frame)  # type: ignore[misc]

    def stop_here(self, frame: FrameType) -> bool:
        if frame is self.caller:
            self.caller = None
            return True
        stops: bool = super().stop_here(frame)  # type: ignore[misc]
        return stops and not is_passed_by(frame.f_code)


def set_trace() -> None:
    """Stop here, like `breakpoint()`, in a debugger whose `step` passes the engine by.

    With PYTHONBREAKPOINT=tinygrad_conv.debug.set_trace in the environment every `breakpoint()` does; with
    PYTHONBREAKPOINT=0 neither stops.
    """
    if os.environ.get("PYTHONBREAKPOINT") == "0":
        return
    debugger().set_trace(sys._getframe(1))


def launch_configuration() -> dict[str, Any]:
    """What VS Code's launch.json needs for the same."""
    return {
        "version": "0.2.0",
        "configurations": [
            {
                "name": "Python, past the engine of tinygrad_conv",
                "type": "debugpy",
                "request": "launch",
                "program": "${file}",
                "rules": rules(),
            }
        ],
    }


def rules() -> list[dict[str, Any]]:
    """debugpy's rules, of which the first that matches decides.

    Not into the plumbing, but into all the rest of the package, wherever it is installed.
    """
    excluded = [{"path": f"**/{path_of(pattern)}", "include": False} for pattern in PLUMBING]
    breaks = {"path": f"**/{path_of(BREAKS)}", "include": True}  # where `break_on` stops
    return [breaks, *excluded, {"path": "**/tinygrad_conv/**", "include": True}]


def path_of(pattern: str) -> str:
    """The files of the modules that a pattern names."""
    path = pattern.replace(".", "/")
    if path.endswith("/*"):
        return f"{path}*"
    is_package = any(other.startswith(f"{pattern}.") for other in PLUMBING)
    return f"{path}/__init__.py" if is_package else f"{path}.py"


BREAKS = "tinygrad_conv.debug.breakpoints"


def add_command(commands: Any) -> None:
    """Add `vscode` to the command line."""
    command: argparse.ArgumentParser = commands.add_parser(
        "vscode",
        help="print a launch.json whose F11 passes the engine by",
        description="Print a .vscode/launch.json: one F11 from loss.backward() is in the first rule.",
    )
    command.set_defaults(run=print_configuration)


def print_configuration(options: argparse.Namespace) -> int:
    """Run the command."""
    print(json.dumps(launch_configuration(), indent=4))
    return 0
