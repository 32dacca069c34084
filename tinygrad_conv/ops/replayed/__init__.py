"""How ops are prepared for a replay, by family as in the folder above: `op.replayed`.

Imported by `replay` alone. Each function here is called once for a line of a program, and returns what is
called in each step: the same numbers as the forward or rule of the same name, with all that follows from
shapes settled. `out`: memory for the result, laid out as the recorded one; None: it must be fresh. `_` in its
place: the result is fresh anyway.
"""

from __future__ import annotations

from . import conv, linalg, loss, norm, pointwise, pool, shape  # noqa: F401 (importing declares them)
