"""What the checks find wrong, before it is put into words."""

from __future__ import annotations


class Fault(Exception):
    """Something wrong with a function or its gradient: of which kind, in a word, and what is known about it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text
