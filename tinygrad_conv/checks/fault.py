"""What the checks find wrong, before it is put into words."""

from __future__ import annotations

from typing import Any

from ..engine.declare import Rule


class Fault(Exception):
    """Something wrong with a function or its gradient: of which kind, in a word, and what is known about it.

    call: the call of an op that it was seen in, and rule: the rule it comes from, where the one who saw it
    knows.
    """

    def __init__(self, kind: str, text: str, call: Any = None, rule: Rule | None = None) -> None:
        super().__init__(text)
        self.kind, self.text, self.call, self.rule = kind, text, call, rule
