"""ONNX's own node cases of all supported operators, run by its backend test runner on `tg.onnx.load`."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import OnnxError

onnx = pytest.importorskip("onnx")

from .tools import onnx_cases  # noqa: E402
from .tools.onnx_cases import FUNCTIONS, LEFT_OUT, LENGTH, REFUSALS, cases, foreign_types, run  # noqa: E402

pytestmark = pytest.mark.onnx

OPERATORS = sorted({*onnx_cases.OPERATORS} - {"GlobalLpPool"} | {FUNCTIONS})
"""Those of which ONNX has cases."""


@pytest.mark.parametrize("op_type", OPERATORS)
def test_cases_of(op_type):
    names = [
        name
        for name, case in cases()[op_type].items()
        if name not in LEFT_OUT and not foreign_types(case.model)
    ]
    assert names
    for name in names:
        try:
            run(name)
        except Exception as error:
            raise AssertionError(name) from error


def test_element_types_that_no_tensor_has_are_refused_by_name():
    refused = 0
    for its in cases().values():
        for case in its.values():
            if foreign := foreign_types(case.model):
                with pytest.raises(OnnxError, match="|".join(foreign)):
                    tg.onnx.load(case.model)
                refused += 1
    assert refused > 100


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_does_not_pass(name):
    """So that nothing is left out for a reason that has gone."""
    assert any(name in its for its in cases().values())
    refusal = REFUSALS.get(LEFT_OUT[name])
    with pytest.raises(OnnxError if refusal else AssertionError, match=refusal or "Not equal to tolerance"):
        run(name)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", onnx_cases.OF_PYTORCH)
def test_what_pytorch_once_exported_runs_but_for_operators_that_were_others_then(kind):
    """In opset 6, before operands broadcast as they do now."""
    names, passed = onnx_cases.names(kind), 0
    for name in names:
        try:
            run(name, kind)
        except OnnxError as error:
            assert "as of opset" in str(error) or "spatial axes" in str(error), name
        else:
            passed += 1
    assert passed > len(names) / 2


@pytest.mark.torch
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_aligned_corners_of_a_length_that_is_rounded_down_are_pytorchs_and_the_runtimes(mode):
    torch, runtime = pytest.importorskip("torch"), pytest.importorskip("onnxruntime")
    name = f"resize_downsample_scales_{mode}_align_corners"
    assert LEFT_OUT[name] == LENGTH
    case = next(its[name] for its in cases().values() if name in its)
    x, scales = case.data_sets[0][0]
    ours = tg.onnx.load(case.model)(x, scales)
    theirs = torch.nn.functional.interpolate(
        torch.tensor(x), scale_factor=float(scales[-1]), mode=f"bi{mode}", align_corners=True
    )
    np.testing.assert_allclose(ours.data, theirs.numpy(), rtol=1e-5)
    session = runtime.InferenceSession(case.model.SerializeToString())
    np.testing.assert_allclose(ours.data, session.run(None, {"X": x, "scales": scales})[0], rtol=1e-5)
