"""Where the time of a replay goes is measured, and nothing changed; when memory is in use."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.errors import ReplayError
from tinygrad_conv.replay.listing import lifetimes

from .replay_steps import batches, plain, small_net, state_of
from .step_programs import environment


def replayed(net: Any = None, optimizer: Any = None) -> tuple[Any, Any, Any]:
    """A net, its optimiser, and a step of which there is a program."""
    net = small_net() if net is None else net
    optimizer = optim.SGD(net.parameters(), lr=0.1) if optimizer is None else optimizer(net.parameters())
    step = tg.replay(plain(net, optimizer))
    for batch in batches(3):
        step(*batch)
    assert step.replays == 1
    return net, optimizer, step


def test_each_call_has_its_time() -> None:
    _, _, step = replayed()
    profile = step.program.profile(*batches(1)[0], repeats=5)
    head, *rows = profile.rows()
    listed = str(step.program).splitlines()
    assert head == ("µs", "share", "call", "array", "bytes", "buffer", "line")
    assert len(rows) == len(listed) - 1 == len(profile.seconds)
    for cells, seconds, line in zip(rows, profile.seconds, listed):
        assert float(cells[0].replace(",", "")) == pytest.approx(seconds * 1e6, abs=0.051) and seconds > 0
        assert line.startswith(cells[2]) and line.endswith(cells[-1])
        assert "replay_steps.py:" in cells[-1]
    assert sum(float(cells[1].rstrip("%")) for cells in rows) == pytest.approx(100, abs=0.05 * len(rows))
    assert profile.repeats == 5 and 0 < profile.whole < 10
    assert repr(profile).splitlines()[-1].endswith("(medians of 5 repeats)")


@pytest.mark.parametrize("by", ["op", "layer", "place"])
def test_times_add_up(by: str) -> None:
    _, _, step = replayed()
    profile = step.program.profile(*batches(1)[0], repeats=3)
    head, *rows = profile.rows(by)
    times = [float(cells[0].replace(",", "")) for cells in rows]
    assert head == ("µs", "share", "calls", by) and times == sorted(times, reverse=True)
    assert sum(times) == pytest.approx(sum(profile.seconds) * 1e6, abs=0.05 * len(times))
    assert sum(int(cells[2]) for cells in rows) == len(step.program.lines)
    names = [cells[3] for cells in rows]
    assert {"op": "conv2d+relu", "layer": "sequential.0", "place": rows[0][3]}[by] in names
    assert all(name in profile.table(by) for name in names)


def test_tables_are_by_what_there_is() -> None:
    _, _, step = replayed()
    with pytest.raises(ValueError, match="by must be one of line, op, layer, place, not 'bytes'"):
        step.program.profile(*batches(1)[0], repeats=1).table("bytes")


def test_a_slow_op_is_found(scratch_ops: None) -> None:
    @tg.primitive
    def slow(x: Any) -> Any:
        """x, after a while."""
        time.sleep(0.02)
        return x * 1

    @slow.grad("x")
    def slow_dx(dy: Any) -> Any:
        return dy

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(64, 3)

        def forward(self, x: Any) -> Any:
            return slow(self.linear(tg.flatten(x, 1)))

    _, _, step = replayed(Net())
    profile = step.program.profile(*batches(1)[0], repeats=2)
    (seconds,) = [took for line, took in zip(step.program.lines, profile.seconds) if line.name == "slow"]
    assert seconds >= 0.02 <= profile.whole and seconds > 0.5 * sum(profile.seconds)


def many_changes() -> Any:
    """A step that changes parameters, gradients, statistics, an optimiser, a schedule and random numbers."""
    tg.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64, 3)),
    )
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    schedule = optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    total = tg.zeros(())

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = tg.cross_entropy(net(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimizer.step()
        schedule.step()
        with tg.no_grad():
            total.add_(loss.detach())
        return loss

    return step, [net, optimizer, total], schedule


def everything(owners: Any, schedule: Any) -> Any:
    return [*map(state_of, owners), schedule.state_dict(), tg.get_rng_state()]


def losses(profiling: bool) -> tuple[list[float], Any]:
    """Of a training that is measured on the way, or not."""
    step, owners, schedule = many_changes()
    step = tg.replay(step)
    found = []
    for number, (x, y) in enumerate(batches(8)):
        found.append(step(x, y).item())
        if profiling and number >= 2:
            before, grads = everything(owners, schedule), [param.grad for param in owners[0].parameters()]
            step.program.profile(x, y, repeats=2)
            assert repr(everything(owners, schedule)) == repr(before)
            assert all(param.grad is grad for param, grad in zip(owners[0].parameters(), grads))
    assert step.replays == 6
    return found, [state_of(owner) for owner in owners]


def test_nothing_is_changed_by_measuring() -> None:
    assert losses(profiling=True) == losses(profiling=False)


def test_results_of_earlier_calls_stay() -> None:
    _, _, step = replayed()
    batch = batches(1)[0]
    loss = step(*batch)
    number = loss.item()
    step.program.profile(*batch, repeats=2)
    assert loss.item() == number


def test_arguments_of_another_setting_are_refused() -> None:
    net, _, step = replayed()
    x, y = batches(1)[0]
    program = step.program
    with pytest.raises(
        ValueError,
        match=r"profile: the program is for arguments with \(float32\[4,1,8,8\], int64\[4\]\), it was given "
        r"\(float32\[2,1,8,8\], int64\[2\]\); call the step with these first",
    ):
        program.profile(x[:2].clone(), y[:2].clone())
    with pytest.raises(ValueError, match=r"it was given \(\); call"):
        program.profile()
    transposed = tg.tensor(np.asfortranarray(x.data))
    with pytest.raises(ValueError, match="in other values, or another memory order"):
        program.profile(transposed, y)
    net.eval()
    with pytest.raises(ReplayError, match="has changed since; call the step again"):
        program.profile(x, y)
    net.train()
    program.profile(x, y, repeats=1)


def test_another_array_of_a_parameter_is_followed() -> None:
    net, _, step = replayed()
    x, y = batches(1)[0]
    net[4].bias.data = np.full(3, np.nan, np.float32)
    step.program.profile(x, y, repeats=1)
    assert np.isnan(net[4].bias.data).all() and np.isnan(step(x, y).item())


@pytest.mark.parametrize(("repeats", "error"), [(0, ValueError), (-1, ValueError), (2.5, TypeError)])
def test_repeats_are_counted_from_1(repeats: Any, error: Any) -> None:
    _, _, step = replayed()
    with pytest.raises(error, match="profile: repeats must be"):
        step.program.profile(*batches(1)[0], repeats=repeats)


def test_a_step_that_runs_is_not_measured() -> None:
    _, _, step = replayed()
    with step.lock, pytest.raises(ReplayError, match="the step is running just now"):
        step.program.profile(*batches(1)[0])


def test_a_call_that_fails_leaves_everything_as_it_was(scratch_ops: None) -> None:
    failing = []

    @tg.primitive
    def fragile(x: Any) -> Any:
        """x, or an error."""
        if failing:
            raise failing.pop()
        return x * 1

    @fragile.grad("x")
    def fragile_dx(dy: Any) -> Any:
        return dy

    net = nn.Linear(64, 3)
    optimizer = optim.Adam(net.parameters())
    total = tg.zeros(())

    @tg.replay
    def step(x: Any) -> Any:
        with tg.no_grad():
            total.add_(1.0)
        optimizer.zero_grad()
        loss = fragile(net(tg.flatten(x, 1))).mean()
        loss.backward()
        optimizer.step()
        return loss

    x = batches(1)[0][0]
    for _ in range(3):
        step(x)
    before = [state_of(net), state_of(optimizer), state_of(total)]
    for error in (ZeroDivisionError, KeyboardInterrupt):
        failing.append(error("now"))
        with pytest.raises(error):
            step.program.profile(x)
        assert [state_of(net), state_of(optimizer), state_of(total)] == before


def test_memory_is_in_use_from_when_it_is_made_until_it_is_last_read() -> None:
    w = tg.ones(4, requires_grad=True)

    @tg.replay
    def step(x: Any) -> Any:
        w.grad = None
        a = tg.relu(x * w)
        b = tg.exp(a)
        loss = (b.reshape(2, 2) * 2.0).sum()
        loss.backward()
        return loss

    for _ in range(3):
        step(tg.ones(4))
    program = step.program
    recorded, spans = program.recorded, lifetimes(program.recorded)
    names = [line.name for line in program.lines]
    made = {line.name: line.writes[0] for line in program.lines if line.writes}

    def call(name: str) -> int:
        return names.index(name)

    readers = {name: [n for n, line in enumerate(program.lines) if made[name] in line.reads] for name in made}
    assert spans[made["exp"]] == (call("exp"), max(*readers["exp"], *readers["reshape"]))  # its view, too
    assert spans[made["relu"]] == (call("relu"), max(readers["relu"]))
    assert spans[made["sum"]] == (call("sum"), len(names))  # it is returned
    assert recorded.owners[made["reshape"]] == made["exp"] and made["reshape"] not in spans


def test_a_buffer_serves_one_value_at_a_time() -> None:
    _, _, step = replayed()
    spans, buffers = lifetimes(step.program.recorded), step.program.recorded.buffers
    assert {*buffers} <= {*spans}
    for buffer in {*buffers.values()}:
        served = sorted(spans[slot] for slot, number in buffers.items() if number == buffer)
        assert all(before[1] < after[0] for before, after in zip(served, served[1:]))


def test_nothing_of_it_is_imported_before_somebody_asks() -> None:
    script = (
        "import sys, tinygrad_conv as tg\n"
        "w = tg.ones(3, requires_grad=True)\n"
        "@tg.replay\n"
        "def step(x):\n"
        "    w.grad = None\n"
        "    (x * w).sum().backward()\n"
        "for _ in range(4): step(tg.ones(3))\n"
        "print(step.replays, *[name for name in sys.modules if name.startswith(('tinygrad_conv.debug',"
        " 'tinygrad_conv.replay.profile'))])"
    )
    run = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(run, capture_output=True, text=True, env=environment(), timeout=60)
    assert (done.stdout.split(), done.stderr) == (["2"], "")
