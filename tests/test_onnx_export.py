"""Each op that is written as ONNX, run by ONNX's runtime: over random params, batch sizes and opsets."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.interop.onnx.writing.forward import traced
from tinygrad_conv.interop.onnx.writing.table import RULES

from .helpers import more

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from .exported_ops import all_cases  # noqa: E402
from .exported_ops.tensors import BINARY, POSITIVE, UNARY, UNIT  # noqa: E402
from .onnx_runs import assert_exports, exported, run  # noqa: E402

pytestmark = pytest.mark.onnx

SEEDS = (0, *more(1, 2))
OPSETS = range(17, 22)
EXPORTABLE = tg.onnx.exportable()

NO_KERNEL = pytest.importorskip("onnxruntime.capi.onnxruntime_pybind11_state").NotImplemented
WITHOUT_FLOAT64 = {
    *(
        "erf",
        "erfc",
        "asinh",
        "sinh",
        "cosh",
        "atan",
        "normal_cdf",
        "asin",
        "acos",
        "atanh",
        "tan",
        "acosh",
        "gelu",
    ),
    *("conv2d", "conv2d_input_grad", "conv2d_weight_grad", "avg_pool2d", "sum_windows", "spread_windows"),
    *("adaptive_avg_pool2d", "fold", "interpolate", "group_norm"),
}
"""Ops for which onnxruntime has no kernel in float64."""


@pytest.fixture(scope="module")
def cases():
    """The cases by seed and op."""
    return {seed: all_cases(seed) for seed in (0, 1, 2)}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("op", EXPORTABLE)
def test_ops(cases, op, seed, tmp_path):
    for place, case in enumerate(cases[seed][op]):
        opsets = [version for version in OPSETS if version >= case.opset]
        opset = opsets[(place + seed) % len(opsets)]
        assert_exports(case.function, case.inputs, tmp_path, case.static, opset_version=opset)


SPECIAL = np.array(
    [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 2, -0.5, 1e30, -1e30, 1e-30, 88, -88, 100], np.float32
)
OF_ONE = (*UNARY, *POSITIVE, *UNIT, "acosh", "gelu", "elu", "leaky_relu", "softplus", "hardtanh")


@pytest.mark.parametrize("op", [*OF_ONE, *BINARY, "pow"])
def test_special_values(op, tmp_path):
    inputs = (SPECIAL,) if op in OF_ONE else tuple(each.ravel() for each in np.meshgrid(SPECIAL, SPECIAL))
    session = exported(OPS[op], inputs, tmp_path, dynamic_batch=False)
    with np.errstate(all="ignore"):
        expected = OPS[op](*map(tg.tensor, inputs)).data
    (output,) = run(session, inputs)
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.exhaustive
@pytest.mark.parametrize("op", sorted({*EXPORTABLE} - WITHOUT_FLOAT64))
def test_ops_in_float64(op, tmp_path):
    for case in all_cases(3, np.float64)[op]:
        assert_exports(case.function, case.inputs, tmp_path, case.static, opset_version=max(case.opset, 18))


@pytest.mark.exhaustive
@pytest.mark.parametrize("op", sorted(WITHOUT_FLOAT64))
def test_what_the_runtime_lacks_in_float64_is_valid_all_the_same(op, tmp_path):
    lacking = 0
    for case in all_cases(3, np.float64)[op]:
        try:
            assert_exports(
                case.function, case.inputs, tmp_path, case.static, opset_version=max(case.opset, 18)
            )
        except NO_KERNEL:
            lacking += 1
    assert lacking, f"the runtime has {op} in float64 now"


@pytest.mark.exhaustive
@pytest.mark.parametrize("opset", OPSETS)
def test_every_opset_writes_every_op(cases, opset, tmp_path):
    for op in EXPORTABLE:
        case = cases[0][op][-1]
        if case.opset <= opset:
            assert_exports(case.function, case.inputs, tmp_path, case.static, opset_version=opset)


@pytest.mark.exhaustive
def test_ops_export_in_float16(tmp_path):
    for op in ("conv2d", "max_pool2d", "linear", "relu", "softmax", "add", "mean", "batch_norm"):
        case = all_cases(0, np.float16)[op][0]
        tg.onnx.export(case.function, case.inputs, tmp_path / "half.onnx", dynamic_batch=not case.static)
        assert onnx.load(tmp_path / "half.onnx").graph.input[0].type.tensor_type.elem_type == 10


def test_the_table_lists_ops_that_there_are_and_each_has_cases(cases):
    assert {*EXPORTABLE} <= {*OPS} and {*EXPORTABLE} == {*cases[0]}
    assert EXPORTABLE["conv2d"] == "Conv" and EXPORTABLE["add"] == "Add"
    assert all(EXPORTABLE.values())


def test_a_case_applies_the_op_that_it_is_for(cases):
    for op, its_cases in cases[0].items():
        for case in its_cases:
            trace, _ = traced(case.function, [array.copy() for array in case.inputs], {})
            assert op in {event.op for event in trace.events}


def test_rules_take_what_their_ops_take():
    for name, rule in RULES.items():
        op = OPS[name]
        _, *parameters = inspect.signature(rule).parameters.values()
        params = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
        assert params == {*op.params} - {"statistics"}, name
        inputs = [each for each in parameters if each.kind is not each.KEYWORD_ONLY]
        assert len(inputs) == len(op.inputs), name
        assert rule.__doc__, name


def test_the_opset_table_is_bounded(tmp_path):
    for opset in (16, 22):
        with pytest.raises(ValueError, match=f"opset_version={opset} is not written; take one from 17 to 21"):
            tg.onnx.export(tg.relu, tg.ones(2, 3), tmp_path / "model.onnx", opset_version=opset)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("opset", OPSETS)
def test_a_file_says_its_opset(opset, tmp_path):
    tg.onnx.export(lambda x: x.mean(1), tg.ones(2, 3), tmp_path / "model.onnx", opset_version=opset)
    model = onnx.load(tmp_path / "model.onnx")
    assert [each.version for each in model.opset_import] == [opset]
    assert model.producer_name == "tinygrad_conv"
