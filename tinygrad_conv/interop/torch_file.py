"""`.pt` files: tensors that `torch.save` wrote, read by PyTorch, which runs nothing in them."""

from __future__ import annotations

import os
import re
import warnings
import zipfile
from typing import IO, Any

from ..archive import CHUNK, contents_limit, is_moderate, members_by_name, shortened_message
from ..errors import CheckpointError, DamagedFileError, MissingExtraError, show_shape
from ..foreign import is_torchs, is_torchs_lazy
from ..saving.files import File, opened
from .pytorch import library, ours
from .structures import Converted

OLDEST = (2, 6)  # whose weights_only runs nothing: in those before, a file could (CVE-2025-32434)


def load_torch(f: File) -> Any:
    """What `torch.save` wrote: tensors, and dicts, lists and tuples of them, of numbers and of texts.

        net.load_state_dict(tg.interop.load_torch("model.pt"))

    f: a path (`~` is your home), or a file that is open for reading bytes. The tensors are ours, copies in
    memory of their own, as `from_torch` makes them. PyTorch reads the file, with weights_only=True, so
    nothing in it is run.

    Raises CheckpointError for a file that is damaged, cut off, of another kind, or holds anything else, a
    whole module for one; MissingExtraError where PyTorch is not installed, or is one before 2.6, which might
    run what is in a file.
    """
    torch = library("load_torch")
    if tuple(map(int, re.findall(r"\d+", torch.__version__)[:2])) < OLDEST:
        raise MissingExtraError(
            f"tg.interop.load_torch: PyTorch {torch.__version__} might run what is in a file; pip install -U "
            "torch brings one that does not, 2.6 or newer"
        )
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "read"):
        raise TypeError(
            f"load_torch: f must be a path or a file open for reading bytes, not {type(f).__name__}"
        )
    with opened(f, "rb") as file:
        try:
            return read(torch, file)
        except Exception as error:  # it may be nearly anything
            raise CheckpointError(
                f"load_torch: {f} has more in it than tensors, numbers and texts, or is not whole, and "
                f"nothing in it was run ({problem_of(error)}); of a whole module save what it holds, in "
                "PyTorch: torch.save(model.state_dict(), path)"
            ) from error


def read(torch: Any, file: IO[bytes]) -> Any:
    """What is in a file, whose sizes are looked at before they are believed."""
    size = file.seek(0, os.SEEK_END)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            check_members(archive, size)
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what will be refused anyway
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    return Converted("load_torch", Bounded(size).convert).of(loaded)


def check_members(archive: zipfile.ZipFile, file_size: int) -> None:
    """Refuse an archive with more in it than there are bytes, for torch.save compresses nothing, or with a
    member that its checksum does not fit; PyTorch looks at neither.
    """
    for member in members_by_name(archive, limit=file_size).values():
        if member.CRC:  # PyTorch can be told to write none
            with archive.open(member) as content:
                while content.read(CHUNK):
                    pass


def problem_of(error: Exception) -> str:
    """What an error says, in a line; of PyTorch's without the advice to read the file in an unsafe way."""
    message = str(error)
    asked = re.search(r"GLOBAL ([\w.]+)", message)
    if asked:
        return f"it asks for {asked[1]}"
    line = re.split(r"\. (?:In PyTorch|Please)|\n", message, maxsplit=1)[0]
    return shortened_message(f"{type(error).__name__}: {line}")


class Bounded:
    """Tensors of a file as ours, as long as they take no more memory than a file of its size may ask for."""

    def __init__(self, file_size: int) -> None:
        self.file_size, self.left = file_size, contents_limit(file_size)

    def convert(self, value: Any) -> Any:
        if is_torchs(value) and str(value.layout) == "torch.strided" and not is_torchs_lazy(value):
            self.check(value)
        return ours(value, copy=True)

    def check(self, tensor: Any) -> None:
        """Refuse a tensor that is larger than the file, or repeats a few numbers too often."""
        shape, nbytes = tuple(tensor.shape), tensor.numel() * tensor.element_size()
        stored = tensor.untyped_storage().nbytes()
        self.left -= nbytes
        if stored > self.file_size or self.left < 0 or not is_moderate(shape, nbytes):
            kind = f"{tensor.dtype}{show_shape(shape)}"
            raise DamagedFileError(f"a tensor is {kind}, too much for a file of {self.file_size:,} bytes")
