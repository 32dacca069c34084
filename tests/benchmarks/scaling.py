"""Data-parallel training on more ranks than there are here, on paper: `python -m tests.benchmarks scaling`.

Measured on this machine, with one thread for each rank: the time of a training step, and that of its
backward, for batches of several sizes; and how fast two ranks here exchange gradients. From these follows

    step = compute + 2 (p - 1) / p · bytes / bandwidth

for p ranks (the least that each of them must send: Patarasuk and Yuan 2009), and with overlap as much less
as the exchange finds room in the backward. What the formula leaves out is the latency of a message, some
2 log₂ p times 5 to 50 µs for each bucket, and that ranks wait for the slowest. Compute is time on the
processor, and of several times the shortest counts, for other programs only make them longer.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinygrad_conv.errors import show_count

from .cases import STEPS, Training
from .inputs import for_training
from .tables import show_time, table

NETS = ("lenet", "cifar")
RANKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
GBIT = 1e9 / 8  # bytes per second
LINKS = {"1 Gbit/s": GBIT, "10 Gbit/s": 10 * GBIT, "100 Gbit/s": 100 * GBIT}
PAYS = 0.5  # of p times the work of one rank, p ranks do at least this part, or they do not pay
ROUNDS = 30


class Compute(NamedTuple):
    """What one rank does with so many samples, in seconds."""

    step: float
    backward: float


class Measured(NamedTuple):
    """What was measured of a net."""

    nbytes: int  # of its gradients
    compute: dict[int, Compute]  # by samples
    here: float | None  # bytes per second between two ranks on this machine; None: without mpi4py


def exchange(nbytes: float, ranks: int, bandwidth: float) -> float:
    """Seconds in which each rank sends, and receives, what an Allreduce needs."""
    return 2 * (ranks - 1) / ranks * nbytes / bandwidth


def step_time(compute: Compute, seconds: float, overlap: bool) -> float:
    """Seconds for a step with an exchange of so many, which finds room in the backward, or does not."""
    return compute.step + (max(0.0, seconds - compute.backward) if overlap else seconds)


def share(samples: int, ranks: int) -> int:
    """How many of the samples the rank with most of them has; for less than one a rank waits."""
    return max(1, math.ceil(samples / ranks))


def main(arguments: list[str]) -> int:
    """Measure, and print the tables."""
    if arguments[:1] == ["compute"]:
        print(json.dumps({net: measure_compute(STEPS[net]) for net in NETS}))
    elif arguments[:1] == ["link"]:
        measure_link(list(map(int, arguments[1:])))
    else:
        for net, measured in measure().items():
            print(paper(net, STEPS[net].samples, measured), "\n")
    return 0


def measure() -> dict[str, Measured]:
    """Everything, in processes with one thread."""
    module = [sys.executable, "-m", "tests.benchmarks.scaling"]
    compute = json.loads(run([*module, "compute"]))
    sizes = [compute[net]["nbytes"] for net in NETS]
    beside = Path(sys.executable).with_name("mpiexec")
    try:
        command = [str(beside) if beside.exists() else "mpiexec", "-n", "2", *module, "link"]
        bandwidths = json.loads(run([*command, *map(str, sizes)]))
    except (OSError, subprocess.CalledProcessError):
        bandwidths = [None] * len(sizes)
    return {
        net: Measured(
            compute[net]["nbytes"],
            {int(samples): Compute(*times) for samples, times in compute[net]["times"].items()},
            bandwidth,
        )
        for net, bandwidth in zip(NETS, bandwidths)
    }


def run(command: list[str]) -> str:
    """What a command prints."""
    settings = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=settings).stdout


def measure_compute(task: Training) -> dict[str, object]:
    """The bytes of a net's gradients; for batches of 1, 2, 4 … samples the seconds of step and backward."""
    import tinygrad_conv as tg

    from .frameworks.base import Settings
    from .frameworks.ours import Ours

    times, size = {}, 1
    while size <= task.samples:
        weights, images, targets = for_training(task._replace(samples=size))
        model, x, target = (
            Ours(Settings(threads=1)).model(task.net, weights),
            tg.tensor(images),
            tg.tensor(targets),
        )
        optimizer = tg.optim.SGD(model.parameters(), lr=0.01)
        ways = [], []
        for _ in range(ROUNDS):
            optimizer.zero_grad()
            began = time.process_time()
            loss = tg.mse_loss(model(x), target)
            forward = time.process_time()
            loss.backward()
            back = time.process_time()
            optimizer.step()
            ways[0].append(time.process_time() - began)
            ways[1].append(back - forward)
        times[size] = [min(way) for way in ways]
        size *= 2
    return {"nbytes": sum(weight.nbytes for weight in weights), "times": times}


def measure_link(sizes: list[int]) -> None:
    """Print bytes per second of an Allreduce between two ranks, as `exchange` counts them, for each size."""
    from tinygrad_conv.parallel.ranks import ranks_of

    ranks = ranks_of()
    bandwidths = []
    for nbytes in sizes:
        numbers = np.ones(nbytes // 4, np.float32)
        seconds = shortest_time(lambda numbers=numbers: ranks.helpers.sum(numbers, "the benchmark"), 50)
        bandwidths.append(exchange(nbytes, ranks.size, 1.0) / seconds)
    if ranks.rank == 0:
        print(json.dumps(bandwidths))


def shortest_time(call: Callable[[], object], rounds: int) -> float:
    """Seconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def paper(net: str, samples: int, measured: Measured) -> str:
    """The two tables of a net, and where it stops paying."""
    links = {**LINKS, **({"here": measured.here} if measured.here else {})}
    whole = measured.compute[samples]
    title = f"{net}: {measured.nbytes / 1000:,.0f} kB of gradients; {samples} samples take "
    title += f"{show_time(whole.step)} here, {show_time(whole.backward)} of it backward"
    if measured.here:
        title += f"; two ranks here exchange {measured.here / 1e9:.1f} GB/s"
    kinds = {f"{samples} samples on each rank": False, f"{samples} samples on all ranks": True}
    parts = [title]
    for kind, is_shared in kinds.items():
        rows = [row(ranks, samples, measured, links, is_shared) for ranks in RANKS]
        header = ["ranks", *(name for link in links for name in (link, "overlapped"))]
        parts.append(table(f"\n{kind}: time of a step", header, rows))
    parts += ["", *(verdict(link, samples, measured, bandwidth) for link, bandwidth in links.items())]
    return "\n".join(parts)


def row(ranks: int, samples: int, measured: Measured, links: dict[str, float], is_shared: bool) -> list[str]:
    """The times of a step on so many ranks."""
    compute = compute_of(ranks, samples, measured, is_shared)
    seconds = [exchange(measured.nbytes, ranks, bandwidth) for bandwidth in links.values()]
    times = [step_time(compute, each, overlap) for each in seconds for overlap in (False, True)]
    return [str(ranks), *map(show_time, times)]


def compute_of(ranks: int, samples: int, measured: Measured, is_shared: bool) -> Compute:
    """What each rank computes; for a number of samples that was not measured, in proportion."""
    own = share(samples, ranks) if is_shared else samples
    nearest = min((size for size in measured.compute if size >= own), default=samples)
    return measured.compute[nearest]


def verdict(link: str, samples: int, measured: Measured, bandwidth: float) -> str:
    """Up to how many ranks a batch that is shared out pays, with overlap."""
    alone = shortest = measured.compute[samples].step
    paying = 1
    for ranks in RANKS:
        compute = compute_of(ranks, samples, measured, True)
        taken = step_time(compute, exchange(measured.nbytes, ranks, bandwidth), True)
        if taken < shortest and alone / taken >= PAYS * ranks:
            paying, shortest = ranks, taken
    fast = f"{alone / shortest:.1f} times as fast as one"
    return f"{link}: sharing out {samples} samples pays up to {show_count(paying, 'rank')}, {fast}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
