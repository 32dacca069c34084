"""What the judge says of the catalogue: `python -m tests.tools.catalogue_figures [HALF] [--show]`.

HALF is "seen" (the default) or "kept back". It counts the judge's kinds by the catalogue's; with --show it
prints each diagnosis beside what is true, for a person to judge.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

from tests.tools.catalogue import Broken, call_of, loaded, mistakes
from tinygrad_conv.checks import gradcheck
from tinygrad_conv.errors import GradcheckError


def diagnosis(broken: Broken, folder: Path) -> tuple[str, str]:
    """(kind, diagnosis) that the judge gives; "passed" where it finds nothing wrong."""
    with loaded(broken.source, broken.op, folder) as module, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fn, leaves = call_of(module, broken.op)
        try:
            gradcheck(fn, *leaves, order=broken.order, repair=False)
        except GradcheckError as error:
            return error.kind, str(error).partition("diagnosis: ")[2]
        except Exception as error:  # the rule's own
            return "raised", str(error).splitlines()[0]
    return "passed", ""


def main() -> None:
    show = "--show" in sys.argv
    half = next((argument for argument in sys.argv[1:] if argument != "--show"), "seen")
    counts: dict[str, Counter[str]] = {}
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for broken in mistakes(half):
            kind, text = diagnosis(broken, Path(folder))
            counts.setdefault(broken.kind, Counter())[kind] += 1
            if show:
                print(f"{broken.rule} | {broken.kind} | {broken.says}\n    {kind}: {text}", flush=True)
    for truth, kinds in sorted(counts.items()):
        print(f"{truth:20} {dict(kinds)}")
    total = sum(counts.values(), Counter[str]())
    unknown = total["unknown"] + total["passed"]
    took = time.perf_counter() - start
    print(f"{total.total()} broken rules, {unknown} without a statement, in {took:.0f} s: {dict(total)}")


if __name__ == "__main__":
    main()
