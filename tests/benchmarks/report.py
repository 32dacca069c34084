"""What was measured, as tables for people."""

from __future__ import annotations

from statistics import median

from .cases import IMPORT
from .frameworks import ALL, OURS
from .limits import RIVAL, NotMeasured, above, convolutions, limits_table
from .load import TOLERABLE
from .measure import Plan, Results, later
from .ratios import geometric_mean, memory_ratio, ratio, summary, totals
from .tables import show_bytes, show_ratio, show_time, table
from .turns import Times


def report(results: Results, plan: Plan) -> str:
    """All tables, the limits last."""
    sections = []
    for group, cases in results.groups.items():
        match group:
            case "tape":
                sections.append(tape_table(results, cases))
            case "memory":
                sections.append(memory_table(results, cases, plan.peers))
            case "first":
                sections.append(first_table(results, cases, [OURS, *plan.peers]))
            case "growth":
                sections += growth_tables(results, cases, plan.peers)
            case _ if group == IMPORT:
                sections.append(import_table(results))
            case _:
                able = [peer for peer in plan.peers if any(peer in results.times[case] for case in cases)]
                sections += [part_table(results, group, cases, peer) for peer in able or (None,)]
                if len(able) > 1 and RIVAL in able:
                    sections.append(rival_table(results, group, cases, [OURS, *able]))
    return "\n\n".join([*sections, limits_table(results, plan.settings)])


def part_table(results: Results, group: str, cases: list[str], peer: str | None) -> str:
    """Each part's times, ours and a peer's if there is one, their ratio, and that of all parts together."""
    rows = []
    for case in cases:
        times, served = results.times[case], results.served[case]
        parts = list(times[OURS])
        for part in parts:
            rows.append(
                [case, part, *compared(times, [part], peer), disturbance(results, case), served[part] or ""]
            )
        if len(parts) > 1:
            rows.append([case, "together", *compared(times, parts, peer), disturbance(results, case), ""])
    names = [OURS, peer, f"{OURS} / {peer}"] if peer else [OURS]
    kernel = "kernel" if any(row[-1] for row in rows) else ""
    shown = table(
        f"{group} against {peer}" if peer else group, ["case", "part", *names, "others", kernel], rows
    )
    return f"{shown}\n{mean_of_twelve(results, peer)}" if peer and group == "convs" else shown


def rival_table(results: Results, group: str, cases: list[str], frameworks: list[str]) -> str:
    """Everybody's time over the rival's, all parts together: so the floor, numpy-by-hand, stands beside what
    we reach.
    """
    names, rows = [name for name in frameworks if name != RIVAL], []
    for case in cases:
        times = results.times[case]
        if RIVAL not in times:
            continue
        parts = list(times[RIVAL])
        theirs = totals(times[RIVAL], parts)
        has_all = [all(part in times.get(name, {}) for part in parts) for name in names]
        ratios = [
            show_ratio(ratio(totals(times[name], parts), theirs)) if complete else "-"
            for name, complete in zip(names, has_all)
        ]
        rows.append([case, show_time(median(theirs)), *ratios, disturbance(results, case)])
    return table(
        f"{group}: everybody over {RIVAL}",
        ["case", RIVAL, *(f"{name} / {RIVAL}" for name in names), "others"],
        rows,
    )


def mean_of_twelve(results: Results, peer: str) -> str:
    """One figure for the convolutions that limits are set for."""
    try:
        mean = geometric_mean(convolutions(results, peer))
    except NotMeasured:
        return f"{peer} has not done all of the twelve: there is no geometric mean"
    return f"geometric mean of the twelve, forward + dW + dX: {mean:.2f}"


def disturbance(results: Results, case: str) -> str:
    """What other programs took of the processors in the turns of a case; nothing where they took little."""
    shares = results.others.get(case)
    return f"{median(shares):.0%}" if shares and median(shares) > TOLERABLE else ""


def compared(times: Times, parts: list[str], peer: str | None) -> list[str]:
    """Our time, the peer's, and the ratio; dashes where the peer has no such thing."""
    ours = totals(times[OURS], parts)
    if peer is None:
        return [show_time(median(ours))]
    if any(part not in times.get(peer, {}) for part in parts):
        return [show_time(median(ours)), "-", "-"]
    theirs = totals(times[peer], parts)
    return [show_time(median(ours)), show_time(median(theirs)), show_ratio(ratio(ours, theirs))]


def tape_table(results: Results, cases: list[str]) -> str:
    """The cost of a call on a 4x4 array, in microseconds, and how much of it is not NumPy's."""
    header = ["case", "framework", "part", "µs", "above NumPy", "others"]
    rows = []
    for case in cases:
        for name, parts in results.times[case].items():
            for part, times in parts.items():
                base = "numpy backward" if part == "backward" else "numpy forward"
                cost = (
                    summary(above(parts, part, base))
                    if base in parts and not part.startswith("numpy")
                    else None
                )
                spread = (
                    f"{cost.middle * 1e6:.2f} [{cost.low * 1e6:.2f}-{cost.high * 1e6:.2f}]" if cost else ""
                )
                rows.append(
                    [case, name, part, f"{median(times) * 1e6:.2f}", spread, disturbance(results, case)]
                )
    return table("tape: one call on a 4x4 array", header, rows)


def memory_table(results: Results, cases: list[str], peers: list[str]) -> str:
    """Peak memory of whole steps."""
    shown = [name for case in cases for name in (case, later(case))]
    rows = [[case, *memory_cells(results, case, peers)] for case in shown]
    title = "memory: peak of a whole step above the floor; later: once everything is recorded, or compiled"
    return table(title, ["case", *memory_header(peers)], rows)


def first_table(results: Results, cases: list[str], frameworks: list[str]) -> str:
    """How long it takes until one has taken a step, and until steps are at their speed."""
    rows = [
        [case, name, *(show_time(median(times)) for times in results.first[case][name].values())]
        for case in cases
        for name in frameworks
        if name in results.first.get(case, {})
    ]
    title = "first: from an imported framework until the first step is done, and the third; nothing is cached"
    return table(title, ["case", "framework", "first", "third"], rows)


def memory_header(peers: list[str]) -> list[str]:
    """The names of the columns that `memory_cells` fills."""
    return [OURS, *(name for peer in peers for name in (peer, f"{OURS} / {peer}"))]


def memory_cells(results: Results, case: str, peers: list[str]) -> list[str]:
    """Our bytes, and each peer's with the ratio."""
    memory = results.memory[case]
    cells = [show_bytes(median(memory[OURS])) if OURS in memory else "-"]
    for peer in peers:
        if OURS in memory and peer in memory:
            cells += [show_bytes(median(memory[peer])), f"{memory_ratio(memory[OURS], memory[peer]):.2f}"]
        else:
            cells += ["-", "-"]
    return cells


def growth_tables(results: Results, cases: list[str], peers: list[str]) -> list[str]:
    """For each axis: how time and memory grow from one size to the next, and which kernels served."""
    axes = dict.fromkeys(case.rsplit("-", 1)[0] for case in cases)
    return [
        growth_table(results, axis, [case for case in cases if case.startswith(axis)], peers) for axis in axes
    ]


def growth_table(results: Results, axis: str, cases: list[str], peers: list[str]) -> str:
    """One axis."""
    ratios_header = [f"{OURS} / {peer}" for peer in peers]
    memory_names = [f"{column} memory" for column in memory_header(peers)]
    header = ["case", "time", "grown", *ratios_header, *memory_names, "others", "kernels"]
    rows, before = [], None
    for case in cases:
        times, served = results.times[case], results.served[case]
        parts = list(times[OURS])
        now = median(totals(times[OURS], parts))
        ratios = [compared(times, parts, peer)[2] for peer in peers]
        grown = f"x{now / before:.2f}" if before else ""
        kernels = " ".join(str(served[part]) for part in parts)
        memory = memory_cells(results, case, peers)
        rows.append([case, show_time(now), grown, *ratios, *memory, disturbance(results, case), kernels])
        before = now
    return table(f"{axis}: forward + dW + dX, from size to size", header, rows)


def import_table(results: Results) -> str:
    """Seconds, and over NumPy's."""
    imports, numpy = results.imports, results.imports["numpy"]
    rows = [
        [name, show_time(median(times)), show_ratio(ratio(times, numpy))] for name, times in imports.items()
    ]
    return table(f"import of {ALL[OURS].package} and others", ["package", "time", "over NumPy's"], rows)
