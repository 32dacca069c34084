"""What could ever fit into memory: asked before anything is allocated."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from .errors import SizeError, show_shape

LIMITS_OF_CONTAINERS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
ADDRESSES = 2**47  # what a process can address, where the system does not say how much there is


@lru_cache(maxsize=1)
def memory_size() -> int:
    """The memory of this machine in bytes, or of the container around this process, if it has less."""
    sizes = [ADDRESSES]
    try:
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        pass
    for path in LIMITS_OF_CONTAINERS:
        try:
            sizes.append(int(path.read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such limit, or "max"
            continue
    return min(size for size in sizes if size > 0)


memory_size()  # asked once and here, where no debugger steps into it


def check_fits(op: str, argument: str, value: Any, shape: Iterable[int], itemsize: int) -> None:
    """Refuse a result that is larger than the whole memory, by the argument that makes it so."""
    sizes = tuple(shape)
    needed = math.prod(sizes) * itemsize
    if needed > memory_size():
        raise SizeError(
            f"{op}: {argument} {shortened(value)} asks for an array {show_shape(sizes)} of "
            f"{show_bytes(needed)}; there are {show_bytes(memory_size())} of memory"
        )


def shortened(value: Any) -> str:
    """A value of an argument in at most 60 characters."""
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def show_bytes(count: int) -> str:
    """`7.5 GB`."""
    if count >= 10**18:
        return "over 1000 PB"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:.3g} PB"
