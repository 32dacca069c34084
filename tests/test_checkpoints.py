"""`tg.Checkpoints`: a good one is there whatever happens, and it is loaded into all objects or into none."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import CheckpointError

from .helpers import more


def training(seed=0, hidden=4):
    """A net, an optimiser and a schedule that have made a few steps."""
    tg.manual_seed(seed)
    net = nn.Sequential(nn.Linear(3, hidden), nn.BatchNorm1d(hidden), nn.Dropout(0.5), nn.Linear(hidden, 1))
    optimizer = tg.optim.Adam(net.parameters(), lr=0.1)
    schedule = tg.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    parts = {"model": net, "optimizer": optimizer, "schedule": schedule}
    steps(parts, 2)
    return parts


def steps(parts, count):
    """The losses of so many steps."""
    losses = []
    for _ in range(count):
        parts["optimizer"].zero_grad()
        loss = (parts["model"](tg.rand(5, 3)) ** 2).mean()
        loss.backward()
        parts["optimizer"].step()
        parts["schedule"].step()
        losses.append(loss.item())
    return losses


def states(parts):
    """All that they remember, to be compared."""
    return repr({name: part.state_dict() for name, part in parts.items()})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_it_goes_on_as_if_never_stopped(tmp_path):
    checkpoints, parts = tg.Checkpoints(tmp_path / "a" / "runs"), training()
    numpys, own, legacy, pythons = (
        np.random.default_rng(1),
        tg.Generator().manual_seed(2),
        np.random.RandomState(3),
        random.Random(4),
    )
    generators = {"numpys": numpys, "own": own, "legacy": legacy, "pythons": pythons}
    assert checkpoints.resume(**parts) == {}
    assert checkpoints.save(7, 0.5, **parts, **generators, epoch=3, seen=["a"]) == checkpoints.last

    def went_on():
        drawn = [numpys.random(), own.random(), legacy.rand(), pythons.random(), own.initial_seed()]
        return steps(parts, 3), drawn

    expected = went_on()
    parts = training(seed=5)
    own.manual_seed(9)
    expected_rest = {"step": 7, "metric": 0.5, "epoch": 3, "seen": ["a"]}
    assert checkpoints.resume(**parts, **generators) == expected_rest
    assert went_on() == expected
    assert checkpoints.load("best", **parts, **generators) == expected_rest
    assert went_on() == expected
    assert {*tg.load(checkpoints.last)} == {"rng_state", *parts, *generators, *expected_rest}


def test_last_best_and_a_few_are_kept(tmp_path):
    checkpoints = tg.Checkpoints(tmp_path, keep=2)
    for step, metric in enumerate([0.9, 0.3, float("nan"), 0.3, None, 0.5]):
        checkpoints.save(step, metric)
        assert checkpoints.load("last")["step"] == step
    assert names(tmp_path) == ["best.npz", "last.npz", "step-00000003.npz", "step-00000004.npz"]
    assert checkpoints.load("best")["step"] == 1
    assert [checkpoints.load(path)["step"] for path in checkpoints.numbered()] == [3, 4]
    again = tg.Checkpoints(tmp_path, keep=2)  # of another start of the program
    again.save(6, 0.4)
    assert again.load("best")["step"] == 1
    again.save(7, 0.2)
    assert again.load("best")["step"] == 7
    assert names(tmp_path) == ["best.npz", "last.npz", "step-00000005.npz", "step-00000006.npz"]


@pytest.mark.parametrize(("mode", "best"), [("min", 1), ("max", 2)])
def test_what_is_best(mode, best, tmp_path):
    checkpoints = tg.Checkpoints(tmp_path, keep=0, mode=mode)
    for step, metric in enumerate([np.float32(2), tg.tensor(-np.inf), np.int64(3), 1]):
        checkpoints.save(step, metric)
    assert checkpoints.load("best")["step"] == best
    assert names(tmp_path) == ["best.npz", "last.npz"]


def test_all_are_kept_where_that_is_asked_for(tmp_path):
    checkpoints = tg.Checkpoints(tmp_path, keep=None)
    for step in range(12):
        checkpoints.save(step)
    assert [path.name for path in checkpoints.numbered()] == [f"step-{step:08d}.npz" for step in range(11)]
    assert not checkpoints.best.exists()


def test_a_run_that_begins_anew_from_an_earlier_one_goes_on_from_its_own(tmp_path):
    checkpoints = tg.Checkpoints(tmp_path, keep=2)
    for step in (1, 2, 3, 2, 3):
        checkpoints.save(step, tag=step)
    assert checkpoints.resume()["step"] == 3
    assert names(tmp_path) == ["last.npz", "step-00000002.npz", "step-00000003.npz"]


def test_of_a_damaged_last_one_it_goes_on_from_the_newest_that_is_not(tmp_path):
    checkpoints, parts = tg.Checkpoints(tmp_path), training()
    for step in range(4):
        checkpoints.save(step, metric=-step if step < 2 else 0.0, **parts)
    checkpoints.last.write_bytes(checkpoints.last.read_bytes()[:-100])
    checkpoints.numbered()[-1].write_bytes(b"")
    with pytest.warns(
        UserWarning, match=r"going on from .*step-00000001\.npz, step 1; .*last\.npz is no file"
    ):
        assert checkpoints.resume(**parts)["step"] == 1
    with pytest.raises(CheckpointError, match=r"last\.npz is no file"):
        checkpoints.load(**parts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checkpoints.save(4)  # the damaged one is not kept
        assert checkpoints.resume() == {"step": 4, "metric": None}
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    before = states(parts)
    with pytest.raises(CheckpointError, match="none of the checkpoints in .* can be read: .*last"):
        checkpoints.resume(**parts)
    assert states(parts) == before
    with pytest.warns(UserWarning, match=r"writing another best one; .*best\.npz"):
        checkpoints.save(5, 10.0)
    assert checkpoints.load("best")["step"] == 5


def test_without_a_last_one_it_goes_on_from_the_newest(tmp_path):
    checkpoints = tg.Checkpoints(tmp_path)
    for step in range(3):
        checkpoints.save(step, metric=step)
    checkpoints.last.unlink()
    with pytest.warns(UserWarning, match=r"going on from .*step-00000001\.npz, step 1; there is no .*last"):
        checkpoints.resume()
    with pytest.raises(FileNotFoundError, match=r"last\.npz"):
        checkpoints.load()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["model"].pop("0.bias"), r"'model' does not fit, .*missing key 0\.bias"),
        (lambda c: c["model"].update({"0.bias": np.zeros(7)}), r"'model'.* 0\.bias is \[7\]"),
        (lambda c: c["model"].update({"0.bias": "a"}), r"'model' does not fit"),
        (lambda c: c["optimizer"]["state"][0].update(step=-1), r"'optimizer' does not fit.*step"),
        (lambda c: c["optimizer"].pop("state"), r"'optimizer' does not fit"),
        (lambda c: c["schedule"].update(base_lrs=[]), r"'schedule' does not fit"),
        (lambda c: c["schedule"].update(base_lrs=["a"]), r"'schedule' does not fit"),
        (lambda c: c["schedule"].update(gamma=None), r"'schedule' does not fit"),
        (lambda c: c["draws"].update(bit_generator="MT19937"), r"'draws' does not fit"),
        (lambda c: c["rng_state"].update(state=None), r"'rng_state' does not fit"),
        (lambda c: c["rng_state"]["state"].update(state=2**200), r"'rng_state' does not fit"),
        (lambda c: c["rng_state"].pop("bit_generator"), r"'rng_state' does not fit"),
        (lambda c: c.pop("rng_state"), r"has no 'rng_state'; it has 'step'"),
        (lambda c: c.pop("schedule"), r"has no 'schedule'; it has 'step', 'metric'"),
        (
            lambda c: c.update({"n" * 5000: c.pop("schedule")}),
            r"has no 'schedule'; .* 'n{10,20}\.\.\.n{10,20}'$",
        ),
        (lambda c: c.update(step=-1), r"was not written by Checkpoints\.save: its step is -1"),
        (lambda c: c.update(step=1.0), r"its step is 1\.0"),
        (lambda c: c.update(metric="low"), r"its metric 'low'"),
    ],
)
def test_all_is_loaded_or_nothing(change, message, tmp_path):
    checkpoints, draws = tg.Checkpoints(tmp_path), np.random.default_rng(0)
    checkpoints.save(1, **training(), draws=draws)
    content = tg.load(checkpoints.last)
    change(content)
    tg.save(content, checkpoints.last)
    parts = training(seed=1)
    draws.random()
    before = states(parts), tg.get_rng_state(), draws.bit_generator.state
    for method in (checkpoints.resume, checkpoints.load):
        with pytest.raises(CheckpointError, match=f"(?s){message}"):
            method(draws=draws, **parts)
        assert (states(parts), tg.get_rng_state(), draws.bit_generator.state) == before


def test_what_others_load_is_undone(tmp_path):
    class Counter:
        """Somebody's own."""

        def __init__(self):
            self.count = 0

        def state_dict(self):
            return {"count": self.count}

        def load_state_dict(self, state_dict):
            self.count = state_dict["count"]
            if self.count < 0:
                raise KeyError("less than nothing")

    class Own(nn.Linear):
        """With a way of its own to load."""

        def load_state_dict(self, state_dict, strict=True):
            return super().load_state_dict({key: 2 * value for key, value in state_dict.items()}, strict)

    checkpoints, good, bad, own = tg.Checkpoints(tmp_path), Counter(), Counter(), Own(2, 1)
    good.count, bad.count, before = 1, -1, own.weight.data.copy()
    parts = training()
    checkpoints.save(1, good=good, bad=bad, own=own, **parts)
    steps(parts, 1)
    good.count, bad.count, state = 5, 6, states(parts)
    with pytest.raises(CheckpointError, match=r"last\.npz: 'bad' does not fit.*less than nothing"):
        checkpoints.load(good=good, bad=bad, **parts)
    assert (good.count, bad.count, states(parts)) == (5, 6, state)
    checkpoints.load(good=good, own=own)
    assert good.count == 1
    np.testing.assert_array_equal(own.weight.data, 2 * before)


def test_only_what_is_asked_for_is_loaded(tmp_path):
    checkpoints, parts = tg.Checkpoints(tmp_path), training()
    checkpoints.save(3, **parts, schedule_that_is_none=None)
    other, random_state = training(seed=1), tg.get_rng_state()
    rest = checkpoints.load("last", model=other["model"], rng_state=False, nothing=None)
    assert tg.get_rng_state() == random_state
    assert {*rest} == {"step", "metric", "optimizer", "schedule", "schedule_that_is_none"}
    assert states({"model": other["model"]}) == states({"model": parts["model"]})


def test_a_lazy_net_stays_without_sizes_where_its_optimizer_does_not_fit(tmp_path):
    def lazy(rule):
        net = nn.Sequential(nn.LazyLinear(2))
        return {"model": net, "optimizer": rule(net.parameters())}

    checkpoints, parts = tg.Checkpoints(tmp_path), lazy(tg.optim.Adam)
    parts["model"](tg.ones(1, 3)).sum().backward()
    parts["optimizer"].step()
    checkpoints.save(1, **parts)
    other = lazy(tg.optim.RMSprop)
    with pytest.raises(CheckpointError, match=r"'optimizer' does not fit"):
        checkpoints.load(**other)
    assert other["model"][0].weight.is_uninitialized
    same = lazy(tg.optim.Adam)
    checkpoints.load(**same)
    assert states(same) == states(parts)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: tg.Checkpoints(3), TypeError, "Checkpoints: folder must be a path, not 3"),
        (lambda c: tg.Checkpoints(c.folder, keep=-1), ValueError, "Checkpoints: keep must"),
        (lambda c: tg.Checkpoints(c.folder, keep=1.5), TypeError, "Checkpoints: keep must be"),
        (lambda c: tg.Checkpoints(c.folder, mode="low"), ValueError, "mode must be 'min' or 'max'"),
        (lambda c: c.save(-1), ValueError, r"Checkpoints\.save: step must"),
        (lambda c: c.save("1"), TypeError, r"Checkpoints\.save: step must be an int, not '1'"),
        (lambda c: c.save(True), TypeError, r"Checkpoints\.save: step must be an int, not True"),
        (lambda c: c.save(1, "low"), TypeError, "metric must be a number, not 'low'"),
        (lambda c: c.save(1, [1.0]), TypeError, "metric must be a number, not"),
        (lambda c: c.save(1, tg.ones(2)), TypeError, "metric must be a number, not"),
        (lambda c: c.save(1, rng_state=3), ValueError, "'rng_state' is saved anyway"),
        (lambda c: c.save(1, rule=len), TypeError, r"save: obj\['rule'\] is builtin_function_or_method"),
        (lambda c: c.load(7), TypeError, "load: f must be a path"),
        (lambda c: c.load("third"), FileNotFoundError, "third"),
        (lambda c: c.load(epoch=3), TypeError, "epoch must be an object with state_dict.*not 3"),
        (lambda c: c.resume(w=tg.ones(2)), TypeError, "w must be an object with state_dict"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be(call, error, message, tmp_path):
    with pytest.raises(error, match=message):
        call(tg.Checkpoints(tmp_path))
    assert names(tmp_path) == []


@pytest.mark.parametrize("mode", [tg.no_grad, *more(tg.inference_mode)])
def test_saved_without_gradients_it_asks_for_them_again(mode, tmp_path):
    checkpoints, parts = tg.Checkpoints(tmp_path), training()
    with mode():
        checkpoints.save(1, **parts, w=nn.Parameter(tg.ones(2)))
        checkpoints.load(**parts)
    assert all(parameter.requires_grad for parameter in parts["model"].parameters())
    assert checkpoints.resume(**parts)["w"].requires_grad
    steps(parts, 1)
