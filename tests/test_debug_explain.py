"""`rec.explain` and `rec.trace`: the products that make up a number of a gradient, and the way of a number
through the net.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import debug, nn
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import GraphError

from .debug_nets import PROGRAMS, article, crooked, shapes
from .helpers import more


def close(explanation, recording, of, index):
    """Whether the products add up to the recorded gradient, by the size of what is added up."""
    gradient = recording.grad_of(of)[index]
    size = sum(abs(term.product) for term in explanation) + abs(gradient)
    return (
        abs(explanation.total - gradient)
        <= 64 * np.finfo(gradient.dtype).eps * size + np.finfo(gradient.dtype).tiny
    )


def test_the_article_s_weight_gradient():
    loss, leaves = article()
    explanation = loss.record().explain(leaves["w"], (0, 0, 0, 0))
    terms = {term.at: (term.dy, term.called, term.factor) for term in explanation}
    assert terms == {
        (0, 0, 0, 0): (1.0, "x[0, 0, 0, 0]", 1.0),
        (0, 0, 0, 1): (2.0, "x[0, 0, 0, 1]", 2.0),
        (0, 0, 1, 0): (-1.0, "x[0, 0, 1, 0]", 0.0),
        (0, 0, 1, 1): (1.0, "x[0, 0, 1, 1]", 1.0),
    }
    assert explanation.total == explanation.gradient == 6 and explanation.remarks == []
    assert [abs(term.product) for term in explanation] == [4, 1, 1, 0]
    assert "+4 = dy[0, 0, 0, 1] 2 × x[0, 0, 0, 1] 2   conv2d %1" in repr(explanation)


def test_the_article_s_input_gradient():
    loss, leaves = article()
    explanation = loss.record().explain("x", (0, 0, 1, 1))
    terms = {term.called: (term.at, term.product) for term in explanation}
    assert terms == {
        "w[0, 0, 0, 0]": ((0, 0, 1, 1), 1.0),
        "w[0, 0, 0, 1]": ((0, 0, 1, 0), 0.0),
        "w[0, 0, 1, 0]": ((0, 0, 0, 1), 0.0),
        "w[0, 0, 1, 1]": ((0, 0, 0, 0), 1.0),
    }


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_random_numbers_of_all_leaves_and_results_add_up(program):
    rng = np.random.default_rng(0)
    for seed in range(4):
        recording = program(seed).loss.record()
        sources = [*recording.leaves, *recording[:-1]]
        for number in rng.integers(0, len(sources), 45):
            of = sources[number]
            index = tuple(int(rng.integers(size)) for size in recording.grad_of(of).shape)
            explanation = recording.explain(of, index)
            assert close(explanation, recording, of, index), explanation
            assert not any("do not add up" in remark for remark in explanation.remarks)


SETTINGS = [
    {},
    {"padding": 1},
    {"stride": 2},
    {"stride": (2, 3), "padding": (1, 2), "dilation": (2, 1)},
    {"padding": ((0, 2), (1, 0)), "groups": 2},
    {"padding": "same", "stride": 2, "groups": 2, "dilation": 2},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("batched", [True, *more(False)])
def test_the_factors_of_a_convolution_are_pixels_and_weights(settings, batched):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 4, 8, 9) if batched else (4, 8, 9))
    x = tg.tensor(x, requires_grad=True, name="x")
    w = tg.tensor(
        rng.standard_normal((6, 4 // settings.get("groups", 1), 3, 2)), requires_grad=True, name="w"
    )
    recording = tg.conv2d(x, w, **settings).sin().sum().record()
    for name in ("x", "w"):
        for _ in range(20):
            index = tuple(int(rng.integers(size)) for size in recording.grads[name].shape)
            explanation = recording.explain(name, index)
            assert close(explanation, recording, name, index)
            other = "w" if name == "x" else "x"
            assert all(term.called.startswith(f"{other}[") for term in explanation)


def test_the_factors_of_a_transposed_convolution():
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((2, 4, 5, 4)), requires_grad=True, name="x")
    w = tg.tensor(rng.standard_normal((4, 3, 3, 2)), requires_grad=True, name="w")
    recording = (
        tg.conv_transpose2d(x, w, stride=2, padding=1, groups=2, output_padding=1).sin().sum().record()
    )
    for name, other in (("x", "w["), ("w", "dy[")):  # the op calls its first input dy
        for _ in range(20):
            index = tuple(int(rng.integers(size)) for size in recording.grads[name].shape)
            explanation = recording.explain(name, index)
            assert close(explanation, recording, name, index)
            assert all(term.called.startswith(other) for term in explanation)


def test_matrix_products_and_broadcast_factors():
    rng = np.random.default_rng(0)
    a = tg.tensor(rng.standard_normal((2, 3, 4)), requires_grad=True, name="a")
    b = tg.tensor(rng.standard_normal((2, 4, 5)), requires_grad=True, name="b")
    c = tg.tensor(rng.standard_normal((3, 1)), requires_grad=True, name="c")
    recording = ((a @ b) * c).sin().sum().record()
    assert {term.called for term in recording.explain("a", (1, 2, 3))} == {f"b[1, 3, {j}]" for j in range(5)}
    assert {term.called for term in recording.explain("b", (1, 2, 3))} == {f"a[1, {i}, 2]" for i in range(3)}
    assert {term.called for term in recording.explain("c", (1, 0))} == {
        f"a[{n}, 1, {j}]" for n in range(2) for j in range(5)
    }
    for name in "abc":
        index = (0,) * recording.grads[name].ndim
        assert close(recording.explain(name, index), recording, name, index)


def test_pooling_names_the_outputs_that_touched_the_pixel():
    x = tg.tensor(np.arange(16.0).reshape(1, 1, 4, 4), requires_grad=True, name="x")
    largest = tg.max_pool2d(x, 2, 1).sum().record()
    assert [term.at for term in largest.explain("x", (0, 0, 3, 3))] == [(0, 0, 2, 2)]
    assert len(largest.explain("x", (0, 0, 0, 0))) == 0
    mean = tg.avg_pool2d(x, 2, 1).sum().record().explain("x", (0, 0, 1, 1))
    assert {term.at: term.factor for term in mean} == {(0, 0, p, q): 0.25 for p in (0, 1) for q in (0, 1)}
    assert "avg_pool2d has no names for its factors" in repr(mean)


def test_normalisation_and_losses():
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((3, 2, 4, 4)), requires_grad=True, name="x")
    norm = nn.BatchNorm2d(2).double()
    recording = (norm(x) ** 3).sum().record()
    explanation = recording.explain("x", (0, 1, 2, 2))
    assert len(explanation) == 3 * 4 * 4  # every pixel of the channel moved with the mean
    assert close(explanation, recording, "x", (0, 1, 2, 2))
    scores = tg.tensor(rng.standard_normal((2, 3)), requires_grad=True, name="scores")
    recording = tg.cross_entropy(scores, np.array([2, 0])).record()
    (only,) = recording.explain("scores", (0, 2))
    np.testing.assert_allclose(only.product, recording.grads["scores"][0, 2], rtol=1e-12)


def test_a_shared_layer_is_explained_by_all_its_uses():
    recording = crooked().loss.record()
    explanation = recording.explain("shared.weight", (1, 2, 0, 1))
    assert {term.step.number for term in explanation} == {
        step.number for step in recording.find(name="*.shared")
    }


def test_several_outputs():
    x = tg.tensor([[4.0, 1.0], [2.0, 3.0]], requires_grad=True, name="x")
    first, second = tg.split(x, 1, dim=1)
    recording = (first * 2.0 + second * 3.0).sum().record()
    (only,) = recording.explain("x", (1, 1))
    assert only.product == 3 and only.factor == 1


def test_a_user_s_op_adds_its_own_names(scratch_ops, monkeypatch):
    monkeypatch.setattr(debug.explain, "NAMES", dict(debug.explain.NAMES))

    @tg.primitive
    def scaled_by_neighbour(x):
        return x * np.roll(x, 1)

    @scaled_by_neighbour.grad("x")
    def scaled_by_neighbour_dx(dy, x):
        return dy * OPS["roll"](x, shifts=(1,), dims=(0,)) + OPS["roll"](dy * x, shifts=(-1,), dims=(0,))

    recording = scaled_by_neighbour(tg.tensor([1.0, 2.0, 3.0], requires_grad=True, name="x")).sum().record()
    plain = recording.explain("x", 1)
    assert {term.called for term in plain} == {"∂y/∂x"} and plain.total == 1 + 3
    assert "scaled_by_neighbour has no names for its factors" in repr(plain)

    @debug.explains(scaled_by_neighbour, "x")
    def names(index, step):
        (i,), size = index, step.shapes[0][0][0]
        at, other = np.array([i, (i + 1) % size]), np.array([(i - 1) % size, (i + 1) % size])
        return debug.Factors((at,), "x", (other,))

    named = recording.explain("x", 1)
    assert {term.called: term.product for term in named} == {"x[0]": 1, "x[2]": 3} and named.remarks == []


def test_a_name_is_not_shown_where_the_rule_used_another_number(scratch_ops, monkeypatch):
    @tg.primitive
    def off_by_one(a, b):
        return a * b

    @off_by_one.grad("a")
    def off_by_one_da(dy, b):
        return dy * (b + 1.0)

    monkeypatch.setitem(
        debug.explain.NAMES, ("off_by_one", "a"), lambda index, step: debug.Factors(index, "b", index)
    )
    x = tg.tensor([2.0, 3.0], requires_grad=True, name="x")
    (only,) = off_by_one(x, np.array([5.0, 7.0], np.float32)).sum().record().explain("x", (1,))
    assert (only.called, only.factor, only.product) == ("∂y/∂a", 8, 8)


def test_an_op_that_is_differentiable_once_says_so(scratch_ops):
    @tg.primitive(once=True)
    def once_only(x):
        return x * 2

    @once_only.grad("x")
    def once_only_dx(dy):
        return dy * 2

    recording = once_only(tg.tensor([1.0], requires_grad=True, name="x")).sum().record()
    with pytest.raises(GraphError, match="once_only was declared differentiable once"):
        recording.explain("x", 0)


def test_hooks_and_the_beginning_are_remarked():
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    x.register_hook(lambda dx: dx * 2)
    recording = x.exp().sum().record()
    assert "a hook has seen" in repr(recording.explain("x", 0)) and "do not add up" in repr(
        recording.explain("x", 0)
    )
    assert "the backward began here" in repr(recording.explain(recording[-1], ()))


def test_wrong_indices():
    recording = article().loss.record()
    assert recording.explain("w", (0, 0, -1, -1)).gradient == 4
    for index in [(0, 0, 0), (0, 0, 0, 2), 0]:
        with pytest.raises(IndexError, match=r"no index of one number of \[1,1,2,2\]"):
            recording.explain("w", index)


def test_explaining_changes_nothing():
    loss, leaves = crooked()
    recording = loss.record()
    with debug.Observer():
        recording.explain("x", (0, 0, 0, 0))
    assert tg.is_grad_enabled() and leaves["x"].grad is None
    with tg.no_grad():
        recording.explain("x", (0, 0, 0, 0))
        assert not tg.is_grad_enabled()


def test_trace_goes_from_a_leaf_to_the_loss():
    recording = shapes().loss.record()
    trace = recording.trace("conv1.weight", (1, 0, 0, 0))
    assert trace.value == recording.leaves["conv1.weight"][1, 0, 0, 0]
    assert trace.gradient == recording.grads["conv1.weight"][1, 0, 0, 0]
    assert trace.sources == [] and trace.ends[0] == "conv1.weight, a leaf"
    ways = [hop.step.op for hop in trace.effects]
    assert ways == [
        "conv2d",
        "relu",
        "max_pool2d",
        "conv2d",
        "relu",
        "max_pool2d",
        "flatten",
        "linear",
        "mse_loss",
    ]
    assert trace.ends[1] == "the backward began here" and trace.effects[-1].value == 1
    for hop in trace.effects:
        assert abs(hop.share) <= abs(hop.whole) * hop.many or hop.many > 1


def test_trace_follows_a_value_back_to_what_made_it():
    x = tg.tensor([[1.0, 5.0], [2.0, 3.0]], requires_grad=True, name="x")
    y = x.amax(1) * 2.0
    trace = y.sum().record().trace(y, 0)
    assert [(hop.step.op, hop.at, hop.value) for hop in trace.sources] == [
        ("mul", "a[0]", 5.0),
        ("amax", "x[0, 1]", 5.0),
    ]
    assert trace.value == 10 and trace.ends == ("x, a leaf", "the backward began here")
    assert "where the value comes from:" in repr(trace)


def test_trace_says_where_a_gradient_ends():
    x = tg.tensor([-1.0, 2.0], requires_grad=True, name="x")
    trace = x.relu().exp().sum().record().trace("x", 0)
    assert (
        trace.gradient == 0
        and trace.effects == []
        and trace.ends[1] == "no gradient comes through: all 0 products are 0"
    )


def test_an_op_names_its_own_products(scratch_ops):
    @tg.primitive
    def times_for_test(x, w):
        return x * w

    @times_for_test.grad("x")
    def times_dx(dy, w):
        return dy * w

    def explained():
        x = tg.tensor([1.0, 3.0], requires_grad=True, name="x")
        return str(times_for_test(x, tg.tensor([5.0, 7.0])).sum().record().explain(x, (1,)))

    assert "w[1] 7" not in explained()

    @times_for_test.explain("x")
    def times_factors(index, step):
        return tg.debug.Factors(at=index, called="w", places=index)

    assert "w[1] 7" in explained()
