"""The command line of `port`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from .findings import Finding, Source, count_them, read_source
from .reader import read

DESCRIPTION = """Read scripts of PyTorch's (.py, or the cells of an .ipynb), and list each line that must be
written otherwise for tinygrad_conv, and how. Nothing is run. The status is 0 where there is none, 1 where
there is, 2 for a file that cannot be read."""


def add_command(commands: Any) -> None:
    """Add `port` to the command line."""
    command: argparse.ArgumentParser = commands.add_parser(
        "port",
        help="what must be written otherwise in a script of PyTorch's, and how",
        description=DESCRIPTION,
    )
    command.add_argument("scripts", nargs="+", metavar="SCRIPT", help="a .py or .ipynb file")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    return max(port(Path(script)) for script in options.scripts)


def port(path: Path) -> int:
    """List what must be written otherwise in a file; the status."""
    try:
        source = read_source(path)
        findings = read(source.tree)
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        print(f"port: {path} cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print_findings(source, findings)
    return int(bool(findings))


def print_findings(source: Source, findings: list[Finding]) -> None:
    """Print a line for each, and the counts."""
    for finding in findings:
        print(f"{source.place(finding.line)}: {finding}")
    print(f"{source.name}: {count_them(findings)}")
