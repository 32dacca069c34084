"""The benchmark's machinery on its smallest cases: it starts, takes turns, compares, reports. No time is
asserted.
"""

from __future__ import annotations

import json
import os

import pytest

from .benchmarks import turns
from .benchmarks.__main__ import main
from .benchmarks.cases import GROUPS, NEEDS, TWELVE, UPDATES, chosen, task_named
from .benchmarks.frameworks import installed, load
from .benchmarks.frameworks.base import Settings
from .benchmarks.inputs import Shuffled
from .benchmarks.limits import LIMITS, NotMeasured, limits_table
from .benchmarks.load import OthersWatched, verdict
from .benchmarks.measure import Plan, Results
from .benchmarks.nets import Conv
from .benchmarks.protocol import differing
from .benchmarks.ratios import memory_ratio, ratio, summary, totals
from .benchmarks.report import report
from .benchmarks.tables import show_time, table
from .benchmarks.turns import BenchmarkError, Effort, Worker, build, take_turns

pytestmark = pytest.mark.exhaustive

QUICK = ["--rounds", "2", "--seconds", "0.001", "--patience", "0"]
TINY = [
    "step-article",
    "step-toy",
    "conv-article",
    "conv-toy",
    "linear",
    "tape-relu",
    "tape-add",
    "tape-matmul",
]


@pytest.fixture(scope="module", autouse=True)
def no_waits():
    """These figures are nobody's to trust, so nobody waits for quiet between the turns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "WAIT", 0)
        yield


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """The tiny cases against einsum through the command line; main gives 1 if losses, results or gradients
    differed.
    """
    path = tmp_path_factory.mktemp("benchmarks") / "results.json"
    status = main([*TINY, "--against", "numpy-einsum", "--json", str(path), *QUICK])
    return status, json.loads(path.read_text())


def test_ours_and_einsum_find_the_same(quick_run):
    status, results = quick_run
    assert status == 0
    for case in ("step-article", "step-toy", "conv-article", "conv-toy", "linear"):
        assert results["times"][case].keys() == {"ours", "numpy-einsum"}
        assert results["times"][case]["ours"].keys() == results["times"][case]["numpy-einsum"].keys()


def test_the_floor_by_hand_finds_the_same_for_its_two_nets_and_offers_no_others():
    with Worker("ours", Settings()) as ours, Worker("numpy-by-hand", Settings()) as by_hand:
        for case in ("step-article", "step-toy"):
            assert build(case, [ours, by_hand]).keys() == {"ours", "numpy-by-hand"}
        for case in ("step-lenet", "conv-toy", "linear", "tape-add"):
            assert by_hand.ask("build", case) is None


def test_every_round_gives_a_time_to_every_part(quick_run):
    times = [
        times
        for parts in quick_run[1]["times"].values()
        for part in parts.values()
        for times in part.values()
    ]
    assert times and all(len(rounds) == 2 and min(rounds) > 0 for rounds in times)


def test_the_tape_is_compared_with_bare_numpy(quick_run):
    parts = quick_run[1]["times"]["tape-relu"]["ours"]
    assert parts.keys() == {
        "recorded",
        "forward",
        "layer",
        "untracked",
        "backward",
        "numpy forward",
        "numpy backward",
    }
    assert "numpy-einsum" not in quick_run[1]["times"]["tape-relu"]  # it has no tape


def test_convolutions_say_which_kernel_served(quick_run):
    assert set(quick_run[1]["served"]["conv-toy"]) == {"forward", "dw", "dx"}
    assert all(quick_run[1]["served"]["conv-toy"].values())


def test_ours_without_the_fast_extra_and_with_one_thread_and_plain_arrays():
    settings = Settings(without_fast=True, threads=1, plain_order=True)
    with Worker("ours", settings) as ours, Worker("numpy-einsum", Settings()) as einsum:
        for case in ("conv-toy2", "maxpool", "batchnorm"):
            assert build(case, [ours, einsum]).keys() == {"ours", "numpy-einsum"}
        times, _ = take_turns("batchnorm", [ours], Effort(rounds=1, seconds=0.001, patience=0))
    assert times["ours"].keys() == {"forward", "backward"}


def test_memory_of_a_step_is_measured():
    pytest.importorskip("resource", reason="there is no measure of peak memory on this system")
    with Worker("ours", Settings(replay=True)) as ours:
        answer = ours.ask("memory", "memory-lenet")
    assert answer is not None and answer.keys() == {"bytes", "later"}
    assert min(answer.values()) > 64 * 6 * 28 * 28 * 4  # one activation of the first layer, at least


def test_the_time_to_the_first_step_is_measured(capsys):
    assert main(["first-article", "--against", "numpy-einsum", "--rounds", "1", "--replay"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[3:5]] == [
        ["first-article", "ours"],
        ["first-article", "numpy-einsum"],
    ]
    with Worker("ours", Settings()) as ours:
        times = ours.ask("first", "first-article")["times"]
    assert 0 < times["first"] < times["third"]


def test_what_is_compiled_is_kept_in_a_folder_of_the_run(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(turns.subprocess, "Popen", lambda command, **more: started.append(more["env"]))
    Worker("torch-compile", Settings(), str(tmp_path)).errors.close()
    assert all(started[0][name].startswith(str(tmp_path)) for name in turns.CACHES)


@pytest.mark.torch
def test_ours_and_pytorch_go_through_an_epoch_alike():
    """Replayed, in the same order, with a last batch that is smaller."""
    pytest.importorskip("torch")
    task = GROUPS["epochs"]["epoch-shapes"]._replace(samples=80)
    ours, theirs = (load(name, Settings(replay=True)).build(task)["epoch"].run for name in ("ours", "torch"))
    for _ in range(4):
        assert ours() == pytest.approx(theirs(), rel=1e-4)


@pytest.mark.torch
def test_ours_and_pytorch_update_alike_and_who_has_plain_descent_alone_offers_nothing():
    pytest.importorskip("torch")
    with (
        Worker("ours", Settings(replay=True)) as ours,
        Worker("torch", Settings()) as torch,
        Worker("numpy-einsum", Settings()) as einsum,
    ):
        for kind in UPDATES:
            assert build(f"{kind}-toy", [ours, torch, einsum]).keys() == {"ours", "torch"}


def test_the_order_of_images_is_another_one_in_each_epoch_and_the_same_for_all():
    mine, theirs = Shuffled(10), Shuffled(10)
    for _ in range(2):
        batches = list(theirs.batches(4))
        assert [len(batch) for batch in batches] == [4, 4, 2]
        order = list(mine)
        assert order == [place for batch in batches for place in batch.tolist()]
        assert sorted(order) == list(range(10)) != order
    assert list(mine) != order and len(mine) == 10


def test_cases_without_their_data_are_left_out_by_name(monkeypatch, capsys):
    monkeypatch.setitem(NEEDS, "epoch-mnist", "a_package_that_nobody_has")
    monkeypatch.setattr("tests.benchmarks.__main__.measure", lambda plan, tell: pytest.fail(str(plan.groups)))
    with pytest.raises(pytest.fail.Exception, match=r"^\{'steps': \['step-article'\]\}$"):
        main(["step-article", "epoch-mnist", "--against"])
    assert "left out, for it needs a_package_that_nobody_has: epoch-mnist" in capsys.readouterr().out


def test_a_framework_that_compiles_needs_a_compiler(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: package)
    for compilers, there in ((set(), False), ({"clang++"}, True), ({"g++"}, True)):
        monkeypatch.setattr("shutil.which", lambda name, there=compilers: name if name in there else None)
        assert installed("torch-compile") is there
        assert installed("torch")


def test_imports_are_measured_and_reported(capsys):
    assert main(["import", "--against", "--rounds", "1"]) == 0
    assert "tinygrad_conv" in capsys.readouterr().out


def test_other_results_are_refused():
    class Wrong(Worker):
        def ask(self, ask, case, **more):
            answer = super().ask(ask, case, **more)
            answer["prints"]["step"][3][0] *= 1.01
            return answer

    with Worker("ours", Settings()) as ours, Wrong("numpy-einsum", Settings()) as wrong:
        with pytest.raises(
            BenchmarkError, match=r"step-article: numpy-einsum finds other numbers than we do: step"
        ):
            build("step-article", [ours, wrong])


def test_a_process_that_fails_is_named_with_what_it_said():
    with Worker("ours", Settings()) as ours:
        with pytest.raises(BenchmarkError, match=r"(?s)ours failed on nonsense step-toy.*no such question"):
            ours.ask("nonsense", "step-toy")


def test_nan_agrees_with_nothing():
    same, nan = {"dw": [[3.0, 1.0]]}, {"dw": [[float("nan"), float("nan")]]}
    assert differing(same, same) == []
    assert differing(same, nan) == differing(nan, nan) == ["dw"]


def test_the_smallest_growth_tables(monkeypatch, capsys):
    sizes = {case: GROUPS["growth"][case] for case in ("growth-batch-1", "growth-batch-2")}
    monkeypatch.setitem(GROUPS, "growth", sizes)
    assert main(["growth", "--against", *QUICK, "--rounds", "1"]) == 0
    shown = capsys.readouterr().out
    assert "growth-batch-2" in shown and "kernels" in shown and "not measured" in shown


def test_peers_that_are_not_installed_are_left_out_by_name(monkeypatch, capsys):
    monkeypatch.setattr("tests.benchmarks.__main__.installed", lambda peer: peer != "jax")
    assert main(["step-article", "--against", "jax", *QUICK]) == 0
    assert "left out, for it is not installed, or its compiler is not: jax" in capsys.readouterr().out


def test_names_of_groups_and_cases():
    assert chosen(["steps", "conv-vgg"]) == {"convs": ["conv-vgg"], "steps": list(GROUPS["steps"])}
    assert {*GROUPS, "import"} == set(chosen([]))
    assert len(TWELVE) == 12
    with pytest.raises(ValueError, match="no case or group nonsense"):
        chosen(["steps", "nonsense"])


def test_list_shows_every_case(capsys):
    assert main(["--list"]) == 0
    shown = capsys.readouterr().out.split()
    assert all(case in shown for cases in GROUPS.values() for case in cases)


def test_output_sizes_of_a_convolution():
    conv = Conv(1, 1, (3, 5), stride=2, padding=(1, 2), dilation=2)
    assert conv.out(8, 9) == ((8 + 2 - 4 - 1) // 2 + 1, (9 + 4 - 8 - 1) // 2 + 1)
    assert task_named("conv-stride2").conv.out(32, 32) == (16, 16)


def test_ratios_are_taken_round_by_round():
    assert ratio([1.0, 20.0, 3.0], [2.0, 40.0, 6.0]) == (0.5, 0.5, 0.5)
    assert summary([1.0, 2.0, 3.0]) == (2.0, 1.5, 2.5)
    assert totals({"dw": [1.0, 2.0], "dx": [3.0, 4.0]}, ["dw", "dx"]) == [4.0, 6.0]
    assert memory_ratio([100], [200]) == 1.0  # of pages
    assert memory_ratio([4 << 20], [8 << 20]) == 0.5


def test_everybody_stands_over_the_rival():
    times = {
        "step-toy": {"ours": {"step": [3.0]}, "torch": {"step": [6.0]}, "numpy-by-hand": {"step": [1.5]}},
        "step-lenet": {"ours": {"step": [1.0]}, "torch": {"step": [4.0]}},
    }
    groups = {"steps": list(times)}
    served = dict.fromkeys(times, {"step": None})
    plan = Plan(groups, ["torch", "numpy-by-hand", "jax"], Effort(1, 0.0, 0.0), Settings())
    shown = report(Results(groups, times, served, {}, {}, {}, {}), plan)
    lines = shown[shown.index("steps: everybody over torch") :].splitlines()
    assert (
        lines[1].split("  ")[0] == "case"
        and "ours / torch" in lines[1]
        and "numpy-by-hand / torch" in lines[1]
    )
    assert lines[3].split() == ["step-toy", "6", "s", "0.50", "[0.50-0.50]", "0.25", "[0.25-0.25]"]
    assert lines[4].split() == ["step-lenet", "4", "s", "0.25", "[0.25-0.25]", "-"]
    assert "jax" not in shown  # it offers nothing in this group


def test_processes_write_compiled_files(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    inherited = turns.environment()
    assert "PYTHONDONTWRITEBYTECODE" not in inherited
    assert inherited["PYTHONPATH"].split(os.pathsep) == [str(turns.ROOT), "elsewhere"]


def test_limits_are_marked_where_they_are_passed():
    times = {"step-article": {"ours": {"step": [2.0]}, "torch": {"step": [10.0]}}}
    results = Results({}, times, {}, {}, {}, {}, {})
    line = next(line for line in limits_table(results, Settings()).splitlines() if "article" in line)
    assert line.split() == ["article", "step", "0.13", "0.20", "too", "large"]
    with pytest.raises(NotMeasured):
        LIMITS[1].measured(results)


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        (Settings(), "0.65"),
        (Settings(without_fast=True), "0.95"),
        (Settings(replay=True), "0.50"),
        (Settings(without_fast=True, replay=True), "0.95"),
    ],
)
def test_limits_of_replays_and_without_the_fast_extra(settings, most):
    lines = limits_table(Results({}, {}, {}, {}, {}, {}, {}), settings).splitlines()
    assert next(line for line in lines if "LeNet" in line).split()[2:] == [most, "not", "measured"]


def test_tables_and_units():
    assert table("t", ["case", "µs"], [["a", "12"]]) == "t\ncase  µs\n--------\na     12"
    assert [show_time(seconds) for seconds in (2.5, 0.1234, 1.5e-6)] == ["2.5 s", "123 ms", "1.5 µs"]


class Disturbed:
    """A worker whose turns other programs disturb, as given."""

    framework = "ours"

    def __init__(self, *shares):
        self.shares = list(shares)

    def ask(self, ask, case, seconds):
        share = self.shares.pop(0)
        return {"times": {"step": share}, "others": share}


def test_a_disturbed_turn_is_repeated_and_the_quietest_counts():
    patient, impatient = (Effort(rounds=1, seconds=0.001, patience=patience) for patience in (60, 0))
    assert take_turns("step-toy", [Disturbed(0.5, 0.3, 0.0, 0.9)], patient) == (
        {"ours": {"step": [0.0]}},
        [0.0],
    )
    assert take_turns("step-toy", [Disturbed(0.5, 0.3)], impatient) == ({"ours": {"step": [0.5]}}, [0.5])


def test_what_other_programs_took():
    with OthersWatched() as others:
        sum(range(10**5))
    assert others.share is None or 0 <= others.share <= 1
    assert verdict(None, []) == "Whether other programs were running is not known."
    assert "DO NOT TRUST" in verdict(0.3, [])
    assert "DO NOT TRUST" not in verdict(0.3, [0.0, 0.05])
