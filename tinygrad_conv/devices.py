"""The one device there is, the CPU; the names of others, and what is said of them to scripts that ask."""

from __future__ import annotations

from typing import Any

TYPES = ("cpu", "cuda", "mps", "xpu", "meta")


class Device:
    """`tg.device("cpu")`; or one that is not here: `tg.device("cuda:0")` can be made and compared, but no
    tensor is ever there, and what is given it says so.

    type: "cpu", "cuda" …, with the index of the device behind a colon; an int alone is a CUDA device's.
    Raises ValueError for what is no name of a device.
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, Device):
            self.type, self.index = type.type, type.index
            return
        name, colon, number = (f"cuda:{type}" if isinstance(type, int) else str(type)).partition(":")
        if name not in TYPES or (colon and not number.isdecimal()) or (colon and index is not None):
            raise ValueError(f"device: {type!r} is no device here; there is only 'cpu'")
        self.type, self.index = name, int(number) if colon else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"


CPU = Device("cpu")


def is_device(value: Any) -> bool:
    """Whether it is a device, or the name of one."""
    if isinstance(value, Device):
        return True
    return isinstance(value, str) and value.partition(":")[0] in TYPES


def is_cpu(value: Any) -> bool:
    """Whether it is the device that is here, or a name of it."""
    return is_device(value) and str(value) in ("cpu", "cpu:0")


def is_available() -> bool:
    """Whether there is a GPU of this kind: no."""
    return False


def device_count() -> int:
    """How many GPUs of this kind there are: none."""
    return 0


def absent(module: str, name: str) -> AttributeError:
    """What to raise for a name of a GPU's module that is not here."""
    return AttributeError(f"{module}.{name}: there is no GPU, and nothing to set or ask; leave it out")
