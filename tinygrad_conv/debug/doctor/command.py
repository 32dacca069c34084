"""The command `doctor`: runs a script in a process of its own, watches its first steps, and reports."""

from __future__ import annotations

import argparse
import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from bdb import BdbQuit
from pathlib import Path
from typing import Any

from ...engine.location import PACKAGE_FOLDER
from ...errors import show_count
from ..script import add_script, positive, print_error
from .thresholds import STEPS

HEALTHY, FINDINGS, NOT_EXAMINED = 0, 1, 2
MOST_REST = 6  # steps and backwards after those that are watched, for each: a second training may begin
LEAST_REST = 1.0  # seconds; else as long as the watched steps took
MICRO_BATCHES = 8  # backwards for each step that are waited for, where steps do not come


def add_command(commands: Any) -> None:
    """Add `doctor` to the command line."""
    command: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="run a script and say why its net does not learn",
        description="Run a training script as it is in a process of its own, watch its first steps (and, if "
        "a second training begins soon after, the first of that), end it, and report what is wrong, the "
        "worst first. The exit status is 0 if nothing is, 1 if something is, "
        "2 if the script could not be examined.",
    )
    command.add_argument(
        "--steps", type=positive, default=STEPS, metavar="K", help=f"steps to watch (default: {STEPS})"
    )
    command.add_argument("--flow", action="store_true", help="print the gradient flow by layer too")
    add_script(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the script in another process, and print its report."""
    script = Path(options.script)
    if not script.is_file():
        print(f"doctor: there is no file {options.script}", file=sys.stderr)
        return NOT_EXAMINED
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "report.json"
        program = f"from {__name__} import watch_script; watch_script()"
        asked = [str(answer), str(options.steps), "flow" * options.flow, str(script), *options.arguments]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(own_path())}
        try:
            done = subprocess.run([sys.executable, "-c", program, *asked], env=environment, check=False)
        except KeyboardInterrupt:
            return NOT_EXAMINED
        if not answer.is_file():
            print(
                f"doctor: {script} ended with status {done.returncode} before it could be examined",
                file=sys.stderr,
            )
            return NOT_EXAMINED
        told = json.loads(answer.read_text(encoding="utf-8"))
    print(told["report"], file=sys.stderr if told["status"] == NOT_EXAMINED else sys.stdout)
    return int(told["status"])


def own_path() -> list[str]:
    """The folders that modules are imported from, this package's among them."""
    package = str(Path(PACKAGE_FOLDER).parent)
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [package, *(folder for folder in known if folder and folder != package)]


def watch_script() -> None:
    """In the process of the script: run it as `__main__`, watched, and write the report."""
    from .examination import Doctor

    answer, steps, with_flow, script = sys.argv[1:5]
    sys.argv[:] = sys.argv[4:]
    sys.path[0] = str(Path(script).resolve().parent)

    begun = until = time.monotonic()  # the watched steps; the end of the wait for others
    told: list[dict[str, Any]] = []  # the report at the end of the steps, while the script runs on

    def after_round() -> None:
        nonlocal until
        if doctor.watch.is_resting:
            if doctor.watch.rested > MOST_REST * int(steps) or time.monotonic() > until:
                end(told[0], Path(answer))
        elif told and doctor.history.rounds < 2 * int(steps) or doctor.history.rounds < int(steps):
            return
        elif told or not may_go_on(doctor):
            end(report_of(doctor, bool(with_flow)), Path(answer))
        else:
            told.append(report_of(doctor, bool(with_flow)))
            until = 2 * time.monotonic() - begun + LEAST_REST
            doctor.watch.rest()

    doctor = Doctor(after_round=after_round, prints=False)
    doctor.watch.most_sweeps = int(steps) * MICRO_BATCHES
    try:
        with doctor:
            runpy.run_path(script, run_name="__main__")
    except (SystemExit, BdbQuit):
        pass
    except Exception as error:
        print_error(error)
    end(told[0] if doctor.watch.is_resting else report_of(doctor, bool(with_flow)), Path(answer))


def may_go_on(doctor: Any) -> bool:
    """Whether the script may have a second training, which it is worth to wait for: not one without steps."""
    return bool(doctor.history.steps) and len(doctor.history.sweeps) < doctor.watch.most_sweeps


def report_of(doctor: Any, with_flow: bool) -> dict[str, Any]:
    """The report on what was seen up to now, and the exit status."""
    doctor.close()
    history, script = doctor.history, sys.argv[0]
    status = HEALTHY if doctor.is_healthy else FINDINGS
    text = str(doctor)
    if not history.sweeps and not history.steps and not (history.error is not None and history.ops):
        status = NOT_EXAMINED
        went = f"{script} went backward {show_count(len(history.sweeps), 'time')}"
        text = f"doctor: {went}: there was nothing to examine"
    elif with_flow:
        text = f"{text}\n\n{doctor.flow}"
    return {"report": text, "status": status}


def end(told: dict[str, Any], answer: Path) -> None:
    """Write the report, and end the process there and then: no handler of the script's runs after this."""
    answer.write_text(json.dumps(told), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
