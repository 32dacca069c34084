"""Several processes train one model: what `tests.parallel_ranks` asserts on 2 and on 4 ranks, and how a
job ends in which one of them fails. The parts that need no MPI are looked at in this process.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import data
from tinygrad_conv.parallel import RankError, ShardedSampler
from tinygrad_conv.parallel.buckets import buckets_of
from tinygrad_conv.parallel.roll_call import END, RollCall
from tinygrad_conv.parallel.shares import share_of, total_of

from .helpers import INSTALLED

PROJECT = Path(__file__).resolve().parent.parent
RANKS = PROJECT / "tests" / "parallel_ranks"
PROGRAMS = [
    name
    for path in sorted(RANKS.glob("*.py"))
    for name in re.findall(r"^@program\ndef (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
]


def mpiexec() -> str:
    """The command of the MPI that is installed beside this Python, or anywhere."""
    pytest.importorskip("mpi4py")
    beside = Path(sys.executable).with_name("mpiexec")
    command = str(beside) if beside.exists() else shutil.which("mpiexec")
    if command is None:
        pytest.skip("needs mpiexec")
    return command


def start(ranks: int, *arguments: str, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    """Python with these arguments on so many ranks, each with one thread of its own."""
    paths = os.pathsep.join(map(str, (PROJECT, INSTALLED)))
    return subprocess.run(
        [mpiexec(), "-n", str(ranks), sys.executable, "-W", "error", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
        timeout=120,
    )


@cache
def programs_on(ranks: int) -> subprocess.CompletedProcess[str]:
    """All programs one after the other, in one start of the ranks."""
    return start(ranks, "-m", "tests.parallel_ranks")


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [2, 4])
@pytest.mark.parametrize("program", PROGRAMS)
def test_ranks_do_together_what_one_process_does(program: str, ranks: int) -> None:
    done = programs_on(ranks)
    if program not in done.stdout.splitlines():
        alone = start(ranks, "-m", "tests.parallel_ranks", program)  # one before it may have ended all
        assert alone.returncode == 0, alone.stdout + alone.stderr


# A rank that fails
ENDS = {
    "get_nan": r"gradients are not finite: of 0\.weight \(float64\[4,1,3,3\], 36 NaN.* on rank 1; ",
    "raise_an_exception": "ValueError: the labels are wrong",
    "fail_at_once": "ValueError: there is no data",
    "be_killed": r"[Kk]illed \(signal 9\)",
    "leave": "waits for the beginning of backward 6, and nobody comes: rank 1 has come to the end of its",
    "stand_still": "has waited 2 s for the beginning of backward 6; 1 rank did not come: 1",
    "wait_elsewhere": r"waits for the beginning of backward 6, and nobody comes: rank 1 waits for barrier",
    "fail_on_the_way": "an earlier backward failed on rank 1 on its way",
}
"""What is said where rank 1 of 3 fails, and how."""


@pytest.mark.mpi
@pytest.mark.parametrize("event", ENDS)
def test_a_rank_that_fails_ends_the_job_with_a_message(event: str) -> None:
    began = time.monotonic()
    done = start(3, "-m", "tests.parallel_ranks", event)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and re.search(ENDS[event], said), said
    assert "rank 0 is through" not in said and "rank 2 is through" not in said
    assert time.monotonic() - began < 30  # 10 seconds, on a machine that has nothing else to do
    if event == "get_nan":
        assert len(re.findall("RankError: .*on rank 1; nothing was written to .grad", said)) == 3, said


@pytest.mark.mpi
def test_the_readme_s_command_shows_the_gradients_of_the_joined_batch() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    ranks, script = re.search(r"^    mpiexec -n (\d) python (.*) --compare$", readme, re.MULTILINE).groups()
    printed = start(int(ranks), script, "--compare").stdout
    assert printed.startswith("4 ranks, 250 images\nepoch 1/4   loss 0.")
    apart = re.findall(r"(\S+) apart", printed)
    assert len(apart) == 2 and max(map(float, apart)) < 1e-6, printed
    assert re.search(r"^training accuracy: (9[5-9]|100)\.\d %$", printed, re.MULTILINE), printed
    alone = subprocess.run(
        [sys.executable, "-W", "error", script, "--epochs", "1"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INSTALLED)},
        timeout=60,
    )
    assert alone.stdout.startswith("1 rank, 250 images\nepoch 1/1   loss 0.67"), alone.stderr


@pytest.mark.mpi
def test_without_mpiexec_there_is_one_rank() -> None:
    mpiexec()
    program = """
import numpy as np, tinygrad_conv as tg
from tinygrad_conv import nn
net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
wrapped = tg.parallel.DataParallel(net, sync_batch_norm=True)
with wrapped.no_sync():
    wrapped(tg.ones(1, 4)).sum().backward()
wrapped.broadcast_buffers(), tg.parallel.barrier()
print(tg.parallel.rank(), tg.parallel.world_size(), tg.parallel.average(2.5), tg.parallel.on_main(abs, -1))
print(net[1].weight.grad.sum(), tg.parallel.SyncBatchNorm(2)(tg.randn(3, 2)).shape)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INSTALLED)},
        timeout=60,
    )
    assert done.stdout.split("\n")[:2] == ["0 1 2.5 1", "8.0 (3, 2)"], done.stdout + done.stderr


def test_without_mpi4py_it_is_said_what_brings_it() -> None:
    program = "import sys; sys.modules['mpi4py'] = None; import tinygrad_conv as tg; tg.parallel.rank()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INSTALLED)},
        timeout=60,
    )
    assert "MissingExtraError: tg.parallel needs mpi4py and an MPI" in done.stderr
    assert "pip install 'tinygrad_conv[mpi]' brings both" in done.stderr


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": 3}, TypeError, "DataParallel: model must be an nn.Module, not 3"),
        ({"bucket_bytes": 0}, ValueError, "DataParallel: bucket_bytes must be"),
        ({"weighted": 2}, TypeError, "DataParallel: weighted must be"),
        ({"timeout": -1}, ValueError, "DataParallel: timeout must be at least 0, not -1"),
    ],
)
def test_options_are_looked_at_before_anything_is_sent(options, error, message) -> None:
    with pytest.raises(error, match=re.escape(message)):
        tg.parallel.DataParallel(**{"model": tg.nn.ReLU(), **options})


# Shares
@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_shares_make_up_the_whole_and_differ_by_one(size: int) -> None:
    for count in range(20):
        shares = [share_of(count, rank, size) for rank in range(size)]
        assert [place for share in shares for place in share] == list(range(count))
        sizes = [len(share) for share in shares]
        assert max(sizes) - min(sizes) <= 1 and sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("counts", "total"),
    [
        ([[], []], 2),
        ([[4], [4]], 8),
        ([[3], [2], [0]], 5),
        ([[4], [4, 4, 4]], 8),
        ([[4, 2], [4, 2]], 8),
        ([[2, 4], [1, 2]], 3),
        ([[0], [0]], 0),
    ],
)
def test_one_weight_does_for_batches_of_the_same_proportions(counts, total) -> None:
    assert total_of(counts) == total


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([[4, 2], [4, 1]], "shared out in different proportions"),
        ([[4], [4, 2]], "shared out in different proportions"),
        ([[4, 2], [4, 2, 1]], "shared out in different proportions"),
        ([[4], []], "rank 1 goes backward without a forward of the wrapped model, others made one"),
    ],
)
def test_no_weight_does_for_others(counts, words) -> None:
    with pytest.raises(RankError, match=words):
        total_of(counts)


# The sampler
def batches_of(loader) -> list[list[int]]:
    return [batch.data.tolist() for (batch,) in loader]


def loader_for(rank: int, size: int, count: int = 26, **options):
    dataset = data.TensorDataset(np.arange(count))
    sampler = ShardedSampler(dataset, 8, num_replicas=size, rank=rank, **options)
    return data.DataLoader(dataset, batch_sampler=sampler)


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"drop_last": True}, {"seed": 5}], ids=str)
def test_shares_put_together_are_the_batches_of_one_process(options) -> None:
    alone = loader_for(0, 1, **options)
    for size in (2, 4):
        loaders = [loader_for(rank, size, **options) for rank in range(size)]
        for _ in range(2):
            shares = list(map(batches_of, loaders))
            assert [sum(parts, []) for parts in zip(*shares)] == batches_of(alone)
            alone_again = {len(loader) for loader in (*loaders, alone)}
            assert alone_again == {3 if options.get("drop_last") else 4}
        alone = loader_for(0, 1, **options)


def test_each_example_comes_once_and_a_share_may_be_empty() -> None:
    shares = [batches_of(loader_for(rank, 4, count=17)) for rank in range(4)]
    assert sorted(sum((index for share in shares for index in share), [])) == list(range(17))
    assert [share[-1] for share in shares][1:] == [[], [], []]


def test_an_epoch_goes_on_with_another_number_of_ranks() -> None:
    whole = [batches_of(loader) for loader in [loader_for(0, 1)] for _ in range(2)]
    four = loader_for(1, 4)
    batches_of(four)
    epoch = iter(four)
    next(epoch), next(epoch)
    state = four.state_dict()
    assert state["position"] == 2
    halves = [loader_for(rank, 2) for rank in range(2)]
    for loader in halves:
        loader.load_state_dict(state)
    assert [sum(parts, []) for parts in zip(*map(batches_of, halves))] == whole[1][2:]


def test_a_state_of_other_batches_is_refused() -> None:
    dataset = data.TensorDataset(np.arange(26))
    sampler = ShardedSampler(dataset, 6, num_replicas=1, rank=0)
    other = data.DataLoader(dataset, batch_sampler=sampler)
    with pytest.raises(ValueError, match=r"'batch_size' .* is 8; this loader has 6"):
        other.load_state_dict(loader_for(0, 1).state_dict())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 2}, "ShardedSampler: rank must be below num_replicas=2, not 2"),
        ({"num_replicas": 0}, "ShardedSampler: num_replicas must"),
        ({"batch_size": 0}, "ShardedSampler: batch_size must"),
    ],
)
def test_a_share_that_cannot_be_is_refused(options, message) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        ShardedSampler(range(5), **{"batch_size": 2, "num_replicas": 2, "rank": 0, **options})


class Words(data.Dataset):
    """Examples that are no arrays alone."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int):
        return {"image": np.zeros((2, 2), np.float32), "word": "abc"[index], "pair": (index, 1.5)}


def test_an_empty_batch_is_like_any_other() -> None:
    (batch,) = data.DataLoader(Words(), batch_sampler=[[]])
    assert batch["image"].shape == (0, 2, 2) and batch["word"] == []
    assert [each.shape for each in batch["pair"]] == [(0,), (0,)]
    assert [each.dtype for each in batch["pair"]] == [np.int64, np.float32]


# Buckets
def test_buckets_go_from_the_last_parameter_to_the_first() -> None:
    sizes = [(4, 1, 3, 3), (4,), (3, 64), (3,)]
    leaves = [tg.zeros(*size, requires_grad=True) for size in sizes]
    half = tg.zeros(2, dtype=np.float16, requires_grad=True)
    order = [bucket.leaves for bucket in buckets_of([half, *leaves], 200)]
    assert [len(bucket) for bucket in order] == [2, 2, 1]
    assert order[0][0] is leaves[3] and order[1][1] is leaves[0] and order[2] == [half]
    assert [len(bucket.leaves) for bucket in buckets_of(leaves, 1)] == [1] * 4
    assert [len(bucket.leaves) for bucket in buckets_of(leaves, 1 << 20)] == [4]


def test_a_bucket_has_what_was_put_in_and_nothing_of_ranks_without_samples() -> None:
    leaves = [tg.zeros(2, requires_grad=True), tg.zeros(1, 2, requires_grad=True)]
    (bucket,) = buckets_of(leaves, 1 << 20)
    bucket.fill([np.array([[1, 2]], np.float32), None], 3)
    assert bucket.memory.tolist() == [3, 6, 0, 0]
    first, second = bucket.divided(6)
    assert first.tolist() == [[0.5, 1]] and second.tolist() == [0, 0]
    assert not np.shares_memory(first, bucket.memory)
    bucket.fill([np.array([[np.nan, 2]], np.float32)] * 2, 0)
    assert bucket.is_finite() and not bucket.memory.any()
    bucket.fill([np.array([[3e38, 3e38]], np.float32), None], 1)
    assert bucket.is_finite()  # their sum is not
    bucket.fill([np.array([[np.inf, 2]], np.float32), None], 1)
    assert not bucket.is_finite()


# The roll call
class Control:
    """A communicator of three ranks, on which nothing arrives."""

    def Get_rank(self) -> int:
        return 0

    def Get_size(self) -> int:
        return 3

    def iprobe(self, source: int = -1) -> bool:
        return False


@pytest.mark.parametrize(
    ("waits", "is_deadlock"),
    [
        ({}, False),
        ({1: END}, False),  # rank 2 may still come
        ({1: "b", 2: ""}, False),
        ({1: "a", 2: "a"}, False),  # all have come: what is waited for is on its way
        ({1: "b", 2: "a"}, True),
        ({1: END, 2: "a"}, True),
        ({1: END, 2: END}, True),
    ],
)
def test_nobody_comes_where_all_wait_and_not_for_the_same(waits, is_deadlock) -> None:
    roll_call = RollCall(Control())
    roll_call.waits = waits
    assert (roll_call.deadlock("a") is not None) == is_deadlock
