"""What several tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS

PACKAGE = Path(tg.__file__).resolve().parent
INSTALLED = PACKAGE.parent
"""Where the package under test stands: the PYTHONPATH of a subprocess."""


def module_name(path: Path) -> str:
    """`engine.tensor` for its file, "" for the package's own."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def all_modules() -> dict[str, Path]:
    return {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def leaf(*shape, seed=0, dtype=np.float64, name=None):
    """A leaf of normal numbers that requires a gradient."""
    return tg.Tensor(
        np.random.default_rng(seed).standard_normal(shape).astype(dtype), requires_grad=True, name=name
    )


def all_rules():
    """(op, rule) for every rule of every registered op, and every derivation of a kept value."""
    return [(op, rule) for op in OPS.values() for rule in [*op.rules, *op.derivations.values()] if rule]


def assert_gradients(op, inputs, params, expected):
    """The sum of what an op, by name, makes of these float64 inputs has the expected gradients."""
    leaves = [tg.Tensor(np.array(numbers, np.float64), requires_grad=True) for numbers in inputs]
    OPS[op](*leaves, **params).sum().backward()
    for x, gradient in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(x.grad, gradient, rtol=1e-12)


def gradient_cases(cases):
    """Parametrizes a test with (op, inputs, params, expected), each named by its op and inputs."""
    names = [f"{op}-{inputs}" for op, inputs, _, _ in cases]
    return pytest.mark.parametrize(("op", "inputs", "params", "expected"), cases, ids=names)


def assert_refused(call, error, message):
    """The call raises this error, with exactly this message."""
    with pytest.raises(error) as caught:
        call()
    said = str(caught.value)
    assert said == message, f"says {said!r}"


def more(*cases):
    """Further cases of a parametrized test, which run only where everything does (`-m ""`)."""
    return [pytest.param(case, marks=pytest.mark.exhaustive) for case in cases]
