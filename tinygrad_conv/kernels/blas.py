"""The BLAS library that NumPy multiplies matrices with: its own threads, and what processors it knows.

A product of BLAS's own threads is slow where other programs keep the processors busy: its threads wait for
each other by spinning, and a training takes many times as long. So large kernels hold BLAS at one thread, and
have others of their own (`threads`).

OpenBLAS, which NumPy's wheels bring, is asked itself: NumPy's compiled module is in this process, and a
symbol that is looked up in it is looked up in what it is linked with, too. So it is the library that NumPy
computes with, wherever it lies, and never a second copy. All others (MKL, BLIS, an OpenBLAS with OpenMP's
threads) take `threadpoolctl`, the extra `fast`. Where neither helps, BLAS keeps its threads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

# OpenBLAS's names for AVX-512; Zen 4 and 5 go by them
UNPACKING_ARCHITECTURES = ("SkylakeX", "Cooperlake", "SapphireRapids")
SYMBOLS = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")  # wheels first
OPENMP = 2  # what OpenBLAS calls it


class Blas(NamedTuple):
    """A BLAS library: its own number of threads, and what processors it takes this one for."""

    get_threads: Callable[[], int]
    set_threads: Callable[[int], object]
    architecture: str


@cache
def libraries() -> tuple[Blas, ...]:
    """The BLAS libraries whose threads can be told their number; looked for once, for that takes a while."""
    return openblas() or by_threadpoolctl()


def openblas() -> tuple[Blas, ...]:
    """NumPy's OpenBLAS, if it is one with threads of its own.

    They do what they are told by any thread, while newer versions of threadpoolctl obey only the first thread
    to ask. And its functions are ten times as fast as threadpoolctl's.
    """
    try:
        linked = numpys_libraries()
    except (ImportError, OSError, LookupError):  # no ctypes, or NumPy is built in another way
        return ()
    controllers = [controls(library, symbol) for library in linked for symbol in SYMBOLS]
    return tuple([blas for blas in controllers if blas is not None][:1])


def numpys_libraries() -> list[Any]:
    """What NumPy's compiled code is linked with. It is in this process: nothing is loaded."""
    from ctypes import CDLL

    if os.name == "nt":  # where a library tells of its own functions alone
        folder = Path(np.__file__).parents[1] / "numpy.libs"
        return [CDLL(str(file)) for file in folder.glob("*openblas*.dll")]
    core = "numpy.core" if np.__version__.startswith("1.") else "numpy._core"
    return [CDLL(sys.modules[f"{core}._multiarray_umath"].__file__)]


def controls(library: Any, symbol: str) -> Blas | None:
    """The functions of an OpenBLAS, if it goes by these symbols."""
    if not hasattr(library, symbol.format("get_num_threads")):
        return None
    getter, setter, parallel, name = (
        library[symbol.format(function)]
        for function in ("get_num_threads", "set_num_threads", "get_parallel", "get_corename")
    )
    if parallel() == OPENMP:  # its number is a thread's, not the library's
        return None
    from ctypes import c_char_p

    name.restype = c_char_p
    return Blas(getter, setter, name().decode())


def by_threadpoolctl() -> tuple[Blas, ...]:
    """What threadpoolctl finds, if it is installed."""
    if find_spec("threadpoolctl") is None:
        return ()
    from threadpoolctl import ThreadpoolController

    controllers = ThreadpoolController().select(user_api="blas").lib_controllers
    return tuple(
        Blas(each.get_num_threads, each.set_num_threads, str(getattr(each, "architecture", "")))
        for each in controllers
    )


@cache
def blas_multiplies_unpacked() -> bool:
    """Whether BLAS is known to multiply small matrices where they lie, without packing them: see `gemm`."""
    return any(library.architecture in UNPACKING_ARCHITECTURES for library in libraries())


class blas_held:
    """`with blas_held():` BLAS has one thread inside, if that can be arranged.

    Several threads of the user's may be inside: the first to enter holds BLAS, the last to leave restores it.
    """

    __slots__ = ("_hold",)

    def __enter__(self) -> None:
        hold = self._hold = _hold
        with hold.lock:
            hold.holders += 1
            if hold.holders == 1:
                hold.begin()

    def __exit__(self, *error: object) -> None:
        hold = self._hold
        with hold.lock:
            hold.holders -= 1
            if hold.holders == 0:
                hold.end()


class _Hold:
    """What threads share; a new one is made in a forked child, which inherits memory but no threads."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.holders = 0  # how many kernels, on different threads of the user's, want BLAS at one just now
        self.held: list[tuple[Blas, int]] = []  # BLAS libraries, and the number of threads each had

    def begin(self) -> None:
        """BLAS has one thread from now on."""
        self.held = [(library, library.get_threads()) for library in libraries()]
        for library, _ in self.held:
            library.set_threads(1)

    def end(self) -> None:
        """BLAS has its own number of threads again."""
        for library, threads in self.held:
            library.set_threads(threads)
        self.held = []


_hold = _Hold()


def _start_anew_after_fork() -> None:
    global _hold
    # another thread of the parent's may have held BLAS, and here is nobody left to release it
    _hold.end()
    _hold = _Hold()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew_after_fork)
