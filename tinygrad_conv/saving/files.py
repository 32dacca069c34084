"""`tg.save` and `tg.load`: a state dict, or a checkpoint of several, in a file.

The file is NumPy's .npz, whatever its name: the arrays, and beside them one text in JSON, the structure that
they stand in. Where the name ends in .safetensors it is of that format, with the structure in its metadata.
Nothing in a file is run when it is read; there is no pickle.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import IO, Any, Union

from ..archive import parsed, read_archive, shortened_message, write_archive
from ..atomic_write import replacing
from ..errors import CheckpointError, DamagedFileError
from ..options import DEVICE, FLAG, check_option, show_given
from . import safetensors_file
from .encoding import FORMAT, Decoder, Encoder

File = Union[str, "os.PathLike[str]", IO[bytes]]


def save(obj: Any, f: File, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors, arrays, numbers and texts, and dicts, lists and tuples of them, for `tg.load`.

    f: a path (`~` is your home), which is replaced once all is written and safely on the disk, or a file that
    is open for writing bytes. A path that ends in .safetensors gets a file of that format, for which the
    extra `safetensors` must be installed, else raises MissingExtraError. metadata: texts by name to stand
    beside the tensors of such a file; those that a dict from `tg.load` has, unless others are given. Raises
    TypeError for anything else, a whole module for one: save its state_dict().
    """
    check_file("save", f, "write", "writable")
    by_path = is_safetensors(f)
    texts = texts_beside(obj, metadata, by_path)
    encoder = Encoder(by_path)
    structure = json.dumps([FORMAT, encoder.encode(obj)])
    if by_path:
        content = safetensors_file.packed(structure, encoder.arrays, texts)
    with opened(f, "wb") as file:
        if by_path:
            file.write(content)
        else:
            write_archive(file, structure, list(encoder.arrays.values()))


def load(f: File, map_location: Any = None, weights_only: bool = True) -> Any:
    """What `tg.save` wrote. `map_location` can be the CPU alone; `weights_only` changes nothing here.

    A file of the safetensors format that something else has written is a dict of its tensors. Where a file of
    the format has texts beside its tensors, they are the dict's `.metadata`. Raises CheckpointError, a
    ValueError that names the member and what is wrong with it, for a file that `tg.save` did not write, or
    not to its end.
    """
    if map_location is not None:
        check_option("load", "map_location", DEVICE, map_location)
    check_option("load", "weights_only", FLAG, weights_only)
    check_file("load", f, "read", "readable")
    try:
        with opened(f, "rb") as file:
            if is_safetensors(f):
                return safetensors_file.unpacked(file.read())
            text, arrays = read_archive(file)
            return Decoder(dict(enumerate(arrays))).decode_all(parsed(text))
    except DamagedFileError as error:
        raise CheckpointError(
            f"load: {f} is no file that tg.save wrote, or not all of it "
            f"({shortened_message(str(error))}); for one that torch.save wrote: "
            "net.load_state_dict(tg.interop.load_torch(path))"
        ) from error


def texts_beside(obj: Any, metadata: Any, by_path: bool) -> dict[str, str]:
    """The texts that stand beside the tensors of a file."""
    if metadata is None:
        return dict(obj.metadata) if isinstance(obj, safetensors_file.TensorDict) else {}
    if not by_path or not isinstance(obj, dict):
        raise TypeError("save: metadata goes with a dict, to a path that ends in .safetensors")
    texts = isinstance(metadata, Mapping) and all(
        isinstance(text, str) for pair in metadata.items() for text in pair
    )
    if not texts or safetensors_file.STRUCTURE in metadata:
        raise TypeError(
            f"save: metadata must be a dict of texts, without {safetensors_file.STRUCTURE!r} for a name, not "
            f"{show_given(metadata)}"
        )
    return dict(metadata)


def check_file(op: str, f: Any, method: str, ability: str) -> None:
    """Refuse what is neither a path nor a file that is open for bytes, and can do this."""
    if isinstance(f, (str, os.PathLike)):
        return
    is_open = hasattr(f, method) and not getattr(f, "closed", False)
    if not is_open or isinstance(f, io.TextIOBase) or not getattr(f, ability, lambda: True)():
        given = show_given(f) if hasattr(f, method) else type(f).__name__
        activity = {"write": "writing", "read": "reading"}[method]
        raise TypeError(f"{op}: f must be a path or a file open for {activity} bytes, not {given}")
    if method == "read" and not getattr(f, "seekable", lambda: True)():
        raise TypeError(f"{op}: f cannot be gone through back and forth; pass io.BytesIO(f.read())")


@contextmanager
def buffered(f: io.RawIOBase, kind: Any) -> Iterator[Any]:
    """An unbuffered file with a buffer: by itself it may take or give a part of the bytes alone."""
    file = kind(f)
    try:
        yield file
    finally:
        file.detach()


def opened(f: Any, mode: str) -> Any:
    """The file of a path, or the one that is open already."""
    if isinstance(f, io.RawIOBase):
        return buffered(f, io.BufferedWriter if mode == "wb" else io.BufferedReader)
    if not isinstance(f, (str, os.PathLike)):
        return nullcontext(f)
    path = os.path.expanduser(os.fspath(f))
    return replacing(path, durable=True) if mode == "wb" else open(path, mode)


def is_safetensors(f: Any) -> bool:
    """Whether a path says that its file is of that format."""
    return isinstance(f, (str, os.PathLike)) and os.fspath(f).endswith(".safetensors")
