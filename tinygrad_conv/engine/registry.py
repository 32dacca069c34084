"""The ops by name. It lies lowest: whoever needs an op without importing its module finds it here."""

from __future__ import annotations

from typing import Any

OPS: dict[str, Any] = {}
