"""What every page is: a frame with style and script, and what it knows, as data and as a list."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from ...atomic_write import write_text
from ..notebook.markup import block, disclosure

FOLDER = Path(__file__).parent
HEAD = "head.html"  # how all frames begin
SIZE_LIMIT = 1_000_000  # bytes, of a file
EMBEDDED_SIZE = 450_000  # bytes: a notebook keeps every page that it has shown
EMBEDDED_HEIGHT = 720  # pixels
BORDER = "border: 1px solid #8888; border-radius: 6px"


class Page(NamedTuple):
    """A kind of page, of what there is to show: a recording, a film, two recordings, a program.

    contents_of: (what is shown, title, room in bytes) → what the page knows, as plain data; list_of: the same
    as a list in HTML, for browsers without JavaScript; text_of: as text, for notebooks without frames.
    """

    frame: str
    styles: Sequence[str]
    scripts_for: Callable[[Any], Sequence[str]]
    headline: Callable[[Any], str]
    contents_of: Callable[[Any, str, int], dict[str, Any]]
    list_of: Callable[[dict[str, Any]], str]
    text_of: Callable[[Any], str]

    def write(self, shown: Any, path: str | Path, title: str = "", size_limit: int = SIZE_LIMIT) -> None:
        """Write it as one self-contained HTML file of at most about `size_limit` bytes.

        Arrays that are too large for that are thinned, and the page says so.
        """
        write_text(path, self.html(shown, title, size_limit))

    def html(self, shown: Any, title: str = "", size_limit: int = SIZE_LIMIT) -> str:
        """The page as text."""
        template = Template(read(self.frame)).safe_substitute(head=read(HEAD).rstrip())
        style = "\n".join(map(read, self.styles))
        script = lean("\n".join(map(read, self.scripts_for(shown))))
        room = size_limit - sum(len(text.encode()) for text in (template, style, script))
        contents = self.contents_of(shown, title or self.headline(shown), room)
        return Template(template).substitute(
            title=escape(contents["title"]),
            style=style,
            style_hash=digest(style),
            list=self.list_of(contents),
            contents=json_for_html(contents),
            script=script,
            script_hash=digest(script),
        )

    def embedded(self, shown: Any) -> str:
        """The page inside a notebook's: a frame of its own, whose script and style touch nothing else.

        Below it the same as text, which is there where frames are taken away.
        """
        title, style = self.headline(shown), f"width: 100%; height: {EMBEDDED_HEIGHT}px; {BORDER}"
        attributes = f'style="{style}" sandbox="allow-scripts" title="{escape(title)}"'
        page = escape(self.html(shown, size_limit=EMBEDDED_SIZE))
        frame = f'<iframe srcdoc="{page}" {attributes}></iframe>'
        return f"{frame}{disclosure(f'{title}, as text', block(self.text_of(shown)))}"


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
