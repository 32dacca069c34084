"""`tg.onnx.load`: modules that compute, and are trained, as what was exported."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_conv as tg

from .helpers import more

onnx = pytest.importorskip("onnx")
torch = pytest.importorskip("torch")

from . import onnx_nets  # noqa: E402
from .onnx_nets import exported, exported_by_dynamo, made  # noqa: E402

pytestmark = [pytest.mark.onnx, pytest.mark.torch]

NETS = {net.__name__: net for net in onnx_nets.NETS}


def batch(net, count=2):
    return torch.randn(count, *net.SHAPE, generator=torch.Generator().manual_seed(1))


def assert_same_outputs_and_gradients(net, loaded, x):
    """For a loss that weighs all outputs differently; every parameter under its own name."""
    theirs, ours = net(x), loaded(x.numpy())
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-5, atol=1e-5)
    weights = torch.linspace(-1, 1, theirs.numel()).reshape(theirs.shape)
    net.zero_grad()
    (theirs * weights).sum().backward()
    (ours * tg.tensor(weights.numpy())).sum().backward()
    gradients = {name: parameter.grad for name, parameter in loaded.named_parameters()}
    wanted = dict(net.named_parameters())
    assert gradients.keys() == wanted.keys()
    for name, parameter in wanted.items():
        np.testing.assert_allclose(
            gradients[name], parameter.grad.numpy(), rtol=1e-4, atol=1e-4, err_msg=name
        )


@pytest.mark.parametrize("training", [True, False], ids=["training", "eval"])
@pytest.mark.parametrize("name", NETS)
def test_a_net_computes_what_it_did_and_has_its_gradients(name, training):
    net = made(NETS[name]).train(training)
    loaded = tg.onnx.load(exported(net))
    assert_same_outputs_and_gradients(net, loaded, batch(net, 3))


@pytest.mark.parametrize("name", ["ResNet", *more("UNet")])
def test_so_does_one_of_the_newer_exporter(name):
    pytest.importorskip("onnxscript")
    net = made(NETS[name]).eval()
    assert_same_outputs_and_gradients(net, tg.onnx.load(exported_by_dynamo(net)), batch(net))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["MobileNet"])
def test_one_that_an_exporter_has_folded_computes_the_same(name):
    pytest.importorskip("onnxscript")
    net = made(NETS[name]).eval()
    x = batch(net)
    mode = torch.onnx.TrainingMode.EVAL
    folded = exported(net, training=mode, do_constant_folding=True), exported_by_dynamo(net, optimize=True)
    for model in folded:
        loaded = tg.onnx.load(model)
        assert not any("running" in key for key in loaded.state_dict())
        np.testing.assert_allclose(loaded(x.numpy()).data, net(x).detach().numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("opset", [9, *more(7, 11, 13, 20)])
def test_opsets_from_the_first_to_the_last_that_the_exporter_writes(opset):
    names = ["ResNet", "UNet"] if opset >= 11 else ["ResNet"]  # no bilinear resizing is exported before
    for name in names:
        net = made(NETS[name]).eval()
        loaded = tg.onnx.load(exported(net, opset_version=opset))
        assert_same_outputs_and_gradients(net, loaded, batch(net))


@pytest.mark.parametrize("name", ["ResNet", *more("LeNet")])
def test_it_trains_as_in_pytorch(name):
    net = made(NETS[name])
    loaded = tg.onnx.load(exported(net))
    x = batch(net, 8)
    target = torch.randn(net(x).shape, generator=torch.Generator().manual_seed(2))
    loaded.load_state_dict(net.state_dict(), strict=False)  # the forward above has moved the statistics
    theirs = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    ours = tg.optim.SGD(loaded.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(6):
        theirs.zero_grad()
        expected = torch.nn.functional.mse_loss(net(x), target)
        expected.backward()
        theirs.step()
        ours.zero_grad()
        loss = tg.mse_loss(loaded(x.numpy()), target.numpy())
        loss.backward()
        ours.step()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


def test_the_state_dicts_are_each_others():
    net, loaded = made(NETS["ResNet"]), tg.onnx.load(exported(made(NETS["ResNet"])))
    state = {key: value.clone() for key, value in net.state_dict().items() if "num_batches" not in key}
    assert loaded.state_dict().keys() == state.keys()
    loaded.load_state_dict({key: value + 1 for key, value in state.items()})
    net.load_state_dict({key: torch.tensor(value.data) for key, value in loaded.state_dict().items()}, False)
    assert all((net.state_dict()[key] == value + 1).all() for key, value in state.items())


def test_running_statistics_follow_with_the_biased_variance_as_onnx_says():
    net = made(NETS["ResNet"])
    loaded, x = tg.onnx.load(exported(net)), batch(net, 4)
    loaded.load_state_dict(net.state_dict(), strict=False)
    activations = net.stem[0](x)
    before = {key: value.data.copy() for key, value in loaded.state_dict().items()}
    loaded(x.numpy())
    after = loaded.state_dict()
    for key, latest in (
        ("stem.1.running_mean", activations.mean((0, 2, 3))),
        ("stem.1.running_var", activations.var((0, 2, 3), correction=0)),
    ):
        expected = 0.9 * before[key] + 0.1 * latest.detach().numpy()
        np.testing.assert_allclose(after[key].data, expected, rtol=1e-5)


def test_in_eval_mode_nothing_trains_whatever_the_file_says():
    net = made(NETS["ResNet"])
    loaded = tg.onnx.load(exported(net)).eval()
    loaded.load_state_dict(net.state_dict(), strict=False)
    x, before = batch(net), loaded.state_dict()
    y = loaded(x.numpy())
    np.testing.assert_allclose(y.data, net.eval()(x).detach().numpy(), rtol=1e-5, atol=1e-5)
    assert all((before[key].data == value.data).all() for key, value in loaded.state_dict().items())


def test_it_is_a_module_as_others_are(tmp_path):
    net = made(NETS["MobileNet"])
    loaded, x = tg.onnx.load(exported(net)).eval(), batch(net).numpy()
    y = loaded(x).data
    assert np.array_equal(copy.deepcopy(loaded)(x).data, y)
    assert np.array_equal(pickle.loads(pickle.dumps(loaded))(x).data, y)
    tg.save(loaded.state_dict(), tmp_path / "weights.npz")
    again = tg.onnx.load(exported(made(NETS["MobileNet"]))).eval()
    again.load_state_dict(tg.load(tmp_path / "weights.npz"))
    assert np.array_equal(again(x).data, y)
    assert np.allclose(loaded.double()(x.astype(np.float64)).data, y, atol=1e-5)


def test_a_net_whose_equal_tensors_the_exporter_keeps_once():
    """Ones are a factor of a batch norm and a variance of another in a net that has not been trained."""
    torch.manual_seed(0)
    net = NETS["ResNet"]().eval()
    loaded, x = tg.onnx.load(exported(net)), batch(net)
    assert len([*loaded.parameters()]) < len([*net.parameters()])
    y = loaded(x.numpy())
    np.testing.assert_allclose(y.data, net(x).detach().numpy(), rtol=1e-5, atol=1e-5)
    y.sum().backward()
    assert all(parameter.grad is not None for parameter in loaded.parameters())


def test_a_replayed_step_is_the_eager_one():
    net = made(NETS["ResNet"])
    loaded, x = tg.onnx.load(exported(net)), tg.tensor(batch(net, 4).numpy())
    twin = copy.deepcopy(loaded)

    def step_of(module):
        optimizer = tg.optim.SGD(module.parameters(), lr=0.05)

        def step():
            optimizer.zero_grad()
            loss = tg.cross_entropy(module(x), tg.tensor([0, 1, 2, 3]))
            loss.backward()
            optimizer.step()
            return loss

        return step

    eager, replayed = step_of(loaded), tg.replay(step_of(twin))
    assert [eager().item() for _ in range(4)] == pytest.approx(
        [replayed().item() for _ in range(4)], rel=1e-6
    )
    state = twin.state_dict()
    for key, value in loaded.state_dict().items():  # the running statistics among them
        np.testing.assert_allclose(state[key].data, value.data, rtol=1e-5, atol=1e-6, err_msg=key)


def test_the_tape_names_nodes_and_initialisers():
    net = made(NETS["LeNet"])
    tape = str(tg.onnx.load(exported(net))(batch(net).numpy()).sum().tape())
    assert "conv1.weight" in tape and "graphmodule./conv1/Conv" in tape
