"""A recording as a page for the browser: one HTML file that needs no network and shows every step.

contents.py    what the page knows, as plain data; arrays.py  its arrays, thinned where they are large
products.py    of what each number of a gradient is the sum
explained.py   how each gradient comes about (debug/explanations), for the player
film.py        a training over time, and film.html, .css, .js; difference.py  two recordings side by side,
               likewise; both with the same numbers.js, heatmap.js and page.css, and reading.js
program.py     the calls of a replayed step, their memory and times; program.html, .css, .js, and lanes.js
page.html      the frame; page.css, explanations.css; and the player, in the order in which it is read:
               numbers.js  letters.js  heatmap.js  tape.js  products.js
               stamps.js  stamp_view.js  windows.js  pictures.js  overview_layout.js  overview.js
               curves.js  sums.js  matrices.js  pools.js  explanations.js  player.js
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Container, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from ...atomic_write import write_text
from ...errors import show_count
from ..explanations import ops_explained_in
from ..listing import Tape
from ..notebook.markup import block, disclosure
from ..recorded import Recorded
from .contents import contents_of, plain_list
from .products import ROLES

FOLDER = Path(__file__).parent
STYLES = ("page.css", "explanations.css")
SCRIPTS = (
    "numbers.js",
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
    "player.js",
)

ONLY_FOR: dict[str, Container[str]] = {
    **dict.fromkeys(("letters.js", "stamps.js", "stamp_view.js", "windows.js"), ROLES),
    "matrices.js": ops_explained_in("linear"),
    "pools.js": ops_explained_in("pooling"),
}
"""Scripts that a page does without where it has none of these ops: so it has more room for arrays."""

EMBEDDED_SIZE = 450_000  # bytes: a notebook keeps every page that it has shown
EMBEDDED_HEIGHT = 720  # pixels


def write(recording: Recorded, path: str | Path, title: str = "", size_limit: int = 1_000_000) -> None:
    """Write a recording as one self-contained HTML file of at most about `size_limit` bytes.

    Arrays that are too large for that are thinned: of each the first slices are kept, and the page says so.
    """
    write_text(path, html(recording, title, size_limit))


def html(shown: Recorded | Tape, title: str = "", size_limit: int = 1_000_000) -> str:
    """The page of a recording, or of a tape, which has no arrays."""
    return filled(
        "page.html",
        STYLES,
        scripts_for(shown),
        size_limit,
        lambda room: contents_of(shown, title or headline(shown), room),
        plain_list,
    )


def filled(
    frame: str,
    styles: Sequence[str],
    scripts: Sequence[str],
    size_limit: int,
    contents_in: Callable[[int], dict[str, Any]],
    list_of: Callable[[dict[str, Any]], str],
) -> str:
    """A page: a frame with style and script, and what `contents_in(room)` knows, as data and as a list."""
    template, style = read(frame), "\n".join(map(read, styles))
    script = lean("\n".join(map(read, scripts)))
    contents = contents_in(size_limit - sum(len(text.encode()) for text in (template, style, script)))
    return Template(template).substitute(
        title=escape(contents["title"]),
        style=style,
        style_hash=digest(style),
        list=list_of(contents),
        contents=json_for_html(contents),
        script=script,
        script_hash=digest(script),
    )


def embedded(shown: Recorded | Tape) -> str:
    """The page inside a notebook's: a frame of its own, whose script and style touch nothing else."""
    text = repr(shown) if isinstance(shown, Tape) else str(shown)
    return framed(html(shown, size_limit=EMBEDDED_SIZE), headline(shown), text)


def framed(page: str, title: str, text: str) -> str:
    """A page in a frame of its own; below it the same as text, which is there where frames are taken away."""
    style = f"width: 100%; height: {EMBEDDED_HEIGHT}px; border: 1px solid #8888; border-radius: 6px"
    attributes = f'style="{style}" sandbox="allow-scripts" title="{escape(title)}"'
    frame = f'<iframe srcdoc="{escape(page)}" {attributes}></iframe>'
    return f"{frame}{disclosure(f'{title}, as text', block(text))}"


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


def read(name: str) -> str:
    """One of the files beside this one."""
    return (FOLDER / name).read_text(encoding="utf-8")


def lean(script: str) -> str:
    """A script without indentation, empty lines and lines of comment: the room is for arrays.

    So no text in backquotes may go over several lines.
    """
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def digest(text: str) -> str:
    """By which the page's own content security policy knows its script and style, and nothing else."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def json_for_html(contents: Any) -> str:
    """JSON that may stand in a <script>: nothing in it ends the element, or begins another."""
    text = json.dumps(contents, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
