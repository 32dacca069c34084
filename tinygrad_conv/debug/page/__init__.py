"""A recording as a page for the browser: one HTML file that needs no network and shows every step.

frame.py       what every page is
contents.py    what the page knows, as plain data; arrays.py  its arrays, thinned where they are large
products.py    of what each number of a gradient is the sum
explained.py   how each gradient comes about (debug/explanations), for the player
film.py        a training over time, and film.html, .css, .js; difference.py  two recordings side by side,
               likewise; both with the same numbers.js, reading.js, heatmap.js and page.css
program.py     the calls of a replayed step, their memory and times; program.html, .css, .js, and lanes.js
page.html      the frame; page.css, explanations.css; and the player, in the order in which it is read:
               numbers.js  reading.js  letters.js  heatmap.js  tape.js  products.js
               stamps.js  stamp_view.js  windows.js  pictures.js  overview_layout.js  overview.js
               curves.js  sums.js  matrices.js  pools.js  explanations.js  walk.js  player.js
               walk.js, of all pages: buttons, slider, keys and addresses
"""

from __future__ import annotations

from collections.abc import Container

from ...errors import show_count
from ..explanations import ops_explained_in
from ..listing import Tape
from ..recorded import Recorded
from .contents import contents_of, plain_list
from .frame import Page
from .products import ROLES

STYLES = ("page.css", "explanations.css")
SCRIPTS = (
    "numbers.js",
    "reading.js",
    "letters.js",
    "heatmap.js",
    "tape.js",
    "products.js",
    "stamps.js",
    "stamp_view.js",
    "windows.js",
    "pictures.js",
    "overview_layout.js",
    "overview.js",
    "curves.js",
    "sums.js",
    "matrices.js",
    "pools.js",
    "explanations.js",
    "walk.js",
    "player.js",
)

ONLY_FOR: dict[str, Container[str]] = {
    **dict.fromkeys(("letters.js", "stamps.js", "stamp_view.js", "windows.js"), ROLES),
    "matrices.js": ops_explained_in("linear"),
    "pools.js": ops_explained_in("pooling"),
}
"""Scripts that a page does without where it has none of these ops: so it has more room for arrays."""


def headline(shown: Recorded | Tape) -> str:
    """What a page is called if nobody says."""
    if isinstance(shown, Tape):
        return f"A tape of {show_count(len(shown), 'op')}"
    return f"A backward through {show_count(len(shown), 'op')}"


def scripts_for(shown: Recorded | Tape) -> list[str]:
    """The scripts that a page needs for its ops."""
    names = {line.op for line in shown}
    return [
        script
        for script in SCRIPTS
        if script not in ONLY_FOR or any(name in ONLY_FOR[script] for name in names)
    ]


def text_of(shown: Recorded | Tape) -> str:
    """What is shown as text."""
    return repr(shown) if isinstance(shown, Tape) else str(shown)


PAGE = Page("page.html", STYLES, scripts_for, headline, contents_of, plain_list, text_of)
"""Of a recording, or of a tape, which has no arrays."""

write, html, embedded = PAGE.write, PAGE.html, PAGE.embedded
