"""What kind of wrong a gradient is, in a word and a sentence."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A kind of wrong, in a word, and what is to be said about it."""

    kind: str
    text: str


UNKNOWN = Finding(
    "unknown", "none of the usual mistakes explains it: compare the rule with the formula, term by term"
)
