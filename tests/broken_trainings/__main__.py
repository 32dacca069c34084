"""`python -m tests.broken_trainings seen|kept|fresh|blind [NAME…] [--show]`."""

from __future__ import annotations

import argparse
import sys

from .docstring import SETS, Training, trainings
from .examination import Verdict, examine


def main(arguments: list[str] | None = None) -> int:
    """Examine the doctor: print each verdict as it comes, and last how many were right."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.broken_trainings", description="Examine the doctor."
    )
    parser.add_argument("set", choices=SETS)
    parser.add_argument("names", nargs="*", metavar="NAME", help="these scripts alone")
    parser.add_argument("--show", action="store_true", help="the whole of each report, and the right reason")
    options = parser.parse_args(arguments)
    verdicts = []
    print(f"{'script':32} exit   verdict")
    for training in chosen(options.set, options.names, parser):
        verdict = examine(training)
        verdicts.append(verdict)
        print(in_full(verdict) if options.show else verdict, flush=True)
    return summary(verdicts)


def chosen(set_name: str, names: list[str], parser: argparse.ArgumentParser) -> list[Training]:
    """The trainings of a set that were asked for: all, without names."""
    known = trainings(set_name)
    unknown = set(names) - {training.name for training in known}
    if unknown:
        parser.error(f"no script in {set_name} is called {', '.join(sorted(unknown))}")
    return [training for training in known if not names or training.name in names]


def in_full(verdict: Verdict) -> str:
    """A verdict with the whole report, to be read by a person."""
    training = verdict.training
    known = [training.summary, training.reason] if training.broken else [training.summary]
    return "\n".join([verdict.row(), *(f"    # {line}" for line in known), verdict.report])


def summary(verdicts: list[Verdict]) -> int:
    """Print the last line; a healthy script that could not be examined counts as a false alarm."""
    broken = [verdict for verdict in verdicts if verdict.training.broken]
    healthy = [verdict for verdict in verdicts if not verdict.training.broken]
    passed = sum(verdict.right for verdict in broken)
    alarms = sum(not verdict.right for verdict in healthy)
    print(f"passed {passed} of {len(broken)}; false alarms {alarms} of {len(healthy)}")
    return 0 if passed == len(broken) and not alarms else 1


if __name__ == "__main__":
    sys.exit(main())
