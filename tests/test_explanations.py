"""How the gradient of each kind of op comes about: its pieces, put together as they say, are the gradient."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug.explanations import (
    EXPLAINERS,
    Contraction,
    Pooling,
    Sum,
    explain_leaf,
    explain_step,
    readers_of,
)
from tinygrad_conv.debug.explanations.plain import ABOUTS
from tinygrad_conv.debug.explanations.pointwise import FUNCTIONS
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.members import members_of

from .debug_nets import PROGRAMS, crooked
from .kinds_of_ops import KINDS, Draw, norms, poolings, weighted

NARROW = np.float32, np.float16
EXACT = {np.float64: 1e-12, np.float32: 2e-5, np.float16: 2e-2}


def recorded(results, draw):
    return sum((weighted(y, draw) for y in results), tg.zeros(1)).sum().record()


def check_pieces(recording, tolerance):
    """Every view adds up to the recorded gradient; returns the views by op."""
    shown = {}
    for step in recording:
        explanation = explain_step(step, recording)
        assert explanation.remarks == (), step
        for view in explanation.views:
            shown.setdefault(step.op, []).append(view)
            recorded_sum = getattr(view, "result", None)
            if isinstance(view, Contraction):
                recorded_sum = view.result.as_matrices()
            if recorded_sum is None:
                continue
            assert recorded_sum.shape == view.total().shape
            scale = np.abs(recorded_sum).max(initial=1.0)
            np.testing.assert_allclose(view.total(), recorded_sum, rtol=tolerance, atol=tolerance * scale)
    return shown


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "dtype", [np.float64, *(pytest.param(each, marks=pytest.mark.exhaustive) for each in NARROW)]
)
def test_the_pieces_add_up_to_the_gradient(kind, dtype):
    draw = Draw(dtype=dtype)
    with np.errstate(all="ignore"):
        recording = recorded(KINDS[kind](draw), draw)
    shown = check_pieces(recording, EXACT[dtype])
    for step in recording:
        if step.op in ("add", "sum", "mul", "reshape") or step.op in ABOUTS:
            continue
        explained = {view.of for view in shown[step.op]}
        assert {f"d{name}" for name in step.grad_inputs} <= explained, step.op


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_step_of_the_nets_is_explained(program):
    recording = program().loss.record()
    check_pieces(recording, 1e-4)
    for step in recording:
        assert explain_step(step).about, step.op


SHAPES = [(1, 2, 1, 2), (5, 1, 2, 1), (2, 6, 3, 1), (1, 4, 4, 5), (2, 2, 1, 7)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in (1, 2))])
def test_three_terms_make_the_gradient_of_a_norm(shape, seed):
    draw = Draw(seed)
    shown = check_pieces(recorded(norms(draw, shape), draw), 1e-10)
    three = [
        view for op in ("batch_norm", "layer_norm", "group_norm") for view in shown[op] if view.of == "dx"
    ]
    assert {len(view.terms) for view in three} == {1, 3}
    for view in three:
        if len(view.terms) == 3:
            first, second, third = (term.value(view.shape) for term in view.terms)
            np.testing.assert_allclose(first + second + third, view.result, atol=1e-9)
            np.testing.assert_allclose(first.sum() + second.sum(), 0, atol=1e-8 * np.abs(first).sum())


def test_the_statistics_of_a_norm_are_its_batch_s():
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    leaf = tg.Tensor(x, requires_grad=True)
    step = tg.nn.functional.batch_norm(leaf, None, None, training=True, eps=1e-5).sum().record()[0]
    known = {figure.name: figure.array for figure in explain_step(step)["dx"].figures}
    np.testing.assert_allclose(known["μ"].ravel(), x.mean((0, 2)))
    np.testing.assert_allclose(known["σ²"].ravel(), x.var((0, 2)))
    np.testing.assert_allclose(known["x̂"], step.output, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (2, 1, 5, 8), (1, 3, 9, 4)])
def test_the_windows_of_a_pooling_add_up(shape):
    draw = Draw(1)
    shown = check_pieces(recorded(poolings(draw, shape), draw), 1e-10)
    views = [view for group in shown.values() for view in group if isinstance(view, Pooling)]
    assert len(views) == 13
    for view in views:
        if view.winner is not None:
            images = view.x.reshape(-1, view.x.shape[-2] * view.x.shape[-1])
            won = np.take_along_axis(images, view.winner.reshape(len(images), -1), 1)
            np.testing.assert_array_equal(won.ravel(), view.y.ravel())
            assert view.won.sum() == view.winner.size
        elif len(view.rows) * len(view.columns):
            assert view.won.sum() >= view.share.size


def test_two_windows_that_one_number_wins():
    x = tg.tensor([[[[0.0, 5.0, 1.0]]]], requires_grad=True)
    view = explain_step(tg.max_pool2d(x, (1, 2), 1).sum().record()[0])["dx"]
    np.testing.assert_array_equal(view.winner, [[[[1, 1]]]])
    np.testing.assert_array_equal(view.won, [[[[0, 2, 0]]]])
    np.testing.assert_array_equal(view.total(), [[[[0, 2, 0]]]])


def test_p_less_onehot():
    scores = tg.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 0.0]], requires_grad=True)
    view = explain_step(tg.cross_entropy(scores, np.array([1, 2])).record()[0])["dx"]
    p, onehot, difference = (figure.array for figure in view.figures)
    np.testing.assert_allclose(p, tg.softmax(scores, dim=1).data, rtol=1e-6)
    np.testing.assert_array_equal(onehot, [[0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(difference / 2, view.result, rtol=1e-6)


def test_outer_products_add_up():
    draw = Draw()
    step = tg.nn.functional.linear(draw(4, 3), draw(5, 3)).sum().record()[0]
    view = explain_step(step)["dw"]
    dy, x = view.left.as_matrices(), view.right.as_matrices()
    outer = [np.outer(dy[:, n], x[n]) for n in range(4)]
    assert view.outer
    np.testing.assert_allclose(sum(outer), step.grad_inputs["w"])


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name in OPS])
def test_each_number_stands_on_its_curve(name):
    draw = Draw(2)
    x = draw.positive(60) if name.startswith(("log", "sqrt")) else draw.unit(60)
    with np.errstate(all="ignore"):
        step = OPS[name](x).sum().record()[0]
        curve = explain_step(step)["dx"].curve
    places = np.linspace(curve.low, curve.high, curve.bases[0].values.size)
    assert curve.low < x.data.min() and x.data.max() < curve.high
    known = np.isfinite(curve.bases[0].values)
    inside = (x.data >= places[known][0]) & (x.data <= places[known][-1])
    on_it = np.interp(x.data[inside], places[known], curve.bases[0].values[known])
    if name not in ("sign", "floor", "ceil", "round", "trunc"):
        np.testing.assert_allclose(on_it, curve.height.array[inside], atol=0.05)
    for number in range(0, 60, 7):
        near = np.abs(places - x.data[number]).argmin()
        values = curve.bases[0].values[max(0, near - 1) : near + 2]
        if np.isfinite(values).all() and name not in ("sign", "floor", "ceil", "round", "trunc"):
            rise = np.diff(values) / (places[1] - places[0])
            slope = curve.slope.array[number]
            assert min(rise) - 0.3 <= slope <= max(rise) + 0.3, (name, slope)


def test_the_curve_of_a_target_between_the_classes_is_a_mixture():
    x = tg.Tensor(np.linspace(-2, 2, 5), requires_grad=True)
    target = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    loss = tg.nn.functional.binary_cross_entropy_with_logits(x, tg.Tensor(target), pos_weight=np.array([3.0]))
    curve = explain_step(loss.record()[0])["dx"].curve
    places = np.linspace(curve.low, curve.high, curve.bases[0].values.size)
    for number, height in enumerate(curve.height.array):
        values = sum(basis.values * basis.coefficient.array[number] for basis in curve.bases)
        np.testing.assert_allclose(np.interp(x.data[number], places, values), height, atol=0.01)


def test_what_is_broadcast_is_summed_back():
    draw = Draw()
    a, b = draw(2, 3, 4), draw(3, 1)
    step = (a * b).sum().record()[0]
    view = explain_step(step)["db"]
    assert view.summed == (0, 2) and view.dims == (-1, 0, -1)
    assert "dims 0 and 2" in view.text
    np.testing.assert_allclose(view.total(), a.data.sum((0, 2))[:, None])
    assert explain_step(step)["da"].summed == ()


def test_gradients_meet_where_a_result_is_read_twice():
    x = tg.tensor([1.0, -2.0], requires_grad=True, name="x")
    y = x * 3.0
    recording = ((y + tg.relu(y)) * tg.tensor([1.0, 10.0])).sum().record()
    view = explain_step(recording[0], recording)["dy"]
    assert [term.step for term in view.terms] == [3, 2]
    np.testing.assert_array_equal(view.terms[0].value((2,)), [1, 10])
    np.testing.assert_array_equal(view.terms[1].value((2,)), [1, 0])
    np.testing.assert_array_equal(view.total(), recording[0].grad_output)
    assert not [view for view in explain_step(recording[1], recording).views if view.of == "dy"]


def test_a_leaf_s_gradients_meet_and_seeds_and_hooks_count():
    recording = crooked().loss.record()
    view = recording.explain("shared.weight")["dshared.weight"]
    assert len(view.terms) == 2
    np.testing.assert_allclose(view.total(), recording.grads["shared.weight"], rtol=1e-5)
    assert recording.explain("fc.bias").views == ()
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = x * 2.0
    z = y * 1.0 + y
    y.register_hook(lambda gradient: gradient * 5)
    hooked = z.sum().record()
    explanation = hooked.explain(hooked[0])
    assert "do not add up" in explanation.remarks[0] and all(view.of != "dy" for view in explanation.views)


def test_the_readers_of_all_are_found_in_one_pass():
    recording = crooked().loss.record()
    readers = readers_of(recording)
    for source in [*recording.leaves, *recording]:
        key = recording.source(source)
        assert readers.get(key, []) == recording.users(source)


def test_what_does_not_add_up_is_left_out_and_said():
    x = tg.tensor([1.0, -2.0], requires_grad=True)
    recording = tg.relu(x).sum().record()
    recording[0].grad_inputs["x"] = recording[0].grad_inputs["x"] + np.float32(0.5)
    explanation = explain_step(recording[0])
    assert explanation.views == () and "they differ by up to 0.5" in explanation.remarks[0]
    assert "(the pieces do not add up to the recorded dx" in repr(explanation)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0)])
def test_nothing_is_explained_too(shape):
    draw = Draw()
    made = [tg.relu(draw(*shape)), draw(*shape) * draw(3 if shape[1] == 3 else 1), draw(*shape).sum(1)]
    made += [
        tg.softmax(draw(*shape), dim=1),
        tg.nn.functional.linear(draw(*shape), draw(2, shape[1]), draw(2)),
    ]
    made += [
        tg.nn.functional.layer_norm(draw(*shape), shape[1:]),
        tg.nn.functional.mse_loss(draw(2), draw(2)),
    ]
    check_pieces(recorded([y for y in made], draw), 1e-10)


def test_numbers_that_are_not_finite_raise_nothing():
    x = tg.Tensor(np.array([[np.nan, np.inf, -np.inf, 1.0]]), requires_grad=True)
    F = tg.nn.functional
    with np.errstate(all="ignore"):
        made = [tg.relu(x), tg.exp(x), F.layer_norm(x, (4,)), tg.softmax(x, dim=1), x * x, x / x, x.var(1)]
        recording = sum(y.sum() for y in made).record()
    for step in recording:
        assert not any("could not" in remark for remark in explain_step(step, recording).remarks), step


def test_in_words():
    recording = crooked().loss.record()
    text = repr(recording.explain(recording.find("batch_norm")[0]))
    assert text.startswith("%2 batch_norm: ") and "dx: three terms" in text and "mean(g · x̂)" in text
    text = repr(recording.explain(recording.find("tanh")[0]))
    assert "dx[i] = dy[i] · f′(x[i]), f being tanh" in text
    with pytest.raises(KeyError, match="%2 batch_norm has no view of 'dz'; it has "):
        recording.explain(recording[1])["dz"]
    assert "4 gradients" not in repr(recording.explain("x"))


@pytest.mark.exhaustive
def test_the_stepper_explains_the_op_that_it_stands_at(drive):
    x = "x = tg.tensor([1.0, -2.0], requires_grad=True)"
    script = f"import tinygrad_conv as tg\n{x}\ntg.relu(x).sum().backward()\n"
    (_, *answers), _ = drive(script, "until relu", "explain", "c")
    assert answers[1].startswith("%1 relu: each number goes through relu by itself")


def test_every_op_of_the_package_is_explained_by_somebody():
    differentiable = {
        name
        for name, op in OPS.items()
        if op.forward.__module__.startswith("tinygrad_conv.ops.") and any(op.rules)
    }
    forgotten = ", ".join(sorted(differentiable - EXPLAINERS.keys()))
    assert not forgotten, (
        f"{forgotten}: say in debug/explanations/ how the gradient comes about, at least in plain.py"
    )
    assert differentiable == {*EXPLAINERS} & {*OPS}


def test_explaining_changes_nothing():
    recording = crooked().loss.record()
    before = [array.copy() for step in recording for array in members_of(step.grad_output)]
    for step in recording:
        repr(explain_step(step, recording))
    for name in recording.leaves:
        explain_leaf(name, recording)
    for array, step in zip(before, recording):
        np.testing.assert_array_equal(array, step.grad_output)


def test_it_is_a_sum_or_a_product_or_windows():
    draw = Draw()
    made = {
        type(view)
        for function in KINDS.values()
        for step in recorded(function(draw), draw)
        for view in explain_step(step).views
    }
    assert {Sum, Contraction, Pooling} <= made
