"""Shapes that a forward's docstring gives its inputs: `x [N, C, H, W]`, `w: [O, C, kh, kw]`, `labels [N]`.

A name is one size throughout a docstring. Images (H, W, D, L, T) are made larger than kernels (kh, kw, k);
all others differ from one another, and are others in each of several proposals: so what is one size by chance
is told apart.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from ...engine.op import Op

Names = tuple[str, ...]  # the sizes of a shape, as they are written
Shape = tuple[int, ...]

SIZE = re.compile(r"(?P<factor>\d*)\s*\*?\s*(?P<name>[A-Za-z_]\w*)?\s*(?:\+\s*(?P<summand>\d+))?")
ANY_AXES = ("...", "…", "*")
IMAGE = re.compile(r"([HWDLT]|height|width|length|time)(_?\w*)?", re.IGNORECASE)
KERNEL = re.compile(r"[kK][A-Za-z]?\d?|kernel\w*")


def documented_shapes(op: Op) -> dict[str, Names]:
    """The shapes that the docstring gives, by input; of an input that has another name too, by its own."""
    text = inspect.getdoc(op.forward) or ""
    shapes: dict[str, Names] = {}
    for alias, name in [*((name, name) for name in op.inputs), *op.aliases.items()]:
        # one name, or the first of several that share a shape: x, y [N, C]
        pattern = rf"(?<!\w)\*?{alias}(?:\s*(?:,|and)\s*\w+)*\s*[:,]?\s*(?:(?:of\s+)?shape\s*)?\[([^\[\]]*)\]"
        for match in re.finditer(pattern, text):
            sizes = (
                tuple(re.split(r"\s*[,×]\s*|\s+(?![+*])(?<![+*]\s)", match[1].strip())) if match[1] else ()
            )
            if all(size in ANY_AXES or is_size(size) for size in sizes):
                shapes.setdefault(name, sizes)
    return shapes


def is_size(text: str) -> bool:
    """Whether a text is a size: `4`, `N`, `2C`, `H+2`."""
    parts = SIZE.fullmatch(text)
    return bool(parts and (parts["factor"] or parts["name"]))


def proposals(shapes: dict[str, Names]) -> Iterator[dict[str, int]]:
    """Sizes for the names in these shapes: different ones first, then equal ones, then even ones.

    4 is 2 · 2: where halves are taken, 6 alone tells a rule that mixes up how many they are and how long.
    """
    names = dict.fromkeys(name for sizes in shapes.values() for name in map(name_in, sizes) if name)
    images = [name for name in names if IMAGE.fullmatch(name) and not KERNEL.fullmatch(name)]
    kernels = [name for name in names if KERNEL.fullmatch(name)]
    others = [name for name in names if name not in images and name not in kernels]
    different = (dict(zip(others, range(2, 50))), dict(zip(images, range(6, 50))), dict(zip(kernels, (3, 2))))
    backwards = (
        dict(zip(reversed(others), range(3, 50))),
        dict(zip(reversed(images), range(7, 50))),
        dict(zip(reversed(kernels), (3, 2))),
    )
    for other, image, kernel in (different, backwards):
        yield {**dict.fromkeys(names, 2), **other, **image, **kernel}
    sizes = (dict.fromkeys(others, 4), dict.fromkeys(images, 8), dict.fromkeys(kernels, 3))
    yield {name: size for group in sizes for name, size in group.items()}
    even_images, even_kernels = dict(zip(images, range(8, 99, 2))), dict.fromkeys(kernels, 2)
    yield {**dict(zip(others, range(2, 99, 2))), **even_images, **even_kernels}
    yield {**dict(zip(reversed(others), (6, 2, 4, *range(8, 99, 2)))), **even_images, **even_kernels}


def name_in(size: str) -> str | None:
    """The name in a size, if there is one."""
    parts = SIZE.fullmatch(size)
    return parts["name"] if parts else None


def measured(sizes: Names, values: dict[str, int]) -> Shape:
    """A shape in numbers."""
    return tuple(5 if size in ANY_AXES else measured_size(size, values) for size in sizes)


def measured_size(size: str, values: dict[str, int]) -> int:
    """A size as a number."""
    parts = SIZE.fullmatch(size)
    assert parts is not None  # is_size has looked at it
    return int(parts["factor"] or 1) * values.get(parts["name"], 1) + int(parts["summand"] or 0)
