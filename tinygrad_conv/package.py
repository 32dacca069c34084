"""The name of this package, and what is its own: not a user's, and not another library's."""

from __future__ import annotations

from typing import Any

PACKAGE = __name__.partition(".")[0]


def is_own(definition: Any) -> bool:
    """Whether a function or a class is defined in this package."""
    return (getattr(definition, "__module__", None) or "").startswith(f"{PACKAGE}.")
