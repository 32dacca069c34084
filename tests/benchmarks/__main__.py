"""The command line of the benchmark.

python -m tests.benchmarks                                   everything, against PyTorch
python -m tests.benchmarks steps conv-vgg --against torch jax mygrad pydynet numpy-einsum numpy-by-hand
python -m tests.benchmarks steps --replay --against torch torch-compile jax tinygrad
python -m tests.benchmarks scaling                           on paper: training on 1 to 256 ranks
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from . import scaling
from .cases import GROUPS, IMPORT, NEEDS, chosen
from .frameworks import ALL, PEERS, installed
from .frameworks.base import Settings
from .load import OthersWatched, verdict
from .measure import Plan, measure
from .report import report
from .turns import BenchmarkError, Effort


def parser() -> argparse.ArgumentParser:
    """The options."""
    it = argparse.ArgumentParser(
        "python -m tests.benchmarks", description="This project and others at the same work."
    )
    it.add_argument("case", nargs="*", help="groups of cases, or single ones; all of them if none is named")
    it.add_argument(
        "--against",
        nargs="*",
        metavar="PEER",
        choices=PEERS,
        default=["torch"],
        help=f"among {', '.join(PEERS)}",
    )
    it.add_argument("--json", metavar="F", help="write all that was measured to this file")
    it.add_argument("--list", action="store_true", help="show the groups and their cases")
    it.add_argument("--rounds", type=int, default=7, help="turns of each framework at each case (default 7)")
    it.add_argument(
        "--seconds", type=float, default=0.05, help="how long a part is timed in a turn (default 0.05)"
    )
    it.add_argument(
        "--patience", type=float, default=2.0, help="seconds to repeat a disturbed turn for (default 2)"
    )
    it.add_argument("--threads", type=int, help="our threads; the peers have their default")
    it.add_argument("--without-fast", action="store_true", help="ours as if BLAS could not be held")
    it.add_argument(
        "--plain-order", action="store_true", help="ours on images in C order, not in that of our results"
    )
    it.add_argument("--replay", action="store_true", help="our training steps recorded and replayed")
    return it


def main(arguments: list[str]) -> int:
    """Measure, print the tables. 0, or 1 if something failed or did other work than we do."""
    if arguments == ["scaling"]:
        return scaling.main([])
    options = parser().parse_args(arguments)
    if options.list:
        print(
            "\n".join(f"{group}: {' '.join(cases)}" for group, cases in [*GROUPS.items(), (IMPORT, [IMPORT])])
        )
        return 0
    try:
        groups = chosen(options.case)
    except ValueError as error:
        parser().error(str(error))
    for case, package in NEEDS.items():
        if find_spec(package) is None and case in groups.get("epochs", []):
            print(f"left out, for it needs {package}: {case}\n")
            groups["epochs"].remove(case)
    groups = {group: cases for group, cases in groups.items() if cases}
    peers = [peer for peer in dict.fromkeys(options.against) if installed(peer)]
    if missing := [peer for peer in options.against if peer not in peers]:
        print(f"left out, for it is not installed, or its compiler is not: {', '.join(missing)}\n")
    plan = Plan(
        groups,
        peers,
        Effort(max(1, options.rounds), options.seconds, options.patience),
        Settings(options.without_fast, options.threads, options.plain_order, options.replay),
    )
    try:
        with OthersWatched() as others:
            results = measure(plan, tell=lambda case: print(case, file=sys.stderr, flush=True))
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        with open(options.json, "w") as file:
            about = {"machine": machine(peers), "options": vars(options), "others' share": others.share}
            json.dump({**about, **results._asdict()}, file, indent=1)
    turns = [share for shares in results.others.values() for share in shares]
    print(report(results, plan), verdict(others.share, turns), sep="\n\n")
    if told := told_to_libraries():
        print(
            "These figures depend on what the environment says:",
            *(f"{name}={value}" for name, value in told.items()),
        )
    return 0


def machine(peers: list[str]) -> dict[str, Any]:
    """What the figures depend on."""
    packages = ["numpy", "threadpoolctl", *(ALL[peer].package for peer in peers)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    about = {
        "system": platform.platform(),
        "processor": platform.processor(),
        "cores": cores,
        "python": sys.version,
    }
    versions = {package: version_of(package) for package in packages}
    return {**about, "environment": told_to_libraries(), "packages": versions}


def told_to_libraries() -> dict[str, str]:
    """The environment's words to libraries of numbers: how many threads, or for which processor. Each heeds
    only its own.
    """
    return {
        name: value for name, value in os.environ.items() if name.startswith(("OPENBLAS_", "OMP_", "MKL_"))
    }


def version_of(package: str) -> str | None:
    """The installed version, if any."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
