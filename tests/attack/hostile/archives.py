"""Mutations of a file's arrays, of its members and of its bytes."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Contents:
    """A recording's file in parts, as mutations change them one after the other."""

    structure: Any  # its JSON
    text: str | None  # in the place of the JSON
    members: list[tuple[str, bytes]]  # its arrays; the first is the structure's, whose content is made last
    compression: int = zipfile.ZIP_DEFLATED
    sizes: tuple[int, int] | None = None  # the place of a member, and the size that it is said to have
    damage: tuple[Any, ...] = ()  # what is done to the bytes of the whole file

    def packed(self) -> bytes:
        """The file."""
        text = json.dumps(self.structure) if self.text is None else self.text
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", self.compression) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that are there twice
            for name, content in self.members:
                content = content or array_file(np.array(text))
                slow = len(content) > 2**20  # but for the usual compression
                archive.writestr(name, content, zipfile.ZIP_DEFLATED if slow else self.compression)
            if self.sizes is not None and archive.infolist():
                infos = archive.infolist()
                infos[self.sizes[0] % len(infos)].file_size = self.sizes[1]
        content = buffer.getvalue()
        for change in self.damage:
            content = change(content)
        return content


def unpacked(file: bytes) -> Contents:
    """The parts of an honest file."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    structure = json.loads(str(np.load(io.BytesIO(members[0][1]), allow_pickle=False)))
    return Contents(structure, None, [("structure.npy", b""), *members[1:]])


def array_file(array: Any) -> bytes:
    """An array as NumPy writes it."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def change_member(contents: Contents, random: np.random.Generator, change: Any) -> None:
    """Change the bytes of an array."""
    if len(contents.members) > 1:
        place = int(random.integers(1, len(contents.members)))
        name, content = contents.members[place]
        contents.members[place] = name, change(content)


HEADERS = (
    (b"'<f4'", b"'|O'"), (b"'<f4'", b"'<f8'"), (b"'<f4'", b"'<c8'"), (b"'<f4'", b"'>f4'"),
    (b"'<f8'", b"'<i8'"), (b"'<f4'", b"'<i4'"), (b"'<f8'", b"'<f4'"), (b"'<f", b"'<U"),
    (b"'<f4'", b"[('a', '<f4')]"),
    (b"False", b"True"), (b"True", b"False"), (b"False", b"None"), (b"'shape': (", b"'shape': (1, "),
    (b"'shape': (", b"'shape': (1000000000000, "), (b"'shape': (", b"'shape': (-1, "),
    (b"'shape': (", b"'shape': (0, 9000000000000000000, "), (b"'shape': (", b"'shape': (1.5, "),
    (b"'shape': (", b"'shape': (" + b"1, " * 40), (b"'shape'", b"'size'"), (b"{", b"__import__('os')"),
    (b"{", b"(" * 500), (b"}", b""), (b"\x93NUMPY\x01", b"\x93NUMPY\x02"),
    (b"\x93NUMPY\x01", b"\x93NUMPY\x09"),
    (b"\x93", b""), (b"descr", b"\xff\xfe"),
)  # fmt: skip


def edit_header(contents: Contents, random: np.random.Generator) -> None:
    """Other words in the header of an array, whose length is kept where that can be."""
    old, new = HEADERS[int(random.integers(len(HEADERS)))]

    def edited(content: bytes) -> bytes:
        changed = content.replace(old, new, 1)
        spare = len(changed) - len(content)
        return changed.replace(b" " * spare, b"", 1) if spare > 0 and random.random() < 0.8 else changed

    change_member(contents, random, edited)


def replace_array(contents: Contents, random: np.random.Generator) -> None:
    """Another array: of another shape or dtype, of objects, with NaN, huge numbers, or a bomb of zeros."""
    arrays: tuple[Any, ...] = (
        np.zeros(0, np.float32), np.zeros((), np.float32), np.full((2, 2), np.nan), np.arange(6),
        np.ones(3, bool), np.array([None, print], object), np.array("text"), np.float16([[1]]),
        np.zeros((0, 5, 10**6)), np.zeros(2**23 + 8), np.array([1j]),
        np.array(["2020-01-01"], "M8[D]"), np.zeros(3, "V7"),
    )  # fmt: skip
    made = arrays[int(random.integers(len(arrays)))]
    change_member(contents, random, lambda content: array_file(made))


def change_values(contents: Contents, random: np.random.Generator) -> None:
    """Other numbers of the same kind: all NaN, all infinite, huge, negative, or random bytes."""

    def edited(content: bytes) -> bytes:
        try:
            array = np.load(io.BytesIO(content), allow_pickle=False)
        except Exception:  # an earlier mutation has made something else of it
            return content
        with np.errstate(all="ignore"):
            if array.dtype.kind == "f" and random.random() < 0.6:
                array = np.full_like(array, random.choice([np.nan, np.inf, -np.inf, 1e30, 0.0, -1.0]))
            else:
                array = np.frombuffer(random.bytes(array.nbytes), array.dtype).reshape(array.shape)
        return array_file(array)

    change_member(contents, random, edited)


def cut_array(contents: Contents, random: np.random.Generator) -> None:
    """An array that ends early, or does not end."""
    change_member(
        contents,
        random,
        lambda content: content[: random.integers(len(content) + 1)] + random.bytes(random.integers(3)),
    )


def change_members(contents: Contents, random: np.random.Generator) -> None:
    """Members dropped, doubled, swapped, renamed, added."""
    members, place = contents.members, int(random.integers(len(contents.members)))
    name, content = members[place]
    kind = int(random.integers(6))
    if kind == 0:
        del members[place]
    elif kind == 1:
        members.append(members[place])
    elif kind == 2:
        other = int(random.integers(len(members)))
        members[place], members[other] = members[other], members[place]
    elif kind == 3:
        other = int(random.integers(len(members)))
        (its_name, its_content) = members[other]
        members[place], members[other] = (name, its_content), (its_name, content)
    elif kind == 4:
        odd = ("../escape.npy", "/etc/x.npy", "array-1.npy", "array00.npy", "ARRAY0.npy", "array٣.npy", "x")
        members[place] = odd[int(random.integers(len(odd)))], content
    else:
        members.append(("notes.txt", b"hello"))


def bomb(contents: Contents, random: np.random.Generator) -> None:
    """A member that becomes a thousand times as large."""
    place = int(random.integers(len(contents.members)))
    count = int(random.choice([2**16, 2**22, 2**24]))  # of 8 bytes
    contents.members[place] = contents.members[place][0], array_file(np.zeros(count))


def lie_about_size(contents: Contents, random: np.random.Generator) -> None:
    """A member that is said to have another size than it has."""
    sizes = (0, 1, 100, 10**6, 2**31, 2**32 - 1)
    place = int(random.integers(len(contents.members) + 1))
    contents.sizes = place, sizes[int(random.integers(len(sizes)))]


def compress_otherwise(contents: Contents, random: np.random.Generator) -> None:
    """Another compression than ours, or none."""
    kinds = (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED)
    contents.compression = kinds[int(random.integers(len(kinds)))]


def damage_bytes(contents: Contents, random: np.random.Generator) -> None:
    """Bytes of the file changed, cut off, put before or behind."""
    seed = int(random.integers(2**31))

    def change(content: bytes) -> bytes:
        random = np.random.default_rng(seed)
        kind, place = int(random.integers(5)), int(random.integers(len(content) + 1))
        if kind == 0:
            return content[:place]
        if kind == 1:
            return content[:place] + random.bytes(int(random.integers(1, 30))) + content[place:]
        if kind == 2:
            return random.bytes(int(random.integers(200)))
        flipped = bytearray(content)
        recent = 2000 if kind == 3 else len(content)  # the directory of the archive is at its end
        for _ in range(int(random.integers(1, 20))):
            if flipped:
                at = len(flipped) - 1 - int(random.integers(min(recent, len(flipped))))
                flipped[at] = int(random.integers(256))
        return bytes(flipped)

    contents.damage += (change,)


MUTATIONS = {
    function.__name__: function
    for function in (
        edit_header, replace_array, change_values, cut_array, change_members, bomb, lie_about_size,
        compress_otherwise, damage_bytes,
    )
}  # fmt: skip
