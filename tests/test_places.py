"""Who adds something to the package is told of the places where it has to be named."""

from __future__ import annotations

import ast
import importlib
import re
from functools import partial
from pathlib import Path

import pytest

from tinygrad_conv import data, nn, optim, plot
from tinygrad_conv.__main__ import COMMANDS
from tinygrad_conv.engine.observe import Observer
from tinygrad_conv.kernels.dispatch import TABLES

from .helpers import PACKAGE, all_modules

NOT_PUBLIC = {
    "nn": {"BatchNorm", "Conv", "ConvTranspose", "Convolution", "DropoutBase", "Listed", "Loss"}
    | {"AdaptiveMaxPool", "AdaptivePool", "MaxPool", "MaxUnpool"}
    | {"Lazy", "LazyConv", "LazyConvTranspose", "LazyNorm"}
    | {"AlongDim", "InstanceNorm", "ParameterContainer", "Shrink"}
    | {"MayChangeInput", "Pad2d", "RunningNorm"},  # what layers of one, two dimensions share
    "optim": set(),
    "data": {"LabelledImages"},
    "debug": {"Maps", "StepObserver", "StepRecorder", "Stop", "TrainingObserver", "Watch"},  # parts of others
}
"""Classes that nobody needs by name."""


@pytest.mark.parametrize("page", sorted(PACKAGE.rglob("__init__.py")), ids=lambda page: page.parent.name)
def test_the_map_of_a_folder_names_its_files_and_no_others(page: Path) -> None:
    text = ast.get_docstring(ast.parse(page.read_text(encoding="utf-8"))) or ""
    lines = re.findall(r"^ *(\w+\.py)\b", text, re.MULTILINE)
    if len(lines) > 1:  # a map: lines that begin with a file
        files = {file.name for file in page.parent.glob("*.py")} - {page.name}
        missing = ", ".join(sorted(files - set(re.findall(r"\w+\.py\b", text))))
        assert not missing, f"{page} has a map without {missing}: say there what it is"
        gone = ", ".join(sorted({*lines} - files))
        assert not gone, f"{page} has a map with {gone}, which is not there"


def public_classes(package: str, base: type) -> dict[str, str]:
    """The public subclasses of a class that the files of a package define: name → file."""
    classes: dict[str, str] = {}
    for module in all_modules():
        if module.startswith(f"{package}."):
            for name, value in vars(importlib.import_module(f"tinygrad_conv.{module}")).items():
                own = isinstance(value, type) and value.__module__ == f"tinygrad_conv.{module}"
                if own and issubclass(value, base) and not name.startswith("_"):
                    classes[name] = module
    return classes


@pytest.mark.parametrize(
    "package, base",
    [
        ("nn", nn.Module),
        ("optim", optim.Optimizer),
        ("data", data.Dataset),
        ("data", data.Sampler),
        ("debug", Observer),
    ],
    ids=str,
)
def test_what_a_package_defines_it_exports(package: str, base: type) -> None:
    public = {*importlib.import_module(f"tinygrad_conv.{package}").__all__, *NOT_PUBLIC[package]}
    for name, module in public_classes(package, base).items():
        assert name in public, (
            f"{name} of {module} is missing in {package}/__init__.py: put it into its __all__"
        )


PARTS_OF_DATA = {"options", "transforms.options", "epoch", "prefetch", "loader_state", "labelled"} | {
    f"files{part}" for part in ("", ".source", ".pickled", ".pickle_arguments")
}
"""Modules of data/ that others there are made of."""


def test_every_file_of_data_provides_something() -> None:
    public = {*data.__all__, *data.transforms.__all__}
    modules = {name.removeprefix("data.") for name in all_modules() if name.startswith("data.")}
    for module in sorted(modules - PARTS_OF_DATA):
        own = vars(importlib.import_module(f"tinygrad_conv.data.{module}"))
        assert {*own} & public, f"nothing of data.{module} is in the __all__ of data/ or data/transforms/"
    assert modules >= PARTS_OF_DATA


def test_every_file_of_plot_provides_something() -> None:
    for name in all_modules():
        if name.startswith("plot.") and name != "plot.axes":  # what the others share
            own = vars(importlib.import_module(f"tinygrad_conv.{name}"))
            assert {*own} & {*plot.__all__}, f"nothing of {name} is in the __all__ of plot/__init__.py"


def test_every_kernel_of_a_correlation_stands_in_a_table() -> None:
    serving = {unwrapped(line.kernel) for table in TABLES.values() for line in table}
    for module in all_modules():
        if module.startswith("kernels.conv."):
            own = vars(importlib.import_module(f"tinygrad_conv.{module}"))
            for name in own.keys() & TABLES.keys():
                kernel = f"{name} of {module}"
                assert own[name] in serving, f"{kernel} is in no table of kernels/dispatch.py"


def unwrapped(kernel: object) -> object:
    """The function behind partial applications: the last function that one is given, or the kernel itself."""
    while isinstance(kernel, partial):
        kernel = next((value for value in kernel.args if callable(value)), kernel.func)
    return kernel


def test_every_command_is_one_of_the_command_line() -> None:
    for name, path in all_modules().items():
        if "\ndef add_command(" in path.read_text(encoding="utf-8"):
            command = importlib.import_module(f"tinygrad_conv.{name}").add_command
            assert command in COMMANDS, f"add_command of {name} is missing in COMMANDS of __main__.py"
