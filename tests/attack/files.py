"""Damaged and hostile recordings: refused with a RecordingError that names the member, or usable to the end.

A case is an honest recording and what is done to its file, one thing after the other: to what it says
(files_structure.py), to its arrays, to its archive and to its bytes (files_archive.py).
"""

from __future__ import annotations

import re
import tempfile
import tracemalloc
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinygrad_conv import debug
from tinygrad_conv.errors import RecordingError

from .campaign import Campaign
from .hostile import archives, structures
from .hostile.recordings import RECORDINGS, honest
from .hostile.usage import use_to_the_end

MEMORY = 200 * 2**20
"""How many bytes the reading of these files, of at most 1 MB, may take: the 64 MB of contents that are always
taken, twice while they are copied, and a text of a million characters as Python objects."""

MUTATIONS = {**structures.MUTATIONS, **archives.MUTATIONS}
"""By name, in the order in which they are done: of what it says, of its arrays, its members, its bytes."""

SUBTLE = ("change_values", "change_detail", "change_param", "rename_everywhere", "renumber_arrays")
"""Those that leave a file which may well be read: half of what is done."""

MEMBER = re.compile(r"structure|array\d+|archive|'[^']+' is (there twice|compressed|encrypted)")


@dataclass
class Case:
    """A recording by name, and mutations by name, each with the seed of what is random in it."""

    recording: str
    mutations: tuple[tuple[str, int], ...]


class Files(Campaign):
    """Every file is refused well, or can be used."""

    def make(self, random: np.random.Generator) -> Case:
        count = int(random.choice([1, 1, 1, 2, 3, 6]))
        chosen = random.choice(SUBTLE if random.random() < 0.5 else list(MUTATIONS), size=count)
        return Case(
            recording=str(random.choice(list(RECORDINGS))),
            mutations=tuple((str(name), int(random.integers(2**31))) for name in chosen),
        )

    def check(self, case: Case) -> None:
        original = honest(case.recording)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", RuntimeWarning)  # from arithmetic with what is not finite
            path = Path(folder) / "hostile.npz"
            path.write_bytes(mutated(original.file, case))
            recording = load_within(path)
            if recording is not None:
                use_to_the_end(recording, original.recording, Path(folder))

    def smaller(self, case: Case) -> Iterable[Case]:
        for place in range(len(case.mutations)):
            rest = case.mutations[:place] + case.mutations[place + 1 :]
            yield replace(case, mutations=rest)
        if case.recording != "article":
            yield replace(case, recording="article")


def mutated(file: bytes, case: Case) -> bytes:
    """The file of a case."""
    contents = archives.unpacked(file)
    order = list(MUTATIONS)
    for name, seed in sorted(case.mutations, key=lambda mutation: order.index(mutation[0])):
        MUTATIONS[name](contents, np.random.default_rng(seed))
    return contents.packed()


def load_within(path: Path) -> debug.Recording | None:
    """The recording in a file, or None if it is refused as it should be; and in little memory."""
    tracemalloc.start()
    try:
        return debug.load(path)
    except RecordingError as error:
        said = str(error).replace(str(path), "")
        assert MEMBER.search(said), f"names no member of the file: {error}"
        assert len(said) < 1000, f"says too much: {said[:200]}"
        return None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= MEMORY, f"took {peak:,} bytes"


CAMPAIGN = Files()
