"""Run programs, all of them if none is named, or have a rank fail."""

from __future__ import annotations

import sys
import traceback

from tinygrad_conv import parallel

from . import accumulation, gradients, models, norms, replays, together  # noqa: F401 (they declare programs)
from .common import PROGRAMS, RANK, SIZE
from .failures import FAILURES, fail


def main(names: list[str]) -> None:
    """Those that are named."""
    if names and names[0] in FAILURES:
        fail(names[0])
        return
    for name in names or PROGRAMS:
        try:
            PROGRAMS[name]()
        except BaseException:
            print(f"{name} fails on rank {RANK} of {SIZE}:\n{traceback.format_exc()}", flush=True)
            raise
        parallel.barrier()
        parallel.print_main(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
