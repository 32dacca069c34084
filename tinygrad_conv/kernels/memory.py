"""Memory that stays with the process, so that a result does not have to be paged in anew each time.

glibc's malloc asks the kernel for fresh zeroed pages whenever a large array is made, and gives them back when
it is freed. Paging in costs more than most operations on the array. But malloc learns: once it has seen a
large allocation freed, it serves such sizes (up to 32 MB) from memory it keeps. So one such array is made and
freed here, when the package is imported; it is never touched, and therefore never takes any memory itself.
The effect is process-wide and harmless; other allocators ignore it.
"""

from __future__ import annotations

import numpy as np

LARGEST_THAT_MALLOC_LEARNS_FROM = (32 << 20) - 65536


def keep_freed_memory() -> None:
    """Teach malloc to keep what it gets back."""
    np.empty(LARGEST_THAT_MALLOC_LEARNS_FROM, np.uint8)
