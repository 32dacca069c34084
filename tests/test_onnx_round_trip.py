"""Nets that are exported and loaded again: the same outputs, gradients and names, and they train on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn

pytest.importorskip("onnx")
pytestmark = pytest.mark.onnx


def small_net() -> Any:
    """With a norm of each kind, whose statistics and constants are not parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, groups=2, bias=False),
        nn.GroupNorm(3, 6),
        nn.GELU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.LayerNorm(6),
        nn.Linear(6, 3),
    )


def test_a_net_comes_back_with_its_parameters_and_gradients(tmp_path: Path) -> None:
    tg.manual_seed(0)
    net = small_net()
    x, labels = tg.randn(5, 1, 8, 8), tg.tensor([0, 1, 2, 1, 0])
    net(x)  # so that the running statistics are not those of the beginning
    net.eval()
    tg.onnx.export(net, tg.randn(2, 1, 8, 8), tmp_path / "net.onnx")
    loaded = tg.onnx.load(tmp_path / "net.onnx").eval()
    for model in (net, loaded):
        tg.cross_entropy(model(x), labels).backward()
    np.testing.assert_allclose(loaded(x).data, net(x).data, rtol=1e-5, atol=1e-6)
    ours, theirs = dict(net.named_parameters()), dict(loaded.named_parameters())
    assert ours.keys() == theirs.keys()
    for name, parameter in ours.items():
        np.testing.assert_allclose(theirs[name].grad, parameter.grad, rtol=1e-4, atol=1e-6, err_msg=name)


def test_it_trains_on(tmp_path: Path) -> None:
    tg.manual_seed(0)
    images, labels = tg.data.bars(64, seed=0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    tg.onnx.export(net, images[:2], tmp_path / "net.onnx")
    loaded = tg.onnx.load(tmp_path / "net.onnx")
    losses = []
    for model in (net, loaded):
        optimizer = tg.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(20):
            optimizer.zero_grad()
            loss = tg.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)
    assert losses[1] < 0.5
