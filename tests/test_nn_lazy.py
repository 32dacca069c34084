"""Lazy layers: without numbers before the first forward, the plain layer after it."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.errors import ShapeError, UninitializedError
from tinygrad_conv.nn.uninitialized import UninitializedBuffer

LAYERS = [
    (lambda nn: nn.LazyLinear(5), (3, 4, 9, 9)),
    (lambda nn: nn.LazyLinear(5, False), (9,)),
    (lambda nn: nn.LazyConv1d(6, 3, 2, 1, 2, 2, padding_mode="circular"), (3, 4, 9)),
    (lambda nn: nn.LazyConv1d(6, 3), (4, 9)),
    (lambda nn: nn.LazyConv2d(6, (3, 1), (2, 1), (1, 0), groups=2, bias=False), (3, 4, 9, 9)),
    (lambda nn: nn.LazyConv2d(6, 3, padding="same", dilation=2), (3, 4, 9, 9)),
    (lambda nn: nn.LazyConv2d(6, 3), (4, 9, 9)),
    (lambda nn: nn.LazyConvTranspose1d(6, 3, 3, 1, 2, 2, dilation=2), (3, 4, 9)),
    (lambda nn: nn.LazyConvTranspose2d(6, 3, 2, 1, 1, 2), (3, 4, 9, 9)),
    (lambda nn: nn.LazyBatchNorm1d(), (3, 4)),
    (lambda nn: nn.LazyBatchNorm1d(1e-3, None), (3, 4, 9)),
    (lambda nn: nn.LazyBatchNorm2d(), (3, 4, 9, 9)),
    (lambda nn: nn.LazyBatchNorm2d(affine=False), (3, 4, 9, 9)),
    (lambda nn: nn.LazyBatchNorm2d(track_running_stats=False, momentum=0.3), (3, 4, 9, 9)),
    (lambda nn: nn.LazyInstanceNorm2d(affine=False, track_running_stats=False), (3, 4, 9, 9)),
    (lambda nn: nn.LazyInstanceNorm2d(), (3, 4, 9, 9)),
]


def textbook():
    """A net as textbooks write it."""
    return nn.Sequential(
        nn.LazyConv2d(6, kernel_size=5, padding=2),
        nn.LazyBatchNorm2d(),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.LazyLinear(10),
        nn.LazyLinear(3),
    )


@pytest.mark.parametrize("make, shape", LAYERS)
def test_the_first_forward_makes_it_the_plain_layer(make, shape):
    layer = make(nn)
    plain = layer.becomes
    assert isinstance(layer, plain) and type(layer) is not plain
    assert repr(layer).startswith(f"Lazy{plain.__name__}(") and "0" in repr(layer)
    keys = list(layer.state_dict())
    x = tg.tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    tg.manual_seed(0)
    y = layer(x)
    assert type(layer) is plain and not hasattr(layer, "_rng") and list(layer.state_dict()) == keys
    names = dict(layer.named_parameters())
    assert all(type(parameter) is nn.Parameter for parameter in names.values())
    assert [parameter.name for parameter in names.values()] == list(names)
    tg.manual_seed(0)
    other = plain(*[value for value in (getattr(layer, layer_count(layer)),)], **options_of(layer))
    np.testing.assert_array_equal(y.data, other(x).data)
    assert repr(layer) == repr(other)


def layer_count(layer):
    return next(name for name in ("in_features", "in_channels", "num_features") if hasattr(layer, name))


def options_of(layer):
    """The other options of a plain layer, which are its attributes."""
    import inspect

    names = list(inspect.signature(type(layer)).parameters)[1:]
    options = {name: getattr(layer, name) for name in names if name not in ("dtype", "rng", "bias")}
    return {**options, "bias": getattr(layer, "bias", None) is not None}


def test_before_the_first_forward_nothing_is_read_in_silence():
    net = textbook()
    weight = net[0].weight
    assert isinstance(weight, nn.UninitializedParameter) and isinstance(weight, nn.Parameter)
    assert repr(weight) == "UninitializedParameter(float32)" and weight.requires_grad and weight.is_leaf
    for read in (
        lambda: weight.shape,
        lambda: weight.data,
        lambda: weight * 2,
        lambda: np.asarray(weight.detach()),
        lambda: weight.sum(),
        lambda: nn.init.xavier_uniform_(weight),
        lambda: tg.conv2d(tg.ones(1, 1, 5, 5), weight),
        lambda: net[0].reset_parameters(),
    ):
        with pytest.raises(
            UninitializedError, match=r"0\.weight has no shape .*call the net once with a batch"
        ):
            read()
    with pytest.raises(UninitializedError):
        net[1].running_mean + 1
    with pytest.raises(ValueError):
        weight.size()
    with pytest.raises(RuntimeError):
        len(weight)


def test_the_textbooks_order_initialise_after_a_dry_run():
    def constant(module):
        if type(module) in (nn.Linear, nn.Conv2d):
            nn.init.constant_(module.weight, 0.5)

    net = textbook()
    net.apply(constant)  # they are no plain layers yet
    net(tg.zeros(2, 1, 8, 8))
    net.apply(constant)
    assert all((net[place].weight.data == 0.5).all() for place in (0, 5, 6))
    assert net[5].in_features == 6 * 4 * 4 and [*map(tuple, (net[6].weight.shape,))] == [(3, 10)]


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.Adadelta])
def test_an_optimizer_may_be_made_before(make):
    net = textbook()
    optimizer = make(net.parameters(), 0.1)
    net(tg.ones(2, 1, 8, 8)).sum().backward()
    before = {key: tensor.data for key, tensor in net.state_dict().items()}
    optimizer.step()
    optimizer.zero_grad()
    after = dict(net.named_parameters())
    assert optimizer.params() == list(after.values())
    assert any((tensor.data != before[key]).any() for key, tensor in after.items())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_what_was_said_of_the_parameters_before_stays():
    net = textbook().double()
    net[0].requires_grad_(False)
    net.eval()
    y = net(tg.ones(1, 1, 8, 8, dtype=np.float64))
    assert y.dtype == np.float64 and not net[0].weight.requires_grad and net[5].weight.requires_grad
    assert not net[0].training and net[1].running_mean.dtype == np.float64
    net = textbook().requires_grad_(False).requires_grad_()
    net(tg.ones(1, 1, 8, 8))
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_a_generator_or_a_seed_draws_the_weights():
    x = tg.ones(2, 3)
    lazy, plain = nn.LazyLinear(4, rng=3), nn.Linear(3, 4, rng=3)
    np.testing.assert_array_equal(lazy(x).data, plain(x).data)
    random, other = (np.random.default_rng(1) for _ in range(2))
    lazy, plain = nn.LazyLinear(4, rng=random), nn.Linear(3, 4, rng=other)
    np.testing.assert_array_equal(lazy(x).data, plain(x).data)


def test_state_dicts():
    done, waiting = textbook(), textbook()
    empty = done.state_dict()
    assert isinstance(empty["0.weight"], nn.UninitializedParameter)
    assert isinstance(empty["1.running_mean"], UninitializedBuffer)
    assert empty["1.num_batches_tracked"].item() == 0
    waiting.load_state_dict(empty)
    x = tg.ones(2, 1, 8, 8)
    done(x)
    with pytest.raises(RuntimeError, match=r"0\.weight has no numbers yet in the state dict"):
        done.load_state_dict(empty)
    waiting.load_state_dict(done.state_dict())
    assert type(waiting[0]) is nn.LazyConv2d and waiting[0].weight.shape == (6, 1, 5, 5)
    np.testing.assert_array_equal(done.eval()(x).data, waiting.eval()(x).data)
    assert type(waiting[0]) is nn.Conv2d and waiting[0].in_channels == 1
    other = textbook()
    other.load_state_dict(done.state_dict())
    with pytest.raises(
        ShapeError, match=r"LazyConv2d: x \[1,2,8,8\] needs a weight \[6,2,5,5\], but \[6,1,5,5\]"
    ):
        other(tg.ones(1, 2, 8, 8))
    assert type(other[0]) is nn.LazyConv2d and other[0].in_channels == 0


def made(rule=optim.Adam):
    """A net and its optimiser, before any forward."""
    net = textbook()
    return {"net": net, "optimizer": rule(net.parameters(), 0.01)}


def go_on(net, optimizer):
    """The losses of three steps."""
    x = tg.arange(2 * 64).reshape(2, 1, 8, 8) / 100
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = (net(x) ** 2).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("rule", [optim.Adam, optim.RMSprop, lambda p, lr: optim.SGD(p, lr, momentum=0.9)])
@pytest.mark.parametrize("names", [("net", "optimizer"), ("optimizer", "net")])
def test_a_net_and_its_optimizer_go_on_from_a_checkpoint_before_any_forward(names, rule, tmp_path):
    tg.manual_seed(0)
    training, checkpoints = made(rule), tg.Checkpoints(tmp_path)
    go_on(**training)
    checkpoints.save(1, **training)
    expected = go_on(**training)
    for load in (
        lambda parts: checkpoints.resume(**{name: parts[name] for name in names}),
        lambda parts: [parts[name].load_state_dict(tg.load(checkpoints.last)[name]) for name in names],
    ):
        resumed = made(rule)
        load(resumed)
        assert type(resumed["net"][0]) is nn.LazyConv2d and go_on(**resumed) == expected


def test_a_state_of_other_shapes_is_refused_by_the_step_and_nothing_moves():
    training, other = made(), made()
    go_on(**training)
    other["optimizer"].load_state_dict(training["optimizer"].state_dict())
    net = other["net"]
    net(tg.ones(2, 3, 8, 8)).sum().backward()  # three channels instead of one
    before = net.state_dict()
    with pytest.raises(
        ShapeError, match=r"exp_avg is float32\[6,1,5,5\], but its parameter is .*another shape"
    ):
        other["optimizer"].step()
    assert all((before[key].data == tensor.data).all() for key, tensor in net.state_dict().items())


def test_what_does_not_fit_is_refused_without_a_shape_too(tmp_path):
    training = made()
    go_on(**training)
    state = training["optimizer"].state_dict()
    for change, words in (
        (lambda of_one: of_one.update(exp_avg_sq=np.zeros(3)), r"exp_avg_sq of 0\.weight is .*shape"),
        (
            lambda of_one: of_one.update(exp_avg=of_one["exp_avg"] * np.nan),
            r"exp_avg of 0\.weight is not fin",
        ),
        (lambda of_one: of_one.pop("step"), r"the state of 0\.weight in the state dict lacks step"),
    ):
        wrong, waiting = copy.deepcopy(state), made()
        change(wrong["state"][0])
        with pytest.raises(ValueError, match=words):
            waiting["optimizer"].load_state_dict(wrong)
        assert not waiting["optimizer"].state
    alone = optim.Adam([nn.UninitializedParameter()], 0.1)  # it has no name
    with pytest.raises(ValueError, match=r"UninitializedParameter\(float32\) in the state dict lacks step"):
        alone.load_state_dict({"state": {0: {"exp_avg": [1.0]}}, "param_groups": [{"params": [0]}]})


def test_copies_wait_too():
    net = textbook()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin[0].weight is not net[0].weight and twin[0].weight.name == "0.weight"
        twin(tg.ones(1, 1, 8, 8))
        assert type(twin[0]) is nn.Conv2d and type(net[0]) is nn.LazyConv2d


def test_an_input_that_cannot_be_leaves_it_waiting():
    for layer, shape, words in (
        (nn.LazyConv2d(4, 3), (3, 3), r"LazyConv2d: x must have 4 or 3 dimensions, not the shape \[3,3\]"),
        (
            nn.LazyConv2d(4, 3, groups=2),
            (1, 3, 5, 5),
            "Conv2d: in_channels=3 and out_channels=4 must be mult",
        ),
        (nn.LazyBatchNorm2d(), (2, 3), r"LazyBatchNorm2d: x must have 4 dimensions, not the shape \[2,3\]"),
        (nn.LazyLinear(4), (), r"LazyLinear: x must have 1 or more dimensions, not the shape \[\]"),
    ):
        waiting = type(layer)
        with pytest.raises(ValueError, match=words):
            layer(tg.ones(*shape))
        assert type(layer) is waiting and layer.has_uninitialized_params()


def test_lazy_layers_take_their_sizes_in_a_summary():
    net = textbook()
    summary = net.summary((2, 1, 8, 8))
    assert summary.rows[0].kind == "Conv2d" and summary.rows[0].parameters == 156
    assert type(net[0]) is nn.Conv2d and summary.parameters == sum(p.numel() for p in net.parameters())


def test_hooks_and_training():
    tg.manual_seed(0)
    net, seen = textbook(), []
    net[0].register_forward_hook(lambda module, inputs, y: seen.append(type(module).__name__))
    optimizer = optim.SGD(net.parameters(), 0.3)
    x = tg.tensor(np.random.default_rng(0).standard_normal((8, 1, 8, 8)).astype(np.float32))
    target, losses = np.arange(8) % 3, []
    for _ in range(30):
        optimizer.zero_grad()
        loss = tg.cross_entropy(net(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0] and seen == ["Conv2d"] * 30


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:input's size at dim=1 does not match num_features")
@pytest.mark.parametrize("make, shape", LAYERS)
def test_as_in_pytorch(make, shape):
    torch = pytest.importorskip("torch")
    ours, theirs = make(nn), make(torch.nn)
    assert repr(ours) == repr(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    array = np.random.default_rng(0).standard_normal(shape)
    ours.double()
    theirs.double()
    u = theirs(torch.tensor(array))
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()}, strict=True)
    for key in theirs.state_dict():
        if "running" in key:
            getattr(ours, key).data[...] = key == "running_var"
    y = ours(tg.tensor(array))
    told = repr(theirs).replace("(0,", "(4,")  # where nothing waits for a shape, PyTorch's takes none
    assert repr(ours) == told
    if "num_batches_tracked" not in theirs.state_dict() or theirs.momentum is not None:
        for key, value in theirs.state_dict().items():
            if key != "num_batches_tracked":
                np.testing.assert_allclose(ours.state_dict()[key].data, value.numpy(), rtol=1e-10)
    np.testing.assert_allclose(y.data, u.detach().numpy(), rtol=1e-10, atol=1e-12)
