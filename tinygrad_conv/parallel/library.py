"""mpi4py, which is imported when a communicator is asked for."""

from __future__ import annotations

from typing import Any

from ..errors import MissingExtraError


def mpi() -> Any:
    """The module `mpi4py.MPI`. Raises MissingExtraError where it is not installed."""
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise MissingExtraError(
            f"tg.parallel needs mpi4py and an MPI ({error}): pip install 'tinygrad_conv[mpi]' brings both"
        ) from None
    return MPI
