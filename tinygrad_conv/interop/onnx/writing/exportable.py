"""The table of ops that can be written."""

from __future__ import annotations

from .rules import RULES


def exportable() -> dict[str, str]:
    """The ops that `export` writes, and how: `exportable()["conv2d"]` is 'Conv'.

    Options that cannot be written are refused with their reason.
    """
    return {op: summary_of(RULES[op].__doc__) for op in sorted(RULES)}


def summary_of(doc: str | None) -> str:
    """A rule's docstring as one sentence without its point."""
    return " ".join((doc or "").split()).removesuffix(".")
