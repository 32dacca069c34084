"""The page of a film: the frames as plain data, and one HTML file with a slider over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from ...dtypes import Array
from ...errors import show_array, show_count, show_shape
from ..training.observer import as_json
from ..training.sample import planes
from .arrays import Arrays
from .frame import Page, json_for_html

SCRIPTS = ("numbers.js", "heatmap.js", "reading.js", "walk.js", "film.js")
STYLES = ("page.css", "film.css")
SIZES = ("y", "zeros", "dy", "dw", "relative", "progress")  # of a layer
FEWEST = 8  # frames that are kept in any case
MOST, LEAST = 5000, 576  # numbers of an array: where there is room, and before frames are left out
JSON_BYTES, CURVE_BYTES = 180, 16  # around an array and the sizes of a layer; of a point of the curve
DIGITS = 5  # of a size
TOLD = 10  # frames at each end that are told as text

Film: TypeAlias = Any  # of ../film.py, which has this page as a method
Frame: TypeAlias = Any  # likewise


def headline(shown: Film) -> str:
    """What a page is called if nobody says."""
    return f"The training of {type(shown.model).__name__}, {show_count(shown.step, 'step')}"


def contents_of(shown: Film, title: str, room: int) -> dict[str, Any]:
    """Everything that the page shows, in about `room` bytes."""
    frames, most = fitting(list(shown), room - CURVE_BYTES * len(shown.steps))
    arrays = Arrays()
    wholes = {name: param.data for name, param in shown.model.named_parameters() if name in shown[-1].kernels}
    contents = {
        "title": title,
        "note": note(shown, len(frames)),
        "curve": {"steps": shown.steps, "losses": as_json(shown.losses, DIGITS)},
        "frames": [
            {
                "step": frame.step,
                "loss": as_json(frame.moment.loss, DIGITS),
                "lr": as_json(frame.moment.lr, DIGITS),
            }
            for frame in frames
        ],
        "layers": layers_of(frames),
        "kernels": tracks_of([frame.kernels for frame in frames], arrays, most, wholes),
        "maps": tracks_of([frame.maps for frame in frames], arrays, most, {}),
    }
    spent = len(json_for_html(contents)) + len(plain_list(contents))
    return {**contents, "arrays": arrays.encoded(room - spent)}


def fitting(frames: list[Frame], room: int) -> tuple[list[Frame], int]:
    """Which frames there is room for, and with how many numbers of each array.

    Arrays give way first, down to `LEAST`; then every second frame, again and again.
    """
    most, every = MOST, 1
    while True:
        kept = frames[::every]
        if kept[-1] is not frames[-1]:
            kept.append(frames[-1])
        in_base64 = sum(size_of(frame, most) for frame in kept) * 4 // 3
        if in_base64 <= room or (most <= LEAST and len(kept) <= FEWEST):
            return kept, most
        if most > LEAST:
            most = max(LEAST, most * 3 // 4)
        else:
            every *= 2


def size_of(frame: Frame, most: int) -> int:
    """About how many bytes a frame has on the page, where no array has more numbers than so many."""
    arrays = [*frame.kernels.values(), *frame.maps.values()]
    return sum(JSON_BYTES + 4 * planes(array, most).size for array in arrays)


def note(shown: Film, kept: int) -> str:
    """What is not on the page, in words."""
    parts = []
    if kept < len(shown):
        parts.append(f"on this page are {kept} of {len(shown)} frames, for its size is limited")
    if shown.steps and len(shown.steps) < shown.step:
        parts.append(f"the curve has {len(shown.steps):,} of {shown.step:,} steps")
    return f"Not everything is here: {'; '.join(parts)}." if parts else ""


def layers_of(frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """The sizes of each layer at each frame, in the order of the forward."""
    names = dict.fromkeys(name for frame in reversed(frames) for name in frame.moment.layers)
    fullest: dict[str, Any] = max((frame.moment.layers for frame in frames), key=len, default={})
    layers = []
    for name in dict.fromkeys([*fullest, *names]):
        over_time = [frame.moment.layers.get(name) for frame in frames]
        sizes = {size: as_json([getattr(layer, size, None) for layer in over_time], DIGITS) for size in SIZES}
        layers.append({"name": name, **sizes})
    return layers


def tracks_of(
    frames: Sequence[dict[str, Array]], arrays: Arrays, most: int, wholes: dict[str, Any]
) -> list[dict[str, Any]]:
    """Each array over time: by name, its number at each frame. wholes: the arrays that they are parts of."""
    names = dict.fromkeys(name for frame in frames for name in frame)
    tracks = []
    for name in names:
        shown = [planes(frame[name], most) if name in frame else None for frame in frames]
        last = next(array for array in reversed(shown) if array is not None)
        numbers = [arrays.add(array) for array in shown]
        tracks.append({"name": name, "type": type_of(last, wholes.get(name)), "arrays": numbers})
    return tracks


def type_of(shown: Array, whole: Array | None) -> str:
    """What an array is as a whole, and which part of it is shown."""
    if whole is None:
        return ""
    part = "" if shown.shape == whole.shape else f", its first {show_shape(shown.shape)}"
    return f"{show_array(whole)}{part}"


def plain_list(contents: dict[str, Any]) -> str:
    """The frames as a list, for browsers without JavaScript."""
    lines = []
    for frame in contents["frames"]:
        loss = "" if frame["loss"] is None else f", loss {frame['loss']}"
        lines.append(f"<li>step {frame['step']}{loss}</li>")
    return "\n".join(lines)


def text_of(shown: Film) -> str:
    """What is shown as text: frames at both ends."""
    frames = [*shown[:TOLD], *(["…"] if len(shown) > 2 * TOLD else []), *shown[TOLD:][-TOLD:]]
    return "\n".join([repr(shown), *map(str, frames)])


PAGE = Page("film.html", STYLES, lambda shown: SCRIPTS, headline, contents_of, plain_list, text_of)
write, html, embedded = PAGE.write, PAGE.html, PAGE.embedded
