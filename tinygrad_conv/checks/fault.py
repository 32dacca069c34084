"""What the checks find wrong, and what the diagnosis makes of it: a kind, in a word, and a sentence."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..engine.rule import Rule


class Fault(Exception):
    """Something wrong with a function or its gradient: of which kind, in a word, and what is known about it.

    call: the call of an op that it was seen in, rule: the rule it comes from, where the one who saw it knows;
    then order is that at which it was seen.
    """

    def __init__(
        self, kind: str, text: str, call: Any = None, rule: Rule | None = None, order: int = 1
    ) -> None:
        super().__init__(text)
        self.kind, self.text, self.call, self.rule, self.order = kind, text, call, rule, order


class Finding(NamedTuple):
    """A kind of wrong, in a word, and what is to be said about it."""

    kind: str
    text: str


UNKNOWN = Finding(
    "unknown", "none of the usual mistakes explains it: compare the rule with the formula, term by term"
)
