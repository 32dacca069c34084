"""Whole nets as ONNX files: their outputs, their names, and that the net stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from .onnx_runs import assert_exports, assert_runs_alike, exported, run  # noqa: E402

F = nn.functional
pytestmark = pytest.mark.onnx


class Block(nn.Module):
    """Two convolutions and what they are added to."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        same = stride == 1 and channels == out
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, out, 1, stride=stride)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        y += self.shortcut(x)
        return F.relu(y, inplace=True)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        y = self.pool(self.blocks(F.relu(self.stem(x))))
        return self.head(self.dropout(y.view(x.size(0), -1)))


class UNet(nn.Module):
    """Two outputs by name."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, padding=1)
        self.deep = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU())
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.last = nn.Conv2d(8, 1, 3, padding=1)
        self.resize = nn.Upsample(scale_factor=2, mode="bilinear")

    def forward(self, x):
        first = F.relu(self.down(x))
        second = self.deep(F.max_pool2d(first, 2))
        mask = self.last(tg.cat([first, self.up(second)], dim=1))
        return {"mask": tg.sigmoid(mask), "features": self.resize(second).mean((2, 3))}


class MobileNet(nn.Module):
    """Convolutions of one channel each, and channels weighted by what is in them."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.Hardswish())
        self.depthwise = nn.Conv2d(8, 8, 5, padding=2, groups=8)
        self.squeeze = nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU6(), nn.Conv2d(2, 8, 1), nn.Hardsigmoid())
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        y = self.depthwise(self.stem(x))
        y = y * self.squeeze(y.mean((2, 3), keepdim=True))
        return self.head(y.flatten(2).amax(-1))


class Attention(nn.Module):
    """A table of vectors, used twice, and attention between them."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(20, 8, padding_idx=0)
        self.place = nn.Parameter(tg.randn(1, 6, 8))
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 20, bias=False)
        self.head.weight = self.table.weight

    def forward(self, numbers):
        x = self.table(numbers) + self.place
        samples, length, size = x.shape
        parts = [
            each(x).reshape(samples, length, 2, 4).transpose(1, 2)
            for each in (self.query, self.key, self.value)
        ]
        y = F.scaled_dot_product_attention(*parts, is_causal=True)
        return self.head(self.norm(x + y.transpose(1, 2).reshape(samples, length, size)))


class Recurrent(nn.Module):
    """A loop, a state that begins as zeros for each sample, two outputs."""

    def __init__(self):
        super().__init__()
        self.step = nn.Linear(5 + 4, 4)

    def forward(self, x):
        state, states = tg.zeros(x.shape[0], 4), []
        for place in range(x.shape[1]):
            state = tg.tanh(self.step(tg.cat([x[:, place], state], 1)))
            states.append(state)
        return tg.stack(states, 1), state.sum(0) / x.shape[0]


def lenet():
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 8, 5), nn.Tanh()),
        *(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8 * 2 * 2, 10), nn.LogSoftmax(1)),
    )


def images(batch=2):
    return np.random.default_rng(0).standard_normal((batch, 3, 16, 16)).astype(np.float32)


def numbers(batch=2):
    return np.random.default_rng(0).integers(0, 20, (batch, 6))


def sequences(batch=2):
    return np.random.default_rng(0).standard_normal((batch, 3, 5)).astype(np.float32)


NETS = {
    "lenet": (lenet, images),
    "resnet": (ResNet, images),
    "unet": (UNet, images),
    "mobilenet": (MobileNet, images),
    "attention": (Attention, numbers),
    "recurrent": (Recurrent, sequences),
}


def made(name):
    """A net whose batch norms have seen something, in eval mode, and an example."""
    make, example = NETS[name]
    tg.manual_seed(0)
    net = make()
    with tg.no_grad():
        net(tg.tensor(example(8)))
    return net.eval(), example()


@pytest.mark.parametrize("opset", [17, 21])
@pytest.mark.parametrize("name", NETS)
def test_nets(name, opset, tmp_path):
    net, example = made(name)
    assert_exports(net, (example,), tmp_path, opset_version=opset)


def test_a_batch_of_one_is_an_example_too(tmp_path):
    net, _ = made("resnet")
    session = exported(net, tg.tensor(images(1)), tmp_path)
    assert_runs_alike(session, net, [images(5)])


def test_without_a_dynamic_batch_sizes_are_the_example_s(tmp_path):
    net, example = made("lenet")
    session = exported(net, example, tmp_path, dynamic_batch=False)
    assert session.get_inputs()[0].shape == [2, 3, 16, 16]
    assert_runs_alike(session, net, [example])


def test_names_are_the_module_tree_s(tmp_path):
    net, example = made("resnet")
    tg.onnx.export(net, example, tmp_path / "net.onnx")
    graph = onnx.load(tmp_path / "net.onnx").graph
    names = [node.name for node in graph.node]
    assert names[:2] == ["/stem/Conv", "/Relu"]
    assert names[-2:] == ["/Reshape", "/head/Gemm"]
    assert "/blocks/1/shortcut/Conv" in names and "/blocks/0/Relu_1" in names
    assert len({*names}) == len(names)
    parameters = {each.name for each in graph.initializer}
    assert {*net.state_dict()} - parameters == {
        f"blocks.{i}.bn{j}.num_batches_tracked" for i in (0, 1) for j in (1, 2)
    }
    for each in graph.initializer:
        if each.name in net.state_dict():
            np.testing.assert_array_equal(onnx.numpy_helper.to_array(each), net.state_dict()[each.name].data)


def shape_of(value):
    return [each.dim_param or each.dim_value for each in value.type.tensor_type.shape.dim]


def test_shapes_on_the_way_are_told(tmp_path):
    tg.onnx.export(lambda x: x.reshape(-1, 4) * 2, tg.ones(2, 3, 4), tmp_path / "net.onnx")
    graph = onnx.load(tmp_path / "net.onnx").graph
    assert shape_of(graph.input[0]) == ["batch", 3, 4]
    assert [shape_of(value) for value in graph.value_info] == [["3*batch", 4]]
    assert shape_of(graph.output[0]) == ["3*batch", 4]


def test_inputs_and_outputs_can_be_named(tmp_path):
    def model(image, scale):
        return image * scale, image

    example = tg.ones(2, 3), tg.tensor(3.0)
    session = exported(model, example, tmp_path)
    assert [each.name for each in session.get_inputs()] == ["image", "scale"]
    assert [each.name for each in session.get_outputs()] == ["output_0", "output_1"]
    names = {"input_names": ["a", "b"], "output_names": ["c", "d"]}
    session = exported(model, example, tmp_path, **names)
    assert [each.name for each in (*session.get_inputs(), *session.get_outputs())] == ["a", "b", "c", "d"]
    assert session.get_inputs()[1].shape == []
    np.testing.assert_array_equal(
        run(session, [np.ones((4, 3), np.float32), np.asarray(2, np.float32)])[0], np.full((4, 3), 2)
    )


def test_the_model_stays_as_it_was(tmp_path):
    net, example = made("resnet")
    net.train()
    net.blocks[0].eval()
    net.head.requires_grad_(False)
    before = {name: tensor.data.copy() for name, tensor in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    arrays = [tensor.data for tensor in (*net.parameters(), *net.buffers())]
    tg.manual_seed(3)
    random = tg.get_rng_state()
    given = tg.tensor(example)
    tg.onnx.export(net, given, tmp_path / "net.onnx")
    assert modes == [module.training for module in net.modules()]
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(tensor.data, before[name])
    assert all(tensor.data is array for tensor, array in zip((*net.parameters(), *net.buffers()), arrays))
    assert tg.get_rng_state() == random
    assert all(parameter.grad is None for parameter in net.parameters())
    np.testing.assert_array_equal(given.data, example)


def test_it_is_written_in_eval_mode(tmp_path):
    net, example = made("resnet")
    session = exported(net.train(), example, tmp_path)
    assert_runs_alike(session, net.eval(), [example])


def changed(x):
    x += 1
    x.relu_()
    x[:, 1] = 0.5
    return x


def filled(x):
    rows = tg.zeros(len(x), 3)
    rows[:, 0] = x[:, 1]
    rows *= 2
    return rows + tg.arange(len(x))[:, None]


def chosen(x):
    y = x * 2
    y[x > 0.3] = -1.0
    return tg.where(y > 0, 1.0, 0.0), y


@pytest.mark.parametrize("model", [changed, filled, chosen])
def test_changes_in_place(model, tmp_path):
    example = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)
    assert_exports(model, (example,), tmp_path)


COMPOSED = {
    "constants": lambda x: (x, tg.eye(3)),
    "normalize": lambda x: F.normalize(x),
    "cosine_similarity": lambda x: F.cosine_similarity(x, x.flip(1)),
    "standardized": lambda x: (x - x.mean(0)) / (x.std(0, unbiased=False) + 1e-3),
    "topk": lambda x: tg.topk(x, 2),
    "expand_as": lambda x: tg.ones(3).expand_as(x) + x,
    "masked_fill": lambda x: x.masked_fill(x > 0, -1.0),
    "last": lambda x: x[len(x) - 1],
    "pairs": lambda x: (x[:, None] - x[None]).square().sum(2),
    "picked": lambda x: x[tg.arange(len(x)), x.argmax(1)],
    "detached": lambda x: x.detach() + 1,
    "shapes read": lambda x: x.reshape(x.shape[0] * x.shape[1]),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_functions(name, tmp_path):
    example = np.random.default_rng(1).standard_normal((2, 3)).astype(np.float32)
    assert_exports(COMPOSED[name], (example,), tmp_path)
