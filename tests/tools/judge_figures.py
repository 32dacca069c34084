"""How often the judge is right: `python -m tests.tools.judge_figures [ROUNDS]` breaks rules at random, and
counts its answers.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter

import numpy as np

from tests.tools.breakages import BREAKAGES
from tests.tools.broken import Trial
from tinygrad_conv.checks import gradcheck
from tinygrad_conv.errors import GradcheckError

UNSURE = "don't know"


def answer(trial: Trial) -> tuple[str, str]:
    """(kind, message) that the judge gives; "passed" where it finds nothing wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gradcheck(trial.function(), *trial.leaves(), order=trial.order, repair=False)
    except GradcheckError as error:
        return error.kind, str(error)
    return "passed", ""


def verdict(trial: Trial, kind: str) -> str:
    """right, wrong, or don't know."""
    if kind in trial.kind.split("-or-"):
        return "right"
    return UNSURE if kind == "unknown" else "wrong"


def count(rounds: int, show: bool = False) -> dict[str, Counter[str]]:
    """The verdicts by breakage."""
    counts = {breakage.__name__: Counter[str]() for breakage in BREAKAGES}
    for seed in range(rounds):
        for number, breakage in enumerate(BREAKAGES):
            trial = breakage(np.random.default_rng([seed, number]))
            kind, message = answer(trial)
            counts[breakage.__name__][verdict(trial, kind)] += 1
            if show and verdict(trial, kind) != "right":
                print(f"{breakage.__name__} (seed {seed}): {kind} instead of {trial.kind}\n{message}\n")
    return counts


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    counts = count(rounds, show=True)
    for name, count_of in counts.items():
        right, unsure, wrong = (count_of[verdict] for verdict in ("right", UNSURE, "wrong"))
        print(f"{name:34} right {right:4}   don't know {unsure:4}   wrong {wrong:4}")
    total = sum(counts.values(), Counter[str]())
    print(f"{sum(total.values())} broken rules of {len(counts)} kinds: {dict(total)}")


if __name__ == "__main__":
    main()
