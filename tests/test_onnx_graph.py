"""What of a model's graph becomes what of a module, and what is refused when it is loaded."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError, OnnxError, ShapeError

from .helpers import assert_refused, more

onnx = pytest.importorskip("onnx")

from .onnx_models import model_of, node, small_net  # noqa: E402

pytestmark = pytest.mark.onnx

X = {"x": ["n", 1, 6, 6]}


def images(count=2):
    return np.random.default_rng(1).standard_normal((count, 1, 6, 6)).astype(np.float32)


def test_initialisers_have_the_roles_that_their_readers_give_them():
    net = tg.onnx.load(small_net())
    weights = ["conv.weight", "conv.bias", "norm.weight", "norm.bias", "fc.weight", "fc.bias"]
    assert [name for name, _ in net.named_parameters()] == weights
    assert {name for name, _ in net.named_buffers()} == {"norm.running_mean", "norm.running_var", "shape"}
    assert {*net.state_dict()} == {*weights, "norm.running_mean", "norm.running_var"}


def test_which_are_parameters_can_be_said():
    net = tg.onnx.load(small_net(), parameters=["fc.weight", "fc.bias"])
    assert [name for name, _ in net.named_parameters()] == ["fc.weight", "fc.bias"]
    assert {*net.state_dict()} == {*tg.onnx.load(small_net()).state_dict()}
    with pytest.raises(ValueError, match="'shape' is no floating initialiser of the graph; it has"):
        tg.onnx.load(small_net(), parameters=["shape"])


def test_numbers_without_dimensions_bounds_and_constants_are_no_parameters():
    nodes = [
        node("Constant", "", "two", value=onnx.numpy_helper.from_array(np.full(6, 2, np.float32))),
        node("Mul", "x factor", "a"),
        node("Clip", "a low high", "b"),
        node("Add", "b two", "c"),
        node("Identity", "offset", "moved"),
        node("Add", "c moved", "y"),
    ]
    tensors = {
        "factor": np.float32(3),
        "low": np.float32(0),
        "high": np.float32(5),
        "offset": np.ones(6, "f"),
    }
    net = tg.onnx.load(model_of(nodes, X, tensors))
    assert [name for name, _ in net.named_parameters()] == ["offset"]
    assert {*net.state_dict()} == {"offset"}
    x = images()
    np.testing.assert_allclose(net(x).data, np.clip(3 * x, 0, 5) + 3, rtol=1e-6)


@pytest.mark.parametrize(
    "names, keys",
    [
        (["a.weight", "a.bias"], ["a.weight", "a.bias"]),
        (["onnx::Conv_12", "/layer/w"], ["onnx::Conv_12", "/layer/w"]),
        (["a", "a.b"], ["a", "a_b"]),
        (["a.b", "a"], ["a.b", "a_2"]),
        (["a..b", ".c", "d."], ["a__b", "_c", "d_"]),
        (["forward", "net.training", "steps"], ["forward_2", "net_training", "steps_2"]),
        (["a", "a.b", "a_b", "a_b_2"], ["a", "a_b", "a_b_2", "a_b_2_2"]),
        ([".".join("a" * 500)], ["_".join("a" * 500)]),
    ],
    ids=lambda value: value[0][:12],
)
def test_keys_are_names_wherever_a_tree_of_modules_can_have_them(names, keys):
    nodes = [node("Sum", "", "y")]
    nodes[0].input.extend(["x", *names])
    net = tg.onnx.load(model_of(nodes, X, {name: np.ones(6, np.float32) for name in names}))
    assert {*net.state_dict()} == {*keys}
    assert np.allclose(net(images()).data, images() + len(names))


def test_inputs_go_by_position_and_by_name_and_outputs_come_in_order():
    nodes = [node("Sub", "left right", "y"), node("Add", "left right", "z")]
    net = tg.onnx.load(model_of(nodes, {"left": [2], "right": [2]}, outputs=("z", "y")))
    left, right = np.array([5, 6], "f"), np.array([1, 2], "f")
    for z, y in (net(left, right), net(left, right=right), net(right=tg.tensor(right), left=left)):
        assert z.tolist() == [6, 8] and y.tolist() == [4, 4]
    message = "graphmodule: the graph takes ['left', 'right'], not 1 by position and [] by name"
    assert_refused(lambda: net(left), TypeError, message)
    with pytest.raises(TypeError, match=r"not 2 by position and \['wrong'\] by name"):
        net(left, right, wrong=left)
    with pytest.raises(TypeError, match="the graph takes"):
        net(left, right, left)


def test_inputs_that_the_file_was_not_exported_for_are_refused():
    net = tg.onnx.load(small_net())
    message = "input x is [2,1,6,5], but the file was exported for [?,1,6,6]; "
    message += "export it with dynamic axes for other sizes"
    assert_refused(lambda: net(images()[..., :5]), ShapeError, message)
    assert_refused(
        lambda: net(images().astype(int)), DtypeError, "input x is int64[2,1,6,6]; the file says float32"
    )
    with pytest.raises(TypeError, match="input x must be a Tensor or an array, not list"):
        net([[1.0]])


@pytest.mark.parametrize(
    "nodes, message",
    [
        (
            [node("Det", name="d")],
            "node 'd' (Det): the operator Det is not supported; supported are Abs, Acos",
        ),
        (
            [node("Relu", name="r", domain="com.microsoft")],
            "node 'r' (Relu): the operator Relu of the domain 'com.microsoft' is not supported",
        ),
        (
            [node("Relu", slope=1.0)],
            "a node without a name (Relu): attribute 'slope' is not one of its own: none",
        ),
        (
            [node("LeakyRelu", name="l", alpha=1)],
            "node 'l' (LeakyRelu): attribute alpha must be of the type FLOAT",
        ),
        ([node("MaxPool", name="p")], "node 'p' (MaxPool): attribute kernel_shape is missing"),
        (
            [node("MaxPool", name="p", kernel_shape=[2, 2, 2])],
            "node 'p' (MaxPool): it has 3 spatial axes; supported: 1 and 2",
        ),
        (
            [node("MaxPool", name="p", kernel_shape=[2, 2], strides=[1])],
            "node 'p' (MaxPool): kernel_shape, strides, dilations and pads are of different lengths",
        ),
        (
            [node("MaxPool", name="p", kernel_shape=[2, 0])],
            "node 'p' (MaxPool): attribute kernel_shape is (2, 0); supported: integers of at least 1",
        ),
        (
            [node("MaxPool", name="p", kernel_shape=[2, 2], auto_pad="same")],
            "attribute auto_pad is 'same'; supported: NOTSET, SAME_UPPER, SAME_LOWER, VALID",
        ),
        (
            [node("Cast", name="c", to=16)],
            "node 'c' (Cast): attribute to is bfloat16, which no tensor here can be",
        ),
        ([node("Cast", name="c", to=99)], "attribute to is of an unknown element type, 99"),
        ([node("LRN", name="l", size=4)], "attribute size is 4; supported: odd integers"),
        ([node("Add", name="a")], "node 'a' (Add) has 1 inputs; it takes 2 to 2"),
        ([node("Add", "x _", name="a")], "node 'a' (Add): input 1 is left out, and must not be"),
        ([node("Relu", "x", "y z", name="r")], "node 'r' (Relu) has 2 outputs; it makes 1 to 1"),
        (
            [node("Split", "x", "y z", "s", axis=1, num_outputs=3)],
            "node 's' (Split): attribute 'num_outputs' is not one of its own: axis",
        ),
    ],
)
def test_what_is_not_supported_is_refused_when_it_is_loaded(nodes, message):
    with pytest.raises(OnnxError) as caught:
        tg.onnx.load(model_of(nodes, X))
    assert message in str(caught.value)


def test_versions_that_are_not_known_are_refused():
    add = [node("Add", "x x", name="a")]
    message = "node 'a' (Add): Add as of opset 6 is not supported; supported: as of 7, 13, 14"
    assert_refused(lambda: tg.onnx.load(model_of(add, X, opset=6)), OnnxError, message)
    newest = onnx.defs.onnx_opset_version()
    message = f"the model is of opset {newest + 1}, and the installed onnx knows 1 to {newest}"
    with pytest.raises(OnnxError, match=message):
        tg.onnx.load(model_of(add, X, opset=newest + 1))
    with pytest.raises(OnnxError, match="opset 17 has no operator Gelu"):
        tg.onnx.load(model_of([node("Gelu")], X))


def test_what_goes_wrong_inside_names_the_node():
    net = tg.onnx.load(model_of([node("Concat", "x w", name="join", axis=1)], X, {"w": np.ones((1, 2), "f")}))
    with pytest.raises(OnnxError, match=r"node 'join' \(Concat\): cat: ") as caught:
        net(images())
    assert isinstance(caught.value.__cause__, ShapeError)


def test_statistics_that_are_inputs_are_left_as_they_are():
    names = "x scale bias mean var"
    nodes = [node("BatchNormalization", names, "y mean2 var2", training_mode=1)]
    ones = {"scale": np.ones(1, "f"), "bias": np.zeros(1, "f")}
    model = model_of(nodes, {**X, "mean": [1], "var": [1]}, ones, outputs=("y", "mean2", "var2"))
    mean, var, x = np.zeros(1, "f"), np.ones(1, "f"), images() + 3
    _, mean2, var2 = tg.onnx.load(model)(x, mean, var)
    assert mean == 0 and var == 1
    assert mean2.item() == pytest.approx(0.1 * x.mean(), rel=1e-5)
    assert var2.item() == pytest.approx(0.9 + 0.1 * x.var(), rel=1e-5)


def test_a_statistic_that_is_a_parameter_too_does_not_follow():
    nodes = [node("BatchNormalization", "x c c b c", "y m v", training_mode=1), node("Mul", "y b", "z")]
    net = tg.onnx.load(model_of(nodes, X, {"c": np.ones(1, "f"), "b": np.ones(1, "f")}, outputs=("z",)))
    net(images()).sum().backward()
    assert net.get_parameter("b").item() == net.get_parameter("c").item() == 1
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_dropout_drops_where_the_file_says_so_and_the_module_trains():
    nodes = [node("Dropout", "x ratio mode", "y mask", name="drop")]
    for says in (True, False):
        net = tg.onnx.load(
            model_of(nodes, X, {"ratio": np.float32(0.25), "mode": np.array(says)}, outputs=("y", "mask"))
        )
        x = images(50)
        tg.manual_seed(0)
        y, mask = net(x)
        np.testing.assert_allclose(y.data, x * mask.data / 0.75 if says else x, rtol=1e-6)
        assert mask.dtype == bool and 0.2 < 1 - mask.data.mean() < 0.3 if says else mask.data.all()
        assert np.array_equal(net.eval()(x)[0].data, x)


def test_dropout_before_opset_12_drops_in_training_alone():
    net = tg.onnx.load(model_of([node("Dropout", ratio=0.5)], X, opset=10))
    assert 0.4 < (net(images(50)).data == 0).mean() < 0.6
    assert np.array_equal(net.eval()(images()).data, images())


def test_a_batch_norm_that_trains_as_old_opsets_write_it_is_refused():
    names = "x scale bias mean var"
    tensors = {name: np.ones(1, "f") for name in names.split()[1:]}
    nodes = [node("BatchNormalization", names, "y mean2 var2 saved saved2", name="bn")]
    with pytest.raises(OnnxError, match=r"node 'bn' .* export it with opset 14 or later"):
        tg.onnx.load(model_of(nodes, X, tensors, opset=9))


@pytest.mark.parametrize(
    "nodes",
    [
        [node("MaxPool", kernel_shape=[3, 3], pads=[2, 2, 2, 2])],
        *more(
            [node("MaxPool", kernel_shape=[3, 3], pads=[2, 0, 1, 2], strides=[2, 2], ceil_mode=1)],
            [node("AveragePool", kernel_shape=[3, 3], pads=[2, 2, 2, 2], count_include_pad=1)],
            [node("AveragePool", kernel_shape=[2, 2], pads=[0, 1, 1, 1], strides=[2, 3], ceil_mode=1)],
            [node("AveragePool", kernel_shape=[3, 2], pads=[2, 1, 2, 1], strides=[3, 2], ceil_mode=1)],
            [node("LpPool", kernel_shape=[2, 2], p=3)],
            [node("GlobalLpPool", p=2)],
            [node("LRN", size=1)],
            [node("ConvTranspose", "x w", auto_pad="SAME_UPPER", strides=[2, 2])],
            [node("Conv", "x w", auto_pad="SAME_LOWER", strides=[2, 2])],
            [node("PRelu", "x slopes")],
            [node("PRelu", "x slope")],
            [node("MeanVarianceNormalization")],
            [node("LpNormalization", axis=2)],
            [node("DepthToSpace", "wide", blocksize=2), node("Relu", "x", "unused")],
        ),
    ],
    ids=lambda nodes: nodes[0].op_type,
)
def test_gradients_are_those_of_finite_differences(nodes):
    rng = np.random.default_rng(0)
    tensors = {
        "w": rng.standard_normal((1, 1, 3, 3)),
        "slopes": rng.random((6, 6)) + 0.1,
        "slope": rng.random(1),
        "wide": rng.standard_normal((1, 8, 2, 2)),
    }
    used = {name: array.astype("f") for name, array in tensors.items() if name in nodes[0].input}
    net = tg.onnx.load(model_of(nodes, X, used)).double()
    x = rng.standard_normal((2, 1, 6, 6))
    assert tg.gradcheck(net, tg.tensor(x, requires_grad=True))


def test_slices_and_places_have_gradients():
    nodes = [
        node("Slice", "x starts ends axes steps", "a"),
        node("GatherND", "a places", "b"),
        node("ScatterND", "x places b", "c", reduction="add"),
        node("Resize", "c _ scales", "y", mode="cubic", coordinate_transformation_mode="half_pixel"),
    ]
    tensors = {
        "starts": np.array([-1]),
        "ends": np.array([-7]),
        "axes": np.array([3]),
        "steps": np.array([-1]),
        "places": np.array([[0, 0, 1], [1, 0, 2], [0, 0, 1]]),
        "scales": np.array([1, 1, 0.5, 2], "f"),
    }
    net = tg.onnx.load(model_of(nodes, X, tensors, opset=18)).double()
    x = np.random.default_rng(0).standard_normal((2, 1, 6, 6))
    assert tg.gradcheck(net, tg.tensor(x, requires_grad=True))


def test_nothing_is_imported_before_it_is_asked_for():
    program = (
        "import sys, tinygrad_conv as tg; names = {*sys.modules}; tg.onnx; more = {*sys.modules} - names;"
        "assert 'onnx' not in dir(sys.modules) and 'onnx' not in sys.modules, more;"
        "assert 'tinygrad_conv.interop.onnx.reading.loading' in more and 'onnx' in dir(tg)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_the_package_a_message_says_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    message = 'tg.onnx needs the package onnx: pip install "tinygrad_conv[onnx]"'
    assert_refused(lambda: tg.onnx.load(b""), tg.errors.MissingExtraError, message)
