"""A recorded backward as an ONNX file: run by ONNX's runtime it gives the recorded gradients."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import ExportError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from .helpers import leaf  # noqa: E402
from .onnx_runs import session_of  # noqa: E402

F = nn.functional
pytestmark = pytest.mark.onnx


def images():
    return tg.randn(3, 2, 8, 8)


def classified():
    net = nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(4 * 16, 5)),
    )
    return F.cross_entropy(net(images()), tg.tensor([0, 1, 4]))


def grouped():
    net = nn.Sequential(
        *(nn.Conv2d(2, 4, 3, stride=2, groups=2), nn.GroupNorm(2, 4), nn.GELU()),
        *(nn.AvgPool2d(2, ceil_mode=True), nn.Flatten(), nn.LayerNorm(16), nn.Dropout(0.3), nn.Linear(16, 5)),
    )
    weight = tg.tensor([1.0, 2, 3, 4, 5])
    return F.nll_loss(F.log_softmax(net(images()), 1), tg.tensor([0, 1, 4]), weight=weight)


def resized():
    net = nn.Sequential(
        *(nn.ConvTranspose2d(2, 2, 3, stride=2), nn.SiLU(), nn.AdaptiveAvgPool2d(3)),
        *(nn.Upsample(scale_factor=2), nn.Flatten(), nn.Linear(72, 1), nn.Sigmoid()),
    )
    return F.binary_cross_entropy(net(images()), tg.full((3, 1), 0.3))


def sliced():
    w = tg.randn(4, 3, requires_grad=True)
    y = (w[:, 1:] * 2).softmax(1) @ w[:2, :2].T
    return y.sum() + w.amax(1).mean() + w.max(1)[0].sum() + tg.cat([w, w], 0).std()


def attended():
    q = tg.randn(2, 4, 6, requires_grad=True)
    return F.scaled_dot_product_attention(q, q, q).square().mean()


def made(loss):
    tg.manual_seed(0)
    with tg.debug.Observer():
        return loss().record()


@pytest.mark.parametrize("opset", [17, pytest.param(21, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("loss", [classified, grouped, resized, sliced, attended])
def test_the_recorded_gradients_come_out(loss, opset, tmp_path):
    rec = made(loss)
    rec.to_onnx(tmp_path / "backward.onnx", opset_version=opset)
    session = session_of(tmp_path / "backward.onnx")
    assert not session.get_inputs()
    names = [output.name for output in session.get_outputs()]
    assert names == ["output", *(f"{name}.grad" for name in rec.grads)]
    for name, gradient in zip(names[1:], session.run(names[1:], {})):
        recorded = rec.grads[name.removesuffix(".grad")]
        scale = np.abs(recorded).max()
        np.testing.assert_allclose(gradient, recorded, rtol=1e-5, atol=1e-5 * max(scale, 1))


def test_nodes_are_named_after_layers_and_rules(tmp_path):
    made(classified).to_onnx(tmp_path / "backward.onnx")
    graph = onnx.load(tmp_path / "backward.onnx").graph
    names = [node.name for node in graph.node]
    assert "/sequential/0/Conv" in names and "/sequential/0/conv2d_dw/Conv" in names
    assert names.index("/sequential/5/linear_dw/MatMul") < names.index("/sequential/2/relu_dx/Where")
    assert {"0.weight", "5.bias"} <= {each.name for each in graph.initializer}


def test_a_recording_from_a_file_is_written_too(tmp_path):
    rec = made(classified)
    rec.save(tmp_path / "recording.npz")
    tg.debug.load(tmp_path / "recording.npz").to_onnx(tmp_path / "backward.onnx")
    session = session_of(tmp_path / "backward.onnx")
    gradient = session.run(["0.weight.grad"], {})[0]
    np.testing.assert_allclose(gradient, rec.grads["0.weight"], rtol=1e-5, atol=1e-6)


def test_a_gradient_to_begin_with(tmp_path):
    w = leaf(3, name="w")
    (w * w).record(np.array([1.0, 0.0, -2.0])).to_onnx(tmp_path / "backward.onnx")
    gradient = session_of(tmp_path / "backward.onnx").run(["w.grad"], {})[0]
    np.testing.assert_allclose(gradient, 2 * w.data * [1, 0, -2])


def test_a_constant_that_is_not_recorded_is_refused(tmp_path):
    w = leaf(3, name="w")
    rec = (w + tg.tensor([1.0, 2, 3])).sum().record()
    with pytest.raises(ExportError, match=r"to_onnx: b of %1 add is a constant that no rule reads.*Observer"):
        rec.to_onnx(tmp_path / "backward.onnx")
    assert not list(tmp_path.iterdir())


def test_a_gradient_that_a_hook_has_changed_is_refused(tmp_path):
    w = leaf(3, name="w")
    w.register_hook(lambda gradient: 2 * gradient)
    with pytest.raises(ExportError, match="a hook has changed the gradient of w"):
        (w * w).sum().record().to_onnx(tmp_path / "backward.onnx")


def test_an_op_of_one_s_own_has_no_words_in_onnx(scratch_ops, tmp_path):
    @tg.primitive
    def halved(x):
        """x / 2."""
        return x / 2

    @halved.grad("x")
    def halved_dx(dy):
        """A half."""
        return dy / 2

    rec = halved(leaf(3, name="w")).sum().record()
    with pytest.raises(ExportError, match=r"op halved \(node /halved, of float64\[3\]\) is not written"):
        rec.to_onnx(tmp_path / "backward.onnx")
    assert not list(tmp_path.iterdir())
