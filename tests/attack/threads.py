"""Several threads on the same leaves: no gradient gets lost, and every result is a lone thread's."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

import tinygrad_conv as tg

from .campaign import Campaign


@dataclass
class Case:
    """So many threads, each of which goes backward so many times through a sum over the same leaf."""

    threads: int
    backwards: int
    size: int
    seed: int


class Threads(Campaign):
    """Whole numbers are added, so that the sum is the same in whatever order they come."""

    def make(self, random: np.random.Generator) -> Case:
        return Case(
            threads=int(random.integers(2, 9)),
            backwards=int(random.integers(1, 60)),
            size=int(random.integers(1, 40)),
            seed=int(random.integers(2**31)),
        )

    def check(self, case: Case) -> None:
        leaf = tg.ones(case.size, requires_grad=True)
        factors = np.random.default_rng(case.seed).integers(-3, 4, size=(case.threads, case.size))
        errors: list[BaseException] = []
        threads = [
            threading.Thread(
                target=go_backward, args=(leaf, factor.astype(np.float32), case.backwards, errors)
            )
            for factor in factors
        ]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)  # threads take turns as often as they can
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
        if errors:
            raise errors[0]
        np.testing.assert_array_equal(leaf.grad, case.backwards * factors.sum(axis=0))

    def smaller(self, case: Case) -> Iterable[Case]:
        for name in ("threads", "backwards", "size"):
            number = getattr(case, name)
            for fewer in (number // 2, number - 1):
                if fewer >= 1 and fewer != number:
                    yield replace(case, **{name: fewer})


def go_backward(leaf: tg.Tensor, factor: np.ndarray, backwards: int, errors: list[BaseException]) -> None:
    """One thread's work; what it raises is kept for the others."""
    try:
        for _ in range(backwards):
            (leaf * factor).sum().backward()
    except BaseException as error:
        errors.append(error)


CAMPAIGN = Threads()
