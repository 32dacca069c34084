"""`tg.save` and `tg.load`: a state dict, or a checkpoint of several, in a file.

The file is NumPy's .npz, whatever its name: the arrays, and beside them one text in JSON, the structure that
they stand in. Nothing in it is run when it is read; there is no pickle.
"""

from __future__ import annotations

import json
import os
import zipfile
from contextlib import nullcontext
from typing import IO, Any, Union

import numpy as np

from .atomic_write import replacing
from .dtypes import CODES, Array
from .engine.tensor import Tensor
from .options import DEVICE, FLAG, check_option

File = Union[str, "os.PathLike[str]", IO[bytes]]

FORMAT = "tinygrad_conv 1"
PLAIN = (str, bool, int, float, type(None))
DAMAGE = (KeyError, IndexError, TypeError, ValueError, EOFError, RecursionError, zipfile.BadZipFile)
"""What reading a file raises that something else has written, or that is cut off."""


def save(obj: Any, f: File) -> None:
    """Write tensors, arrays, numbers and texts, and dicts, lists and tuples of them, for `tg.load`.

    f: a path, which is replaced once all is written, or a file that is open for writing bytes. Raises
    TypeError for anything else, a whole module for one: save its state_dict().
    """
    arrays: list[Array] = []
    structure = json.dumps([FORMAT, encoded(obj, "obj", arrays)])
    members: dict[str, Any] = {f"array{number}": array for number, array in enumerate(arrays)}
    if isinstance(f, (str, os.PathLike)):
        with replacing(os.fspath(f)) as file:
            np.savez(file, structure=np.array(structure), **members)
    elif hasattr(f, "write"):
        np.savez(f, structure=np.array(structure), **members)
    else:
        raise TypeError(f"save: f must be a path or a file open for writing bytes, not {type(f).__name__}")


def load(f: File, map_location: Any = None, weights_only: bool = True) -> Any:
    """What `tg.save` wrote. `map_location` can be the CPU alone; `weights_only` changes nothing here.

    Raises ValueError for a file that `tg.save` did not write, or not to its end.
    """
    if map_location is not None:
        check_option("load", "map_location", DEVICE, map_location)
    check_option("load", "weights_only", FLAG, weights_only)
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "read"):
        raise TypeError(f"load: f must be a path or a file open for reading bytes, not {type(f).__name__}")
    try:
        # opened here: NumPy leaves a file open that turns out to be damaged
        file = open(f, "rb") if isinstance(f, (str, os.PathLike)) else nullcontext(f)
        with file as source, np.load(source, allow_pickle=False) as members:
            written_as, structure = json.loads(str(members["structure"]))
            if written_as != FORMAT:
                raise ValueError(f"its format is {written_as!r}")
            return decoded(structure, members)
    except DAMAGE as damage:
        raise ValueError(
            f"load: {f} is no file that tg.save wrote, or not all of it ({damage}); of one that torch.save "
            "wrote, in PyTorch: np.savez(path, **torch.load(f)), and here net.load_state_dict(np.load(path))"
        ) from None


def encoded(value: Any, path: str, arrays: list[Array]) -> Any:
    """A value in JSON's terms; its arrays are added to the list, and named by their places in it.

    path: where in the object the value is, for the message.
    """
    if isinstance(value, Tensor):
        return {"tensor": place_of(value.data, arrays), "requires_grad": value.requires_grad}
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.char not in CODES:
            raise TypeError(f"save: {path} is an array of {value.dtype}, not of numbers")
        kind = "array" if isinstance(value, np.ndarray) else "number"
        return {kind: place_of(np.asarray(value), arrays)}
    if isinstance(value, dict):
        keys = [encoded(key, f"a key of {path}", arrays) for key in value]
        values = [encoded(member, f"{path}[{key!r}]", arrays) for key, member in value.items()]
        return {"dict": list(zip(keys, values))}
    if isinstance(value, (list, tuple)):
        members = [encoded(member, f"{path}[{index}]", arrays) for index, member in enumerate(value)]
        return members if isinstance(value, list) else {"tuple": members}
    if isinstance(value, PLAIN):
        return value
    advice = "save its state_dict()" if hasattr(value, "state_dict") else "save what is in it"
    raise TypeError(
        f"save: {path} is {type(value).__name__}, no tensor, number, text, dict, list or tuple; {advice}"
    )


def place_of(array: Array, arrays: list[Array]) -> int:
    """The place in the list that an array has got."""
    arrays.append(array)
    return len(arrays) - 1


def decoded(structure: Any, members: Any) -> Any:
    """What `encoded` was given, out of JSON's terms and the arrays."""
    if isinstance(structure, list):
        return [decoded(member, members) for member in structure]
    if not isinstance(structure, dict):
        return structure
    (kind, content), *_ = structure.items()
    if kind == "dict":
        return {decoded(key, members): decoded(value, members) for key, value in content}
    if kind == "tuple":
        return tuple(decoded(member, members) for member in content)
    array = members[f"array{content}"]
    if kind == "tensor":
        return Tensor(array, requires_grad=structure["requires_grad"])
    return array[()] if kind == "number" else array
