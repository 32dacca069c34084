"""A model, exported and run by ONNX's runtime beside us, for batches of several sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

import tinygrad_conv as tg

BATCHES = (1, 3, 4)  # none of them the exporter's own, but for 3, whose numbers are others

onnxruntime.set_default_logger_severity(4)


def session_of(path):
    """The runtime with a model in it."""
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(session, inputs):
    """The outputs for inputs in order."""
    return session.run(None, {given.name: x for given, x in zip(session.get_inputs(), inputs)})


def assert_runs_alike(session, model, inputs):
    """The runtime gives what the model gives: dtypes, shapes, and numbers to 1e-5."""
    expected = tensors_in(model(*map(tg.tensor, inputs)))
    outputs = run(session, inputs)
    assert len(outputs) == len(expected)
    for theirs, ours in zip(outputs, expected):
        assert theirs.dtype == ours.dtype and theirs.shape == ours.shape
        scale = np.abs(ours[np.isfinite(ours)]).max(initial=1) if ours.dtype.kind == "f" else 0
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-5 * scale)


def tensors_in(outputs):
    """The arrays that a model returned, in order."""
    if isinstance(outputs, dict):
        outputs = tuple(outputs.values())
    members = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    return [member.data for member in members]


def resized(inputs, batch):
    """The inputs with another number of rows, of floats with other numbers too."""
    rows = [array[np.arange(batch) % len(array)] for array in inputs]
    return [other_rows(array) if array.dtype.kind == "f" else array for array in rows]


def other_rows(array):
    """Rows that are not the same."""
    factor = 1 + 0.01 * np.arange(len(array)).reshape(-1, *(1,) * (array.ndim - 1))
    return (array * factor).astype(array.dtype)


def exported(model, inputs, folder, **options):
    """A session with the model as a file."""
    path = Path(folder) / "model.onnx"
    tg.onnx.export(model, inputs, path, **options)
    return session_of(path)


def assert_exports(model, inputs, folder, static=False, **options):
    """What is exported with an example runs alike, for batches of several sizes unless it is static."""
    session = exported(model, inputs, folder, dynamic_batch=not static, **options)
    for batch in (None,) if static else BATCHES:
        assert_runs_alike(session, model, inputs if batch is None else resized(inputs, batch))
