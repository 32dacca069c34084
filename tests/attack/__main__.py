"""`python -m tests.attack CAMPAIGN [--seconds N] [--seed S] [--trial T]`."""

from __future__ import annotations

import argparse
import importlib
import secrets
import sys
from pathlib import Path

from .campaign import Campaign, Result, run, until

NO_CAMPAIGNS = {"__init__", "__main__", "campaign"}


def campaigns() -> list[str]:
    """The names of the campaigns there are."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NO_CAMPAIGNS)


def campaign_named(name: str) -> Campaign:
    """A campaign by the name of its file, each of which has it as `CAMPAIGN`."""
    campaign: Campaign = importlib.import_module(f"tests.attack.{name}").CAMPAIGN
    return campaign


def main(arguments: list[str] | None = None) -> int:
    """Attack, print each failure as it is found, and last how many trials passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description="Attack the library.")
    parser.add_argument("campaign", choices=campaigns())
    parser.add_argument("--seconds", type=float, default=30, help="for how long (30)")
    parser.add_argument("--seed", type=int, default=None, help="to repeat an attack; printed by each")
    parser.add_argument("--trial", type=int, default=None, help="one trial alone")
    options = parser.parse_args(arguments)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    trials = until(options.seconds) if options.trial is None else [options.trial]
    print(f"{options.campaign}: seed {seed}")
    result = Result(0, [])
    for failure in run(campaign_named(options.campaign), trials, seed):
        result.trials += 1
        if failure is not None:
            result.failures.append(failure)
            print(failure, flush=True)
    print(result)
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())
