"""Training on more ranks than there are, on paper: the formula, and what the command measures and prints."""

from __future__ import annotations

import pytest

from .benchmarks.__main__ import main
from .benchmarks.scaling import LINKS, Compute, Measured, exchange, paper, share, step_time

MEASURED = Measured(1_000_000, {size: Compute(size * 1e-3, size * 5e-4) for size in (1, 2, 4, 8)}, None)


def test_an_exchange_is_the_formula() -> None:
    assert exchange(1e9, 1, 1e9) == 0
    assert exchange(1e9, 2, 1e9) == 1
    assert exchange(1e9, 4, 1e9) == 1.5
    assert exchange(1e6, 256, 125e6) == pytest.approx(2 * 255 / 256 * 8e-3)


def test_what_finds_room_in_the_backward_costs_nothing() -> None:
    compute = Compute(step=10.0, backward=6.0)
    assert step_time(compute, 5.0, overlap=False) == 15
    assert step_time(compute, 5.0, overlap=True) == 10
    assert step_time(compute, 8.0, overlap=True) == 12


@pytest.mark.parametrize(("ranks", "most"), [(1, 10), (3, 4), (10, 1), (256, 1)])
def test_a_step_waits_for_the_rank_with_most_samples(ranks: int, most: int) -> None:
    assert share(10, ranks) == most


def test_the_tables_have_a_line_for_each_number_of_ranks() -> None:
    said = paper("a net", 8, MEASURED)
    assert said.startswith("a net: 1,000 kB of gradients; 8 samples take 8 ms here, 4 ms of it backward\n")
    rows = [line.split("  ") for line in said.splitlines() if line.startswith(("4 ", "256 "))]
    each = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    # 4 ranks: 12 ms by 1 Gbit/s, 1.2 by 10, 0.12 by 100; the backward of 8 samples hides 4 ms, of 2 one
    assert each[0] == ["4", "20 ms", "16 ms", "9.2 ms", "8 ms", "8.12 ms", "8 ms"]
    assert each[2] == ["4", "14 ms", "13 ms", "3.2 ms", "2.2 ms", "2.12 ms", "2 ms"]
    assert len(each) == 4
    assert "1 Gbit/s: sharing out 8 samples pays up to 1 rank, 1.0 times" in said
    assert "100 Gbit/s: sharing out 8 samples pays up to 8 ranks, 8.0 times as fast as one" in said
    assert len(LINKS) == 3


@pytest.mark.mpi
@pytest.mark.exhaustive
def test_the_command_measures_and_prints(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mpi4py")
    assert main(["scaling"]) == 0
    printed = capsys.readouterr().out
    assert "lenet: 247 kB of gradients; 64 samples take " in printed
    assert "cifar: 389 kB of gradients; 32 samples take " in printed
    assert printed.count("two ranks here exchange") == 2 and printed.count("pays up to") == 8
