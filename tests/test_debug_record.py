"""`loss.record()`: a run as data, compared, saved, changed, run again and checked."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import debug, nn
from tinygrad_conv.debug.difference import parting
from tinygrad_conv.engine.registry import OPS

from .debug_nets import PROGRAMS, article, crooked, shapes


@pytest.fixture(params=PROGRAMS, ids=lambda program: program.__name__)
def program(request):
    return request.param


def everything(recording):
    """What a recording says, as nested plain data."""
    return [
        (
            step.op,
            step.params,
            step.where.relative(),
            step.read,
            step.sources,
            step.inputs,
            step.output,
            step.grad_output,
            step.grad_inputs,
        )
        for step in recording
    ]


def test_it_has_what_backward_computes_and_changes_nothing(program):
    loss, leaves = program()
    recording = loss.record()
    assert all(leaf.grad is None for leaf in leaves.values())
    assert len(recording) == len(loss.tape()) == len(list(recording))
    assert [step.op for step in recording] == [line.op for line in loss.tape()]
    loss.backward()
    for name, leaf in leaves.items():
        for gradient in (recording.grads[name], recording.grad_of(leaf), recording.grad_of(name)):
            np.testing.assert_array_equal(gradient, leaf.grad, strict=True)
        np.testing.assert_array_equal(recording.leaves[name], leaf.data)


def test_forward_values_are_all_there(program):
    loss, _ = program()
    recording = loss.record()
    for step in recording:
        unread = (
            {"b"} if step.op == "sub" and step.sources["b"] is None else set()
        )  # the article's target, a constant
        assert (
            step.output is not None
            and {name for name, array in step.inputs.items() if array is None} == unread
        )
    np.testing.assert_array_equal(recording[-1].output, loss.data)


def test_gradients_of_intermediates():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    z = y.exp()
    recording = (z.sum() + y.sum()).record()
    np.testing.assert_allclose(recording.grad_of(y), np.exp([3.0, 6.0]) + 1, rtol=1e-6)
    np.testing.assert_array_equal(recording.grad_of(z), [1, 1])
    np.testing.assert_array_equal(recording.grad_of(recording[0]), recording.grad_of(y))
    with pytest.raises(KeyError, match="not part of this recording"):
        recording.grad_of(tg.tensor([1.0]))
    with pytest.raises(KeyError, match="its leaves are"):
        recording.grad_of("weight")


def test_find():
    recording = shapes().loss.record()
    assert [step.where.layer for step in recording.find("conv2d")] == ["shapesnet.conv1", "shapesnet.conv2"]
    assert [step.op for step in recording.find(name="shapesnet.fc")] == ["linear"]
    assert [step.op for step in recording.find("conv*", name="*.conv2")] == ["conv2d"]
    assert recording.find("conv2d", name="other") == []


def test_it_outlives_the_program_and_keeps_nothing_of_it():
    loss, leaves = article()
    recording = loss.record()
    held = weakref.ref(leaves["w"])
    before = recording.leaves["w"].copy()
    with tg.no_grad():
        leaves["w"] -= 5.0
    np.testing.assert_array_equal(recording.leaves["w"], before)
    np.testing.assert_array_equal(recording[0].read["w"], before)
    gc.disable()
    try:
        del loss, leaves
        assert held() is None
    finally:
        gc.enable()


def test_two_equal_runs_do_not_differ(program):
    assert program().loss.record().diff(program().loss.record()) is None


def test_the_first_step_at_which_two_runs_part():
    first, changed = crooked(seed=0), crooked(seed=1)
    difference = first.loss.record().diff(changed.loss.record())
    assert difference.step.number == 1 and difference.what == "inputs['x']"
    assert (
        difference.mine == first.leaves["x"].data[difference.index]
        and difference.other == changed.leaves["x"].data[difference.index]
    )
    apart = np.abs(first.leaves["x"].data - changed.leaves["x"].data)
    assert apart[difference.index] == apart.max() and "%1 conv2d: inputs['x'] at" in repr(difference)


def test_runs_that_part_in_the_backward_only():
    def run(factor):
        x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
        y = x.exp()
        y.register_hook(lambda dy: dy * factor)
        return (y * y).sum().record()

    difference = run(1.0).diff(run(2.0))
    assert (difference.step.op, difference.what, difference.index) == ("exp", "grad_output", (1,))


def test_other_programs_and_other_params_differ():
    x = tg.tensor([[1.0, 2.0]], requires_grad=True)
    assert x.exp().sum().record().diff(x.sin().sum().record()).what == "op"
    assert x.exp().sum().record().diff(x.exp().exp().sum().record()).what == "op"
    assert x.exp().sum().record().diff(x.exp().sum().exp().record()).what == "number of ops"
    difference = x.sum(0).sum().record().diff(x.sum(1).sum().record())
    assert (difference.what, difference.mine, difference.other) == ("params['dim']", 0, 1)


def test_the_option_that_differs_is_named():
    x, w = (tg.tensor(np.ones(shape), requires_grad=True) for shape in ((1, 1, 4, 4), (1, 1, 2, 2)))
    difference = tg.conv2d(x, w, stride=(1, 1)).sum().record().diff(tg.conv2d(x, w, stride=2).sum().record())
    assert repr(difference).startswith("%1 conv2d: params['stride'] is (1, 1) here, 2 there")


def test_what_is_left_out_is_not_taken_for_something_else():
    x, w, b = (tg.tensor(np.ones(shape), requires_grad=True) for shape in ((1, 1, 4, 4), (1, 1, 2, 2), 1))
    difference = tg.conv2d(x, w, b).sum().record().diff(tg.conv2d(x, w).sum().record())
    assert (difference.what, difference.mine, difference.other) == ("number of inputs", 3, 2)
    difference = tg.cat([x, x]).sum().record().diff(tg.cat([x, x, x]).sum().record())
    assert (difference.what, difference.mine, difference.other) == ("number of inputs", 2, 3)


def test_the_order_in_which_options_were_passed_is_no_difference():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, other = OPS["transpose"](x, dim0=0, dim1=1), OPS["transpose"](x, dim1=1, dim0=0)
    assert first.sum().record().diff(other.sum().record()) is None


def normed():
    """A batch norm in training, its input, and a way to record a run of it."""
    net = nn.BatchNorm1d(2)
    column = np.array([1, -1, 0.5, -0.5, 0], np.float32)
    x = tg.tensor(np.stack([column, column + 3], axis=1), requires_grad=True, name="x")
    return net, x, lambda: (net(x) ** 3).sum().record()


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ({"a": np.ones(2)}, 3),
        (3, {"a": np.ones(2)}),
        ({"a": np.ones(2)}, {"b": np.ones(2)}),
        ((np.ones(2), 1), (np.ones(2),)),
        ([np.ones(2)], "a text"),
        (np.ones(2), 1.0),
    ],
)
def test_params_of_another_kind_differ_or_cannot_be_told(mine, other):
    parted = parting(mine, other, 0.0, 0.0)
    assert parted is None if isinstance(mine, np.ndarray) else parted == (None, mine, other)
    assert parting(mine, mine, 0.0, 0.0) is None


def test_statistics_that_only_follow_are_no_difference():
    net, _, run = normed()
    first, moved = run(), run()
    assert not np.allclose(first[0].params["running_mean"], moved[0].params["running_mean"])
    assert first.diff(moved) is None
    net.weight.data[1] += 1
    difference = first.diff(run())
    assert repr(difference).startswith("%1 batch_norm: inputs['w'] at [1] is 1.0 here, 2.0 there")


def test_an_array_that_the_forward_does_not_read_or_only_writes_to_is_not_to_blame():
    _, x, run = normed()
    first = run()
    x.data[0, 0] += 5e-6  # within the tolerance of 1, but not in the mean, which was 0
    other = run()
    for name in ("running_mean", "statistics"):
        assert not np.allclose(first[0].params[name], other[0].params[name])
    difference = first.diff(other)
    assert (difference.step.op, difference.what, difference.index[1]) == ("batch_norm", "output", 0)


def test_arrays_that_make_the_difference_are_named(tmp_path: Path):
    net, x, run = normed()
    net.eval()
    first = run()
    net.running_mean.data[1] += 1
    first.save(tmp_path / "run")
    for recording in (first, debug.load(tmp_path / "run")):
        difference = recording.diff(run())
        assert repr(difference).startswith(
            "%1 batch_norm: params['running_mean'] at [1] is 0.0 here, 1.0 there"
        )

    def dropped(seed):
        tg.manual_seed(seed)
        return (tg.dropout(x, 0.5) * 2).sum().record()

    difference = dropped(0).diff(dropped(1))
    assert (difference.step.op, difference.what, {difference.mine, difference.other}) == (
        "dropout",
        "params['kept']",
        {True, False},
    )
    difference = x[np.array([0, 1])].sum().record().diff(x[np.array([0, 2])].sum().record())
    assert repr(difference).startswith("%1 getitem: params['index'] at [1] is 1 here, 2 there")
    assert x[0].sum().record().diff(x[np.array([0])].sum().record()).what == "output"


def test_saved_and_loaded_it_is_the_same(program, tmp_path: Path):
    recording = program().loss.record()
    path = tmp_path / "run.tgrec.npz"
    recording.save(path)
    loaded = debug.load(path)
    np.testing.assert_equal(everything(loaded), everything(recording))
    np.testing.assert_equal(
        (loaded.leaves, loaded.grads, loaded.seeds), (recording.leaves, recording.grads, recording.seeds)
    )
    assert recording.diff(loaded) is None and repr(loaded) == repr(recording)


def test_every_kind_of_param_survives(tmp_path: Path):
    x = tg.tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
    y = x[None, 1:, ..., ::2].sum(dim=(0, -1)).to(np.float32)[np.array([0, 0])]
    recording = tg.where(y > np.inf, y, -y)[np.array([True, False])].sum().record()
    recording.save(tmp_path / "a")
    np.testing.assert_equal(everything(debug.load(tmp_path / "a")), everything(recording))


@pytest.mark.exhaustive
def test_another_process_looks_at_it(tmp_path: Path):
    path = tmp_path / "run.npz"
    crooked().loss.record().save(path)
    code = f"import tinygrad_conv as tg; r = tg.debug.load({str(path)!r})"
    code += "; print(len(r), r.check().first, r.explain('x', (0, 0, 0, 0)).total)"
    root = Path(tg.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=120)
    count, first, total = done.stdout.split()
    recording = crooked().loss.record()
    assert int(count) == len(recording) and first == "None"
    np.testing.assert_allclose(float(total), recording.grads["x"][0, 0, 0, 0], rtol=1e-4, atol=1e-6)


def test_other_files_are_refused_and_nothing_in_them_runs(tmp_path: Path):
    class Evil:
        def __reduce__(self):
            return print, ("ran",)

    (tmp_path / "pickle").write_bytes(pickle.dumps(Evil()))
    np.savez(tmp_path / "arrays.npz", structure=np.array('{"format": "another"}'))
    np.savez(tmp_path / "objects.npz", structure=np.array([Evil()], dtype=object))
    for name in ("pickle", "arrays.npz", "objects.npz"):
        with pytest.raises(ValueError, match="recording"):
            debug.load(tmp_path / name)


def test_rerun_with_the_same_gradient_is_the_same(program):
    recording = program().loss.record()
    for position, step in enumerate(recording):
        again = recording.rerun(position, step.grad_output)
        assert recording.diff(again) is None
        np.testing.assert_equal(again.grads, recording.grads)


def test_rerun_with_another_gradient():
    recording = article().loss.record()
    edited = np.array([[[[0.0, 0.0], [0.0, 1.0]]]])
    for step in (0, recording[0], -5):
        again = recording.rerun(step, edited)
        np.testing.assert_array_equal(again.grads["w"], [[[[1, 1], [0, 1]]]])
        assert again.grads["w"].dtype == np.float32 and again[0].where == recording[0].where
    assert recording.diff(again).what == "grad_output"
    with pytest.raises(ValueError, match=r"grad_output is \[2,2\], but that of conv2d is float32\[1,1,2,2\]"):
        recording.rerun(0, edited[0, 0])


def test_rerun_leaves_other_ways_around_the_step_alone():
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    recording = (x.exp().sum() + (x * 3).sum()).record()
    (exponential,) = recording.find("exp")
    np.testing.assert_array_equal(recording.rerun(exponential, [0.0, 0.0]).grads["x"], [3, 3])


def test_rerun_of_a_loaded_recording_that_had_hooks_is_refused(tmp_path: Path):
    x = tg.tensor([1.0], requires_grad=True, name="x")
    y = x.exp()
    y.register_hook(lambda dy: dy * 2)
    z = y.sin()
    recording = z.sum().record()
    recording.save(tmp_path / "run")
    loaded = debug.load(tmp_path / "run")
    assert loaded.rerun(0, [1.0]).grads["x"] == recording[0].output
    with pytest.raises(RuntimeError, match="hook"):
        loaded.rerun(1, [1.0])


def test_every_step_of_a_right_program_agrees(program):
    report = program().loss.record().check()
    assert report.first is None and "all agree" in repr(report)
    assert all(check.numerical is not None for check in report)


@pytest.mark.parametrize(
    "op, argument, wrong",
    [
        ("relu", "x", lambda dy, y: dy * (y >= 0)),
        ("tanh", "x", lambda dy, y: dy * (1 - y)),
        ("linear", "w", lambda dy, x: 1.01 * (dy.T @ x)),
    ],
)
def test_the_first_wrong_rule_is_found(monkeypatch, op, argument, wrong):
    rule = OPS[op].rules[OPS[op].inputs.index(argument)]
    monkeypatch.setattr(rule, "function", wrong)
    x = tg.tensor([[-1.0, 0.5], [2.0, -3.0], [0.1, 0.2]], requires_grad=True)
    w = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    loss = tg.linear(x.relu().tanh().exp(), w).sum()
    first = loss.record().check().first
    assert (first.step.op, first.argument) == (op, argument) and not first.agrees


def test_a_wrong_kernel_is_found(monkeypatch):
    from tinygrad_conv import kernels

    right = kernels.correlate_weight_grad

    def wrong(x, dy, window, groups=1):
        literal = kernels.dispatch._wanted.get()[-1] == "reference"
        return right(x, dy, window, groups) * (1 if literal else 1.05)

    monkeypatch.setattr(kernels, "correlate_weight_grad", wrong)
    report = shapes().loss.record().check()
    first = report.first
    assert (first.step.op, first.argument, first.step.where.layer) == ("conv2d", "w", "shapesnet.conv2")
    assert abs(first.reference - first.rule) > first.tolerance * first.scale and "<-- disagrees" in repr(
        report
    )


def test_kinks_and_ties_are_not_faults():
    x = tg.tensor([[0.0, 1.0, 0.0], [0.0, 2.0, 2.0], [-1.0, 2.0, 0.0]], requires_grad=True)
    loss = tg.max_pool2d(x.relu()[None, None], 2, 1).sum() + x.abs().sum() + x.amax()
    assert loss.record().check().first is None


def test_what_cannot_be_computed_again_is_remarked():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    report = (x + np.ones(2, np.float32)).sum().record().check()
    assert [check.remark for check in report] == ["(an input is not known)", ""] and report.first is None
    assert "(an input is not known)" in repr(report)


def test_recording_a_leaf():
    x = tg.tensor(2.0, requires_grad=True, name="x")
    recording = x.record()
    assert len(recording) == 0 and recording.grads["x"] == 1
