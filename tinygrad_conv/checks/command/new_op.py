"""`python -m tinygrad_conv new-op NAME`: a file to start an op from, with forward, rule and check."""

from __future__ import annotations

import argparse
import keyword
from pathlib import Path
from typing import Any

from ...engine.registry import OPS

TEMPLATE = '''"""{name}: say here what it computes, and where the formula is from.

    python {name}.py                        runs the check below
    python -m tinygrad_conv check {name}.py   checks it at random sizes, in every dtype and memory layout
"""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.checks import case, normal


# The forward takes and returns NumPy arrays. Positional arguments are inputs, and may have gradients; what
# stands after the * is a param: a plain value, which has none.
@tg.primitive
def {name}(x, *, scale=1.0):
    """y = tanh(scale · x), elementwise. x: any shape."""
    return np.tanh(scale * x)


# One rule for each input. dy is the gradient of the output; after it the rule names what it reads: an input,
# y for the output, x_shape for a shape, and last the params. It is written in operators and tg.… functions,
# not in NumPy's: so it can be differentiated itself.
@{name}.grad("x")
def {name}_dx(dy, y, scale):
    """∂y/∂x = scale · (1 - y²)."""
    return dy * scale * (1 - y * y)


# For the page of a recording and `rec.explain(step)`, if you like: what they are to say of this op. Ask for
# what you need by name; return words, arrays by name, and for a gradient the terms that add up to it.
# @{name}.explain
# def {name}_explained(dy, y, scale):
#     slope = scale * (1 - y * y)
#     return {{"text": "flat where it is saturated", "slope": slope, "dx": {{"dy · slope": dy * slope}}}}


# What it is checked on: letters stand for sizes, which are drawn at random.
case({name}, normal("n m"), scale=0.5)


if __name__ == "__main__":
    x = tg.tensor(np.random.default_rng(0).normal(size=(3, 4)), requires_grad=True)
    tg.gradcheck({name}, x, order=2)  # 2: the gradient's own gradient too
    print("the gradient is right, and so is the gradient of the gradient")
'''


def add_command(commands: Any) -> None:
    """Add `new-op` to the command line."""
    command: argparse.ArgumentParser = commands.add_parser(
        "new-op",
        help="write a file to start an op of your own from",
        description="Write NAME.py into this folder: an op with its rule and its check, to be changed.",
    )
    command.add_argument("name", metavar="NAME", help="of the op, and of its file")
    command.set_defaults(run=lambda arguments: run(arguments, command))


def run(arguments: argparse.Namespace, command: argparse.ArgumentParser) -> int:
    """Run the command; nothing is written over."""
    name, path = arguments.name, Path(f"{arguments.name}.py")
    if not name.isidentifier() or keyword.iskeyword(name):
        command.error(f"an op needs a name that Python takes, which {name!r} is not")
    if name in OPS:
        command.error(f"there is an op called {name} already; choose another name")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name=name))
    except FileExistsError:
        command.error(f"{path} exists already; choose another name, or move it")
    except OSError as error:
        command.error(f"{path} cannot be written: {error.strerror}")
    print(f"wrote {path}. Change forward and rule, then: python -m tinygrad_conv check {path}")
    return 0
