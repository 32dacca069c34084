"""The page of a film: the frames as plain data, and one HTML file with a slider over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, TypeAlias

from ...atomic_write import write_text
from ...errors import show_count, show_shape
from . import EMBEDDED_SIZE, digest, framed, json_for_html, read
from .arrays import Arrays

SCRIPTS = ("numbers.js", "heatmap.js", "film.js")
STYLES = ("page.css", "film.css")
SIZES = ("y", "zeros", "dy", "dw", "relative", "progress")  # of a layer
FEWEST = 8  # frames that are kept, though arrays must be thinned for it
DIGITS = 5  # of a size

Film: TypeAlias = Any  # of ../film.py, which has this page as a method
Frame: TypeAlias = Any  # likewise


def write(shown: Film, path: str | Path, title: str = "", size_limit: int = 1_000_000) -> None:
    """Write a film as one self-contained HTML file of at most about `size_limit` bytes."""
    write_text(path, html(shown, title, size_limit))


def html(shown: Film, title: str = "", size_limit: int = 1_000_000) -> str:
    """The page of a film."""
    frame = read("film.html")
    style, script = ("\n".join(map(read, names)) for names in (STYLES, SCRIPTS))
    room = size_limit - sum(len(text.encode()) for text in (frame, style, script))
    contents = contents_of(shown, title or headline(shown), room)
    return Template(frame).substitute(
        title=escape(contents["title"]),
        style=style,
        style_hash=digest(style),
        list=plain_list(contents),
        contents=json_for_html(contents),
        script=script,
        script_hash=digest(script),
    )


def embedded(shown: Film) -> str:
    """The page inside a notebook's."""
    return framed(html(shown, size_limit=EMBEDDED_SIZE), headline(shown))


def headline(shown: Film) -> str:
    """What a page is called if nobody says."""
    return f"The training of {type(shown.model).__name__}, {show_count(shown.step, 'step')}"


def contents_of(shown: Film, title: str, room: int) -> dict[str, Any]:
    """Everything that the page shows, in about `room` bytes."""
    frames = fitting(list(shown), room)
    arrays = Arrays()
    contents = {
        "title": title,
        "note": note(shown, len(frames)),
        "curve": {"steps": shown.steps, "losses": [plain_number(loss) for loss in shown.losses]},
        "frames": [
            {
                "step": frame.step,
                "loss": plain_number(frame.moment.loss),
                "lr": plain_rates(frame.moment.lr),
            }
            for frame in frames
        ],
        "layers": layers_of(frames),
        "kernels": tracks_of([frame.kernels for frame in frames], arrays, shapes_of(shown)),
        "maps": tracks_of([frame.maps for frame in frames], arrays, {}),
    }
    spent = len(json_for_html(contents)) + len(plain_list(contents))
    return {**contents, "arrays": arrays.encoded(room - spent)}


def fitting(frames: list[Frame], room: int) -> list[Frame]:
    """The frames, or every second, fourth … of them and the last, so that they have room."""
    every = 1
    while True:
        kept = frames[::every]
        if frames and kept[-1] is not frames[-1]:
            kept.append(frames[-1])
        in_base64 = sum(frame.nbytes for frame in kept) * 4 // 3
        if len(kept) <= FEWEST or in_base64 <= room:
            return kept
        every *= 2


def note(shown: Film, kept: int) -> str:
    """What is not on the page, in words."""
    parts = []
    if kept < len(shown):
        parts.append(f"on this page are {kept} of {len(shown)} frames, for its size is limited")
    if shown.steps and len(shown.steps) < shown.step:
        parts.append(f"the curve has {len(shown.steps):,} of {shown.step:,} steps")
    return f"Not everything is here: {'; '.join(parts)}." if parts else ""


def shapes_of(shown: Film) -> dict[str, str]:
    """What the parameters are as a whole."""
    return {
        name: f"{param.dtype} {show_shape(param.data.shape)}"
        for name, param in shown.model.named_parameters()
        if name in shown[-1].kernels
    }


def layers_of(frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """The sizes of each layer at each frame, in the order of the forward."""
    names = dict.fromkeys(name for frame in reversed(frames) for name in frame.moment.layers)
    fullest: dict[str, Any] = max((frame.moment.layers for frame in frames), key=len, default={})
    names = dict.fromkeys([*fullest, *names])
    return [
        {
            "name": name,
            **{
                size: [plain_number(getattr(frame.moment.layers.get(name), size, None)) for frame in frames]
                for size in SIZES
            },
        }
        for name in names
    ]


def tracks_of(
    frames: Sequence[dict[str, Any]], arrays: Arrays, types: dict[str, str]
) -> list[dict[str, Any]]:
    """Each array over time: by name, its number at each frame."""
    names = dict.fromkeys(name for frame in frames for name in frame)
    return [
        {
            "name": name,
            "type": types.get(name, ""),
            "arrays": [arrays.add(frame.get(name)) for frame in frames],
        }
        for name in names
    ]


def plain_number(number: Any) -> Any:
    """A number as JSON has it, with as many digits as are seen; one that is not finite in words."""
    if number is None:
        return None
    if math.isfinite(number):
        return float(f"{number:.{DIGITS}g}")
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def plain_rates(rates: Any) -> Any:
    """A learning rate, or several."""
    return [plain_number(rate) for rate in rates] if isinstance(rates, list) else plain_number(rates)


def plain_list(contents: dict[str, Any]) -> str:
    """The frames as a list, for browsers without JavaScript."""
    lines = []
    for frame in contents["frames"]:
        loss = "" if frame["loss"] is None else f", loss {frame['loss']}"
        lines.append(f"<li>step {frame['step']}{loss}</li>")
    return "\n".join(lines)
