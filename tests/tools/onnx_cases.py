"""ONNX's own node cases, run by its backend test runner on `tg.onnx.load`.

python -m tests.tools.onnx_cases     the cases that pass and those there are, by operator
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep
from onnx.backend.test import BackendTest, runner

import tinygrad_conv as tg
from tinygrad_conv.interop.onnx.operators import OPERATORS
from tinygrad_conv.interop.onnx.reading.tensors import DTYPES

FUNCTIONS = "functions"  # cases of nodes that a function of ONNX's consists of
OF_PYTORCH = {"PyTorchConverted": "pytorch-converted", "PyTorchOperator": "pytorch-operator"}
"""Nets and operators that PyTorch exported in opset 6: what the runner calls them, and the loader."""
MODE_IN_THE_FILE = 12
"""Since this opset a file says whether dropout drops; before it the runtime does, and ONNX's runner expects
that it does not."""

RANDOM = "the expected choice is that of NumPy's old generator, seeded with 0"
LENGTH = "the new length counts before it is rounded down; in ONNX's text, onnxruntime and PyTorch after"
SEQUENCE = "a sequence or an optional, not a tensor"
DIMENSIONS = "three spatial axes; the engine has one and two"
HALF = "float16: two numbers differ by two in the last place, which is more than the runner's 1e-3"
LEFT_OUT = {
    "attention_4d_causal_fp16_expanded": HALF,
    "averagepool_3d_default": DIMENSIONS,
    "averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False": DIMENSIONS,
    "averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True": DIMENSIONS,
    "averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False": DIMENSIONS,
    "averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": DIMENSIONS,
    "averagepool_3d_dilations_small": DIMENSIONS,
    "convtranspose_3d": DIMENSIONS,
    "identity_opt": SEQUENCE,
    "identity_sequence": SEQUENCE,
    "lppool_3d_default": DIMENSIONS,
    "maxpool_3d_default": DIMENSIONS,
    "maxpool_3d_dilations": DIMENSIONS,
    "maxpool_3d_dilations_use_ref_impl": DIMENSIONS,
    "maxpool_3d_dilations_use_ref_impl_large": DIMENSIONS,
    "resize_downsample_scales_cubic_align_corners": LENGTH,
    "resize_downsample_scales_linear_align_corners": LENGTH,
    "training_dropout": RANDOM,
    "training_dropout_default": RANDOM,
    "training_dropout_default_mask": RANDOM,
    "training_dropout_mask": RANDOM,
}
"""Cases of supported operators that do not pass, by name; besides those whose tensors are of dtypes that the
engine does not have, which `foreign_types` finds."""
REFUSALS = {DIMENSIONS: "spatial axes", SEQUENCE: "no dense tensor"}
"""What `load`, or the first call, says of a reason; for the other reasons the case runs."""


class Loaded(BackendRep):
    """A module as the runner calls it."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        with tg.no_grad(), np.errstate(all="ignore"):  # cases have infinities and NaN on purpose
            outputs = self.module(*map(tg.tensor, inputs))
        return tuple(y.data for y in (outputs if isinstance(outputs, tuple) else (outputs,)))


class LoadingBackend(Backend):
    """`tg.onnx.load` as a backend."""

    @classmethod
    def prepare(cls, model: Any, device: str = "CPU", **kwargs: Any) -> Loaded:
        opset = next(entry.version for entry in model.opset_import if entry.domain == "")
        return Loaded(tg.onnx.load(model).train(opset >= MODE_IN_THE_FILE))

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device == "CPU"


runner.load_model_tests = cache(runner.load_model_tests)  # it takes seconds, and is needed twice


@cache
def cases() -> dict[str, dict[str, Any]]:
    """ONNX's node cases of supported operators: operator → name → case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = runner.load_model_tests(kind="node")
    by_type: dict[str, dict[str, Any]] = defaultdict(dict)
    for case in loaded:
        nodes = case.model.graph.node
        if {node.op_type for node in nodes} <= {*OPERATORS, "Constant"}:
            op_type = nodes[0].op_type if len(nodes) == 1 else FUNCTIONS
            by_type[op_type][case.name.removeprefix("test_")] = case
    return by_type


@cache
def tests() -> dict[str, Any]:
    """What ONNX's runner makes of this backend: classes with a method `test_…_cpu` for each case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return BackendTest(LoadingBackend, __name__).test_cases


def run(name: str, kind: str = "Node") -> None:
    """A case, as the runner runs and compares it."""
    getattr(tests()[f"OnnxBackend{kind}ModelTest"](), f"test_{name}_cpu")()


def names(kind: str) -> list[str]:
    """The cases of a kind, one of OF_PYTORCH."""
    return [case.name.removeprefix("test_") for case in runner.load_model_tests(kind=OF_PYTORCH[kind])]


def foreign_types(model: Any) -> set[str]:
    """The element types in a model that are no dtypes of the engine, by ONNX's names in lower case."""
    values = (*model.graph.input, *model.graph.output)
    numbers = {value.type.tensor_type.elem_type for value in values if value.type.HasField("tensor_type")}
    for node in model.graph.node:
        numbers.update(attribute.i for attribute in node.attribute if attribute.name == "to")
    return {onnx.TensorProto.DataType.Name(number).lower() for number in numbers - {*DTYPES, 0}}


def table() -> str:
    """How many cases pass, of how many, by operator."""
    passed: Counter[str] = Counter()
    for op_type, its in cases().items():
        for name in its:
            try:
                run(name)
            except Exception:
                continue
            passed[op_type] += 1
    rows = [f"{op_type:28} {passed[op_type]:5} of {len(its):5}" for op_type, its in sorted(cases().items())]
    total = sum(map(len, cases().values()))
    return "\n".join([*rows, f"{'all':28} {passed.total():5} of {total:5}"])


if __name__ == "__main__":
    print(table())
