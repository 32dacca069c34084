"""Anomaly mode; and the questions about a graph: why is there no gradient, and who keeps this alive."""

from __future__ import annotations

import gc
import re
import warnings

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import debug, nn, optim
from tinygrad_conv.debug.anomaly import check_unchanged, copies_of
from tinygrad_conv.errors import AnomalyError, MutationError

from .debug_nets import PROGRAMS, ShapesNet, article, crooked


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_sound_program_is_not_disturbed(program):
    usual = program()
    usual.loss.backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with tg.detect_anomaly():
            watched = program()
            watched.loss.backward()
    for name, leaf in usual.leaves.items():
        np.testing.assert_array_equal(leaf.grad, watched.leaves[name].grad, strict=True)


def test_the_first_value_that_is_not_finite_in_a_forward():
    x = tg.tensor([[1.0, 0.0, -1.0]], name="x")
    with np.errstate(all="ignore"), tg.detect_anomaly(), pytest.raises(AnomalyError) as caught:
        (tg.log(x * 1.0) * 2.0).exp()
    message = str(caught.value)
    assert "log made a number that is not finite" in message and "test_debug_anomaly.py" in message
    assert "x: [[ 1., 0., -1.]]" in message and "output: [[ 0., -inf, nan]]" in message
    assert "(tg.log(x * 1.0) * 2.0).exp()" in message


def test_large_arrays_are_described_by_range_count_and_first_index():
    x = np.ones((10, 10), np.float32)
    x[3, 4] = x[5, 5] = 0
    x[7, 7] = -1
    with np.errstate(all="ignore"), tg.detect_anomaly(), pytest.raises(AnomalyError) as caught:
        tg.log(tg.tensor(x))
    assert "x: float32[10,10] from -1 to 1" in str(caught.value)
    assert "output: float32[10,10] from 0 to 0, 1 NaN, 2 inf, the first at [3, 4]" in str(caught.value)


def test_the_layer_is_named():
    net = ShapesNet()
    net.conv2.weight.data[0, 0, 0, 0] = np.nan
    with (
        tg.detect_anomaly(),
        pytest.raises(AnomalyError, match="conv2d made(.|\n)* in shapesnet.conv2(.|\n)*weight|w: .*1 NaN"),
    ):
        net(tg.ones(1, 1, 12, 12))


def test_the_first_gradient_that_is_not_finite():
    x = tg.tensor([1.0, 0.0], requires_grad=True, name="x")
    with np.errstate(all="ignore"), tg.detect_anomaly(), pytest.raises(AnomalyError) as caught:
        (x.sqrt() * 2.0).sum().backward()
    message = str(caught.value)
    assert "a gradient rule of sqrt made a number that is not finite" in message and "sqrt_dx" in message
    assert "grad_output: [2., 2.]" in message and "y: [1., 0.]" in message and "inf]" in message
    assert x.grad is None


def test_a_gradient_to_begin_with_that_is_not_finite():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with (
        tg.detect_anomaly(),
        pytest.raises(AnomalyError, match="the gradient that arrives at exp is not finite"),
    ):
        x.exp().backward([1.0, np.nan])


def test_overflow_where_gradients_add_up():
    x = tg.tensor([0.5], requires_grad=True)
    with (
        np.errstate(all="ignore"),
        tg.detect_anomaly(),
        pytest.raises(AnomalyError, match="once it is added to the others"),
    ):
        (x * 2e38 + x * 2e38).sum().backward()


@pytest.mark.parametrize("view", [np.asarray, memoryview])
def test_numbers_changed_behind_the_tape_through_an_alias(view):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    w = tg.Tensor(array, requires_grad=True, name="w")
    alias = view(array)
    with tg.detect_anomaly():
        loss = (w * w).sum()
        alias[1, 2] = 7.0
        changed = r"mul: w changed behind the tape: a\[1, 2\] was 5 in the forward and is 7 now"
        with pytest.raises(MutationError, match=changed) as caught:
            loss.backward()
    assert "loss = (w * w).sum()" in str(caught.value)
    assert w.grad is None


def test_a_result_changed_behind_the_tape():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with tg.detect_anomaly():
        y = x.exp()
        array = y.data
        while isinstance(array.base, np.ndarray):
            array = array.base
        array.flags.writeable = True
        array[0] = 5.0
        with pytest.raises(MutationError, match=r"exp: its y changed behind the tape: y\[0\] was 2.71828"):
            y.sum().backward()


def test_nan_that_stays_nan_has_not_changed():
    x = tg.tensor([1.0, np.nan], requires_grad=True)
    y = (x * x).sum()
    check_unchanged(y.grad_fn, copies_of(y.grad_fn))


def test_hooks_and_retained_gradients_survive_the_copies():
    with tg.detect_anomaly():
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        y = x.exp()
        y.retain_grad()
        y.register_hook(lambda dy: dy * 2)
        y.sum().backward()
    np.testing.assert_array_equal(y.grad, [2, 2])


def test_copies_go_with_the_graph():
    with tg.detect_anomaly() as anomaly:
        loss = article().loss
        assert len(anomaly._copies) == 4  # of all ops but sum, whose rule reads a shape
        loss.backward()
        assert not anomaly._copies


def test_a_retained_graph_is_compared_every_time():
    with tg.detect_anomaly():
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        loss = (x * x).sum()
        loss.backward(retain_graph=True)
        loss.backward(retain_graph=True)
        x._data[0] = 5.0
        with pytest.raises(MutationError, match=r"changed behind the tape"):
            loss.backward()


def test_the_forgotten_zero_grad():
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    x = tg.ones(3, 2)
    with tg.detect_anomaly():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(2):  # gradients of two batches add up, which is no mistake
                layer(x).sum().backward()
            optimizer.step()
            for set_to_none in (True, False):
                optimizer.zero_grad(set_to_none=set_to_none)
                layer(x).sum().backward()
                optimizer.step()
        with pytest.warns(
            UserWarning, match="adds to the .grad of weight, which an optimiser has already used: zero_grad"
        ):
            layer(x).sum().backward()


def test_leaving_the_block_ends_it():
    with tg.detect_anomaly():
        pass
    with np.errstate(all="ignore"):
        assert np.isnan(tg.log(tg.tensor([-1.0])).data).all()


def test_why_no_grad():
    x = tg.tensor([1.0], requires_grad=True, name="x")
    assert "no op on the tape reads x" in debug.why_no_grad(x)
    y = x * 2
    assert "x is read by ops that no backward has passed yet" in debug.why_no_grad(
        x
    ) and "<mul" in debug.why_no_grad(x)
    assert "call retain_grad() on it" in debug.why_no_grad(y)
    y.retain_grad()
    assert "asked for its gradient (retain_grad), but no backward has passed" in debug.why_no_grad(y)
    y.sum().backward()
    assert debug.why_no_grad(x) == "x has a .grad: float32[1]"
    assert "convert it" in debug.why_no_grad(tg.tensor([1]))
    assert "tensor.requires_grad_()" in debug.why_no_grad(tg.tensor([1.0]))
    with tg.no_grad():
        assert "no_grad" in debug.why_no_grad(x * 2)


class Log:
    def __init__(self):
        self.losses = []


LOG = Log()


def test_who_keeps():
    x = tg.tensor(np.ones(1000, np.float32), requires_grad=True)

    def train():
        loss = (x.exp() * x).sum()
        LOG.losses.append(loss)
        LOG.last = loss
        return debug.who_keeps(loss)

    (keeper,) = train()
    assert keeper.nbytes == 2 * 4000  # exp's y, which mul reads too, and x
    holders = " ".join(keeper.holders)
    assert (
        "local 'loss' of train" in holders
        and "a list of 1" in holders
        and re.search(r"'?\.?last'? of a Log", holders)
    )
    assert "keeps 0.01 MB of graph alive; held by local 'loss'" in repr(keeper)
    loss = LOG.last
    loss.backward()
    assert debug.who_keeps(loss) == [] and debug.who_keeps(x) == []


@pytest.mark.exhaustive
def test_another_tensor_into_the_graph_keeps_its_part():
    x = tg.tensor(np.ones(10, np.float32), requires_grad=True, name="x")
    y = x.exp()
    loss = (y * y).sum()
    assert len(debug.who_keeps(loss)) == 2
    del y
    gc.collect()
    assert len(debug.who_keeps(loss)) == 1


@pytest.mark.exhaustive
def test_crooked_nets_have_no_secrets():
    loss, leaves = crooked()
    kept = debug.who_keeps(loss)
    assert len(kept) == 1 and kept[0].nbytes > 0
    assert all("read by ops" in debug.why_no_grad(leaf) for leaf in leaves.values())


def test_looking_for_what_lives_runs_no_code_of_others():
    class Untouchable:
        @property
        def __class__(self):
            raise AssertionError("somebody asked for the class of an object that is none of ours")

        def __getattribute__(self, name):
            raise AssertionError(f"somebody asked for {name}")

    kept = [Untouchable()]
    x = tg.ones(2, requires_grad=True)
    y = x * x
    kept.append(y)
    assert "backward" in tg.debug.why_no_grad(x)
    assert [keeper.holders for keeper in tg.debug.who_keeps(y.sum()) if keeper.holders]
    y = None
    del kept
