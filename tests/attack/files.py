"""Damaged and hostile recordings and checkpoints: refused with an error that names the member, or usable.

A case is an honest file and what is done to its file, one thing after the other: to what it says
(hostile/structures.py), to its arrays, to its archive and to its bytes (hostile/archives.py).
"""

from __future__ import annotations

import re
import tempfile
import tracemalloc
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import debug
from tinygrad_conv.errors import CheckpointError, RecordingError

from .campaign import Campaign
from .hostile import archives, structures
from .hostile.checkpoints import CHECKPOINTS, honest_file, use
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
    """An honest file by name, and mutations by name, each with the seed of what is random in it."""

    honest: str
    mutations: tuple[tuple[str, int], ...]


class Files(Campaign):
    """Every file is refused well, or can be used."""

    def make(self, random: np.random.Generator) -> Case:
        count = int(random.choice([1, 1, 1, 2, 3, 6]))
        chosen = random.choice(SUBTLE if random.random() < 0.5 else list(MUTATIONS), size=count)
        return Case(
            honest=str(random.choice([*RECORDINGS, *4 * [*CHECKPOINTS]])),
            mutations=tuple((str(name), int(random.integers(2**31))) for name in chosen),
        )

    def check(self, case: Case) -> None:
        file = honest_file(case.honest) if case.honest in CHECKPOINTS else honest(case.honest).file
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", RuntimeWarning)  # from arithmetic with what is not finite
            path = Path(folder) / "hostile.npz"
            path.write_bytes(mutated(file, case))
            if case.honest in CHECKPOINTS:
                loaded = load_within(path, tg.load, CheckpointError)
                if loaded is not None:
                    use(loaded, path)
            else:
                recording = load_within(path, debug.load, RecordingError)
                if recording is not None:
                    use_to_the_end(recording, honest(case.honest).recording, Path(folder))

    def smaller(self, case: Case) -> Iterable[Case]:
        for place in range(len(case.mutations)):
            rest = case.mutations[:place] + case.mutations[place + 1 :]
            yield replace(case, mutations=rest)
        if case.honest not in ("article", *CHECKPOINTS):
            yield replace(case, honest="article")


def mutated(file: bytes, case: Case) -> bytes:
    """The file of a case."""
    contents = archives.unpacked(file)
    order = list(MUTATIONS)
    for name, seed in sorted(case.mutations, key=lambda mutation: order.index(mutation[0])):
        MUTATIONS[name](contents, np.random.default_rng(seed))
    return contents.packed()


def load_within(path: Path, load: Callable[[Path], Any], refusal: type[Exception]) -> Any:
    """What is in a file, or None if it is refused as it should be; and in little memory."""
    tracemalloc.start()
    try:
        return load(path)
    except refusal as error:
        said = str(error).replace(str(path), "")
        assert MEMBER.search(said), f"names no member of the file: {error}"
        assert len(said) < 1000, f"says too much: {said[:200]}"
        return None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= MEMORY, f"took {peak:,} bytes"


CAMPAIGN = Files()
