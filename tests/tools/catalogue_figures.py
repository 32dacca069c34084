"""What the judge says of the catalogue:

    python -m tests.tools.catalogue_figures [seen | kept | fresh | blind] [--no-repair]

A line for each mistake: its kind, what is wrong, and what the judge makes of it; then how many of each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from statistics import median

import tinygrad_conv as tg
from tests.tools.catalogue import Broken, call_of, loaded, mistakes
from tinygrad_conv.errors import GradcheckError

TOLD = ("diagnosis", "an edit", "no single", "FAILED")  # how the lines begin that say something


def message_of(broken: Broken, folder: Path, repair: bool) -> tuple[str, float]:
    """What gradcheck says of a mistake, and the seconds that it takes."""
    begun = time.perf_counter()
    with loaded(broken.source, broken.op, folder) as module, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function, inputs = call_of(module, broken.op)
        try:
            tg.gradcheck(function, *inputs, order=broken.order, repair=repair)
            text = "PASSED"
        except GradcheckError as error:
            text = str(error)
        except Exception as error:
            text = f"FAILED with {type(error).__name__}: {error}"
    return text, time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.catalogue_figures")
    parser.add_argument("half", nargs="?", choices=["seen", "kept", "fresh", "blind"], default="seen")
    parser.add_argument("--no-repair", action="store_true")
    options = parser.parse_args()
    half = "kept back" if options.half == "kept" else options.half
    counts, seconds = Counter[str](), []
    with tempfile.TemporaryDirectory() as folder:
        for broken in mistakes(half):
            text, took = message_of(broken, Path(folder), not options.no_repair)
            lines = [line.strip() for line in text.splitlines()]
            said = [
                line for line in lines if line.startswith(("diagnosis", "an edit", "no single", "FAILED"))
            ]
            repaired, known = "an edit" in text, "none of the usual mistakes" not in text
            counts["repair" if repaired else "finding alone" if known else "don't know"] += 1
            seconds.append(took)
            print(
                f"{broken.rule} | {broken.kind} | {broken.says} | {took:.1f} s",
                *said,
                sep="\n    ",
                flush=True,
            )
    print(dict(counts), f"median {median(seconds):.1f} s")


if __name__ == "__main__":
    main()
