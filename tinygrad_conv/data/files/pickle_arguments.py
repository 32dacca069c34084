"""The arguments of a pickle's instructions, read from its bytes: each returns one, and where the next begins.

Source: the comments of Python's own pickletools. None allocates more than the file has.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import Any

Reader = Callable[[bytes, int], tuple[Any, int]]


def nothing(content: bytes, start: int) -> tuple[None, int]:
    """No argument."""
    return None, start


def part(content: bytes, start: int, count: int) -> tuple[bytes, int]:
    """So many bytes. Raises EOFError where there are fewer."""
    end = start + count
    if end > len(content):
        raise EOFError(f"{count:,} bytes were expected, {len(content) - start:,} follow")
    return content[start:end], end


def fixed(layout: str) -> Reader:
    """A number of a layout of `struct`."""
    unpack, size = struct.Struct(layout).unpack, struct.calcsize(layout)

    def read(content: bytes, start: int) -> tuple[Any, int]:
        raw, end = part(content, start, size)
        return unpack(raw)[0], end

    return read


def counted(length: str, made: Callable[[bytes], Any]) -> Reader:
    """Bytes after their number, and what is made of them."""
    read_length = fixed(length)

    def read(content: bytes, start: int) -> tuple[Any, int]:
        count, begin = read_length(content, start)
        raw, end = part(content, begin, max(count, 0))
        return made(raw), end

    return read


def line(made: Callable[[bytes], Any]) -> Reader:
    """What is made of a line."""

    def read(content: bytes, start: int) -> tuple[Any, int]:
        end = content.index(b"\n", start)
        return made(content[start:end]), end + 1

    return read


def byte(content: bytes, start: int) -> tuple[int, int]:
    """A number in one byte: the most frequent argument."""
    return content[start], start + 1


def name(content: bytes, start: int) -> tuple[tuple[str, str], int]:
    """A module and a name in it, a line each."""
    module, middle = line(as_text)(content, start)
    attribute, end = line(as_text)(content, middle)
    return (module, attribute), end


def as_text(raw: bytes) -> str:
    """A text in UTF-8, in which there may be halves of surrogates."""
    return raw.decode("utf-8", "surrogatepass")


def as_integer(raw: bytes) -> int:
    """A number from its bytes, the lowest first."""
    return int.from_bytes(raw, "little", signed=True)


def as_decimal(raw: bytes) -> int | bool:
    """A number from its digits; with a zero before it, 00 and 01, a truth value."""
    digits = raw.rstrip(b"L")
    return bool(int(digits)) if digits in (b"00", b"01") else int(digits)


def as_quoted(raw: bytes) -> bytes:
    """A string of Python 2 from how it is written in a program."""
    if len(raw) < 2 or raw[:1] != raw[-1:] or raw[:1] not in (b"'", b'"'):
        raise ValueError("a string without quotes")
    return bytes(codecs.escape_decode(raw[1:-1])[0])


def as_escaped(raw: bytes) -> str:
    """A text with escapes."""
    return raw.decode("raw-unicode-escape")
