"""The few shapes of HTML that all pictures in notebooks are made of.

Every style is said in the element: notebooks have styles of their own, and some take away style sheets, and
scripts. Text is in the notebook's colour, dark or light; lines are half-transparent grey.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

LINE = "#8888"  # half-transparent grey: seen on white and on black
BLOCK = "font-family: monospace; white-space: pre-wrap; line-height: 1.25; text-align: left; margin: 0"
TABLE = "border-collapse: collapse; font-family: monospace; border: none; margin: 0.3em 0"
CELL = "padding: 0.1em 1.2em 0.1em 0; border: none; vertical-align: top; "
NAME = f"{CELL}text-align: left; white-space: nowrap"
WORDS = f"{CELL}text-align: left"  # they may go on in another line
NUMBERS = f"{CELL}text-align: right; white-space: nowrap"
HEAD = f"; border-bottom: 1px solid {LINE}; font-weight: bold"
ROWS = 60  # at most, of a table


def block(text: str, tallest: str = "") -> str:
    """A text as it is in a terminal; with `tallest`, a length, one that scrolls beyond it."""
    scrolls = f"; max-height: {tallest}; overflow-y: auto" if tallest else ""
    return f'<pre style="{BLOCK}{scrolls}">{escape(text)}</pre>'


def caption(text: str) -> str:
    """A line of small print."""
    return f'<div style="text-align: left"><small>{escape(text)}</small></div>'


def disclosure(title: str, content: str) -> str:
    """What a click on its title opens, without a script."""
    return f'<details><summary style="cursor: pointer">{escape(title)}</summary>{content}</details>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: Iterable[int] = ()) -> str:
    """A table of plain text; columns of `words` to the left, all others, which are numbers, to the right.

    Beyond `ROWS` rows its middle is left out.
    """
    listed = list(rows)
    left = frozenset(words)
    half = ROWS // 2
    left_out = max(len(listed) - ROWS, 0)
    shown = [*listed[:half], *listed[-half:]] if left_out else listed
    lines = [table_row("td", row, left) for row in shown]
    if left_out:
        lines.insert(half, f'<tr><td colspan="{len(head)}" style="{WORDS}">… {left_out:,} more …</td></tr>')
    lines.insert(0, table_row("th", head, left))
    return f'<div style="overflow-x: auto"><table style="{TABLE}">{"".join(lines)}</table></div>'


def table_row(tag: str, texts: Sequence[str], left: frozenset[int]) -> str:
    """A row of a table, of heads (th) or of data (td)."""
    underlined = HEAD if tag == "th" else ""
    styles = [WORDS if column in left else NUMBERS for column in range(len(texts))]
    styles[0] = NAME if 0 in left else NUMBERS
    cells = [
        f'<{tag} style="{style}{underlined}">{escape(text)}</{tag}>' for text, style in zip(texts, styles)
    ]
    return f"<tr>{''.join(cells)}</tr>"
